"""Every type of operation, through the runner."""

import datetime

import functions
import pytest
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationSubType
from aws_durable_execution_sdk_python.lambda_service import OperationType

from rehearse.testing import DurableFunctionTestRunner
from rehearse.testing.execution import ExecutionStatus

CODES = {"Step": "S", "Wait": "W", "Context": "C", "Callback": "B", "ChainedInvoke": "I"}


@pytest.fixture(name="runner")
def runner_of_all_functions():
    functions.attempts.clear()
    with DurableFunctionTestRunner(functions.handler) as runner:
        yield runner


def names_of(operations):
    return [operation.name for operation in operations]


def event_types(runner, arn):
    return [event.event_type for event in runner.history(arn)]


def test_quick_start(runner):
    result = runner.run({"run": "quick_start"})
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.execution_status is ExecutionStatus.SUCCEEDED
    assert result.result == '["1 2", "3 4 4 3", "5 6"]'
    assert result.error is None
    assert names_of(result.operations) == ["one", "pause", "two", "three"]
    one = result.get_step("one")
    assert one.operation_type is OperationType.STEP
    assert one.status is OperationStatus.SUCCEEDED
    assert one.sub_type == OperationSubType.STEP
    assert (one.result, one.error, one.attempt) == ('"1 2"', None, 1)
    assert one.parent_id is None
    two = result.get_context("two")
    assert two.operation_type is OperationType.CONTEXT
    assert two.result == '"3 4 4 3"'
    assert names_of(two.child_operations) == ["two_1", "two_2"]
    assert two.get_step("two_1").result == '"3 4"'
    assert two.get_step("two_2").parent_id == two.operation_id


def test_wait(runner):
    wait = runner.run({"run": "quick_start"}).get_wait("pause")
    assert wait.operation_type is OperationType.WAIT
    assert wait.status is OperationStatus.SUCCEEDED
    assert wait.scheduled_end_timestamp - wait.start_timestamp == datetime.timedelta(days=30)
    assert wait.end_timestamp >= wait.scheduled_end_timestamp


def test_retried_step(runner):
    result = runner.run({"run": "retried_step"})
    assert result.result == '"done"'
    step = result.get_step("flaky")
    assert (step.attempt, step.status) == (3, OperationStatus.SUCCEEDED)
    assert step.next_attempt_timestamp is None
    assert step.end_timestamp - step.start_timestamp >= datetime.timedelta(hours=2)


def test_exhausted_step(runner):
    result = runner.run({"run": "exhausted_step"})
    assert result.status is InvocationStatus.FAILED
    assert result.error.message == "never"
    step = result.get_step("hopeless")
    assert (step.attempt, step.status) == (2, OperationStatus.FAILED)
    assert step.error.message == "never"
    assert step.error.type.endswith("ValueError")


def test_callback(runner):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn, "approval")
    runner.send_callback_heartbeat(callback_id)
    runner.send_callback_success(callback_id, b"fine")
    result = runner.wait_for_result(arn)
    assert result.result == '"fine"'
    callback = result.get_callback("approval")
    assert callback.operation_type is OperationType.CALLBACK
    assert (callback.callback_id, callback.result) == (callback_id, "fine")
    assert callback.error is None


def test_callback_without_a_result(runner):
    arn = runner.run_async({"run": "callback"})
    runner.send_callback_success(runner.wait_for_callback(arn))
    assert runner.wait_for_result(arn).result == "null"


def test_wait_for_callback(runner):
    arn = runner.run_async({"run": "wait_for_callback"})
    callback_id = runner.wait_for_callback(arn)
    assert functions.attempts == [callback_id]
    runner.send_callback_success(callback_id, b"fine")
    result = runner.wait_for_result(arn)
    assert result.result == '"fine"'
    context = result.get_context("approval")
    assert context.sub_type == OperationSubType.WAIT_FOR_CALLBACK
    assert context.get_callback("approval create callback id").callback_id == callback_id
    assert context.get_step("approval submitter").status is OperationStatus.SUCCEEDED


def test_wait_for_condition(runner):
    result = runner.run({"run": "wait_for_condition"})
    assert result.result == "3"
    step = result.get_step("count")
    assert step.sub_type == OperationSubType.WAIT_FOR_CONDITION
    assert (step.attempt, step.result) == (3, "3")


