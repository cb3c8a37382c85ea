"""House rules that a line of text can show. Takes file names, prints each breach, exits 1 on any."""

import re
import sys

_TODO = re.compile(r"\bTODO\b(?!(\([^)]+\))?: \S+ \S+)")


def header_guard(path):
    return "REHEARSE_" + re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"


def breaches(path, text):
    """Yields (line number, what is wrong)."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if _TODO.search(line):
            yield number, "TODO without an explanation (TODO: what and why)"
        if path.endswith((".bazel", ".bzl", ".BUILD")) and _indentation(line) % 4 != 0:
            yield number, "indentation is not a multiple of four"
    if text and not text.endswith("\n"):
        yield len(lines), "no line break at the end of the file"
    if path.endswith(".h"):
        guard = header_guard(path)
        for directive in ("#ifndef ", "#define "):
            if directive + guard not in lines:
                yield 1, "no include guard " + guard


def _indentation(line):
    return len(line) - len(line.lstrip(" "))


def main():
    found = False
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for number, wrong in breaches(path, file.read()):
                print(f"{path}:{number}: {wrong}")
                found = True
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
