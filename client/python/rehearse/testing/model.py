"""Histories as test code sees them, and the Lambda context of a handler.

    history = runner.get_execution_history(arn, include_execution_data=True)
    started = history.events[0]
    assert started.event_type == "ExecutionStarted"
    assert started.execution_started_details.input.payload == '{"order": 17}'

Each class has AWS's members in snake_case; `from_dict` and `to_dict` speak AWS's own names.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
import types
import typing
from collections.abc import Iterable
from typing import Any, Self

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, Operation

_SPELLED_OTHERWISE = {"operation_id": "Id"}


class _AwsShape:
    """Conversion by the fields' names and types."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """An unknown member is left out."""
        return cls(**{name: convert(data[member]) for name, member, convert in _members(cls)
                      if data.get(member) is not None})

    def to_dict(self) -> dict[str, Any]:
        values = ((member, getattr(self, name)) for name, member, _ in _members(type(self)))
        return {member: value.to_dict() if hasattr(value, "to_dict") else value
                for member, value in values if value is not None}


@functools.cache
def _members(cls: Any) -> list[tuple[str, str, Any]]:
    """Name, AWS's name and conversion of each field."""
    hints = typing.get_type_hints(cls)
    return [(field.name, _aws_name(field.name), _conversion(hints[field.name]))
            for field in dataclasses.fields(cls)]


def _aws_name(name: str) -> str:
    return _SPELLED_OTHERWISE.get(name) or "".join(word.title() for word in name.split("_"))


def _conversion(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is list:
        convert = _conversion(typing.get_args(hint)[0])
        return lambda values: [convert(value) for value in values]
    return getattr(hint, "from_dict", lambda value: value)


@dataclasses.dataclass(frozen=True)
class EventInput(_AwsShape):
    payload: str | None = None
    # True: the payload was left out.
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class EventResult(_AwsShape):
    payload: str | None = None
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class EventError(_AwsShape):
    payload: ErrorObject | None = None
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class RetryDetails(_AwsShape):
    # The attempt that has ended, from 1.
    current_attempt: int = 0
    # None on the last attempt.
    next_attempt_delay_seconds: int | None = None


@dataclasses.dataclass(frozen=True)
class _WithNothing(_AwsShape):
    pass


@dataclasses.dataclass(frozen=True)
class _WithResult(_AwsShape):
    result: EventResult | None = None


@dataclasses.dataclass(frozen=True)
class _WithError(_AwsShape):
    error: EventError | None = None


@dataclasses.dataclass(frozen=True)
class ExecutionStartedDetails(_AwsShape):
    input: EventInput | None = None
    # Seconds.
    execution_timeout: int | None = None


class ExecutionSucceededDetails(_WithResult):
    pass


class ExecutionFailedDetails(_WithError):
    pass


class ExecutionTimedOutDetails(_WithError):
    pass


class ExecutionStoppedDetails(_WithError):
    pass


@dataclasses.dataclass(frozen=True)
class EventReason(_AwsShape):
    payload: str | None = None
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class ExecutionPausedDetails(_AwsShape):
    pause_request_timestamp: datetime.datetime | None = None
    execution_timeout_paused: bool = False
    reason: EventReason | None = None


@dataclasses.dataclass(frozen=True)
class ExecutionResumedDetails(_AwsShape):
    resume_request_timestamp: datetime.datetime | None = None
    reason: EventReason | None = None


class ContextStartedDetails(_WithNothing):
    pass


class ContextSucceededDetails(_WithResult):
    pass


class ContextFailedDetails(_WithError):
    pass


@dataclasses.dataclass(frozen=True)
class WaitStartedDetails(_AwsShape):
    # Seconds.
    duration: int | None = None
    scheduled_end_timestamp: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True)
class WaitSucceededDetails(_AwsShape):
    duration: int | None = None


class WaitCancelledDetails(_WithError):
    pass


class StepStartedDetails(_WithNothing):
    pass


