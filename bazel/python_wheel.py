"""Writes a wheel: files, a program, and the metadata that installers read.

    python_wheel.py --output=a-1.0-py3-none-any.whl --distribution=a --version=1.0 \\
        --tag=py3-none-any --root=client/python/ --binary=PATH --readme=PATH --license=PATH FILE...

The same input makes the same bytes. A file's place in the wheel is what is behind --root in its
path. The program is stripped of what only a debugger reads.
"""

import argparse
import base64
import hashlib
import pathlib
import subprocess
import tempfile
import zipfile

# The earliest that a zip file knows.
_TIME = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644
_PROGRAM_MODE = 0o100755


class Wheel:
    def __init__(self, path, info_folder):
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._info_folder = info_folder
        self._records = []

    def add(self, name, content, mode=_FILE_MODE):
        entry = zipfile.ZipInfo(name, _TIME)
        entry.external_attr = mode << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        self._records.append(f"{name},sha256={digest},{len(content)}\n")

    def add_info(self, name, text):
        self.add(f"{self._info_folder}/{name}", text.encode())

    def close(self):
        record = f"{self._info_folder}/RECORD"
        self.add(record, "".join(self._records + [f"{record},,\n"]).encode())
        self._zip.close()


def stripped(program):
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, program], check=True)
        return pathlib.Path(copy.name).read_bytes()


def metadata_of(arguments):
    head = ["Metadata-Version: 2.1", f"Name: {arguments.distribution}",
            f"Version: {arguments.version}", *arguments.metadata,
            "Description-Content-Type: text/markdown"]
    return "\n".join(head) + "\n\n" + arguments.readme.read_text()


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("output", "distribution", "version", "tag", "root", "binary"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("readme", "license"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--metadata", action="append", default=[])
    parser.add_argument("--entry-points", action="append", default=[])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    wheel = Wheel(arguments.output, f"{arguments.distribution}-{arguments.version}.dist-info")
    places = {str(file).rpartition(arguments.root)[2]: file for file in arguments.files}
    for place, file in sorted(places.items()):
        wheel.add(place, file.read_bytes())
    wheel.add(f"{arguments.distribution}/bin/{pathlib.Path(arguments.binary).name}",
              stripped(arguments.binary), _PROGRAM_MODE)
    wheel.add_info("LICENSE", arguments.license.read_text())
    wheel.add_info("METADATA", metadata_of(arguments))
    wheel.add_info("WHEEL", "Wheel-Version: 1.0\nGenerator: rehearse\nRoot-Is-Purelib: false\n"
                            f"Tag: {arguments.tag}\n")
    wheel.add_info("entry_points.txt", "\n".join(arguments.entry_points) + "\n")
    wheel.close()


if __name__ == "__main__":
    main()
