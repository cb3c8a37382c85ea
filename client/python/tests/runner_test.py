"""Every member of DurableFunctionTestRunner and its result."""

import datetime
import itertools
import json
import logging
import re
import threading
import warnings

import functions
import pytest
from aws_durable_execution_sdk_python.context import durable_with_child_context
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationStatus
from aws_durable_execution_sdk_python.lambda_service import OperationType

from rehearse.testing import DurableChildContextTestRunner
from rehearse.testing import DurableFunctionTestResult
from rehearse.testing import DurableFunctionTestRunner
from rehearse.testing.exceptions import CallbackTimeoutException
from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.exceptions import InvalidParameterValueException
from rehearse.testing.exceptions import ResourceConflictException
from rehearse.testing.exceptions import ResourceNotFoundException
from rehearse.testing.execution import ExecutionStatus


@pytest.fixture(name="runner")
def runner_of_all_functions():
    functions.attempts.clear()
    functions.entered.clear()
    functions.released.clear()
    with DurableFunctionTestRunner(functions.handler) as runner:
        yield runner
        functions.released.set()


def event_types(runner, arn):
    return [event.event_type for event in runner.history(arn)]


# Input.


@pytest.mark.parametrize("given, seen", [
    (None, "null"), ("", '""'), ("text", '"text"'), ('"text"', '"text"'), ("{}", "{}"),
    ({"a": 1}, '{"a": 1}'), ('{"a": 1}', '{"a": 1}'), (5, "5"), ([1], "[1]"),
    ({"grüße": "✓"}, json.dumps({"grüße": "✓"})),
])
def test_input_is_encoded_once(runner, given, seen):
    arn = runner.run_async(given)
    assert runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED
    history = runner.history(arn)
    assert history[0].execution_started_details.input.payload == seen


# The constructor.


def test_runner_may_be_nested_in_itself_and_closed_twice():
    runner = DurableFunctionTestRunner(functions.handler)
    with runner as entered:
        assert entered is runner
        with runner:
            result = runner.run({"run": "echo"})
    runner.close()
    assert result.status is InvocationStatus.SUCCEEDED
    with pytest.raises(DurableFunctionsTestError, match="the runner is closed"):
        runner.run({"run": "echo"})


def test_runner_that_never_ran_closes():
    DurableFunctionTestRunner(functions.handler).close()


def test_positional_parameters_are_those_of_aws():
    with DurableFunctionTestRunner(functions.handler, 0.1, 4096, 60, 30, None, True,
                                   "eu-north-1") as runner:
        assert runner.poll_interval == 0.1
        arn = runner.run_async({"run": "lambda_context"})
        context = json.loads(runner.wait_for_result(arn).result)
        assert arn.startswith("arn:aws:lambda:eu-north-1:123456789012:function:test-function:")
        assert context["invoked_function_arn"].startswith("arn:aws:lambda:eu-north-1:")
        assert runner.history(arn)[0].execution_started_details.execution_timeout == 60


def test_state_beyond_a_page_is_read_by_the_sdk():
    with DurableFunctionTestRunner(functions.handler, max_invocation_page_bytes=4096) as runner:
        assert runner.run({"run": "large_state"}).result == "20000"


def test_invocation_that_takes_too_long_is_cut_off_and_runs_again(runner):
    with DurableFunctionTestRunner(functions.handler, invocation_timeout=1) as hasty:
        arn = hasty.run_async({"run": "held_step"})
        assert functions.entered.wait(60)
        # Only now does a second invocation find that it may go on.
        for event in hasty.watch(arn):
            if event.event_type == "InvocationCompleted":
                functions.released.set()
        result = hasty.wait_for_result(arn)
        assert result.result == '"released!"'
        first = next(event for event in hasty.history(arn)
                     if event.event_type == "InvocationCompleted")
        assert first.invocation_completed_details.error.payload.type == "Sandbox.Timedout"
    del runner


