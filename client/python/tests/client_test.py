"""The asyncio client: every call of the service."""

import asyncio
import datetime

import pytest

from rehearse import errors
from rehearse.aws_json import from_aws
from rehearse.channel import shared_channel
from rehearse.client import Client
from rehearse.history import compact_history, event_type_name
from rehearse.server import shared_address
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import execution_pb2 as execution
from rehearse.v1 import function_host_pb2 as host
from rehearse.v1 import operation_pb2 as operations
from rehearse.v1 import test_sessions_pb2 as sessions
from rehearse.worker import Worker

ADDRESS = shared_address("us-east-1", "123456789012")
SPECS = [host.FunctionSpec(function_name="orders", durable=True),
         host.FunctionSpec(function_name="plain")]
PENDING = b'{"Status": "PENDING"}'


def checkpoint(invocation, *updates):
    given = invocation.message.durable
    return invocation.checkpoint(executions.CheckpointRequest(
        durable_execution_arn=given.durable_execution_arn, checkpoint_token=given.checkpoint_token,
        updates=[from_aws(update, operations.OperationUpdate()) for update in updates]))


def serve(invocation):
    """Suspends for a day, or for an answer; then answers."""
    if invocation.message.HasField("payload"):
        if invocation.message.payload == b'"fail"':
            raise ValueError("no")
        return invocation.message.payload * 2
    given = invocation.message.durable.initial_execution_state.operations
    text = given[0].execution_details.input_payload
    if text == '"done"':
        return b'{"Status": "SUCCEEDED", "Result": "1"}'
    if len(given) > 1 and given[1].end_timestamp.seconds:
        return b'{"Status": "SUCCEEDED", "Result": "2"}'
    kind = "WAIT" if text == '"wait"' else "CALLBACK"
    options = {"WaitOptions": {"WaitSeconds": 86400}} if kind == "WAIT" else {
        "CallbackOptions": {"TimeoutSeconds": 3600}}
    if len(given) == 1:
        checkpoint(invocation,
                   {"Id": "a", "Type": kind, "Action": "START", "Name": "ask"} | options)
    return PENDING


def with_client(test, **config):
    """Runs `test` with a client of a new session, whose functions are served."""
    async def run():
        async with Client(ADDRESS) as client:
            session = await client.create_session(config=sessions.SessionConfig(**config))
            client.session = session.name
            worker = Worker(shared_channel(ADDRESS), SPECS, serve, session=session.name)
            try:
                await test(client)
            finally:
                await client.delete_session()
                worker.close()
    asyncio.run(run())


def test_start_and_look():
    async def test(client):
        started = await client.start_execution("orders", '"done"', name="order-17",
                                               tenant_id="blue", execution_timeout=60)
        arn = started.durable_execution_arn
        again = await client.start_execution("orders", '"done"', name="order-17",
                                             tenant_id="blue", execution_timeout=60)
        assert again.already_started and again.durable_execution_arn == arn
        done = await client.wait_for_execution(arn, invocation_ended=True)
        assert (done.status, done.result) == (execution.EXECUTION_STATUS_SUCCEEDED, "1")
        found = await client.get_execution(arn)
        assert found.execution.durable_execution_name == "order-17"
        assert found.execution.input_payload == '"done"'
        bare = await client.get_execution(arn, include_execution_data=False)
        assert not bare.execution.HasField("input_payload")
        assert compact_history(await client.get_execution_history(arn)) == "IC2 XS3"
        assert [event_type_name(event) async for event in client.watch_execution(arn)] == [
            "ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]
        assert [event.event_id async for event in client.watch_execution(
            arn, after_event_id=2, include_execution_data=False)] == [3]
        inspected = await client.inspect_execution(arn)
        assert inspected.invocation_count == 1
        with pytest.raises(errors.DurableExecutionAlreadyStartedException) as taken:
            await client.start_execution("orders", '"wait"', name="order-17")
        assert (taken.value.code, taken.value.http_status_code) == ("ALREADY_EXISTS", 409)
    with_client(test)


def test_lists():
    async def test(client):
        arns = [(await client.start_execution("orders", '"done"', name=name)).durable_execution_arn
                for name in ("a", "b")]
        for arn in arns:
            await client.wait_for_execution(arn)
        listed = await client.list_executions("orders", oldest_first=True)
        assert [found.durable_execution_arn for found in listed] == arns
        named = await client.list_executions(
            name="b", statuses=[execution.EXECUTION_STATUS_SUCCEEDED],
            started_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))
        assert [found.durable_execution_name for found in named] == ["b"]
        assert not await client.list_executions(
            started_before=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))
        functions = await client.list_functions()
        assert [state.function.function_name for state in functions] == ["orders", "plain"]
        assert functions[0].slots >= 1
        await client.delete_execution(arns[0])
        with pytest.raises(errors.ResourceNotFoundException):
            await client.get_execution(arns[0])
        await client.deregister_function("plain")
        with pytest.raises(errors.ResourceNotFoundException):
            await client.deregister_function("plain")
        assert client.session in [session.name for session in await client.list_sessions()]
        assert (await client.get_session()).session.closed_executions == 1
    with_client(test)


