"""The wheel as a user has it: installed into an empty environment, without a network."""

import os
import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

WHEEL = pathlib.Path(os.environ["WHEEL"]).resolve()
FOLDERS_OF_WHEELS = [pathlib.Path("external", repository, "wheels").resolve()
                     for repository in ("python_client", "official_python")]
README = pathlib.Path("client/python/README.md").read_text(encoding="utf-8")
PYTHON = "/usr/bin/python3"
# Nothing of this test's own.
ENVIRONMENT = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}


def call(*command, **options):
    done = subprocess.run([str(part) for part in command], env=ENVIRONMENT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(name="environment", scope="module")
def empty_environment(tmp_path_factory):
    """With what the README's install line installs."""
    folder = tmp_path_factory.mktemp("environment")
    call(PYTHON, "-m", "venv", "--without-pip", folder)
    install = re.search(r"pip install (.*)", README)[1].replace("'", "").split()
    assert install[0] == "rehearse[aws]"
    call(PYTHON, "-m", "pip", "--python", folder / "bin" / "python", "install", "--no-index",
         "--no-cache-dir", "--disable-pip-version-check",
         *(f"--find-links={wheels}" for wheels in FOLDERS_OF_WHEELS),
         f"{WHEEL}[aws]", *install[1:])
    return folder


def test_quick_start(environment, tmp_path):
    quick_start = re.search(r"`(test_\w+\.py)`.*?```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / quick_start[1]).write_text(quick_start[2])
    command = re.findall(r"```sh\n(pytest .*)\n", README)
    assert command == [f"pytest {quick_start[1]}"]
    shown = call(environment / "bin" / "pytest", quick_start[1], cwd=tmp_path)
    assert "1 passed" in shown
    assert re.search(r"plugins:.* rehearse-", shown)


def test_runner_of_the_readme(environment, tmp_path):
    quick_start, runner = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "show.py").write_text(quick_start + runner)
    shown = call(environment / "bin" / "python", "show.py", cwd=tmp_path)
    assert re.match(r"\d{4}-\d\d-\d\d ", shown)


def test_program(environment):
    assert call(environment / "bin" / "rehearse", "--version").startswith("rehearse ")


def test_contents():
    with zipfile.ZipFile(WHEEL) as wheel:
        assert wheel.testzip() is None
        names = wheel.namelist()
        metadata = wheel.read("rehearse-0.1.0.dist-info/METADATA").decode()
    assert len(names) == len(set(names))
    for name in ("rehearse/__init__.py", "rehearse/py.typed", "rehearse/bin/rehearse",
                 "rehearse/v1/event_pb2.py", "rehearse/v1/event_pb2.pyi",
                 "rehearse/v1/function_host_pb2_grpc.py", "rehearse/testing/runner.py",
                 "rehearse-0.1.0.dist-info/LICENSE"):
        assert name in names
    assert not [name for name in names if name.endswith("_test.py") or "/tests/" in name]
    assert WHEEL.name == "rehearse-0.1.0-py3-none-manylinux_2_36_x86_64.whl"
    assert "Requires-Dist: grpcio>=1.78,<2\n" in metadata
    assert 'extra == "aws"' in metadata
    assert metadata.endswith(README)


def test_tag_fits_the_c_library_that_the_program_needs(tmp_path):
    with zipfile.ZipFile(WHEEL) as wheel:
        program = wheel.extract("rehearse/bin/rehearse", tmp_path)
    versions = re.findall(r"GLIBC_2\.(\d+)", call("objdump", "-T", program))
    assert max(int(version) for version in versions) <= int(
        re.search(r"manylinux_2_(\d+)", WHEEL.name)[1])
    assert sys.platform == "linux"
