"""A service and the handlers' process, both started for the test; and their clients.

    with Service() as service:
        service.create_session("s", test_sessions_pb2.SessionConfig(...))
        with Handlers(service.address, ["s"]) as handlers:
            arn = service.start("s", "1-1", '"World"')
            service.wait_for_end(arn)
            service.history(arn)                # events in AWS's JSON form
            handlers.log_lines(arn)
"""

import json
import os
import subprocess
import tempfile
import time

import grpc
from google.protobuf import duration_pb2
from google.protobuf import timestamp_pb2

from aws_json import to_aws_json
from rehearse.v1 import durable_executions_pb2 as executions_pb2
from rehearse.v1 import durable_executions_pb2_grpc as executions_grpc
from rehearse.v1 import execution_pb2
from rehearse.v1 import test_sessions_pb2 as sessions_pb2
from rehearse.v1 import test_sessions_pb2_grpc as sessions_grpc

# Only a broken run takes this long.
_PATIENCE_SECONDS = 60

# Of Bazel's test, else the system's.
_TEMPORARY = os.environ.get("TEST_TMPDIR")

_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]


def _await(read):
    """Returns what `read` returns as soon as that is something."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not (value := read()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{read.__name__}: not after {_PATIENCE_SECONDS} s")
        time.sleep(0.002)
    return value


def _set_error(message, error):
    message.error_type = error["ErrorType"]
    message.error_message = error["ErrorMessage"]


class _Process:
    """A child that ends with the `with` statement, or with us."""

    def __init__(self, command, **kwargs):
        self._process = subprocess.Popen(command, **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        code = self._process.wait(_PATIENCE_SECONDS)
        if code != 0:
            raise RuntimeError(f"{self._process.args[0]} ended with status {code}")

    def check_alive(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._process.args[0]} ended: {self._process.returncode}")


class Service(_Process):
    """`rehearse up` on a free port. Thread-safe."""

    def __init__(self):
        ready_file = os.path.join(tempfile.mkdtemp(dir=_TEMPORARY), "ready.json")
        super().__init__(
            ["service/cli/rehearse", "up", "--grpc-address=127.0.0.1:0", "--log-level=warn",
             f"--ready-file={ready_file}"])

        def read_ready_file():
            self.check_alive()
            if not os.path.exists(ready_file):
                return None
            with open(ready_file, encoding="utf-8") as file:
                return json.load(file)

        ready = _await(read_ready_file)
        self.address = ready["grpc"]
        self.http_address = ready["http"]
        channel = grpc.insecure_channel(self.address, options=_CHANNEL_OPTIONS)
        self._executions = executions_grpc.DurableExecutionsStub(channel)
        self._sessions = sessions_grpc.TestSessionsStub(channel)

    def create_session(self, name, config):
        self._sessions.CreateSession(sessions_pb2.CreateSessionRequest(name=name, config=config))

    def start(self, session, function, payload, is_async):
        """Returns the ARN."""
        kind = "INVOCATION_TYPE_EVENT" if is_async else "INVOCATION_TYPE_REQUEST_RESPONSE"
        return self._executions.StartExecution(
            executions_pb2.StartExecutionRequest(
                session=session, function_name=function, input=payload,
                invocation_type=kind)).durable_execution_arn

    def wait_for_end(self, arn):
        self._wait(arn, [])

    def settle(self, arn):
        """Waits until no invocation runs or is about to. Returns whether the execution is over."""
        execution = self._wait(arn, [number for number in execution_pb2.ExecutionStatus.values()
                                     if number != execution_pb2.EXECUTION_STATUS_UNSPECIFIED])
        return execution.HasField("end_timestamp")

    def _wait(self, arn, statuses):
        return self._sessions.WaitForExecution(
            sessions_pb2.WaitForExecutionRequest(
                durable_execution_arn=arn, statuses=statuses, invocation_ended=True,
                timeout=duration_pb2.Duration(seconds=_PATIENCE_SECONDS))).execution

    def advance_until(self, session, epoch_seconds):
        until = timestamp_pb2.Timestamp()
        until.FromNanoseconds(round(epoch_seconds * 1e9))
        self._sessions.AdvanceTime(sessions_pb2.AdvanceTimeRequest(session=session, until=until))

    def advance_to_next_timer(self, session):
        """Returns how many timers have fired."""
        return self._sessions.AdvanceTime(
            sessions_pb2.AdvanceTimeRequest(session=session, next_timer=True)).fired_count

    def history(self, arn):
        events = []
        request = executions_pb2.GetExecutionHistoryRequest(
            durable_execution_arn=arn, include_execution_data=True, max_items=1000)
        while True:
            response = self._executions.GetExecutionHistory(request)
            events += [to_aws_json(event) for event in response.events]
            if not response.next_marker:
                return events
            request.marker = response.next_marker

    def pause(self, arn, reason):
        self._executions.PauseExecution(
            executions_pb2.PauseExecutionRequest(durable_execution_arn=arn, reason=reason))

    def resume(self, arn):
        self._executions.ResumeExecution(
            executions_pb2.ResumeExecutionRequest(durable_execution_arn=arn))

    def stop(self, arn, error):
        request = executions_pb2.StopExecutionRequest(durable_execution_arn=arn)
        _set_error(request.error, error)
        self._executions.StopExecution(request)

    # What the suite calls on a client of AWS Lambda.
    # pylint: disable=invalid-name

    def get_durable_execution(self, DurableExecutionArn):
        return to_aws_json(self._executions.GetExecution(
            executions_pb2.GetExecutionRequest(
                durable_execution_arn=DurableExecutionArn,
                include_execution_data=True)).execution)

    def send_durable_execution_callback_success(self, CallbackId, Result=None):
        self._executions.SendCallbackSuccess(
            executions_pb2.SendCallbackSuccessRequest(callback_id=CallbackId, result=Result))

    def send_durable_execution_callback_failure(self, CallbackId, Error):
        request = executions_pb2.SendCallbackFailureRequest(callback_id=CallbackId)
        _set_error(request.error, Error)
        self._executions.SendCallbackFailure(request)

    def send_durable_execution_callback_heartbeat(self, CallbackId):
        self._executions.SendCallbackHeartbeat(
            executions_pb2.SendCallbackHeartbeatRequest(callback_id=CallbackId))


class Handlers(_Process):
    """The functions of the suite, served in the given sessions."""

    def __init__(self, address, sessions, arguments=()):
        # A line is in the file before the service hears of what comes after it.
        descriptor, self._log_path = tempfile.mkstemp(dir=_TEMPORARY)
        with open(descriptor, "wb") as log:
            super().__init__(
                ["tests/conformance/handlers", f"--server={address}", *arguments,
                 *(f"--session={session}" for session in sessions)], stdout=log)

        def read_first_line():
            self.check_alive()
            with open(self._log_path, encoding="utf-8") as log:
                return log.readline()

        _await(read_first_line)

    def log_lines(self, arn):
        """What executions logged, in order, of this one only."""
        with open(self._log_path, encoding="utf-8") as log:
            return [line for line in log if f'"{arn}"' in line]
