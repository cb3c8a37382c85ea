"""Packs a Go module as GOPROXY=file://... takes it from a folder.

    go_module.py FOLDER/MODULE/@v MODULE VERSION NAME=FILE...

NAME is where the module has the FILE, or what is in that folder.
"""

import json
import os
import sys
import zipfile

# Of every file: the same input gives the same module.
_TIME = (1980, 1, 1, 0, 0, 0)


def files_of(name, path):
    """Yields (name in the module, path)."""
    if not os.path.isdir(path):
        yield name, path
        return
    for entry in sorted(os.listdir(path)):
        yield from files_of(f"{name}/{entry}", os.path.join(path, entry))


def pack(target, prefix, pairs):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for pair in pairs:
            for name, path in files_of(*pair):
                with open(path, "rb") as file:
                    archive.writestr(zipfile.ZipInfo(f"{prefix}/{name}", _TIME), file.read(), zipfile.ZIP_DEFLATED)


def main():
    versions, module, version, *pairs = sys.argv[1:]
    pairs = [pair.split("=", 1) for pair in pairs]
    pack(os.path.join(versions, version + ".zip"), f"{module}@{version}", pairs)
    with open(dict(pairs)["go.mod"], encoding="utf-8") as file:
        go_mod = file.read()
    for name, text in {
        "list": version + "\n",
        version + ".info": json.dumps({"Version": version}) + "\n",
        version + ".mod": go_mod,
    }.items():
        with open(os.path.join(versions, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
