#!/usr/bin/python3
"""Every requirement, with its worker's stream lost at each message in turn.

Whatever the moment, the execution ends as it does undisturbed, and every operation goes through the
same states: nothing that was acknowledged is lost or done again. A step that runs at most once per
attempt loses the attempt during which the stream was lost; its body never runs twice for one.

With numbers as arguments loses the stream at these messages only.
"""

import collections
import itertools
import sys

from checks import check_durations
from checks import side_by_side
from run import run_all
from suite import load_requirements

# Their only step runs at most once per attempt, and its body logs the input.
_AT_MOST_ONCE = ("1-17", "1-18")


def courses(run):
    """The types of the events of each operation and of the execution itself, in order."""
    by_id = collections.defaultdict(list)
    for event in run.events:
        if event["EventType"].startswith("Execution"):
            by_id["execution"].append(event["EventType"])
        elif event["EventType"] != "InvocationCompleted":
            by_id[event["Id"]].append(event["EventType"])
    return by_id


def check_at_most_once(run):
    (step,) = courses(run).keys() - {"execution"}
    course = courses(run)[step]
    bodies = sum("operationId" in line for line in run.log_lines)
    attempts = course.count("StepStarted")
    if bodies > attempts:
        yield f"the body ran {bodies} times in {attempts} attempts"
    # Each lost attempt is recorded before the next begins.
    if course[:-1] != list(itertools.islice(
            itertools.cycle(["StepStarted", "StepFailed"]), len(course) - 1)):
        yield f"the step went through {course}"


def check_same_course(run, undisturbed):
    expected, recorded = courses(undisturbed), courses(run)
    for operation in expected.keys() | recorded.keys():
        if expected[operation] != recorded[operation]:
            yield (f"operation {operation} went through {recorded[operation]}, "
                   f"undisturbed through {expected[operation]}")


def check(run, undisturbed):
    errors = [*run.errors, *check_durations(run.events)]
    if run.requirement.id in _AT_MOST_ONCE:
        errors += check_at_most_once(run)
    else:
        errors += check_same_course(run, undisturbed)
    return errors


def was_cut(run):
    return any('"message": "cut"' in line for line in run.log_lines)


def main():
    requirements = load_requirements()
    undisturbed = {run.requirement.id: run for run in run_all(requirements)}
    runs_cut = failures = 0
    for cut in [int(number) for number in sys.argv[1:]] or itertools.count(1):
        runs = run_all(requirements, [f"--cut={cut}"])
        for run in runs:
            if errors := check(run, undisturbed[run.requirement.id]):
                failures += 1
                print(f"FAILED {run.requirement.id}, stream lost at message {cut}")
                print("\n".join(errors))
                print(side_by_side(run))
        # Who has no such message has no later one.
        requirements = [run.requirement for run in runs if was_cut(run)]
        runs_cut += len(requirements)
        if not requirements:
            break
    print(f"{runs_cut} runs lost their stream, {failures} failed")
    return 0 if runs_cut and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
