"""Worker: hosts functions in this process. Each worker stream is one slot, in lock step.

    def serve(invocation: Invocation) -> bytes:
        return b'{"Status": "SUCCEEDED", "Result": "17"}'

    spec = FunctionSpec(function_name="orders", durable=True)
    with Worker(channel, [spec], serve, session="default"):
        ...

`serve` runs on threads of the worker, one invocation after the other on each. What it returns is
the function's answer; an exception is the function's failure, as in Lambda's Python runtime; a
SystemExit or another BaseException is the death of the process: to the service, the invocation has
crashed. A new slot is opened when the last idle one gets an invocation, up to `max_slots`.
"""

from __future__ import annotations

import datetime
import queue
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import grpc

from rehearse import errors
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import function_host_pb2 as host
from rehearse.v1 import function_host_pb2_grpc as host_grpc
from rehearse.v1 import operation_pb2 as operations

_CONNECT_TIMEOUT_SECONDS = 30
# For handlers that still run, in all; they cannot be interrupted.
_CLOSE_TIMEOUT_SECONDS = 1


class _Stream:
    """One FunctionHost.Serve stream, with blocking methods for one thread at a time."""

    def __init__(self, stub: host_grpc.FunctionHostStub) -> None:
        self._requests: queue.SimpleQueue[host.ServeRequest | None] = queue.SimpleQueue()
        self._call = stub.Serve(iter(self._requests.get, None))

    def send(self, request: host.ServeRequest) -> None:
        self._requests.put(request)

    def receive(self) -> host.ServeResponse:
        try:
            return next(self._call)
        except StopIteration:
            raise errors.ServiceException("the service ended the stream",
                                          code="UNAVAILABLE") from None
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None

    def cancel(self) -> None:
        self._requests.put(None)
        self._call.cancel()


class Invocation:
    """A running invocation, and its line to the service.

    The methods are thread-safe and block until the service has answered. What the service refuses
    is a ServiceError, and the invocation goes on; after the stream broke each is a
    ServiceException.
    """

    def __init__(self, message: host.ServeResponse.Invocation, stream: _Stream) -> None:
        self.message = message
        # Why the service has aborted it, for example "EXECUTION_STOPPED".
        self.aborted: str | None = None
        self._over: str | None = None
        self._stream = stream
        self._lock = threading.Lock()

    @property
    def deadline(self) -> datetime.datetime:
        """When the service gives up, on the wall clock."""
        return self.message.deadline.ToDatetime(tzinfo=datetime.timezone.utc)

    def checkpoint(self, request: executions.CheckpointRequest) -> executions.CheckpointResponse:
        return self._ask(host.ServeRequest(checkpoint=request)).checkpoint

    def get_execution_state(
        self, request: executions.GetExecutionStateRequest
    ) -> executions.GetExecutionStateResponse:
        return self._ask(host.ServeRequest(get_execution_state=request)).get_execution_state

    def idle(self, until: datetime.datetime) -> datetime.datetime:
        """Tells the service that nothing runs until then; returns the execution's clock when that
        moment has come or an operation has changed from outside."""
        request = host.ServeRequest(idle=host.ServeRequest.Idle())
        request.idle.until.FromDatetime(until)
        return self._ask(request).idle.now.ToDatetime(tzinfo=datetime.timezone.utc)

    def crash(self) -> None:
        """Breaks the stream, as the death of a process would. What the function answers then is
        not sent."""
        with self._lock:
            self._over = "the invocation was made to crash"
            self._stream.cancel()

    def end(self) -> bool:
        """False: it has crashed. Later requests are refused: the stream is the next one's."""
        with self._lock:
            crashed = self._over is not None
            self._over = self._over or "the invocation has ended"
        return not crashed

    def _ask(self, request: host.ServeRequest) -> host.ServeResponse:
        with self._lock:
            if self._over is not None:
                raise errors.ServiceException(self._over, code="UNAVAILABLE")
            self._stream.send(request)
            while True:
                response = self._stream.receive()
                kind = response.WhichOneof("message")
                if kind == "error":
                    raise errors.from_status(response.error)
                if kind != "abort":
                    return response
                self.aborted = host.ServeResponse.Abort.Reason.Name(response.abort.reason)


Serve = Callable[[Invocation], bytes]


