"""Operations of an execution as test code sees them: a tree of plain data.

    step = create_operation(operation_of_the_sdk, all_operations_of_the_execution)
    assert step.status is OperationStatus.SUCCEEDED

Types, statuses and errors are objects of the SDK.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import Operation as SvcOperation
from aws_durable_execution_sdk_python.lambda_service import OperationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationType

from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.exceptions import InvalidParameterValueException


@dataclass(frozen=True)
class Operation:
    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    parent_id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    # Of the SDK's type: a str since 2.0, an OperationSubType before.
    sub_type: Any | None = field(default=None, kw_only=True)
    start_timestamp: datetime.datetime | None = field(default=None, kw_only=True)
    # None while it is open.
    end_timestamp: datetime.datetime | None = field(default=None, kw_only=True)


class OperationFactory(Protocol):
    """What makes an operation of one type."""

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> Operation:
        """Children are looked for in `all_operations`."""


class Getters:
    """Look-up by name among what is directly below. Names need not be unique: the first counts."""

    _KIND = "Operation"

    def _below(self) -> Sequence[Operation]:
        raise NotImplementedError

    def get_operation_by_name(self, name: str) -> Operation:
        """DurableFunctionsTestError, with the names there are, without one."""
        for operation in self._below():
            if operation.name == name:
                return operation
        others = ", ".join(f"{_kind(operation)} {operation.name!r}" for operation in self._below())
        raise DurableFunctionsTestError(
            f"{self._KIND} with name '{name}' not found; there is: {others or 'nothing'}")

    def get_step(self, name: str) -> StepOperation:
        return cast(StepOperation, self.get_operation_by_name(name))

    def get_wait(self, name: str) -> WaitOperation:
        return cast(WaitOperation, self.get_operation_by_name(name))

    def get_context(self, name: str) -> ContextOperation:
        return cast(ContextOperation, self.get_operation_by_name(name))

    def get_callback(self, name: str) -> CallbackOperation:
        return cast(CallbackOperation, self.get_operation_by_name(name))

    def get_invoke(self, name: str) -> InvokeOperation:
        return cast(InvokeOperation, self.get_operation_by_name(name))

    def get_execution(self, name: str) -> ExecutionOperation:
        return cast(ExecutionOperation, self.get_operation_by_name(name))


@dataclass(frozen=True)
class ExecutionOperation(Operation):
    input_payload: str | None = None

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> ExecutionOperation:
        del all_operations
        return ExecutionOperation(**_members(operation, OperationType.EXECUTION),
                                  **_details(operation.execution_details, "input_payload"))


@dataclass(frozen=True)
class ContextOperation(Operation, Getters):
    child_operations: list[Operation]
    result: str | None = None
    error: ErrorObject | None = None

    _KIND = "Child Operation"

    def _below(self) -> Sequence[Operation]:
        return self.child_operations

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> ContextOperation:
        return ContextOperation(**_members(operation, OperationType.CONTEXT),
                                **_details(operation.context_details, "result", "error"),
                                child_operations=_children(operation, all_operations))


@dataclass(frozen=True)
class StepOperation(ContextOperation):
    # Attempts that have ended.
    attempt: int = 0
    # Only while it waits for the next one.
    next_attempt_timestamp: datetime.datetime | None = None
    result: str | None = None
    error: ErrorObject | None = None

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> StepOperation:
        return StepOperation(**_members(operation, OperationType.STEP),
                             **_details(operation.step_details, "attempt",
                                        "next_attempt_timestamp", "result", "error"),
                             child_operations=_children(operation, all_operations))


@dataclass(frozen=True)
class WaitOperation(Operation):
    scheduled_end_timestamp: datetime.datetime | None = None

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> WaitOperation:
        del all_operations
        return WaitOperation(**_members(operation, OperationType.WAIT),
                             **_details(operation.wait_details, "scheduled_end_timestamp"))


@dataclass(frozen=True)
class CallbackOperation(ContextOperation):
    callback_id: str | None = None
    result: str | None = None
    error: ErrorObject | None = None

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> CallbackOperation:
        return CallbackOperation(**_members(operation, OperationType.CALLBACK),
                                 **_details(operation.callback_details, "callback_id", "result",
                                            "error"),
                                 child_operations=_children(operation, all_operations))


@dataclass(frozen=True)
class InvokeOperation(Operation):
    result: str | None = None
    error: ErrorObject | None = None

    @staticmethod
    def from_svc_operation(operation: SvcOperation,
                           all_operations: list[SvcOperation] | None = None) -> InvokeOperation:
        del all_operations
        return InvokeOperation(**_members(operation, OperationType.CHAINED_INVOKE),
                               **_details(operation.chained_invoke_details, "result", "error"))


OPERATION_FACTORIES: Mapping[OperationType, type[OperationFactory]] = {
    OperationType.EXECUTION: ExecutionOperation,
    OperationType.CONTEXT: ContextOperation,
    OperationType.STEP: StepOperation,
    OperationType.WAIT: WaitOperation,
    OperationType.CHAINED_INVOKE: InvokeOperation,
    OperationType.CALLBACK: CallbackOperation,
}


def create_operation(svc_operation: SvcOperation,
                     all_operations: list[SvcOperation] | None = None) -> Operation:
    """The operation with all that is below it."""
    factory = OPERATION_FACTORIES.get(svc_operation.operation_type)
    if factory is None:
        raise DurableFunctionsTestError(
            f"Unknown operation type: {svc_operation.operation_type}")
    return factory.from_svc_operation(svc_operation, all_operations)


def _kind(operation: Operation) -> str:
    return operation.operation_type.value.lower()


def _members(operation: SvcOperation, expected: OperationType) -> dict[str, Any]:
    if operation.operation_type is not expected:
        raise InvalidParameterValueException(
            f"Expected {expected.value} operation, got {operation.operation_type}")
    return {name: getattr(operation, name)
            for name in ("operation_id", "operation_type", "status", "parent_id", "name",
                         "sub_type", "start_timestamp", "end_timestamp")}


def _details(details: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(details, name) for name in names} if details is not None else {}


class _ByParent(list[SvcOperation]):
    """All operations of an execution, so that children are found without looking at each."""

    def __init__(self, operations: Iterable[SvcOperation]) -> None:
        super().__init__(operations)
        self.children: dict[str | None, list[SvcOperation]] = {}
        for operation in self:
            self.children.setdefault(operation.parent_id, []).append(operation)


def _children(operation: SvcOperation, everything: list[SvcOperation] | None) -> list[Operation]:
    if not isinstance(everything, _ByParent):
        everything = _ByParent(everything or ())
    return [create_operation(child, everything)
            for child in everything.children.get(operation.operation_id, ())]


def top_level(operations: Iterable[SvcOperation]) -> list[Operation]:
    """What is directly below an execution, with all that is below that."""
    everything = _ByParent(operations)
    return [create_operation(operation, everything)
            for operation in everything.children.get(None, ())
            if operation.operation_type is not OperationType.EXECUTION]