@dataclasses.dataclass(frozen=True)
class StepSucceededDetails(_WithResult):
    retry_details: RetryDetails | None = None


@dataclasses.dataclass(frozen=True)
class StepFailedDetails(_WithError):
    retry_details: RetryDetails | None = None


@dataclasses.dataclass(frozen=True)
class ChainedInvokeStartedDetails(_AwsShape):
    function_name: str | None = None
    tenant_id: str | None = None
    input: EventInput | None = None
    # The child execution; None for a plain function.
    durable_execution_arn: str | None = None
    # None when the target could not be resolved.
    executed_version: str | None = None


class ChainedInvokeSucceededDetails(_WithResult):
    pass


class ChainedInvokeFailedDetails(_WithError):
    pass


class ChainedInvokeTimedOutDetails(_WithError):
    pass


class ChainedInvokeStoppedDetails(_WithError):
    pass


@dataclasses.dataclass(frozen=True)
class CallbackStartedDetails(_AwsShape):
    callback_id: str | None = None
    # Seconds; None: none.
    heartbeat_timeout: int | None = None
    timeout: int | None = None


class CallbackSucceededDetails(_WithResult):
    pass


class CallbackFailedDetails(_WithError):
    pass


class CallbackTimedOutDetails(_WithError):
    pass


@dataclasses.dataclass(frozen=True)
class InvocationCompletedDetails(_AwsShape):
    start_timestamp: datetime.datetime
    end_timestamp: datetime.datetime
    request_id: str
    # None when the handler's output was accepted.
    error: EventError | None = None


@dataclasses.dataclass(frozen=True)
class Event(_AwsShape):
    # For example "StepStarted".
    event_type: str
    event_timestamp: datetime.datetime
    sub_type: str | None = None
    event_id: int = 1
    operation_id: str | None = None
    name: str | None = None
    parent_id: str | None = None
    execution_started_details: ExecutionStartedDetails | None = None
    execution_succeeded_details: ExecutionSucceededDetails | None = None
    execution_failed_details: ExecutionFailedDetails | None = None
    execution_timed_out_details: ExecutionTimedOutDetails | None = None
    execution_stopped_details: ExecutionStoppedDetails | None = None
    context_started_details: ContextStartedDetails | None = None
    context_succeeded_details: ContextSucceededDetails | None = None
    context_failed_details: ContextFailedDetails | None = None
    wait_started_details: WaitStartedDetails | None = None
    wait_succeeded_details: WaitSucceededDetails | None = None
    wait_cancelled_details: WaitCancelledDetails | None = None
    step_started_details: StepStartedDetails | None = None
    step_succeeded_details: StepSucceededDetails | None = None
    step_failed_details: StepFailedDetails | None = None
    chained_invoke_started_details: ChainedInvokeStartedDetails | None = None
    chained_invoke_succeeded_details: ChainedInvokeSucceededDetails | None = None
    chained_invoke_failed_details: ChainedInvokeFailedDetails | None = None
    chained_invoke_timed_out_details: ChainedInvokeTimedOutDetails | None = None
    chained_invoke_stopped_details: ChainedInvokeStoppedDetails | None = None
    callback_started_details: CallbackStartedDetails | None = None
    callback_succeeded_details: CallbackSucceededDetails | None = None
    callback_failed_details: CallbackFailedDetails | None = None
    callback_timed_out_details: CallbackTimedOutDetails | None = None
    invocation_completed_details: InvocationCompletedDetails | None = None
    execution_paused_details: ExecutionPausedDetails | None = None
    execution_resumed_details: ExecutionResumedDetails | None = None

    @property
    def details(self) -> Any:
        """The one that is set, or None."""
        return next((value for field in dataclasses.fields(self) if field.name.endswith("_details")
                     and (value := getattr(self, field.name)) is not None), None)


@dataclasses.dataclass(frozen=True)
class GetDurableExecutionHistoryResponse(_AwsShape):
    events: list[Event]
    next_marker: str | None = None


