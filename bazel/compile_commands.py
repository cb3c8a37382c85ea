"""Writes compile_commands.json for clang-tidy and editors.

Reads `bazel aquery --output=jsonproto` of C++ compilations from standard input. The arguments are
`bazel info workspace` and `bazel info output_path`.
"""

import json
import sys

# Options of GCC that Clang does not know.
_GCC_ONLY = {
    "-fno-canonical-system-headers",
    "-Wno-free-nonheap-object",
    "-Wunused-but-set-parameter",
}


def command(arguments, workspace, output_path):
    """One entry: Bazel's own command, to be run in the workspace, not where Bazel runs it."""
    source = arguments[arguments.index("-c") + 1]
    kept = [
        argument.replace("bazel-out/", output_path + "/")
        for argument in arguments
        if argument not in _GCC_ONLY
    ]
    return {"directory": workspace, "file": source, "arguments": kept}


def main():
    workspace, output_path = sys.argv[1:]
    actions = json.load(sys.stdin).get("actions", [])
    commands = [command(action["arguments"], workspace, output_path) for action in actions]
    json.dump(commands, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
