"""A session of the service, for the threads of a test: what a runner holds.

    session = TestSession("127.0.0.1:9013", SessionConfig(clock_mode=CLOCK_MODE_SKIP))
    started = run(session.api.start_execution("orders", '{"id": 17}'))
    session.end()

The session is deleted by `end`, and by the service when this process is gone.
"""

from __future__ import annotations

import datetime
import queue
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from rehearse import errors
from rehearse.channel import shared_channel
from rehearse.client import Api
from rehearse.history import format_history
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import event_pb2 as events
from rehearse.v1 import operation_pb2 as operations
from rehearse.v1 import test_sessions_pb2 as sessions

_CALL_TIMEOUT_SECONDS = 30
_WAIT_MARGIN_SECONDS = 10
T = TypeVar("T")


class BlockingApi(Api):
    """Every call of the service, blocking the thread: pass the coroutines to `run`."""

    async def _call(self, method: Any, request: Message,
                    timeout: float = _CALL_TIMEOUT_SECONDS) -> Any:
        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine of a BlockingApi, which never waits for an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the coroutine waits for something else than a blocking call")


class TestSession:
    """Thread-safe."""

    # Not a test, whatever a test framework may think.
    __test__ = False

    def __init__(self, address: str, config: sessions.SessionConfig) -> None:
        self.channel = shared_channel(address)
        self.api = BlockingApi(self.channel, "")
        self.api.session = run(self.api.create_session(config=config)).name
        self._hold = self.api.sessions.HoldSession(
            sessions.HoldSessionRequest(name=self.api.session))

    @property
    def name(self) -> str:
        return self.api.session

    def end(self) -> None:
        """Aborts what runs, and answers whoever waits with an error."""
        try:
            run(self.api.delete_session())
        except errors.ServiceError:
            # A service that is gone has no session left.
            pass
        self._hold.cancel()

    def history(self, arn: str) -> list[events.Event]:
        return run(self.api.get_execution_history(arn))

    def explained(self, error: errors.WaitTimedOut, arn: str) -> errors.WaitTimedOut:
        """The error, with the history so far."""
        try:
            text = format_history(self.history(arn))
        except errors.ServiceError:
            return error
        return errors.WaitTimedOut(f"{error.message}\n{text}", code=error.code,
                                   metadata=error.metadata)

    def wait_for_any_callback(self, arn: str, names: list[str],
                              timeout: float) -> operations.Operation:
        """The callback that is there first, open or not, once no invocation runs any more."""
        calls = [self.api.sessions.WaitForOperation.future(
            self._callback_request(arn, name, timeout), timeout=timeout + _WAIT_MARGIN_SECONDS)
                 for name in names]
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for call in calls:
            call.add_done_callback(ended.put)
        try:
            for left in reversed(range(len(calls))):
                call = ended.get()
                try:
                    return call.result().operation
                except grpc.RpcError as error:
                    if not left:
                        raise errors.from_rpc_error(error) from None
        finally:
            for call in calls:
                call.cancel()
        raise AssertionError("one of the calls has ended the loop")

    def _callback_request(self, arn: str, name: str,
                          timeout: float) -> sessions.WaitForOperationRequest:
        return sessions.WaitForOperationRequest(
            session=self.name, durable_execution_arn=arn, name=name, invocation_ended=True,
            type=operations.OPERATION_TYPE_CALLBACK, timeout=datetime.timedelta(seconds=timeout))

    def watch(self, arn: str, timeout: float) -> Iterator[events.Event]:
        """The history as it is written, to the end of the execution; WaitTimedOut before it."""
        call = self.api.executions.WatchExecution(
            executions.WatchExecutionRequest(session=self.name, durable_execution_arn=arn),
            timeout=timeout)
        try:
            for response in call:
                yield response.event
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None
        finally:
            call.cancel()
