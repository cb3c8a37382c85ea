"""How a run ended, and what was recorded on the way: plain data that outlives the runner.

    result = runner.run({"order": 17})
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.get_context("two").get_step("two_1").result == '"3 4"'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aws_durable_execution_sdk_python.lambda_service import DurableExecutionInvocationOutput
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import Operation as SvcOperation

from rehearse.testing._operations import Getters, Operation, top_level
from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.execution import ExecutionStatus
from rehearse.testing.model import GetDurableExecutionHistoryResponse
from rehearse.testing.model import GetDurableExecutionResponse
from rehearse.testing.model import events_to_operations

_INVOCATION_STATUSES = {
    ExecutionStatus.SUCCEEDED: InvocationStatus.SUCCEEDED,
    ExecutionStatus.RUNNING: InvocationStatus.PENDING,
    ExecutionStatus.PAUSING: InvocationStatus.PENDING,
    ExecutionStatus.PAUSED: InvocationStatus.PENDING,
}


class Execution(Protocol):
    """An execution as it was recorded."""

    @property
    def operations(self) -> Sequence[SvcOperation]:
        """All, in order of creation."""

    @property
    def result(self) -> DurableExecutionInvocationOutput | None:
        """How it ended."""

    @property
    def close_status(self) -> ExecutionStatus | None:
        """None while it is open."""


@dataclass(frozen=True)
class DurableFunctionTestResult(Getters):
    # FAILED also for an execution that timed out or was stopped; PENDING for one that is open.
    status: InvocationStatus
    # Those directly below the execution, in order of creation.
    operations: list[Operation]
    # As recorded: JSON, by the SDK.
    result: str | None = None
    error: ErrorObject | None = None
    execution_status: ExecutionStatus | None = None

    def _below(self) -> Sequence[Operation]:
        return self.operations

    @classmethod
    def create(cls, execution: Execution) -> DurableFunctionTestResult:
        """Of an execution that is closed."""
        if execution.result is None:
            raise DurableFunctionsTestError("Execution result must exist to create test result.")
        if execution.close_status is None:
            raise DurableFunctionsTestError(
                "Execution close status must exist to create test result.")
        return cls.of(execution.close_status, execution.operations, execution.result.result,
                      execution.result.error)

    @classmethod
    def from_execution_history(
            cls, execution_response: GetDurableExecutionResponse,
            history_response: GetDurableExecutionHistoryResponse) -> DurableFunctionTestResult:
        """Of what GetDurableExecution and GetDurableExecutionHistory have answered."""
        return cls.of(ExecutionStatus(execution_response.status),
                      events_to_operations(history_response.events), execution_response.result,
                      execution_response.error)

    @classmethod
    def of(cls, status: ExecutionStatus, operations: Sequence[SvcOperation], result: str | None,
           error: ErrorObject | None) -> DurableFunctionTestResult:
        return cls(status=_INVOCATION_STATUSES.get(status, InvocationStatus.FAILED),
                   operations=top_level(operations), result=result, error=error,
                   execution_status=status)

    def get_all_operations(self) -> list[Operation]:
        """Depth first."""
        found: list[Operation] = []
        left: list[Any] = list(reversed(self.operations))
        while left:
            found.append(left.pop())
            left += reversed(getattr(found[-1], "child_operations", []))
        return found
