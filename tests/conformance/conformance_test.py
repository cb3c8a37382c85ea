#!/usr/bin/python3
"""Every requirement on the service, with the C++ SDK; several at once.

With ids of requirements or names of suites as arguments runs only those.
"""

import concurrent.futures
import sys
import time

import grpc

from checks import check
from checks import side_by_side
from run import Runner
from suite import load_requirements

_CONCURRENCY = 16


def report(runner, requirement):
    """What is wrong, as text; empty when the requirement is met."""
    try:
        run = runner.run(requirement)
    except grpc.RpcError as error:
        return error.details()
    errors = check(run)
    return "\n".join([*errors, side_by_side(run)]) if errors else ""


def main():
    requirements = load_requirements(sys.argv[1:])
    started = time.monotonic()
    with Runner(_CONCURRENCY) as runner, \
            concurrent.futures.ThreadPoolExecutor(_CONCURRENCY) as threads:
        reports = list(threads.map(lambda requirement: report(runner, requirement), requirements))
    seconds = time.monotonic() - started
    for requirement, text in zip(requirements, reports):
        if text:
            print(f"FAILED {requirement.id}: {requirement.description}\n{text}\n")
    print(f"{reports.count('')} of {len(requirements)} requirements met in {seconds:.1f} s")
    return 0 if requirements and not any(reports) else 1


if __name__ == "__main__":
    sys.exit(main())
