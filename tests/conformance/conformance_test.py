#!/usr/bin/python3
"""Every requirement on the service, with the C++ SDK; several at once.

With ids of requirements or names of suites as arguments runs only those; options are for the
handlers.
"""

import sys
import time

from checks import check
from checks import side_by_side
from run import run_all
from suite import load_requirements


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    requirements = load_requirements([name for name in sys.argv[1:] if name not in options])
    started = time.monotonic()
    runs = run_all(requirements, options)
    seconds = time.monotonic() - started
    met = 0
    for run in runs:
        if errors := check(run):
            print(f"FAILED {run.requirement.id}: {run.requirement.description}")
            print("\n".join(errors))
            print(side_by_side(run))
        else:
            met += 1
    print(f"{met} of {len(requirements)} requirements met in {seconds:.1f} s")
    return 0 if 0 < len(requirements) == met else 1


if __name__ == "__main__":
    sys.exit(main())
