"""Compares runs with requirements.

    errors = check(run)            # empty: the run is as required
    print(side_by_side(run))
"""

import itertools
import json
import textwrap

from suite import CloudWatchLogValidator
from suite import EventHistoryMatcher

# Time stamps are floating-point seconds since the epoch.
_TIME_STAMP_ERROR_SECONDS = 1e-5

_COLUMN = 72


def check(run):
    """What is wrong with a run, in lines."""
    errors = list(run.errors)
    matcher = EventHistoryMatcher(run.context)
    errors += matcher.match(run.requirement.history, run.events).errors
    errors += check_logs(run)
    errors += check_durations(run.events)
    return errors


def check_logs(run):
    log = [{"message": line, "timestamp": number} for number, line in enumerate(run.log_lines)]
    return CloudWatchLogValidator().validate(run.requirement.logs, log, run.context).errors


def check_durations(events):
    """Nothing that takes time on the service's clock may end before it."""
    errors = []
    by_id = lambda event: event.get("Id", "")
    for _, group in itertools.groupby(sorted(events, key=by_id), key=by_id):
        for event, following in itertools.pairwise(group):
            seconds = _shortest_seconds(event, following)
            elapsed = following["EventTimestamp"] - event["EventTimestamp"]
            if elapsed < seconds - _TIME_STAMP_ERROR_SECONDS:
                errors.append(f"Event[EventId={following['EventId']}]: {elapsed} s after "
                              f"{event['EventType']}, which takes {seconds} s")
    return errors


def _shortest_seconds(event, following):
    """How long the service has to wait between two events of an operation."""
    details = event.get(event["EventType"] + "Details", {})
    if event["EventType"] == "WaitStarted":
        return details["Duration"]
    if following["EventType"] == "CallbackTimedOut":
        return min(details[limit] for limit in ("Timeout", "HeartbeatTimeout") if limit in details)
    return details.get("RetryDetails", {}).get("NextAttemptDelaySeconds", 0)


def side_by_side(run):
    """Expected and recorded events in two columns; rows that differ begin with '!'."""
    expected = {event["EventId"]: event for event in run.requirement.history}
    recorded = {event["EventId"]: event for event in run.events}
    # The bindings of the run would hide where the first difference is.
    matcher = EventHistoryMatcher(run.requirement.new_context())
    lines = [f"  {'EXPECTED':{_COLUMN}}  RECORDED"]
    for number in sorted(expected.keys() | recorded.keys()):
        left, right = expected.get(number), recorded.get(number)
        differs = left and not matcher.match([left], [right] if right else [])
        lines += _row("!" if differs else " ", left, right)
    lines += ["logged: " + line.rstrip() for line in run.log_lines if run.requirement.logs]
    return "\n".join(lines)


def _row(mark, left, right):
    columns = [textwrap.wrap(_text(event), _COLUMN) for event in (left, right)]
    for pair in itertools.zip_longest(*columns, fillvalue=""):
        yield f"{mark} {pair[0]:{_COLUMN}}  {pair[1]}".rstrip()


def _text(event):
    if event is None:
        return ""
    members = [f"{name}={json.dumps(value)}" for name, value in event.items()
               if name not in ("EventId", "EventType", "EventTimestamp")]
    return " ".join([str(event["EventId"]), event["EventType"], *members])