class Worker:
    """Serves functions from its construction to `close`. Thread-safe."""

    def __init__(self, channel: grpc.Channel, functions: Iterable[host.FunctionSpec], serve: Serve,
                 *, session: str = "", name: str = "", max_slots: int = 256) -> None:
        """Returns when the service has accepted the functions; its refusal is a ServiceError."""
        self._stub = host_grpc.FunctionHostStub(channel)
        self._register = host.ServeRequest(register=host.ServeRequest.Register(
            session=session, functions=functions, worker=name))
        self._handler = serve
        self._max_slots = max_slots
        self._lock = threading.Lock()
        self._slots: list[_Slot] = []
        self._idle = 0
        self._closed = False
        with self._lock:
            first = self._open_slot()
        try:
            first.wait_until_serving()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Breaks the streams. Closing twice is harmless."""
        with self._lock:
            self._closed = True
            slots = list(self._slots)
        for slot in slots:
            slot.cancel()
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=_CLOSE_TIMEOUT_SECONDS)
        for slot in slots:
            left = (deadline - datetime.datetime.now()).total_seconds()
            if slot is not threading.current_thread():
                slot.join(max(0, left))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _open_slot(self) -> _Slot:
        """With the lock held."""
        slot = _Slot(self)
        self._slots.append(slot)
        self._idle += 1
        slot.start()
        return slot

    def _begin(self) -> None:
        with self._lock:
            self._idle -= 1
            if not self._idle and not self._closed and len(self._slots) < self._max_slots:
                self._open_slot()

    def _end(self) -> None:
        with self._lock:
            self._idle += 1

    def _lose(self, slot: _Slot) -> None:
        with self._lock:
            self._slots.remove(slot)
            self._idle -= 1


class _Slot(threading.Thread):
    """A stream and the thread that runs its invocations."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="rehearse-worker", daemon=True)
        # pylint: disable=protected-access
        self._worker = worker
        self._lock = threading.Lock()
        self._stream: _Stream | None = None
        self._cancelled = False
        self._serving: queue.SimpleQueue[errors.ServiceError | None] = queue.SimpleQueue()

    def wait_until_serving(self) -> None:
        try:
            error = self._serving.get(timeout=_CONNECT_TIMEOUT_SECONDS)
        except queue.Empty:
            error = errors.ServiceException(
                f"the service has not answered in {_CONNECT_TIMEOUT_SECONDS} s",
                code="UNAVAILABLE")
        if error is not None:
            raise error

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._stream is not None:
                self._stream.cancel()

    def run(self) -> None:
        try:
            stream = self._connect()
            while stream is not None:
                self._serve(stream)
                stream = self._connect()
        except errors.ServiceError as error:
            # The service refused, or is gone.
            self._serving.put(error)
        finally:
            self._worker._lose(self)

    def _connect(self) -> _Stream | None:
        with self._lock:
            if self._cancelled:
                return None
            stream = self._stream = _Stream(self._worker._stub)
        stream.send(self._worker._register)
        stream.receive()
        self._serving.put(None)
        return stream

    def _serve(self, stream: _Stream) -> None:
        """Returns when the stream is broken."""
        try:
            while self._serve_next(stream):
                pass
        except errors.ServiceError:
            pass
        stream.cancel()

    def _serve_next(self, stream: _Stream) -> bool:
        """False: an invocation has crashed."""
        response = stream.receive()
        if response.WhichOneof("message") != "invocation":
            return True
        invocation = Invocation(response.invocation, stream)
        self._worker._begin()
        try:
            outcome = self._run(invocation)
        finally:
            self._worker._end()
        if not invocation.end() or outcome is None:
            return False
        stream.send(host.ServeRequest(outcome=outcome))
        return True

    def _run(self, invocation: Invocation) -> host.ServeRequest.Outcome | None:
        """None: what runs here is to end the process."""
        try:
            return host.ServeRequest.Outcome(payload=self._worker._handler(invocation))
        except Exception as error:  # pylint: disable=broad-exception-caught
            return host.ServeRequest.Outcome(error=error_of(error))
        except BaseException:  # pylint: disable=broad-exception-caught
            return None


def error_of(error: BaseException) -> operations.ErrorObject:
    """As Lambda's Python runtime reports a function's failure."""
    return operations.ErrorObject(
        error_type=type(error).__name__, error_message=str(error),
        stack_trace=traceback.format_list(traceback.extract_tb(error.__traceback__)))
