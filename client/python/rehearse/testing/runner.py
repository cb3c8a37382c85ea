"""DurableFunctionTestRunner: runs a durable function in this process, on the real service.

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async({"order": 17})
        callback_id = runner.wait_for_callback(arn, "approval")
        runner.send_callback_success(callback_id, b'"fine"')
        result = runner.wait_for_result(arn)
    assert result.get_step("charge").result == '"receipt-17"'

The service is the one that REHEARSE_SERVER names, as HOST:PORT, else one that this process starts
on its first run. Each runner has a session of its own: its functions, executions and clock are
apart from those of every other runner. All waiting is done by the service. Time-outs of methods are
seconds of real time; a method that ran into one says what the run waits for, and shows the history.

Besides what AWS's testing package has: advance_time and its like, views of an execution that is
still open, and the keyword-only parameters of the constructor.
"""

from __future__ import annotations

import datetime
import functools
import json
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import Operation as SvcOperation
from aws_durable_execution_sdk_python.lambda_service import OperationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationType

from rehearse.errors import ServiceError
from rehearse.aws_json import enum_name, to_aws
from rehearse.history import format_history
from rehearse.server import shared_address
from rehearse.testing import _host
from rehearse.testing._cloud import DurableFunctionCloudTestRunner
from rehearse._journal import journal
from rehearse.testing._conversion import error_from_sdk, error_to_sdk, operation_to_sdk
from rehearse.testing._operations import OPERATION_FACTORIES
from rehearse.testing._operations import CallbackOperation
from rehearse.testing._operations import ContextOperation
from rehearse.testing._operations import ExecutionOperation
from rehearse.testing._operations import InvokeOperation
from rehearse.testing._operations import Operation
from rehearse.testing._operations import OperationFactory
from rehearse.testing._operations import StepOperation
from rehearse.testing._operations import WaitOperation
from rehearse.testing._operations import create_operation
from rehearse.testing._result import DurableFunctionTestResult
from rehearse.testing._session import TestSession, run
from rehearse.testing._web import FunctionConfig, FunctionConfigs
from rehearse.testing._web import WebRunner, WebRunnerConfig
from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.exceptions import InvalidParameterValueException
from rehearse.testing.exceptions import ResourceConflictException
from rehearse.testing.exceptions import WaitTimedOut
from rehearse.testing.execution import ExecutionStatus
from rehearse.testing.model import Event, GetDurableExecutionHistoryResponse
from rehearse.v1 import execution_pb2 as execution
from rehearse.v1 import function_host_pb2 as host
from rehearse.v1 import operation_pb2 as operations
from rehearse.v1 import test_sessions_pb2 as sessions
from rehearse.worker import Invocation, Worker

__all__ = [
    "OPERATION_FACTORIES",
    "CallbackOperation",
    "ContextOperation",
    "DurableChildContextTestRunner",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "ErrorObject",
    "ExecutionOperation",
    "ExecutionStatus",
    "FunctionConfig",
    "FunctionConfigs",
    "InvocationStatus",
    "InvokeOperation",
    "Operation",
    "OperationFactory",
    "OperationStatus",
    "OperationType",
    "StepOperation",
    "WaitOperation",
    "WebRunner",
    "WebRunnerConfig",
    "create_operation",
]

_CLOSED = (execution.EXECUTION_STATUS_SUCCEEDED, execution.EXECUTION_STATUS_FAILED,
           execution.EXECUTION_STATUS_TIMED_OUT, execution.EXECUTION_STATUS_STOPPED)
_DEFAULT_ACCOUNT = "123456789012"
_RUN_TIMEOUT_SECONDS = 300
_CHILD_EXECUTION_TIMEOUT_SECONDS = 120
_CHILD_RETENTION_DAYS = 1
# wait_for_callback of the SDK puts this behind its own name to name the callback.
_CALLBACK_SUFFIX = " create callback id"


