"""Histories as text: a table for people, and a short notation for tests.

    print(format_history(await client.get_execution_history(arn)))

     id  time    at            event             name  recorded
      1  +0      12:00:00.000  ExecutionStarted        "input str"
      2  +1ms    12:00:00.001  StepStarted       one
      3  +1ms    12:00:00.001  StepSucceeded     one   "1 2"

    compact_history(events)        # "SS2 SX3 WS4 IC5 WX6 ..."
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from rehearse.aws_json import enum_name
from rehearse.v1 import event_pb2 as pb
from rehearse.v1 import operation_pb2 as operations

_MAX_RECORDED = 60
_MAX_NAME = 40
_KINDS = {"Execution": "X", "Context": "C", "Wait": "W", "Step": "S", "ChainedInvoke": "I",
          "Callback": "B"}
_ENDINGS = {"Started": "S", "Succeeded": "X", "Failed": "F", "TimedOut": "T", "Stopped": "P",
            "Cancelled": "C"}
_OTHER_CODES = {"ExecutionStarted": "ES", "ExecutionSucceeded": "XS", "ExecutionPaused": "XH",
                "ExecutionResumed": "XR", "InvocationCompleted": "IC"}


def event_type_name(event: pb.Event) -> str:
    """AWS's name, for example "StepStarted"."""
    return enum_name(pb.EventType.DESCRIPTOR, event.event_type)


def format_history(events: Sequence[pb.Event]) -> str:
    """A line per event; times relative to the first event, and in UTC; names indented by the
    contexts around them. What was recorded is cut to a line of at most 60 characters."""
    if not events:
        return "(no events)\n"
    depths: dict[str, int] = {}
    rows = [["id", "time", "at", "event", "name", "recorded"]]
    for event in events:
        depth = depths.get(event.parent_id, -1) + 1 if event.parent_id else 0
        depths[event.id] = depth
        rows.append(_row(event, events[0], depth))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "".join(_line(row, widths) for row in rows)


def compact_history(events: Iterable[pb.Event]) -> str:
    """Type code and event id of each event but the first, ExecutionStarted."""
    return " ".join(f"{_code(event_type_name(event))}{event.event_id}"
                    for event in events if event.event_id > 1)


def format_error(error: operations.ErrorObject) -> str:
    """For example "Declined: the bank said no"."""
    return ": ".join(part for part in (error.error_type, error.error_message) if part)


def abbreviate(text: str, max_characters: int) -> str:
    """`text` on one line, control characters escaped; what is cut off is told by its size."""
    shown = [_character(character) for character in text[:max_characters + 1]]
    if len(shown) <= max_characters:
        return "".join(shown)
    size = f"... ({len(text.encode(errors='replace'))} bytes)"
    return "".join(shown[:max(0, max_characters - len(size))]) + size


def format_duration(duration: datetime.timedelta) -> str:
    """Like "1h30m", "1.5s" or "2ms"; "0" for none."""
    microseconds = duration // datetime.timedelta(microseconds=1)
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    if not microseconds:
        return "0"
    hours, rest = divmod(microseconds, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    text = sign + (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest and rest < 1_000_000 and not text.strip("-"):
        return text + (f"{rest / 1000:g}ms" if rest >= 1000 else f"{rest}us")
    return text + (f"{rest / 1_000_000:.6f}".rstrip("0").rstrip(".") + "s" if rest else "")


def _character(character: str) -> str:
    if character == "\n":
        return "\\n"
    if character == "\t":
        return "\\t"
    return f"\\x{ord(character):02x}" if character < " " or character == "\x7f" else character


def _code(name: str) -> str:
    if name in _OTHER_CODES:
        return _OTHER_CODES[name]
    for kind, letter in _KINDS.items():
        ending = _ENDINGS.get(name.removeprefix(kind))
        if ending is not None:
            return letter + ending
    return "??"


def _row(event: pb.Event, first: pb.Event, depth: int) -> list[str]:
    at = event.event_timestamp.ToDatetime()
    passed = at - first.event_timestamp.ToDatetime()
    passed -= passed % datetime.timedelta(milliseconds=1)
    return [str(event.event_id), "+" + format_duration(passed),
            at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}", event_type_name(event),
            "  " * depth + abbreviate(event.name, _MAX_NAME), _recorded(event)]


def _line(row: list[str], widths: list[int]) -> str:
    cells = [row[0].rjust(widths[0])] + [cell.ljust(width)
                                         for cell, width in zip(row[1:], widths[1:])]
    return "  ".join(cells).rstrip() + "\n"


def _recorded(event: pb.Event) -> str:
    """What the event says, besides its columns."""
    kind = event.WhichOneof("details")
    if kind is None:
        return ""
    details = {field.name: value for field, value in getattr(event, kind).ListFields()}
    parts = []
    for member in ("input", "result", "reason"):
        if member in details and details[member].HasField("payload"):
            parts.append(abbreviate(details[member].payload, _MAX_RECORDED))
    if "error" in details and details["error"].HasField("payload"):
        parts.append(abbreviate(format_error(details["error"].payload), _MAX_RECORDED))
    if "duration" in details:
        parts.append(_of_seconds(details["duration"]))
    if "function_name" in details:
        parts.append("-> " + details["function_name"])
    if "tenant_id" in details:
        parts.append("tenant " + details["tenant_id"])
    parts += _retry(details.get("retry_details"))
    for member, text in (("execution_timeout", "timeout"), ("timeout", "timeout"),
                         ("heartbeat_timeout", "heartbeat timeout")):
        if member in details:
            parts.append(f"{text} {_of_seconds(details[member])}")
    return ", ".join(parts)


def _retry(details: pb.RetryDetails | None) -> list[str]:
    if details is None:
        return []
    parts = []
    if details.current_attempt > 1 or details.HasField("next_attempt_delay_seconds"):
        parts.append(f"attempt {details.current_attempt}")
    if details.HasField("next_attempt_delay_seconds"):
        parts.append("next in " + _of_seconds(details.next_attempt_delay_seconds))
    return parts


def _of_seconds(seconds: int) -> str:
    return format_duration(datetime.timedelta(seconds=seconds))
