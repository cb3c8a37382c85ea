"""Histories as text, and messages with AWS's names: without a service."""

import datetime

import pytest

from rehearse import history
from rehearse.aws_json import from_aws, to_aws
from rehearse.testing.model import Event, events_to_operations
from rehearse.v1 import event_pb2 as pb
from rehearse.v1 import operation_pb2 as operations

NOON = datetime.datetime(1970, 1, 1, 12, tzinfo=datetime.timezone.utc)


def event(event_id, event_type, since_start=datetime.timedelta(), **members):
    made = pb.Event(event_id=event_id, event_type=event_type, **members)
    made.event_timestamp.FromDatetime(NOON + since_start)
    return made


def one_context_with_a_retried_step():
    return [
        event(1, pb.EVENT_TYPE_EXECUTION_STARTED, execution_started_details={
            "input": {"payload": '"input"'}}),
        event(2, pb.EVENT_TYPE_CONTEXT_STARTED, datetime.timedelta(milliseconds=1), id="c",
              name="outer", context_started_details={}),
        event(3, pb.EVENT_TYPE_STEP_FAILED, datetime.timedelta(milliseconds=1), id="s",
              parent_id="c", name="charge", step_failed_details={
                  "error": {"payload": {"error_type": "Declined",
                                        "error_message": "the bank said no"}},
                  "retry_details": {"current_attempt": 1, "next_attempt_delay_seconds": 5}}),
        event(4, pb.EVENT_TYPE_INVOCATION_COMPLETED, datetime.timedelta(milliseconds=2),
              invocation_completed_details={
                  "start_timestamp": NOON, "end_timestamp": NOON, "request_id": "r"}),
        event(5, pb.EVENT_TYPE_WAIT_STARTED, datetime.timedelta(hours=30), name="pause",
              wait_started_details={"duration": 90}),
    ]


def test_table():
    assert history.format_history(one_context_with_a_retried_step()) == (
        'id  time  at            event                name      recorded\n'
        ' 1  +0    12:00:00.000  ExecutionStarted               "input"\n'
        ' 2  +1ms  12:00:00.001  ContextStarted       outer\n'
        ' 3  +1ms  12:00:00.001  StepFailed             charge  Declined: the bank said no, '
        'attempt 1, next in 5s\n'
        ' 4  +2ms  12:00:00.002  InvocationCompleted\n'
        ' 5  +30h  18:00:00.000  WaitStarted          pause     1m30s\n')


def test_table_of_what_else_events_say():
    text = history.format_history([
        event(1, pb.EVENT_TYPE_CALLBACK_STARTED, callback_started_details={
            "callback_id": "x", "timeout": 3600, "heartbeat_timeout": 1}),
        event(2, pb.EVENT_TYPE_CHAINED_INVOKE_STARTED, chained_invoke_started_details={
            "function_name": "price", "tenant_id": "blue", "input": {"payload": "1"}}),
        event(3, pb.EVENT_TYPE_STEP_SUCCEEDED, step_succeeded_details={
            "result": {"truncated": True}, "retry_details": {"current_attempt": 2}}),
        event(4, pb.EVENT_TYPE_EXECUTION_PAUSED, execution_paused_details={
            "reason": {"payload": "lunch"}}),
    ])
    assert [line.rpartition("  ")[2].strip() for line in text.splitlines()[1:]] == [
        "timeout 1h, heartbeat timeout 1s", "1, -> price, tenant blue", "attempt 2", "lunch"]


def test_table_of_nothing():
    assert history.format_history([]) == "(no events)\n"


def test_notation():
    assert history.compact_history(one_context_with_a_retried_step()) == "CS2 SF3 IC4 WS5"
    assert history.compact_history([]) == ""


def test_every_event_type_has_a_code_of_its_own():
    codes = [history.compact_history([event(2, number)]) for number in pb.EventType.values()
             if number]
    assert len(set(codes)) == len(codes)
    assert not [code for code in codes if "?" in code]
    assert "XS2" in codes and "ES2" in codes


