"""Hosting of raw handlers on worker streams."""

import datetime
import queue
import threading

import pytest

from rehearse import errors
from rehearse.channel import shared_channel
from rehearse.server import Server, shared_address
from rehearse.testing._session import TestSession, run
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import execution_pb2 as execution
from rehearse.v1 import function_host_pb2 as host
from rehearse.v1 import operation_pb2 as operations
from rehearse.v1 import test_sessions_pb2 as sessions
from rehearse.worker import Worker

ADDRESS = shared_address("us-east-1", "123456789012")
ORDERS = host.FunctionSpec(function_name="orders", durable=True)
DONE = b'{"Status": "SUCCEEDED", "Result": "1"}'
PENDING = b'{"Status": "PENDING"}'


@pytest.fixture(name="session")
def session_that_skips_time():
    session = TestSession(ADDRESS, sessions.SessionConfig(clock_mode=sessions.CLOCK_MODE_SKIP))
    yield session
    session.end()


def start(session, **options):
    return run(session.api.start_execution("orders", "1", **options)).durable_execution_arn


def result(session, arn):
    return run(session.api.wait_for_execution(arn, invocation_ended=True))


def update(**members):
    return operations.OperationUpdate(id="a", name="a", **members)


def request(invocation, *updates, token=None):
    given = invocation.message.durable
    return executions.CheckpointRequest(
        durable_execution_arn=given.durable_execution_arn, updates=updates,
        checkpoint_token=token or given.checkpoint_token)


def test_invocation_tells_what_lambda_would(session):
    seen = []

    def serve(invocation):
        seen.append(invocation.message)
        assert invocation.deadline > datetime.datetime.now(datetime.timezone.utc)
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        arn = start(session, tenant_id="blue", client_context='{"a": 1}')
        assert result(session, arn).result == "1"
    assert seen[0].durable.durable_execution_arn == arn
    assert (seen[0].function_name, seen[0].version) == ("orders", "$LATEST")
    assert (seen[0].tenant_id, seen[0].client_context) == ("blue", '{"a": 1}')


def test_handler_that_raises_is_an_invocation_that_failed(session):
    tries = []

    def serve(_):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("not yet")
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        arn = start(session)
        assert result(session, arn).result == "1"
    failed = session.history(arn)[1].invocation_completed_details.error.payload
    assert (failed.error_type, failed.error_message) == ("RuntimeError", "not yet")
    assert "in serve" in failed.stack_trace[-1]


@pytest.mark.parametrize("crash", ["exit", "crash"])
def test_crash(session, crash):
    tries = []

    def serve(invocation):
        tries.append(1)
        if len(tries) > 1:
            return DONE
        if crash == "exit":
            raise SystemExit
        invocation.crash()
        with pytest.raises(errors.ServiceException, match="made to crash"):
            invocation.checkpoint(request(invocation))
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        arn = start(session)
        assert result(session, arn).result == "1"
    failed = session.history(arn)[1].invocation_completed_details.error.payload
    assert failed.error_type == "Runtime.ExitError"


def test_refused_request_leaves_the_invocation_running(session):
    def serve(invocation):
        wait = update(type=operations.OPERATION_TYPE_WAIT, action=operations.OPERATION_ACTION_START)
        with pytest.raises(errors.InvalidParameterValueException):
            invocation.checkpoint(request(invocation, wait))
        step = update(type=operations.OPERATION_TYPE_STEP,
                      action=operations.OPERATION_ACTION_START)
        answer = invocation.checkpoint(request(invocation, step))
        assert answer.new_execution_state.operations[0].id == "a"
        with pytest.raises(errors.InvalidParameterValueException) as stale:
            invocation.checkpoint(request(invocation, token="c3RhbGU="))
        assert stale.value.http_status_code == 400
        state = invocation.get_execution_state(executions.GetExecutionStateRequest(
            durable_execution_arn=invocation.message.durable.durable_execution_arn,
            checkpoint_token=answer.checkpoint_token))
        assert len(state.operations) == 2
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        assert result(session, start(session)).status == execution.EXECUTION_STATUS_SUCCEEDED


def test_idle_handler_sees_time_jump(session):
    def serve(invocation):
        wait = update(type=operations.OPERATION_TYPE_WAIT, action=operations.OPERATION_ACTION_START,
                      wait_options={"wait_seconds": 86400})
        answer = invocation.checkpoint(request(invocation, wait))
        until = answer.new_execution_state.operations[0].wait_details.scheduled_end_timestamp
        until = until.ToDatetime(tzinfo=datetime.timezone.utc)
        assert invocation.idle(until) >= until
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        assert result(session, start(session)).status == execution.EXECUTION_STATUS_SUCCEEDED


def test_slots_are_opened_as_they_are_needed(session):
    meeting = threading.Barrier(5, timeout=60)

    def serve(_):
        meeting.wait()
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        arns = [start(session) for _ in range(5)]
        assert {result(session, arn).result for arn in arns} == {"1"}


def test_no_more_slots_than_allowed(session):
    running, most = [], []
    lock = threading.Lock()

    def serve(_):
        with lock:
            running.append(1)
            most.append(len(running))
        with lock:
            running.pop()
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name, max_slots=2):
        arns = [start(session) for _ in range(10)]
        assert {result(session, arn).result for arn in arns} == {"1"}
        assert run(session.api.list_functions())[0].slots <= 2
    assert max(most) <= 2


def test_aborted_invocation_is_told_by_its_next_request(session):
    entered, stopped, told = threading.Event(), threading.Event(), queue.SimpleQueue()

    def serve(invocation):
        entered.set()
        stopped.wait(60)
        try:
            invocation.checkpoint(request(invocation))
        except errors.ServiceError:
            told.put(invocation.aborted)
        return PENDING

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        arn = start(session)
        assert entered.wait(60)
        run(session.api.stop_execution(arn))
        stopped.set()
        assert result(session, arn).status == execution.EXECUTION_STATUS_STOPPED
        assert told.get(timeout=60) == "EXECUTION_STOPPED"
        # The slot serves on.
        entered.clear()
        assert result(session, start(session)).status == execution.EXECUTION_STATUS_FAILED


def test_invocation_that_is_over_takes_no_requests(session):
    kept = []

    def serve(invocation):
        kept.append(invocation)
        return DONE

    with Worker(session.channel, [ORDERS], serve, session=session.name):
        result(session, start(session))
        with pytest.raises(errors.ServiceException, match="the invocation has ended"):
            kept[0].checkpoint(request(kept[0]))
        # The stream is as it was.
        assert result(session, start(session)).result == "1"


def test_answer_that_is_too_large_to_send_breaks_one_stream_only(session):
    tries = []

    def serve(_):
        tries.append(1)
        return DONE if len(tries) > 1 else b"x" * (65 << 20)

    with Worker(session.channel, [ORDERS], serve, session=session.name, max_slots=1):
        assert result(session, start(session)).result == "1"
        assert result(session, start(session)).result == "1"


def test_what_the_service_refuses(session):
    with pytest.raises(errors.ResourceNotFoundException, match="Session does not exist"):
        Worker(session.channel, [ORDERS], lambda _: DONE, session="nobody")
    with pytest.raises(errors.InvalidParameterValueException):
        Worker(session.channel, [], lambda _: DONE, session=session.name)


def test_service_that_goes_away():
    with Server() as server:
        channel = shared_channel(server.grpc_address)
        worker = Worker(channel, [ORDERS], lambda _: DONE)
        slots = list(worker._slots)
    for slot in slots:
        slot.join(60)
        assert not slot.is_alive()
    assert not worker._slots
    worker.close()