def test_real_time():
    with DurableFunctionTestRunner(functions.handler, skip_time=False) as runner:
        arn = runner.run_async({"run": "quick_start"})
        runner.wait_for_operation(arn, "pause")
        with pytest.raises(TimeoutError):
            runner.wait_for_result(arn, timeout=0.001)


def test_runner_serves_what_it_is_given_only():
    with DurableFunctionTestRunner(functions.handler) as one, (
            DurableFunctionTestRunner(functions.handler)) as other:
        arn = one.run_async({"run": "callback"})
        callback_id = one.wait_for_callback(arn)
        assert one.session != other.session
        with pytest.raises(ResourceNotFoundException):
            other.get_result(arn)
        with pytest.raises(ResourceNotFoundException):
            other.send_callback_success(callback_id)
        other.advance_time(datetime.timedelta(days=1))
        assert one.get_result(arn).status is InvocationStatus.PENDING


# run and run_async.


def test_run_names_function_and_execution(runner):
    arn = runner.run_async({"run": "lambda_context"}, function_name="orders",
                           execution_name="order-17", tenant_id="blue")
    assert ":function:orders:$LATEST/durable-execution/order-17/" in arn
    assert json.loads(runner.wait_for_result(arn).result) == {
        "function_name": "orders", "function_version": "$LATEST", "tenant_id": "blue",
        "invoked_function_arn": arn.partition("/")[0], "in time": True}


def test_account(runner):
    arn = runner.run_async({"run": "echo"}, account_id="000000000042")
    assert ":000000000042:function:" in arn
    with pytest.raises(InvalidParameterValueException, match="account 000000000042"):
        runner.run({"run": "echo"})


def test_each_run_is_an_execution_of_its_own(runner):
    arns = {runner.run_async({"run": "echo"}) for _ in range(3)}
    assert len(arns) == 3
    assert all(runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED for arn in arns)


def test_run_does_not_wait_for_ever(runner):
    with pytest.raises(TimeoutError) as caught:
        runner.run({"run": "callback"}, execution_timeout=1)
    # Whatever was first, the end of the execution or of the wait for it.
    assert "CallbackStarted" in str(caught.value)


def test_old_name_of_the_timeout(runner):
    with pytest.warns(DeprecationWarning, match="execution_timeout"):
        assert runner.run({"run": "echo"}, timeout=10).status is InvocationStatus.SUCCEEDED
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        arn = runner.run_async({"run": "echo"}, timeout=10)
    assert runner.history(arn)[0].execution_started_details.execution_timeout == 10


def test_registering_returns_the_runner(runner):
    assert runner.register_function("price", functions.price) is runner
    assert runner.register_durable_function("child", functions.child, 60, 2) is runner


def test_function_that_is_registered_after_the_first_run(runner):
    runner.run({"run": "echo"})
    runner.register_function("price", functions.price)
    result = runner.run({"run": "invoke", "target": "price", "payload": {"pieces": 1}})
    assert result.status is InvocationStatus.SUCCEEDED
    runner.register_function("price", lambda event, context: "a new one")
    assert runner.run({"run": "invoke", "target": "price"}).result == '"a new one"'


# wait_for_result.


def test_timeout_says_what_the_run_waits_for(runner):
    arn = runner.run_async({"run": "callback"})
    runner.wait_for_callback(arn)
    with pytest.raises(TimeoutError) as caught:
        runner.wait_for_result(arn, timeout=0.001)
    assert re.search(r'waiting for callback "approval" \(.* left\)', str(caught.value))
    assert "CallbackStarted" in str(caught.value)
    assert runner.get_result(arn).status is InvocationStatus.PENDING


def test_unknown_execution(runner):
    arn = runner.run_async({"run": "echo"})[:-1] + "x"
    for call in (runner.wait_for_result, runner.wait_for_callback, runner.get_result,
                 runner.get_execution_history, runner.invocation_count, runner.stop,
                 runner.pause_execution, runner.resume_execution):
        with pytest.raises(ResourceNotFoundException, match="Durable Execution does not exist"):
            call(arn)