@pytest.mark.parametrize("text, limit, shown", [
    ("", 5, ""), ("12345", 5, "12345"), ("häßlich", 7, "häßlich"),
    ("a\nb\tc\x01\x7f", 60, "a\\nb\\tc\\x01\\x7f"),
    (100 * "ä", 20, "äääää... (200 bytes)"),
])
def test_text_is_cut_to_a_line(text, limit, shown):
    assert history.abbreviate(text, limit) == shown
    assert len(history.abbreviate(text, limit)) <= max(limit, len(shown))


@pytest.mark.parametrize("duration, text", [
    ({}, "0"), ({"milliseconds": 1}, "1ms"), ({"milliseconds": 1500}, "1.5s"),
    ({"seconds": 90}, "1m30s"), ({"days": 30, "milliseconds": 30}, "720h0.03s"),
    ({"hours": 1, "seconds": 1}, "1h1s"), ({"hours": -1}, "-1h"), ({"microseconds": 7}, "7us"),
])
def test_durations(duration, text):
    assert history.format_duration(datetime.timedelta(**duration)) == text


@pytest.mark.parametrize("error, text", [
    ({"error_type": "A", "error_message": "b"}, "A: b"), ({"error_type": "A"}, "A"),
    ({"error_message": "b"}, "b"), ({}, ""),
])
def test_errors(error, text):
    assert history.format_error(operations.ErrorObject(**error)) == text


def test_messages_have_awss_names():
    operation = operations.Operation(
        id="1", type=operations.OPERATION_TYPE_CHAINED_INVOKE,
        status=operations.OPERATION_STATUS_TIMED_OUT,
        chained_invoke_details={"error": {"error_message": "no", "stack_trace": ["a", "b"]}})
    operation.start_timestamp.FromDatetime(NOON)
    values = {"Id": "1", "Type": "CHAINED_INVOKE", "Status": "TIMED_OUT", "StartTimestamp": NOON,
              "ChainedInvokeDetails": {"Error": {"ErrorMessage": "no", "StackTrace": ["a", "b"]}}}
    assert to_aws(operation) == values
    assert to_aws(one_context_with_a_retried_step()[1]) == {
        "EventType": "ContextStarted", "EventId": 2, "Id": "c", "Name": "outer",
        "EventTimestamp": NOON + datetime.timedelta(milliseconds=1), "ContextStartedDetails": {}}


def test_updates_are_read_from_awss_names():
    update = from_aws({
        "Id": "1", "Type": "STEP", "Action": "RETRY", "Payload": "", "Name": None,
        "StepOptions": {"NextAttemptDelaySeconds": 0},
        "Error": {"StackTrace": ["a"]}, "ContextOptions": {}}, operations.OperationUpdate())
    assert update == operations.OperationUpdate(
        id="1", type=operations.OPERATION_TYPE_STEP, action=operations.OPERATION_ACTION_RETRY,
        payload="", step_options={"next_attempt_delay_seconds": 0},
        error={"stack_trace": ["a"]}, context_options={})
    assert update.HasField("payload") and not update.HasField("name")
    with pytest.raises(KeyError):
        from_aws({"Colour": "red"}, operations.OperationUpdate())


def test_events_go_to_dictionaries_and_back():
    for message in one_context_with_a_retried_step():
        given = to_aws(message)
        made = Event.from_dict(given)
        assert made.event_type == given["EventType"]
        assert made.details is not None
        assert Event.from_dict(made.to_dict()) == made


def test_operations_are_rebuilt_from_events():
    rebuilt = events_to_operations(
        Event.from_dict(to_aws(message)) for message in one_context_with_a_retried_step())
    context, step, = rebuilt[:2]
    assert (context.operation_id, context.status.value, context.name) == ("c", "STARTED", "outer")
    assert (step.parent_id, step.status.value, step.step_details.attempt) == ("c", "PENDING", 1)
    assert step.step_details.error.message == "the bank said no"
    assert step.end_timestamp is None
    assert step.step_details.next_attempt_timestamp == NOON + datetime.timedelta(
        milliseconds=5001)
