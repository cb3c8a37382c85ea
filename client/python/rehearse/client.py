"""Client: every call of the service, for asyncio.

    async with Client("127.0.0.1:9013") as client:
        started = await client.start_execution("orders", '{"id": 17}')
        async for event in client.watch_execution(started.durable_execution_arn):
            print(event.event_id, enum_name(EventType.DESCRIPTOR, event.event_type))

Requests and answers are those of the contract, rehearse.v1, whose files document every member; a
list is read to its last page. Errors are ServiceErrors. Durations are seconds of real time unless
the method says otherwise. `session` "" is the session of the client.
"""

from __future__ import annotations

import abc
import datetime
import os
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from rehearse import channel as channels
from rehearse import errors
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import durable_executions_pb2_grpc as executions_grpc
from rehearse.v1 import event_pb2 as events
from rehearse.v1 import execution_pb2 as execution
from rehearse.v1 import function_host_pb2 as host
from rehearse.v1 import function_host_pb2_grpc as host_grpc
from rehearse.v1 import operation_pb2 as operations
from rehearse.v1 import test_sessions_pb2 as sessions
from rehearse.v1 import test_sessions_pb2_grpc as sessions_grpc

DEFAULT_ADDRESS = "127.0.0.1:9013"

# For calls that the service answers at once.
_CALL_TIMEOUT_SECONDS = 30
# How much longer than asked for a waiting call may take before it counts as lost.
_WAIT_MARGIN_SECONDS = 10
_PAGE_ITEMS = 1000