@dataclasses.dataclass(frozen=True)
class GetDurableExecutionResponse(_AwsShape):
    durable_execution_arn: str
    durable_execution_name: str
    function_arn: str
    status: str
    start_timestamp: datetime.datetime
    input_payload: str | None = None
    result: str | None = None
    error: ErrorObject | None = None
    end_timestamp: datetime.datetime | None = None
    version: str | None = None


@dataclasses.dataclass(frozen=True)
class LambdaContext:
    """What a handler gets as its second argument, by way of the SDK."""

    aws_request_id: str
    log_group_name: str | None = None
    log_stream_name: str | None = None
    function_name: str | None = None
    memory_limit_in_mb: str | None = None
    function_version: str | None = None
    invoked_function_arn: str | None = None
    tenant_id: str | None = None
    client_context: dict[str, Any] | None = None
    identity: dict[str, Any] | None = None
    # On the wall clock; None: 900 s are left, always.
    deadline: datetime.datetime | None = None

    def get_remaining_time_in_millis(self) -> int:
        if self.deadline is None:
            return 900_000
        left = self.deadline - datetime.datetime.now(datetime.timezone.utc)
        return max(0, left // datetime.timedelta(milliseconds=1))

    def log(self, msg: Any) -> None:
        """Does nothing."""


_OPERATION_TYPES = {"Execution": "EXECUTION", "Context": "CONTEXT", "Wait": "WAIT", "Step": "STEP",
                    "ChainedInvoke": "CHAINED_INVOKE", "Callback": "CALLBACK"}
_STATUSES = {"Started": "STARTED", "Succeeded": "SUCCEEDED", "Failed": "FAILED",
             "Cancelled": "CANCELLED", "TimedOut": "TIMED_OUT", "Stopped": "STOPPED"}
_EVENT_TYPE = re.compile(f"({'|'.join(_OPERATION_TYPES)})({'|'.join(_STATUSES)})")


def events_to_operations(events: Iterable[Event]) -> list[Operation]:
    """The operations that a history tells of, in order of first appearance."""
    records: dict[str, dict[str, Any]] = {}
    for event in events:
        match = _EVENT_TYPE.fullmatch(event.event_type)
        if match is not None and event.operation_id is not None:
            record = records.setdefault(event.operation_id, _new_record(event, match[1]))
            _apply(event, match[1], _STATUSES[match[2]], record)
    return [Operation.from_dict(record) for record in records.values()]


def _new_record(event: Event, kind: str) -> dict[str, Any]:
    return {"Id": event.operation_id, "Type": _OPERATION_TYPES[kind], "Name": event.name,
            "ParentId": event.parent_id, "SubType": event.sub_type,
            "StartTimestamp": event.event_timestamp, f"{kind}Details": {}}


def _apply(event: Event, kind: str, status: str, record: dict[str, Any]) -> None:
    record["Status"] = status
    if status != "STARTED":
        record["EndTimestamp"] = event.event_timestamp
    details = record[f"{kind}Details"]
    told = event.details.to_dict() if event.details is not None else {}
    for member in ("CallbackId", "ScheduledEndTimestamp"):
        if member in told:
            details[member] = told[member]
    if "Input" in told:
        details["InputPayload"] = told["Input"].get("Payload")
    for member in ("Result", "Error"):
        if "Payload" in told.get(member, {}):
            details[member] = told[member]["Payload"]
    if kind == "Step":
        _apply_attempt(event, told.get("RetryDetails"), record)


def _apply_attempt(event: Event, retry: dict[str, Any] | None, record: dict[str, Any]) -> None:
    details = record["StepDetails"]
    details.pop("NextAttemptTimestamp", None)
    if retry is None:
        return
    details["Attempt"] = retry["CurrentAttempt"]
    if "NextAttemptDelaySeconds" in retry:
        record["Status"] = "PENDING"
        del record["EndTimestamp"]
        details["NextAttemptTimestamp"] = event.event_timestamp + datetime.timedelta(
            seconds=retry["NextAttemptDelaySeconds"])