def test_execution_that_times_out(runner):
    arn = runner.run_async({"run": "callback"}, execution_timeout=60)
    runner.wait_for_callback(arn)
    runner.advance_time(60)
    result = runner.wait_for_result(arn)
    assert result.status is InvocationStatus.FAILED
    assert result.execution_status is ExecutionStatus.TIMED_OUT
    assert result.get_callback("approval").status is OperationStatus.STARTED


def test_deadlines_are_skipped_if_asked_for():
    with DurableFunctionTestRunner(functions.handler, skip_deadlines=True) as runner:
        arn = runner.run_async({"run": "callback"})
        result = runner.wait_for_result(arn)
        # The heartbeat's deadline is before the callback's, and that before nothing.
        assert result.get_callback("approval").status is OperationStatus.TIMED_OUT
        assert "Callback timed out on heartbeat" in result.error.message


# Callbacks.


def test_newest_open_callback(runner):
    arn = runner.run_async({"run": "two_callbacks"})
    second = runner.wait_for_callback(arn)
    runner.send_callback_success(second, b"2")
    first = runner.wait_for_callback(arn)
    runner.send_callback_success(first, b"1")
    result = runner.wait_for_result(arn)
    assert result.result == '["1", "2"]'
    assert result.get_callback("second").callback_id == second


@pytest.mark.parametrize("name", ["approval", "approval create callback id", None])
def test_callback_of_wait_for_callback_by_name(runner, name):
    arn = runner.run_async({"run": "wait_for_callback"})
    runner.send_callback_success(runner.wait_for_callback(arn, name), b"fine")
    assert runner.wait_for_result(arn).result == '"fine"'


def test_callback_is_handed_out_when_its_invocation_has_ended(runner):
    arn = runner.run_async({"run": "wait_for_callback"})
    runner.wait_for_callback(arn)
    assert event_types(runner, arn)[-1] == "InvocationCompleted"


def test_named_callback_that_is_closed(runner):
    arn = runner.run_async({"run": "two_callbacks"})
    runner.send_callback_success(runner.wait_for_callback(arn, "first"))
    with pytest.raises(DurableFunctionsTestError, match="Callback first has already completed"):
        runner.wait_for_callback(arn, "first")


def test_callback_that_does_not_come(runner):
    arn = runner.run_async({"run": "callback"})
    runner.wait_for_callback(arn)
    with pytest.raises(TimeoutError, match="waiting for"):
        runner.wait_for_callback(arn, "another", timeout=0.001)
    done = runner.run_async({"run": "echo"})
    for name in (None, "another"):
        with pytest.raises(TimeoutError, match="ExecutionSucceeded"):
            runner.wait_for_callback(done, name)


def test_callback_that_is_failed(runner):
    arn = runner.run_async({"run": "callback"})
    error = ErrorObject("no receipt", "Rejected", "17", ["line 1"])
    runner.send_callback_failure(runner.wait_for_callback(arn), error)
    result = runner.wait_for_result(arn)
    assert result.status is InvocationStatus.FAILED
    assert result.get_callback("approval").error == error
    assert "no receipt" in result.error.message


def test_callback_that_is_failed_without_an_error(runner):
    arn = runner.run_async({"run": "callback"})
    runner.send_callback_failure(runner.wait_for_callback(arn))
    result = runner.wait_for_result(arn)
    assert result.get_callback("approval").status is OperationStatus.FAILED


def test_heartbeats_put_off_the_heartbeat_deadline(runner):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn)
    for _ in range(3):
        runner.advance_time(datetime.timedelta(minutes=9))
        runner.send_callback_heartbeat(callback_id)
    runner.advance_time(datetime.timedelta(minutes=10))
    assert "Callback timed out on heartbeat" in runner.wait_for_result(arn).error.message