def test_map(runner):
    result = runner.run({"run": "map_items"})
    assert result.result == "[2, 4]"
    doubled = result.get_context("doubled")
    assert doubled.sub_type == OperationSubType.MAP
    assert [child.sub_type for child in doubled.child_operations] == 2 * [
        OperationSubType.MAP_ITERATION]
    assert doubled.child_operations[1].get_step("double-1").result == "4"
    assert names_of(result.get_all_operations()) == (
        ["doubled"] + [name for child, step in zip(doubled.child_operations,
                                                   ["double-0", "double-1"])
                       for name in (child.name, step)])


def test_parallel(runner):
    result = runner.run({"run": "parallel"})
    assert result.result == '["first", "rested"]'
    both = result.get_context("both")
    assert both.sub_type == OperationSubType.PARALLEL
    assert both.child_operations[1].get_wait("nap").status is OperationStatus.SUCCEEDED


def test_child_context_that_fails(runner):
    result = runner.run({"run": "failing_child"})
    assert result.status is InvocationStatus.FAILED
    broken = result.get_context("broken")
    assert broken.status is OperationStatus.FAILED
    assert broken.error.message == "as intended"
    assert broken.get_step("before").result == "1"


def test_chained_invoke_of_a_durable_function(runner):
    runner.register_durable_function("child", functions.child)
    arn = runner.run_async({"run": "invoke", "target": "child", "payload": {"n": 1}})
    result = runner.wait_for_result(arn)
    assert result.result == "2"
    invoke = result.get_invoke("call")
    assert invoke.operation_type is OperationType.CHAINED_INVOKE
    assert (invoke.status, invoke.result, invoke.error) == (OperationStatus.SUCCEEDED, "2", None)
    child_arn = runner.history(arn)[1].chained_invoke_started_details.durable_execution_arn
    assert event_types(runner, child_arn)[0] == "ExecutionStarted"
    assert runner.get_result(child_arn).get_wait("think").status is OperationStatus.SUCCEEDED


def test_chained_invoke_of_a_plain_function(runner):
    runner.register_function("price", functions.price)
    result = runner.run({"run": "invoke", "target": "price", "payload": {"pieces": 3}})
    assert result.result == '{"cents": 300, "for": "price"}'


def test_a_qualified_name_wins_over_the_bare_one(runner):
    runner.register_function("price", lambda event, context: "any version")
    runner.register_function("price:2", lambda event, context: "version 2")
    assert runner.run({"run": "invoke", "target": "price"}).result == '"any version"'
    assert runner.run({"run": "invoke", "target": "price:2"}).result == '"version 2"'


@pytest.mark.parametrize("target, message", [("failing", "no"), ("price", "nothing to price")])
def test_chained_invoke_of_a_function_that_fails(runner, target, message):
    runner.register_durable_function("failing", functions.failing)
    runner.register_function("price", functions.price)
    result = runner.run({"run": "invoke", "target": target})
    assert result.status is InvocationStatus.FAILED
    invoke = result.get_invoke("call")
    assert invoke.status is OperationStatus.FAILED
    assert (invoke.error.type, invoke.error.message) == ("ValueError", message)


def test_chained_invoke_of_an_unknown_function(runner):
    result = runner.run({"run": "invoke", "target": "nobody"})
    assert result.status is InvocationStatus.FAILED
    assert result.get_invoke("call").error.type == "ResourceNotFoundException"


def test_chained_invoke_that_times_out(runner):
    runner.register_durable_function("child", functions.unanswered, execution_timeout=60)
    arn = runner.run_async({"run": "invoke", "target": "child"})
    runner.wait_for_operation(arn, "call")
    child_arn = runner.history(arn)[1].chained_invoke_started_details.durable_execution_arn
    runner.wait_for_callback(child_arn)
    runner.advance_time(datetime.timedelta(minutes=1))
    assert runner.wait_for_result(arn).get_invoke("call").status is OperationStatus.TIMED_OUT
    assert runner.wait_for_result(child_arn).execution_status is ExecutionStatus.TIMED_OUT


def test_result_that_is_too_large_for_an_answer(runner):
    result = runner.run({"run": "large_result"})
    assert result.status in (InvocationStatus.SUCCEEDED, InvocationStatus.FAILED)
    if result.status is InvocationStatus.SUCCEEDED:
        assert len(result.result) == (6 << 20) + 2


def test_execution_is_among_the_operations_of_the_history(runner):
    arn = runner.run_async({"run": "echo"})
    runner.wait_for_result(arn)
    assert event_types(runner, arn) == [
        "ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]
