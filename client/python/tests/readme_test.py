"""The Python of the repository's README."""

import pathlib
import re
import subprocess
import sys

README = pathlib.Path("README.md").read_text(encoding="utf-8")


def test_section_on_python(tmp_path):
    section = re.search(r"\n## Python: .*?(?=\n## )", README, re.DOTALL)[0]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    (tmp_path / "test_orders.py").write_text(code)
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "rehearse.pytest_plugin",
                           "test_orders.py"], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