def test_lists_longer_than_a_page(monkeypatch):
    monkeypatch.setattr("rehearse.client._PAGE_ITEMS", 2)

    async def test(client):
        for name in ("a", "b", "c", "d", "e"):
            await client.start_execution("orders", '"done"', name=name)
        listed = await client.list_executions(oldest_first=True)
        assert [found.durable_execution_name for found in listed] == ["a", "b", "c", "d", "e"]
        arn = (await client.start_execution("orders", '"ask"')).durable_execution_arn
        operation = await client.wait_for_operation(arn, name="ask", invocation_ended=True)
        await client.send_callback_success(operation.callback_details.callback_id)
        await client.wait_for_execution(arn, invocation_ended=True)
        history = await client.get_execution_history(arn)
        assert [event.event_id for event in history] == [1, 2, 3, 4, 5, 6]
        monkeypatch.setattr("rehearse.client._PAGE_ITEMS", 1)
        inspected = await client.inspect_execution(arn)
        assert len(inspected.operations) == 2
    with_client(test)


def test_callbacks():
    async def test(client):
        error = operations.ErrorObject(error_type="Rejected", error_message="no")
        answers = {"succeed": lambda id: client.send_callback_success(id, b"yes"),
                   "fail": lambda id: client.send_callback_failure(id, error)}
        for name, answer in answers.items():
            arn = (await client.start_execution("orders", f'"{name}"')).durable_execution_arn
            operation = await client.wait_for_operation(
                arn, type=operations.OPERATION_TYPE_CALLBACK, latest=True,
                statuses=[operations.OPERATION_STATUS_STARTED], invocation_ended=True)
            callback_id = operation.callback_details.callback_id
            await client.send_callback_heartbeat(callback_id)
            await answer(callback_id)
            await client.wait_for_execution(arn)
            answered = await client.wait_for_operation(arn, operation_id=operation.id)
            assert answered.callback_details.result == ("yes" if name == "succeed" else "")
            assert answered.callback_details.error == (
                error if name == "fail" else operations.ErrorObject())
            with pytest.raises(errors.CallbackTimeoutException):
                await answer(callback_id)
            with pytest.raises(errors.ResourceConflictException):
                await client.wait_for_operation(arn, name="another")
    with_client(test)


def test_plain_functions():
    async def test(client):
        assert (await client.invoke_function("plain", b"12")).payload == b"1212"
        failed = await client.invoke_function("plain", b'"fail"')
        assert (failed.error.error_type, failed.error.error_message) == ("ValueError", "no")
        assert "raise ValueError" in failed.error.stack_trace[-1]
        assert not (await client.invoke_function("plain", b"1", as_event=True)).payload
    with_client(test)


def test_time():
    async def test(client):
        arn = (await client.start_execution("orders", '"wait"', as_event=True)
               ).durable_execution_arn
        await client.wait_for_operation(arn, name="ask", invocation_ended=True)
        moved = await client.advance_time(datetime.timedelta(hours=23))
        assert moved.fired_count == 0
        with pytest.raises(errors.WaitTimedOut, match='wait "ask"') as caught:
            await client.wait_for_execution(arn, timeout=0.001)
        assert isinstance(caught.value, TimeoutError)
        moved = await client.advance_to_next_timer()
        assert [timer.kind for timer in moved.fired] == [sessions.FiredTimer.KIND_WAIT]
        assert (await client.wait_for_execution(arn)).result == "2"
    with_client(test, clock_mode=sessions.CLOCK_MODE_MANUAL)


def test_pause_resume_stop():
    async def test(client):
        arn = (await client.start_execution("orders", '"ask"')).durable_execution_arn
        await client.wait_for_operation(arn, name="ask", invocation_ended=True)
        await client.pause_execution(arn, "lunch", execution_timeout_paused=False)
        paused = await client.wait_for_execution(
            arn, statuses=[execution.EXECUTION_STATUS_PAUSED])
        assert paused.status == execution.EXECUTION_STATUS_PAUSED
        await client.resume_execution(arn, "dinner")
        error = operations.ErrorObject(error_message="enough")
        stopped = await client.stop_execution(arn, error)
        assert stopped.HasField("stop_timestamp")
        assert (await client.wait_for_execution(arn)).error == error
        reasons = [event.execution_paused_details.reason.payload
                   or event.execution_resumed_details.reason.payload
                   for event in await client.get_execution_history(arn)]
        assert [reason for reason in reasons if reason] == ["lunch", "dinner"]
    with_client(test)


def test_stepped():
    async def test(client):
        arn = (await client.start_execution("orders", '"done"')).durable_execution_arn
        assert (await client.inspect_execution(arn)).invocation_owed
        assert (await client.invoke_next(arn)).invoked
        assert not (await client.invoke_next(arn)).invoked
    with_client(test, stepped=True)


def test_held_session_ends_with_its_hold():
    async def test():
        async with Client(ADDRESS) as client:
            client.session = (await client.create_session("held-here")).name
            hold = await client.hold_session()
            with pytest.raises(errors.ResourceConflictException):
                await client.create_session("held-here")
            hold.cancel()
            watched = errors.ServiceError
            while True:
                try:
                    await client.get_session()
                except errors.ResourceNotFoundException as error:
                    watched = type(error)
                    break
            assert watched is errors.ResourceNotFoundException
            with pytest.raises(errors.ResourceNotFoundException):
                await client.hold_session()
    asyncio.run(asyncio.wait_for(test(), 60))


def test_unknown_names_and_no_service():
    async def test():
        async with Client(ADDRESS) as client:
            with pytest.raises(errors.ResourceNotFoundException, match="no worker"):
                await client.start_execution("nobody")
            with pytest.raises(errors.ResourceNotFoundException) as caught:
                async for _ in client.watch_execution("arn"):
                    pass
            assert caught.value.to_dict()["Type"] == "ResourceNotFoundException"
        async with Client("127.0.0.1:1") as client:
            with pytest.raises(errors.ServiceException, match="service cannot be reached") as gone:
                await client.get_execution("arn")
            assert gone.value.code == "UNAVAILABLE"
    asyncio.run(test())
