"""Durable handlers of AWS's SDK, and plain ones, hosted on worker streams.

The handler gets in through the SDK's own seam, an input that brings a DurableServiceClient: ours
checkpoints on the stream that brought the invocation.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInputWithClient
from aws_durable_execution_sdk_python.execution import InitialExecutionState
from aws_durable_execution_sdk_python.exceptions import CheckpointError
from aws_durable_execution_sdk_python.exceptions import GetExecutionStateError
from aws_durable_execution_sdk_python.exceptions import INVALID_CHECKPOINT_TOKEN_PREFIX
from aws_durable_execution_sdk_python.lambda_service import CheckpointOutput
from aws_durable_execution_sdk_python.lambda_service import CheckpointUpdatedExecutionState
from aws_durable_execution_sdk_python.lambda_service import OperationUpdate
from aws_durable_execution_sdk_python.lambda_service import StateOutput
from botocore.exceptions import ClientError

from rehearse import errors
from rehearse.aws_json import from_aws
from rehearse.testing._conversion import operation_to_sdk
from rehearse.testing.model import LambdaContext
from rehearse.v1 import durable_executions_pb2 as executions
from rehearse.v1 import operation_pb2 as operations
from rehearse.worker import Invocation

Handler = Callable[[Any, Any], Any]

# How the SDK in use says that there is no token: its versions differ.
_NO_TOKEN: Any = CheckpointOutput.from_dict({}).checkpoint_token


class Crashes:
    """Steps at whose end an invocation is to die. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: list[str] = []

    def add(self, step_name: str) -> None:
        with self._lock:
            self._steps.append(step_name)

    def take(self, updates: Sequence[operations.OperationUpdate]) -> int | None:
        """Index of the update that ends such a step, once for each time that it was added."""
        with self._lock:
            for i, update in enumerate(updates):
                if (update.type == operations.OPERATION_TYPE_STEP and update.name in self._steps
                        and update.action != operations.OPERATION_ACTION_START):
                    self._steps.remove(update.name)
                    return i
        return None


class StreamServiceClient:
    """The SDK's DurableServiceClient for one invocation."""

    def __init__(self, invocation: Invocation, crashes: Crashes) -> None:
        self._invocation = invocation
        self._crashes = crashes

    def checkpoint(self, durable_execution_arn: str, checkpoint_token: str,
                   updates: list[OperationUpdate], client_token: str | None) -> CheckpointOutput:
        request = executions.CheckpointRequest(
            durable_execution_arn=durable_execution_arn, checkpoint_token=checkpoint_token,
            client_token=client_token,
            updates=[from_aws(update.to_dict(), operations.OperationUpdate())
                     for update in updates])
        try:
            self._crash_within(request)
            return _checkpoint_output(self._invocation.checkpoint(request))
        except errors.ServiceError as error:
            raise CheckpointError.from_exception(
                _as_botocore(error, "CheckpointDurableExecution")) from error

    def _crash_within(self, request: executions.CheckpointRequest) -> None:
        end = self._crashes.take(request.updates)
        if end is None:
            return
        del request.updates[end:]
        if request.updates:
            self._invocation.checkpoint(request)
        self._invocation.crash()

    def get_execution_state(self, durable_execution_arn: str, checkpoint_token: str,
                            next_marker: str, max_items: int = 1000) -> StateOutput:
        request = executions.GetExecutionStateRequest(
            durable_execution_arn=durable_execution_arn, checkpoint_token=checkpoint_token,
            marker=next_marker, max_items=max_items)
        try:
            response = self._invocation.get_execution_state(request)
            return StateOutput([operation_to_sdk(operation) for operation in response.operations],
                               response.next_marker or None)
        except errors.ServiceError as error:
            raise GetExecutionStateError.from_exception(
                _as_botocore(error, "GetDurableExecutionState")) from error


def run_durable(handler: Handler, crashes: Crashes, invocation: Invocation) -> bytes:
    """One invocation of what @durable_execution has made."""
    given = invocation.message.durable
    state = given.initial_execution_state
    event = DurableExecutionInvocationInputWithClient(
        durable_execution_arn=given.durable_execution_arn,
        checkpoint_token=given.checkpoint_token,
        initial_execution_state=InitialExecutionState(
            [operation_to_sdk(operation) for operation in state.operations], state.next_marker),
        updated_operation_ids=list(given.updated_operation_ids),
        service_client=StreamServiceClient(invocation, crashes))
    return json.dumps(handler(event, context_of(invocation))).encode()


def run_plain(handler: Handler, invocation: Invocation) -> bytes:
    """One call of a function without durable operations."""
    payload = invocation.message.payload
    event = json.loads(payload) if payload else None
    return json.dumps(handler(event, context_of(invocation))).encode()


def context_of(invocation: Invocation) -> LambdaContext:
    """As Lambda fills it."""
    message = invocation.message
    return LambdaContext(
        aws_request_id=message.request_id,
        function_name=message.function_name.partition(":")[0],
        function_version=message.version,
        invoked_function_arn=message.invoked_function_arn,
        tenant_id=message.tenant_id if message.HasField("tenant_id") else None,
        client_context=(json.loads(message.client_context)
                        if message.HasField("client_context") else None),
        deadline=invocation.deadline)


def _checkpoint_output(response: executions.CheckpointResponse) -> CheckpointOutput:
    state = response.new_execution_state
    return CheckpointOutput(
        response.checkpoint_token or _NO_TOKEN,
        CheckpointUpdatedExecutionState(
            [operation_to_sdk(operation) for operation in state.operations],
            state.next_marker or None))


def _as_botocore(error: errors.ServiceError, operation: str) -> ClientError:
    """What the SDK knows how to classify. It knows a stale token by its text, which SDKs of
    different age spell differently."""
    text = (INVALID_CHECKPOINT_TOKEN_PREFIX if "stale_checkpoint_token" in error.metadata
            else error.message)
    return ClientError({"Error": {"Code": error.name, "Message": text},
                        "ResponseMetadata": {"HTTPStatusCode": error.http_status_code}}, operation)