class DurableFunctionTestRunner:
    """Thread-safe. Connects when the first method is called."""

    def __init__(self, handler: Callable[..., Any], poll_interval: float = 1.0,
                 max_invocation_page_bytes: int | None = None, execution_timeout: int | None = None,
                 invocation_timeout: int = 900, store: Any | None = None, skip_time: bool = True,
                 region: str = "us-west-2", *, server: str | None = None,
                 manual_time: bool = False, skip_deadlines: bool = False, stepped: bool = False,
                 limits_profile: str = "", failure_policy: str = "python-testing") -> None:
        """`handler` is what @durable_execution has made.

        Args:
            handler: The function under test.
            poll_interval: Of no account: nothing is polled.
            max_invocation_page_bytes: Most bytes of state that an invocation begins with, the rest
                is read page by page. None: the service's limit.
            execution_timeout: Seconds, on the execution's clock; also how long `run` waits. None:
                executions have no time-out, so that a test may move time as far as it likes, and
                `run` waits 300 s.
            invocation_timeout: Seconds of real time that one invocation may take.
            store: Of no account: the service stores.
            skip_time: Waits, retries and back-offs take no time. False: the wall clock.
            region: In ARNs; a running server has its own.
            server: HOST:PORT of a running server. None: REHEARSE_SERVER, else one that is started.
            manual_time: Time stands still until advance_time; skip_time is of no account then.
            skip_deadlines: Callback, heartbeat and execution time-outs are skipped, too, when
                nothing else is left.
            stepped: An invocation starts only when invoke_next asks for it.
            limits_profile: "aws" or "aws-2025"; "": the server's choice.
            failure_policy: What follows failed invocations: "python-testing" or "aws".
        """
        del store
        self.poll_interval = poll_interval
        self._execution_timeout = execution_timeout
        self._invocation_timeout = invocation_timeout
        self._region = region
        self._server = server
        self._handler = handler
        self._config = sessions.SessionConfig(
            clock_mode=(sessions.CLOCK_MODE_MANUAL if manual_time
                        else sessions.CLOCK_MODE_SKIP if skip_time
                        else sessions.CLOCK_MODE_REAL),
            skip_deadlines=skip_deadlines, stepped=stepped, limits_profile=limits_profile,
            failure_policy=failure_policy)
        if max_invocation_page_bytes is not None:
            self._config.limits.state_page_bytes = max_invocation_page_bytes
        self._crashes = _host.Crashes()
        self._lock = threading.RLock()
        self._functions: dict[str, Callable[[Invocation], bytes]] = {}
        self._unserved: dict[str, host.FunctionSpec] = {}
        self._workers: list[Worker] = []
        self._connected: TestSession | None = None
        self._account = _DEFAULT_ACCOUNT
        self._closed = False
        self._names: dict[str, int] = {}
        # Of each execution, its history as text once the runner is closed.
        self._arns: dict[str, str | None] = {}
        journal.add(self)

    # Functions.

    def register_durable_function(
            self, function_name: str, handler: Callable[..., Any],
            execution_timeout: int = _CHILD_EXECUTION_TIMEOUT_SECONDS,
            retention_period_days: int = _CHILD_RETENTION_DAYS) -> Self:
        """Makes a durable target for chained invokes. `execution_timeout` is in seconds."""
        self._register(
            host.FunctionSpec(
                function_name=function_name, durable=True,
                durable_config=execution.DurableConfig(
                    execution_timeout=execution_timeout,
                    retention_period_in_days=retention_period_days)),
            functools.partial(_host.run_durable, handler, self._crashes))
        return self

    def register_function(self, function_name: str, handler: Callable[..., Any]) -> Self:
        """Makes a plain target for chained invokes: called with the payload's value and a Lambda
        context, its result is the answer."""
        self._register(host.FunctionSpec(function_name=function_name),
                       functools.partial(_host.run_plain, handler))
        return self

    def _register(self, spec: host.FunctionSpec, serve: Callable[[Invocation], bytes]) -> None:
        spec.timeout.FromSeconds(self._invocation_timeout)
        with self._lock:
            self._functions[spec.function_name] = serve
            self._unserved[spec.function_name] = spec
            if self._connected is not None:
                self._serve(self._connected)

    def _serve(self, session: TestSession) -> None:
        """With the lock held: opens slots for what has been registered since the last time."""
        if self._unserved:
            self._workers.append(Worker(
                session.channel, self._unserved.values(),
                lambda invocation: self._functions[invocation.message.function_name](invocation),
                session=session.name))
            self._unserved = {}

    def _session(self) -> TestSession:
        """The session, with every registered function served."""
        with self._lock:
            if self._closed:
                raise DurableFunctionsTestError("the runner is closed")
            if self._connected is None:
                address = self._server or shared_address(self._region, self._account)
                self._connected = TestSession(address, self._config)
            self._serve(self._connected)
            return self._connected

    @property
    def session(self) -> str:
        """Name of the service's session."""
        return self._session().name

    # Runs.

    def run(self, input: Any = None,  # pylint: disable=redefined-builtin
            execution_timeout: int | None = None, timeout: int | None = None,
            function_name: str = "test-function", execution_name: str = "execution-name",
            account_id: str = _DEFAULT_ACCOUNT, tenant_id: str | None = None
            ) -> DurableFunctionTestResult:
        """Starts an execution and waits for its end.

        `input` is passed on when it is a str with JSON in it; anything else is encoded as JSON.
        TimeoutError when the execution is not closed after `execution_timeout` seconds. `timeout`
        is the old name of that. An execution name that this runner has used before gets a number.
        """
        if timeout is not None and execution_timeout is None:
            warnings.warn("timeout on run() is deprecated. Use execution_timeout instead.",
                          DeprecationWarning, stacklevel=2)
        execution_timeout = self._effective_timeout(execution_timeout, timeout)
        seconds = execution_timeout if execution_timeout is not None else _RUN_TIMEOUT_SECONDS
        begin = time.monotonic()
        arn = self.run_async(input, execution_timeout=execution_timeout,
                             function_name=function_name, execution_name=execution_name,
                             account_id=account_id, tenant_id=tenant_id)
        result = self.wait_for_result(arn, timeout=seconds)
        if (result.execution_status is ExecutionStatus.TIMED_OUT
                and time.monotonic() - begin >= seconds):
            # Whether the execution or the wait for it was first is a matter of luck.
            raise self._session().explained(WaitTimedOut(
                f"Execution did not complete within timeout: {seconds} s"), arn)
        return result

    def run_async(self, input: Any = None,  # pylint: disable=redefined-builtin
                  execution_timeout: int | None = None, timeout: int | None = None,
                  function_name: str = "test-function", execution_name: str = "execution-name",
                  account_id: str = _DEFAULT_ACCOUNT, tenant_id: str | None = None) -> str:
        """Starts an execution and returns its ARN. See `run`."""
        self._use_account(account_id)
        with self._lock:
            if function_name not in self._functions:
                self._register(host.FunctionSpec(function_name=function_name, durable=True),
                               functools.partial(_host.run_durable, self._handler, self._crashes))
            name = self._unused_name(execution_name)
        started = run(self._session().api.start_execution(
            function_name, _as_json(input), name=name, tenant_id=tenant_id,
            execution_timeout=self._effective_timeout(execution_timeout, timeout)))
        with self._lock:
            self._arns[started.durable_execution_arn] = None
        return started.durable_execution_arn

    def _effective_timeout(self, execution_timeout: int | None, timeout: int | None
                           ) -> int | None:
        given = execution_timeout if execution_timeout is not None else timeout
        return given if given is not None else self._execution_timeout

    def _use_account(self, account_id: str) -> None:
        with self._lock:
            if self._connected is None:
                self._account = account_id
            elif account_id != self._account:
                raise InvalidParameterValueException(
                    f"this runner has executions in account {self._account}; make another for "
                    f"account {account_id}")

    def _unused_name(self, name: str) -> str:
        """The service would join the execution that has the name."""
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}-{count}"

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> DurableFunctionTestResult:
        """Waits until the execution is closed and its last invocation has ended."""
        session = self._session()
        try:
            run(session.api.wait_for_execution(execution_arn, timeout, invocation_ended=True))
        except WaitTimedOut as error:
            result = self.get_result(execution_arn)
            if result.status is not InvocationStatus.PENDING:
                # A handler that cannot be interrupted goes on.
                return result
            raise session.explained(error, execution_arn) from None
        return self.get_result(execution_arn)

    def get_result(self, execution_arn: str) -> DurableFunctionTestResult:
        """What is recorded of an execution so far: also of one that is open, or chained."""
        inspected = run(self._session().api.inspect_execution(execution_arn))
        error = inspected.execution.error
        return DurableFunctionTestResult.of(
            ExecutionStatus(_status_name(inspected.execution)),
            [operation_to_sdk(operation) for operation in inspected.operations],
            inspected.execution.result if inspected.execution.HasField("result") else None,
            error_to_sdk(error) if inspected.execution.HasField("error") else None)

    # Callbacks.

    def wait_for_callback(self, execution_arn: str, name: str | None = None,
                          timeout: float = 60) -> str:
        """Waits for a callback and for the end of the invocation that created it; returns its id.

        `name` is that of create_callback or wait_for_callback; None: the newest open callback.
        DurableFunctionsTestError when the named one is closed already. TimeoutError when none comes
        in time, or the execution closes first.
        """
        session = self._session()
        try:
            if name is None:
                operation = run(session.api.wait_for_operation(
                    execution_arn, timeout, type=operations.OPERATION_TYPE_CALLBACK, latest=True,
                    statuses=[operations.OPERATION_STATUS_STARTED], invocation_ended=True))
            else:
                operation = session.wait_for_any_callback(
                    execution_arn, [name, name + _CALLBACK_SUFFIX], timeout)
        except WaitTimedOut as error:
            raise session.explained(error, execution_arn) from None
        except ResourceConflictException as error:
            raise session.explained(WaitTimedOut(error.message), execution_arn) from None
        if operation.status != operations.OPERATION_STATUS_STARTED:
            raise DurableFunctionsTestError(
                f"Callback {name} has already completed (succeeded/failed/timed out)")
        return operation.callback_details.callback_id

    def send_callback_success(self, callback_id: str, result: bytes | None = None) -> None:
        run(self._session().api.send_callback_success(callback_id, result))

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        run(self._session().api.send_callback_failure(callback_id, error_from_sdk(error)))

    def send_callback_heartbeat(self, callback_id: str) -> None:
        """Starts the heartbeat time-out again."""
        run(self._session().api.send_callback_heartbeat(callback_id))

    # Time and control.

    def advance_time(self, duration: datetime.timedelta | float) -> None:
        """Moves the time of every execution of this runner, by a timedelta or seconds. All timers
        on the way fire, deadlines included, in due order; returns when all have arrived."""
        if not isinstance(duration, datetime.timedelta):
            duration = datetime.timedelta(seconds=duration)
        run(self._session().api.advance_time(duration))

    def advance_to_next_timer(self) -> int:
        """Moves each execution to its next timer, deadlines included, if it has one. Returns how
        many timers fired."""
        return run(self._session().api.advance_to_next_timer()).fired_count

    def pause(self, execution_arn: str, timeout: float = 60) -> None:
        """Holds an execution that is running, and returns when no invocation of it runs."""
        run(self._session().api.pause_execution(execution_arn))
        self._wait_until_paused(execution_arn, timeout)

    def resume(self, execution_arn: str) -> None:
        """Goes on with an execution that is held."""
        run(self._session().api.resume_execution(execution_arn))

    def pause_execution(self, execution_arn: str, timeout: float = 60) -> None:
        """As `pause`; an execution that is closed, or held already, is left as it is."""
        _check_arn(execution_arn)
        if not (math.isfinite(timeout) and timeout > 0):
            raise ValueError("timeout must be finite and positive")
        if self._status(execution_arn) == execution.EXECUTION_STATUS_RUNNING:
            self.pause(execution_arn, timeout)
        else:
            self._wait_until_paused(execution_arn, timeout)

    def resume_execution(self, execution_arn: str) -> None:
        """As `resume`; an execution that is not held is left as it is."""
        _check_arn(execution_arn)
        if self._status(execution_arn) not in (execution.EXECUTION_STATUS_RUNNING, *_CLOSED):
            self.resume(execution_arn)

    def _wait_until_paused(self, arn: str, timeout: float) -> None:
        session = self._session()
        try:
            run(session.api.wait_for_execution(
                arn, timeout, invocation_ended=True,
                statuses=[execution.EXECUTION_STATUS_PAUSED, *_CLOSED]))
        except WaitTimedOut as error:
            raise session.explained(error, arn) from None

    def stop(self, execution_arn: str, error: ErrorObject | None = None) -> None:
        """Closes an execution as STOPPED; a closed one is left as it is."""
        run(self._session().api.stop_execution(execution_arn, error_from_sdk(error)))

    def invoke_next(self, execution_arn: str, timeout: float = 60) -> bool:
        """Stepped runners: runs the invocation that is due, and returns when it has ended. False:
        none was due."""
        session = self._session()
        try:
            return run(session.api.invoke_next(execution_arn, timeout)).invoked
        except WaitTimedOut as error:
            raise session.explained(error, execution_arn) from None

    def crash_next_invocation_at(self, step_name: str) -> None:
        """The next time that a step of this name ends, its invocation dies before that is
        recorded: to the service, the process is gone. Each call is for one crash."""
        self._crashes.add(step_name)

    # Looking.

    def get_execution_history(self, execution_arn: str, include_execution_data: bool = False
                              ) -> GetDurableExecutionHistoryResponse:
        """The events so far; also of a chained execution, whose ARN is on its ChainedInvokeStarted
        event."""
        history = run(self._session().api.get_execution_history(
            execution_arn, include_execution_data))
        return GetDurableExecutionHistoryResponse(
            [Event.from_dict(to_aws(event)) for event in history])

    def history(self, execution_arn: str) -> list[Event]:
        """The events so far, with their payloads."""
        return self.get_execution_history(execution_arn, include_execution_data=True).events

    def format_history(self, execution_arn: str) -> str:
        """The history as a table, and what an open execution waits for."""
        session = self._session()
        text = format_history(session.history(execution_arn))
        inspected = run(session.api.inspect_execution(execution_arn))
        return text + "".join(f"waiting for {waiting.text}\n" for waiting in inspected.waiting_for)

    def watch(self, execution_arn: str, timeout: float = 60) -> Iterator[Event]:
        """Every event from the first on, as it is recorded, to the end of the execution."""
        for event in self._session().watch(execution_arn, timeout):
            yield Event.from_dict(to_aws(event))

    def wait_for_operation(self, execution_arn: str, name: str,
                           *statuses: OperationStatus, timeout: float = 60) -> Operation:
        """Waits until an operation of that name, wherever it is, has one of the statuses; with
        none, until there is one."""
        session = self._session()
        try:
            found = run(session.api.wait_for_operation(
                execution_arn, timeout, name=name,
                statuses=[operations.OperationStatus.Value(f"OPERATION_STATUS_{status.value}")
                          for status in statuses]))
        except WaitTimedOut as error:
            raise session.explained(error, execution_arn) from None
        return self.get_operation_by_id(execution_arn, found.id)

    def get_operation(self, execution_arn: str, name: str, index: int = 0) -> Operation:
        """The operation of that name with that index among those of its name, wherever it is."""
        named = [operation for operation in self._operations(execution_arn)
                 if operation.name == name]
        return self._view(execution_arn, named, index, f"with name '{name}'")

    def get_operation_by_index(self, execution_arn: str, index: int) -> Operation:
        """In order of creation, without EXECUTION, nested ones included."""
        return self._view(execution_arn, self._operations(execution_arn), index, "at all")

    def get_operation_by_id(self, execution_arn: str, operation_id: str) -> Operation:
        found = [operation for operation in self._operations(execution_arn)
                 if operation.operation_id == operation_id]
        return self._view(execution_arn, found, 0, f"with id '{operation_id}'")

    def _operations(self, arn: str) -> list[SvcOperation]:
        inspected = run(self._session().api.inspect_execution(arn))
        return [operation_to_sdk(operation) for operation in inspected.operations
                if operation.type != operations.OPERATION_TYPE_EXECUTION]

    def _view(self, arn: str, found: list[SvcOperation], index: int, which: str) -> Operation:
        if not 0 <= index < len(found):
            raise DurableFunctionsTestError(
                f"Operation {index} {which} not found: there are {len(found)}")
        return create_operation(found[index], self._operations(arn))

    def invocation_count(self, execution_arn: str) -> int:
        """Invocations that have started so far, crashed ones included."""
        return run(self._session().api.inspect_execution(execution_arn)).invocation_count

    def _status(self, arn: str) -> execution.ExecutionStatus:
        return run(self._session().api.get_execution(arn, False)).execution.status

    # The end.

    def close(self) -> None:
        """Ends the session; handlers that still run are left alone. Later calls of other methods
        fail. Closing twice is harmless."""
        with self._lock:
            if self._closed:
                return
            if journal.reporters is not None and self in journal.reporters:
                for arn in self._arns:
                    self._arns[arn] = self._text(arn)
            self._closed = True
            session, workers = self._connected, self._workers
        if session is not None:
            session.end()
        for worker in workers:
            worker.close()

    def report(self) -> Iterator[tuple[str, str]]:
        """A title and a text for each execution, also when the runner is closed."""
        for arn, text in list(self._arns.items()):
            yield f"durable execution {arn}", self._text(arn) if text is None else text

    def _text(self, arn: str) -> str:
        try:
            return f"{_status_name(run(self._session().api.get_execution(arn)).execution)}\n" + (
                self.format_history(arn))
        except (ServiceError, DurableFunctionsTestError) as error:
            return f"its history cannot be read: {error}\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class DurableChildContextTestRunner(DurableFunctionTestRunner):
    """Tests one durable block by itself: a function that @durable_with_child_context has made."""

    def __init__(self, context_function: Callable[..., Any], *args: Any, skip_time: bool = True,
                 **kwargs: Any) -> None:
        """The other arguments are those of the block."""

        @durable_execution
        def handler(event: Any, context: Any) -> Any:
            del event
            return context_function(*args, **kwargs)(context)

        super().__init__(handler, skip_time=skip_time)


def _as_json(value: Any) -> str:
    if isinstance(value, (str, bytes)):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value if isinstance(value, str) else value.decode()
    return json.dumps(value)


def _status_name(message: execution.Execution) -> str:
    return enum_name(execution.ExecutionStatus.DESCRIPTOR, message.status)


def _check_arn(arn: str) -> None:
    if not arn.strip():
        raise InvalidParameterValueException("Invalid Durable Execution ARN")