def test_refused_callbacks_are_errors_with_awss_names(runner):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn)
    runner.send_callback_success(callback_id, b"fine")
    for send in (runner.send_callback_success, runner.send_callback_failure,
                 runner.send_callback_heartbeat):
        with pytest.raises(CallbackTimeoutException) as closed:
            send(callback_id)
        assert closed.value.http_status_code == 400
        with pytest.raises(ResourceNotFoundException) as unknown:
            send("no callback id")
        assert unknown.value.Message == "Callback does not exist"


# Time and control.


def test_manual_time():
    with DurableFunctionTestRunner(functions.handler, manual_time=True) as runner:
        arn = runner.run_async({"run": "quick_start"})
        runner.wait_for_operation(arn, "pause")
        runner.advance_time(datetime.timedelta(days=29))
        assert runner.get_operation(arn, "pause").status is OperationStatus.STARTED
        assert runner.advance_to_next_timer() == 1
        assert runner.get_operation(arn, "pause").status is OperationStatus.SUCCEEDED
        assert runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED


def test_pause_and_resume(runner):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn)
    runner.pause_execution(arn)
    runner.pause_execution(arn, timeout=5)
    runner.send_callback_success(callback_id, b"fine")
    assert runner.get_result(arn).execution_status is ExecutionStatus.PAUSED
    with pytest.raises(TimeoutError, match="paused|resume"):
        runner.wait_for_result(arn, timeout=0.001)
    runner.resume_execution(arn)
    runner.resume_execution(arn)
    assert runner.wait_for_result(arn).result == '"fine"'
    runner.pause_execution(arn)
    runner.resume_execution(arn)
    assert runner.get_result(arn).execution_status is ExecutionStatus.SUCCEEDED


def test_strict_pause_and_resume(runner):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn)
    with pytest.raises(ResourceConflictException):
        runner.resume(arn)
    runner.pause(arn)
    with pytest.raises(ResourceConflictException):
        runner.pause(arn)
    runner.resume(arn)
    runner.send_callback_success(callback_id, b"fine")
    runner.wait_for_result(arn)
    with pytest.raises(ResourceConflictException):
        runner.pause(arn)


def test_pause_waits_for_the_invocation_and_its_next_checkpoint_ends_it(runner):
    arn = runner.run_async({"run": "held_step"})
    assert functions.entered.wait(60)
    with pytest.raises(TimeoutError):
        runner.pause_execution(arn, timeout=0.001)
    functions.released.set()
    runner.pause_execution(arn)
    # What the invocation still sent is kept, and it got no further.
    assert [operation.name for operation in runner.get_result(arn).operations] == ["held"]
    runner.resume_execution(arn)
    assert runner.wait_for_result(arn).result == '"released!"'


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_pause_takes_a_timeout_that_ends(runner, timeout):
    arn = runner.run_async({"run": "echo"})
    with pytest.raises(ValueError, match="finite and positive"):
        runner.pause_execution(arn, timeout=timeout)


def test_blank_arn(runner):
    for call in (runner.pause_execution, runner.resume_execution):
        with pytest.raises(InvalidParameterValueException):
            call(" ")


def test_stop(runner):
    arn = runner.run_async({"run": "callback"})
    runner.wait_for_callback(arn)
    runner.stop(arn, ErrorObject("fraud alert", "Operator", None, None))
    runner.stop(arn)
    result = runner.wait_for_result(arn)
    assert result.status is InvocationStatus.FAILED
    assert result.execution_status is ExecutionStatus.STOPPED
    assert (result.error.type, result.error.message) == ("Operator", "fraud alert")


def test_stop_does_not_wait_for_a_handler(runner):
    arn = runner.run_async({"run": "held_step"})
    assert functions.entered.wait(60)
    runner.stop(arn)
    assert runner.wait_for_result(arn, timeout=1).execution_status is ExecutionStatus.STOPPED
    functions.released.set()