class Api(abc.ABC):
    """The unary calls. `_call` makes one, and is all that a subclass adds."""

    def __init__(self, channel: Any, session: str) -> None:
        # What streams are opened with.
        self.executions = executions_grpc.DurableExecutionsStub(channel)
        self.functions = host_grpc.FunctionHostStub(channel)
        self.sessions = sessions_grpc.TestSessionsStub(channel)
        self.session = session

    @abc.abstractmethod
    async def _call(self, method: Any, request: Message,
                    timeout: float = _CALL_TIMEOUT_SECONDS) -> Any:
        """Calls a method of a stub; raises ServiceError."""

    # Executions.

    async def start_execution(
            self, function_name: str, input: str | None = None,  # pylint: disable=redefined-builtin
            *, qualifier: str | None = None, name: str | None = None, as_event: bool = False,
            tenant_id: str | None = None, x_amzn_trace_id: str | None = None,
            client_context: str | None = None, execution_timeout: int | None = None,
            retention_period_in_days: int | None = None) -> executions.StartExecutionResponse:
        """`execution_timeout` is in seconds of the execution's clock."""
        return await self._call(self.executions.StartExecution, executions.StartExecutionRequest(
            session=self.session, function_name=function_name, qualifier=qualifier,
            durable_execution_name=name, input=input, tenant_id=tenant_id,
            invocation_type=(execution.INVOCATION_TYPE_EVENT if as_event
                             else execution.INVOCATION_TYPE_REQUEST_RESPONSE),
            x_amzn_trace_id=x_amzn_trace_id, client_context=client_context,
            durable_config=execution.DurableConfig(
                execution_timeout=execution_timeout,
                retention_period_in_days=retention_period_in_days)))

    async def invoke_function(
            self, function_name: str, payload: bytes = b"", *, qualifier: str | None = None,
            as_event: bool = False, tenant_id: str | None = None,
            client_context: str | None = None, timeout: float = 900
    ) -> executions.InvokeFunctionResponse:
        """Invokes a plain function once."""
        return await self._call(self.executions.InvokeFunction, executions.InvokeFunctionRequest(
            session=self.session, function_name=function_name, qualifier=qualifier,
            payload=payload, tenant_id=tenant_id, client_context=client_context,
            invocation_type=(execution.INVOCATION_TYPE_EVENT if as_event
                             else execution.INVOCATION_TYPE_REQUEST_RESPONSE)), timeout)

    async def get_execution(self, arn: str, include_execution_data: bool = True
                            ) -> executions.GetExecutionResponse:
        return await self._call(self.executions.GetExecution, executions.GetExecutionRequest(
            session=self.session, durable_execution_arn=arn,
            include_execution_data=include_execution_data))

    async def get_execution_history(self, arn: str, include_execution_data: bool = True
                                    ) -> list[events.Event]:
        request = executions.GetExecutionHistoryRequest(
            session=self.session, durable_execution_arn=arn, max_items=_PAGE_ITEMS,
            include_execution_data=include_execution_data)
        return [event for page in await self._pages(self.executions.GetExecutionHistory, request)
                for event in page.events]

    async def list_executions(
            self, function_name: str = "", *, qualifier: str | None = None,
            name: str | None = None, statuses: Iterable[execution.ExecutionStatus] = (),
            started_after: datetime.datetime | None = None,
            started_before: datetime.datetime | None = None,
            oldest_first: bool = False) -> list[execution.Execution]:
        request = executions.ListExecutionsRequest(
            session=self.session, function_name=function_name, qualifier=qualifier,
            durable_execution_name=name, statuses=statuses, started_after=started_after,
            started_before=started_before, reverse_order=oldest_first, max_items=_PAGE_ITEMS)
        return [found for page in await self._pages(self.executions.ListExecutions, request)
                for found in page.durable_executions]

    async def stop_execution(self, arn: str, error: operations.ErrorObject | None = None
                             ) -> executions.StopExecutionResponse:
        return await self._call(self.executions.StopExecution, executions.StopExecutionRequest(
            session=self.session, durable_execution_arn=arn, error=error))

    async def pause_execution(self, arn: str, reason: str | None = None,
                              execution_timeout_paused: bool = True) -> None:
        await self._call(self.executions.PauseExecution, executions.PauseExecutionRequest(
            session=self.session, durable_execution_arn=arn, reason=reason,
            execution_timeout_paused=execution_timeout_paused))

    async def resume_execution(self, arn: str, reason: str | None = None) -> None:
        await self._call(self.executions.ResumeExecution, executions.ResumeExecutionRequest(
            session=self.session, durable_execution_arn=arn, reason=reason))

    async def delete_execution(self, arn: str) -> None:
        await self._call(self.executions.DeleteExecution, executions.DeleteExecutionRequest(
            session=self.session, durable_execution_arn=arn))

    async def send_callback_success(self, callback_id: str, result: bytes | None = None) -> None:
        await self._call(self.executions.SendCallbackSuccess,
                         executions.SendCallbackSuccessRequest(
                             session=self.session, callback_id=callback_id, result=result))

    async def send_callback_failure(self, callback_id: str,
                                    error: operations.ErrorObject | None = None) -> None:
        await self._call(self.executions.SendCallbackFailure,
                         executions.SendCallbackFailureRequest(
                             session=self.session, callback_id=callback_id, error=error))

    async def send_callback_heartbeat(self, callback_id: str) -> None:
        await self._call(self.executions.SendCallbackHeartbeat,
                         executions.SendCallbackHeartbeatRequest(
                             session=self.session, callback_id=callback_id))

    # Functions.

    async def list_functions(self) -> list[host.FunctionState]:
        request = host.ListFunctionsRequest(session=self.session, max_items=_PAGE_ITEMS)
        return [function for page in await self._pages(self.functions.ListFunctions, request)
                for function in page.functions]

    async def deregister_function(self, function_name: str) -> None:
        await self._call(self.functions.DeregisterFunction, host.DeregisterFunctionRequest(
            session=self.session, function_name=function_name))

    # Sessions, time and waiting.

    async def create_session(self, name: str = "", config: sessions.SessionConfig | None = None
                             ) -> sessions.Session:
        response = await self._call(self.sessions.CreateSession, sessions.CreateSessionRequest(
            name=name, config=config))
        return response.session

    async def get_session(self) -> sessions.GetSessionResponse:
        return await self._call(self.sessions.GetSession,
                                sessions.GetSessionRequest(name=self.session))

    async def list_sessions(self) -> list[sessions.Session]:
        request = sessions.ListSessionsRequest(max_items=_PAGE_ITEMS)
        return [session for page in await self._pages(self.sessions.ListSessions, request)
                for session in page.sessions]

    async def delete_session(self) -> None:
        await self._call(self.sessions.DeleteSession,
                         sessions.DeleteSessionRequest(name=self.session))

    async def advance_time(self, duration: datetime.timedelta) -> sessions.AdvanceTimeResponse:
        """Moves the clocks of all executions of the session; answers when all have arrived."""
        return await self._call(
            self.sessions.AdvanceTime,
            sessions.AdvanceTimeRequest(session=self.session, duration=duration), timeout=900)

    async def advance_to_next_timer(self) -> sessions.AdvanceTimeResponse:
        """Moves each execution to its next timer, deadlines included, if it has one."""
        return await self._call(
            self.sessions.AdvanceTime,
            sessions.AdvanceTimeRequest(session=self.session, next_timer=True), timeout=900)

    async def wait_for_execution(
            self, arn: str, timeout: float = 60, *,
            statuses: Iterable[execution.ExecutionStatus] = (),
            invocation_ended: bool = False) -> execution.Execution:
        """WaitTimedOut says what the execution waits for."""
        response = await self._call(
            self.sessions.WaitForExecution,
            sessions.WaitForExecutionRequest(
                session=self.session, durable_execution_arn=arn, statuses=statuses,
                invocation_ended=invocation_ended, timeout=_seconds(timeout)),
            timeout + _WAIT_MARGIN_SECONDS)
        return response.execution

    async def wait_for_operation(
            self, arn: str, timeout: float = 60, *, name: str | None = None,
            operation_id: str | None = None,
            type: operations.OperationType = operations.OPERATION_TYPE_UNSPECIFIED,
            statuses: Iterable[operations.OperationStatus] = (), latest: bool = False,
            invocation_ended: bool = False) -> operations.Operation:
        """WaitTimedOut says what the execution waits for; ResourceConflictException: it closed."""
        response = await self._call(
            self.sessions.WaitForOperation,
            sessions.WaitForOperationRequest(
                session=self.session, durable_execution_arn=arn, name=name,
                operation_id=operation_id, type=type, statuses=statuses, latest=latest,
                invocation_ended=invocation_ended, timeout=_seconds(timeout)),
            timeout + _WAIT_MARGIN_SECONDS)
        return response.operation

    async def invoke_next(self, arn: str, timeout: float = 60) -> sessions.InvokeNextResponse:
        """Of a stepped session: starts the invocation that is kept, and waits for its end."""
        return await self._call(
            self.sessions.InvokeNext,
            sessions.InvokeNextRequest(session=self.session, durable_execution_arn=arn,
                                       timeout=_seconds(timeout)),
            timeout + _WAIT_MARGIN_SECONDS)

    async def inspect_execution(self, arn: str) -> sessions.InspectExecutionResponse:
        """Everything there is to know about an execution, with all of its operations."""
        pages = await self._pages(self.sessions.InspectExecution,
                                  sessions.InspectExecutionRequest(
                                      session=self.session, durable_execution_arn=arn,
                                      max_items=_PAGE_ITEMS))
        newest: sessions.InspectExecutionResponse = pages[-1]
        for page in reversed(pages[:-1]):
            page.operations.extend(newest.operations)
            newest = page
        return newest

    async def _pages(self, method: Any, request: Any) -> list[Any]:
        pages = [await self._call(method, request)]
        while pages[-1].HasField("next_marker"):
            request.marker = pages[-1].next_marker
            pages.append(await self._call(method, request))
        return pages


