"""DurableFunctionCloudTestRunner: drives a deployed function through the AWS API.

    with DurableFunctionCloudTestRunner("orders", region="eu-north-1") as runner:
        result = runner.run({"order": 17}, timeout=60)

`lambda_endpoint` leads it to another service, such as `rehearse up`, which serves that API, too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NoReturn, Self, TypeVar

import boto3
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearse.testing._result import DurableFunctionTestResult
from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.model import Event
from rehearse.testing.model import GetDurableExecutionHistoryResponse
from rehearse.testing.model import GetDurableExecutionResponse

_CLOSED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")
_CALLBACK_ENDS = ("CallbackSucceeded", "CallbackFailed", "CallbackTimedOut")
T = TypeVar("T")


class DurableFunctionCloudTestRunner:
    """Polls: the AWS API has nothing to wait with."""

    def __init__(self, function_name: str, region: str = "us-west-2",
                 lambda_endpoint: str | None = None, poll_interval: float = 1.0) -> None:
        """`poll_interval` is in seconds."""
        self.function_name = function_name
        self.region = region
        self.lambda_endpoint = lambda_endpoint
        self.poll_interval = poll_interval
        # Of the SDK's age, botocore may not know every member yet.
        self.lambda_client = boto3.client(
            "lambda", endpoint_url=lambda_endpoint, region_name=region,
            config=Config(parameter_validation=False))

    def run(self, input: Any = None,  # pylint: disable=redefined-builtin
            timeout: int = 60) -> DurableFunctionTestResult:
        """Invokes the function, and waits for its end."""
        arn = self._invoke(input, "RequestResponse", 200).get("DurableExecutionArn")
        if not arn:
            raise DurableFunctionsTestError(
                f"No DurableExecutionArn in response for function {self.function_name}")
        return self.wait_for_result(arn, timeout)

    def run_async(self, input: Any = None,  # pylint: disable=redefined-builtin
                  timeout: int = 60) -> str:
        """Starts an execution and returns its ARN."""
        del timeout
        arn: str = self._invoke(input, "Event", 202).get("DurableExecutionArn")
        return arn

    def _invoke(self, value: Any, invocation_type: str, expected_status: int) -> Any:
        response = self._ask(f"invoke Lambda function {self.function_name}",
                             lambda: self.lambda_client.invoke(
                                 FunctionName=self.function_name, Payload=json.dumps(value),
                                 InvocationType=invocation_type))
        status = response.get("StatusCode")
        if status != expected_status:
            text = response["Payload"].read().decode()
            raise DurableFunctionsTestError(
                f"Lambda invocation failed with status {status}: {text}")
        return response

    def send_callback_success(self, callback_id: str, result: bytes | None = None) -> None:
        arguments = {} if result is None else {"Result": result}
        self._ask("send callback success",
                  lambda: self.lambda_client.send_durable_execution_callback_success(
                      CallbackId=callback_id, **arguments))

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        arguments = {} if error is None else {"Error": error.to_dict()}
        self._ask("send callback failure",
                  lambda: self.lambda_client.send_durable_execution_callback_failure(
                      CallbackId=callback_id, **arguments))

    def send_callback_heartbeat(self, callback_id: str) -> None:
        self._ask("send callback heartbeat",
                  lambda: self.lambda_client.send_durable_execution_callback_heartbeat(
                      CallbackId=callback_id))

    def wait_for_result(self, execution_arn: str, timeout: int = 60) -> DurableFunctionTestResult:
        """TimeoutError when the execution is not closed in time."""
        execution = self._poll("Execution did not complete", timeout,
                               lambda: self._closed_execution(execution_arn))
        return DurableFunctionTestResult.from_execution_history(
            execution, self._history(execution_arn))

    def wait_for_callback(self, execution_arn: str, name: str | None = None,
                          timeout: int = 60) -> str:
        """The id of the callback of that name, or of the newest open one, once the invocation that
        created it has ended. DurableFunctionsTestError when the named one is closed already;
        TimeoutError when none comes in time."""
        return self._poll(
            "Callback did not become available", timeout,
            lambda: open_callback_id(self._history(execution_arn).events, name))

    def pause_execution(self, execution_arn: str, timeout: float = 60) -> NoReturn:
        """Not for deployed functions."""
        raise NotImplementedError(
            "pause_execution() is not implemented for DurableFunctionCloudTestRunner")

    def resume_execution(self, execution_arn: str) -> NoReturn:
        """Not for deployed functions."""
        raise NotImplementedError(
            "resume_execution() is not implemented for DurableFunctionCloudTestRunner")

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:
            raise DurableFunctionsTestError(f"Failed to {what}: {error}") from error

    def _poll(self, what: str, timeout: float, attempt: Callable[[], T | None]) -> T:
        """The first result; an execution that is not there yet may still come."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout:
            try:
                result = attempt()
                if result is not None:
                    return result
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                    raise DurableFunctionsTestError(f"Failed to get execution: {error}") from error
            time.sleep(self.poll_interval)
        raise TimeoutError(f"{what} within {timeout}s")

    def _closed_execution(self, arn: str) -> GetDurableExecutionResponse | None:
        execution = GetDurableExecutionResponse.from_dict(
            self.lambda_client.get_durable_execution(DurableExecutionArn=arn))
        return execution if execution.status in _CLOSED else None

    def _history(self, arn: str) -> GetDurableExecutionHistoryResponse:
        events: list[Event] = []
        marker: dict[str, str] = {}
        while True:
            page = GetDurableExecutionHistoryResponse.from_dict(
                self.lambda_client.get_durable_execution_history(
                    DurableExecutionArn=arn, IncludeExecutionData=True, **marker))
            events += page.events
            if not page.next_marker:
                return GetDurableExecutionHistoryResponse(events)
            marker = {"Marker": page.next_marker}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Does nothing: there is nothing to end."""


def open_callback_id(events: list[Event], name: str | None) -> str | None:
    """See wait_for_callback. None: not there yet."""
    ended = {event.operation_id for event in events if event.event_type in _CALLBACK_ENDS}
    newest = None
    invocation_ended = False
    for event in reversed(events):
        invocation_ended |= event.event_type == "InvocationCompleted"
        if event.event_type != "CallbackStarted" or (name is not None and event.name != name):
            continue
        if event.operation_id in ended:
            if name is not None:
                raise DurableFunctionsTestError(
                    f"Callback {name} has already completed (succeeded/failed/timed out)")
        elif invocation_ended and (newest is None or name is not None):
            newest = event
    if newest is None or newest.callback_started_details is None:
        return None
    return newest.callback_started_details.callback_id