def test_stepped():
    with DurableFunctionTestRunner(functions.handler, stepped=True) as runner:
        arn = runner.run_async({"run": "quick_start"})
        assert runner.invocation_count(arn) == 0
        assert runner.invoke_next(arn)
        assert event_types(runner, arn)[:5] == [
            "ExecutionStarted", "StepStarted", "StepSucceeded", "WaitStarted",
            "InvocationCompleted"]
        assert runner.get_result(arn).status is InvocationStatus.PENDING
        runner.wait_for_operation(arn, "pause", OperationStatus.SUCCEEDED)
        assert runner.invoke_next(arn)
        assert not runner.invoke_next(arn)
        assert runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED


def test_crash_of_the_process_is_survived(runner):
    arn = runner.run_async({"run": "crashes_once"})
    assert runner.wait_for_result(arn).result == '"survived"'
    assert runner.invocation_count(arn) == 3
    errors = [event.invocation_completed_details.error for event in runner.history(arn)
              if event.event_type == "InvocationCompleted"]
    assert [error and error.payload.type for error in errors] == [None, "Runtime.ExitError", None]


def test_invocation_that_is_made_to_crash(runner):
    runner.crash_next_invocation_at("three")
    arn = runner.run_async({"run": "quick_start"})
    assert runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED
    assert event_types(runner, arn)[-5:] == [
        "StepStarted", "InvocationCompleted", "StepSucceeded", "InvocationCompleted",
        "ExecutionSucceeded"]
    assert runner.invocation_count(arn) == 3


@pytest.mark.parametrize("policy, delay", [("python-testing", "5s"), ("aws", "1s")])
def test_failure_policy(runner, policy, delay):
    with DurableFunctionTestRunner(functions.handler, manual_time=True,
                                   failure_policy=policy) as manual:
        arn = manual.run_async({"run": "crashes_once"})
        invocations = (event for event in manual.watch(arn)
                       if event.event_type == "InvocationCompleted")
        next(invocations)
        manual.advance_time(functions.PAUSE.to_seconds())
        assert next(invocations).invocation_completed_details.error is not None
        with pytest.raises(TimeoutError, match=delay):
            manual.wait_for_result(arn, timeout=0.001)
    del runner


def test_limits_profile():
    for profile, status in (("aws", InvocationStatus.SUCCEEDED),
                            ("aws-2025", InvocationStatus.FAILED)):
        with DurableFunctionTestRunner(functions.handler, limits_profile=profile) as runner:
            assert runner.run({"run": "echo", "big": 300_000 * "x"}).status is (
                InvocationStatus.SUCCEEDED)
            assert runner.run({"run": "large_step"}).status is status


# Looking.


def test_history(runner):
    arn = runner.run_async({"run": "quick_start"})
    runner.wait_for_result(arn)
    history = runner.get_execution_history(arn)
    assert [event.event_id for event in history.events] == list(
        range(1, len(history.events) + 1))
    assert history.next_marker is None
    started = history.events[0].execution_started_details
    assert (started.input.payload, started.input.truncated) == (None, True)
    with_data = runner.get_execution_history(arn, include_execution_data=True).events
    assert with_data[0].execution_started_details.input.payload == '{"run": "quick_start"}'
    assert with_data[2].step_succeeded_details.result.payload == '"1 2"'
    assert with_data[2].step_succeeded_details.retry_details.current_attempt == 1
    assert with_data[3].wait_started_details.duration == 30 * 24 * 3600
    assert with_data == runner.history(arn)
    assert "WaitStarted" in runner.format_history(arn)


def test_format_of_an_open_history_says_what_it_waits_for(runner):
    arn = runner.run_async({"run": "callback"})
    runner.wait_for_callback(arn)
    assert re.search(r'\nwaiting for callback "approval" \(.* left\)', runner.format_history(arn))


def test_watch(runner):
    arn = runner.run_async({"run": "callback"})
    seen = []
    for event in runner.watch(arn):
        seen.append(event.event_type)
        if event.event_type == "CallbackStarted":
            runner.send_callback_success(event.callback_started_details.callback_id)
    assert seen == event_types(runner, arn)
    assert seen[-1] == "ExecutionSucceeded"


