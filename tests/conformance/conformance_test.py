#!/usr/bin/python3
"""Every requirement on the service, with the C++ SDK; several at once.

With ids of requirements or names of suites as arguments runs only those. With --from-outside over
the AWS API and in real time; other options are for the handlers.
"""

import sys
import time

from checks import check
from checks import side_by_side
from run import run_all
from run import run_all_from_outside
from suite import load_requirements


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    requirements = load_requirements([name for name in sys.argv[1:] if name not in options])
    run = run_all
    if "--from-outside" in options:
        options.remove("--from-outside")
        run = run_all_from_outside
    started = time.monotonic()
    runs = run(requirements, options)
    seconds = time.monotonic() - started
    met = 0
    for recorded in runs:
        if errors := check(recorded):
            print(f"FAILED {recorded.requirement.id}: {recorded.requirement.description}")
            print("\n".join(errors))
            print(side_by_side(recorded))
        else:
            met += 1
    print(f"{met} of {len(requirements)} requirements met in {seconds:.1f} s")
    return 0 if 0 < len(requirements) == met else 1


if __name__ == "__main__":
    sys.exit(main())
