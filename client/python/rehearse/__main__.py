"""The program: python -m rehearse up --time=skip"""

import os
import sys

from rehearse.server import find_binary


def main() -> None:
    binary = find_binary()
    os.execv(binary, [binary, *sys.argv[1:]])


if __name__ == "__main__":
    main()