def test_watch_may_be_left(runner):
    arn = runner.run_async({"run": "callback"})
    first = list(itertools.islice(runner.watch(arn), 1))
    assert first[0].event_type == "ExecutionStarted"
    with pytest.raises(TimeoutError):
        list(runner.watch(arn, timeout=0.5))


def test_views(runner):
    arn = runner.run_async({"run": "map_items"})
    runner.wait_for_result(arn)
    assert runner.get_operation_by_index(arn, 0).name == "doubled"
    second = runner.get_operation_by_index(arn, 2)
    assert second.name == "double-0"
    assert runner.get_operation_by_id(arn, second.operation_id) == second
    assert runner.get_operation(arn, "double-1").result == "4"
    assert runner.get_operation_by_index(arn, 0).child_operations[0].child_operations == [second]
    for missing in (lambda: runner.get_operation(arn, "double-1", 1),
                    lambda: runner.get_operation(arn, "triple"),
                    lambda: runner.get_operation_by_index(arn, 5),
                    lambda: runner.get_operation_by_index(arn, -1),
                    lambda: runner.get_operation_by_id(arn, "x")):
        with pytest.raises(DurableFunctionsTestError, match="not found"):
            missing()


def test_invocation_count(runner):
    arn = runner.run_async({"run": "quick_start"})
    runner.wait_for_result(arn)
    assert runner.invocation_count(arn) == 2


# Results.


def test_result_without_an_operation_of_the_name(runner):
    result = runner.run({"run": "quick_start"})
    for get in (result.get_operation_by_name, result.get_step, result.get_wait, result.get_context,
                result.get_callback, result.get_invoke, result.get_execution):
        assert get("one").operation_type is OperationType.STEP
        with pytest.raises(DurableFunctionsTestError, match="'nine' not found; there is: step "
                                                            "'one', wait 'pause', context 'two'"):
            get("nine")
    two = result.get_context("two")
    for get in (two.get_operation_by_name, two.get_step, two.get_wait, two.get_context,
                two.get_callback, two.get_invoke, two.get_execution):
        assert get("two_1").result == '"3 4"'
        with pytest.raises(DurableFunctionsTestError, match="Child Operation"):
            get("one")


def test_results_are_plain_data(runner):
    result = runner.run({"run": "quick_start"})
    with pytest.raises(AttributeError):
        result.status = InvocationStatus.FAILED
    with pytest.raises(AttributeError):
        result.get_step("one").attempt = 2
    assert result == DurableFunctionTestResult(
        result.status, result.operations, result.result, None, ExecutionStatus.SUCCEEDED)


def test_function_that_answers_nothing(runner):
    assert runner.run({"run": "nothing"}).result == "null"


def test_function_that_fails(runner):
    result = runner.run({"run": "fails"})
    assert (result.status, result.result) == (InvocationStatus.FAILED, None)
    assert (result.error.type, result.error.message) == ("ValueError", "no")


# One process.


def test_logs_of_the_handler_reach_the_test(runner, caplog):
    with caplog.at_level(logging.INFO):
        runner.run({"run": "logs"})
    assert [record.message for record in caplog.records if record.name == "orders"] == [
        "outside of steps", "inside a step"]


def test_globals_of_the_handler_are_the_tests(runner, monkeypatch):
    monkeypatch.setattr(functions, "echo", lambda event, context: "replaced")
    assert runner.run({"run": "echo"}).result == '"replaced"'


def test_many_executions_at_once(runner):
    released = threading.Barrier(20, timeout=60)
    runner.register_function("meet", lambda event, context: released.wait() >= 0)
    arns = [runner.run_async({"run": "invoke", "target": "meet"}) for _ in range(20)]
    assert {runner.wait_for_result(arn).result for arn in arns} == {"true"}


def test_a_block_by_itself():
    @durable_with_child_context
    def block(context, first, second):
        return context.step(lambda _: first + second, "sum")

    with DurableChildContextTestRunner(block, 1, second=2, skip_time=True) as runner:
        result = runner.run("anything")
    assert result.result == "3"
    assert result.get_step("sum").result == "3"