class Client(Api):
    """For one event loop."""

    def __init__(self, address: str | None = None, *, session: str = "") -> None:
        """`address` is HOST:PORT; default: $REHEARSE_SERVER, else that of a plain `rehearse up`."""
        self.channel = grpc.aio.insecure_channel(
            address or os.environ.get("REHEARSE_SERVER") or DEFAULT_ADDRESS,
            options=channels.OPTIONS)
        super().__init__(self.channel, session)

    async def _call(self, method: Any, request: Message,
                    timeout: float = _CALL_TIMEOUT_SECONDS) -> Any:
        try:
            return await method(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise errors.from_rpc_error(error) from None

    async def watch_execution(self, arn: str, *, after_event_id: int = 0,
                              include_execution_data: bool = True) -> AsyncIterator[events.Event]:
        """The history as it is written; ends with the execution."""
        call = self.executions.WatchExecution(executions.WatchExecutionRequest(
            session=self.session, durable_execution_arn=arn, after_event_id=after_event_id,
            include_execution_data=include_execution_data))
        try:
            async for response in call:
                yield response.event
        except grpc.aio.AioRpcError as error:
            raise errors.from_rpc_error(error) from None
        finally:
            call.cancel()

    async def hold_session(self) -> grpc.aio.UnaryStreamCall:
        """Ties the session's life to the returned call, and to this process; cancel() ends it."""
        call = self.sessions.HoldSession(sessions.HoldSessionRequest(name=self.session))
        try:
            await call.read()
        except grpc.aio.AioRpcError as error:
            raise errors.from_rpc_error(error) from None
        return call

    async def close(self) -> None:
        await self.channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


def _seconds(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(datetime.timedelta(seconds=seconds))
    return duration
