"""The scenarios that the clients of all languages run: tests/scenarios."""

import contextlib
import json
import pathlib
import threading

import pytest
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.config import WaitForCallbackConfig
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig
from aws_durable_execution_sdk_python.waits import WaitForConditionDecision

from rehearse.errors import ServiceError
from rehearse.testing import DurableFunctionTestRunner

FILE = pathlib.Path("tests/scenarios/scenarios.json")


def expanded(value):
    """{"$repeat": [text, times]} stands for the text, that many times."""
    if isinstance(value, list):
        return [expanded(element) for element in value]
    if not isinstance(value, dict):
        return value
    if "$repeat" in value:
        text, times = value["$repeat"]
        return text * times
    return {name: expanded(member) for name, member in value.items()}


def fail(error):
    raise type(error["type"], (Exception,), {})(error["message"])


def seconds(operation, member):
    return Duration.from_seconds(operation.get(member, 0))


class Function:
    """A function of a scenario, as AWS's SDK runs it."""

    def __init__(self, body):
        self.body = body
        # Attempts that have failed, by the step's name.
        self.failures = {}

    def __call__(self, event, context):
        return Invocation(self, event).run_body(context, self.body)


class Invocation:
    def __init__(self, function, event):
        self.function = function
        self.event = event
        self.callbacks = {}

    def run_body(self, context, body):
        value = None
        for operation in body:
            try:
                value = getattr(self, operation["op"])(context, operation)
            except Exception:
                if "fallback" not in operation:
                    raise
                value = operation["fallback"]
        return value

    def input(self, _, __):
        return self.event

    def value(self, _, operation):
        return operation["value"]

    def fail(self, _, operation):
        fail(operation["error"])

    def step(self, context, operation):
        name, attempts = operation["name"], operation["attempts"]
        failures = self.function.failures

        def attempt(_):
            outcome = attempts[failures.get(name, 0)]
            if "error" in outcome:
                failures[name] = failures.get(name, 0) + 1
                fail(outcome["error"])
            return outcome["result"]

        return context.step(attempt, name, StepConfig(retry_strategy=lambda error, number: (
            RetryDecision.retry(seconds(operation, "retry_delay_seconds"))
            if number < len(attempts) else RetryDecision.no_retry())))

    def wait(self, context, operation):
        context.wait(seconds(operation, "seconds"), operation["name"])

    def wait_for_condition(self, context, operation):
        states = operation["states"]

        def check(state, _):
            return states[0 if state is None else states.index(state) + 1]

        def strategy(state, _):
            if state == states[-1]:
                return WaitForConditionDecision.stop_polling()
            return WaitForConditionDecision.continue_waiting(seconds(operation, "delay_seconds"))

        return context.wait_for_condition(
            check, WaitForConditionConfig(initial_state=None, wait_strategy=strategy),
            operation["name"])

    def child_context(self, context, operation):
        return context.run_in_child_context(
            lambda child: self.run_body(child, operation["body"]), operation["name"])

    def create_callback(self, context, operation):
        self.callbacks[operation["name"]] = context.create_callback(
            operation["name"], CallbackConfig(**self._timeouts(operation)))

    def callback_result(self, _, operation):
        return self.callbacks[operation["name"]].result()

    def wait_for_callback(self, context, operation):
        return context.wait_for_callback(
            lambda *_: None, operation["name"],
            WaitForCallbackConfig(**self._timeouts(operation)))

    def invoke(self, context, operation):
        return context.invoke(operation["function"], operation["payload"], operation["name"])

    def _timeouts(self, operation):
        return {"timeout": seconds(operation, "timeout_seconds"),
                "heartbeat_timeout": seconds(operation, "heartbeat_timeout_seconds")}


def plain_function(body):
    def function(event, _):
        return Invocation(None, event).run_body(None, body)
    return function


def crashing_steps(body):
    for operation in body:
        if operation.get("crash"):
            yield operation["name"]
        yield from crashing_steps(operation.get("body", []))


class ScenarioRun:
    """One execution of a scenario's main function, in a session of its own."""

    def __init__(self, scenario):
        functions = scenario["functions"]
        self.main = functions["main"]
        self.execution_name = scenario.get("execution_name", "execution-name")
        self.runner = DurableFunctionTestRunner(
            durable_execution(Function(self.main["body"])),
            manual_time=scenario.get("time") == "manual")
        self.callback_ids = {}
        for name, function in functions.items():
            for step in crashing_steps(function["body"]):
                self.runner.crash_next_invocation_at(step)
            if function.get("plain"):
                self.runner.register_function(name, plain_function(function["body"]))
            elif name != "main":
                self.runner.register_durable_function(
                    name, durable_execution(Function(function["body"])),
                    **({"execution_timeout": function["execution_timeout_seconds"]}
                       if "execution_timeout_seconds" in function else {}))

    def start(self, given):
        self.arn = self.runner.run_async(
            json.dumps(given), function_name="main", execution_name=self.execution_name,
            execution_timeout=self.main.get("execution_timeout_seconds"))

    def finish(self, actions, expectation):
        for action in actions:
            refused = None
            try:
                self.do(action)
            except ServiceError as error:
                refused = error.name
            assert refused == action.get("refused"), action
        result = self.runner.wait_for_result(self.arn)
        assert result.execution_status.value == expectation["status"]
        assert value_of(result.result) == expectation.get("result")
        assert covers(described_error(result.error), expectation.get("error", {}))
        compare_histories(expectation, self.runner.history(self.arn))

    def do(self, action):
        what, runner = action["do"], self.runner
        if what == "advance_time":
            runner.advance_time(action["seconds"])
        elif what.startswith("callback_"):
            self.answer(what, action.get("id") or self.callback_ids[action["name"]], action)
        else:
            arn = self.arn_of(action)
            {"wait_for_end": lambda: runner.wait_for_result(arn),
             "wait_for_event": lambda: self.wait_for_event(arn, action),
             "pause": lambda: runner.pause(arn),
             "resume": lambda: runner.resume(arn),
             "stop": lambda: runner.stop(arn, error_of(action)),
             "wait_for_callback": lambda: self.callback_ids.update({
                 action["name"]: runner.wait_for_callback(arn, action["name"])})}[what]()

    def answer(self, what, callback_id, action):
        if what == "callback_success":
            self.runner.send_callback_success(callback_id, action["result"].encode())
        elif what == "callback_failure":
            self.runner.send_callback_failure(callback_id, error_of(action))
        else:
            self.runner.send_callback_heartbeat(callback_id)

    def arn_of(self, action):
        """Of the run, or of the execution that its invoke `of` has started."""
        if "of" not in action:
            return self.arn
        return next(event.chained_invoke_started_details.durable_execution_arn
                    for event in self.runner.watch(self.arn)
                    if event.event_type == "ChainedInvokeStarted" and event.name == action["of"])

    def wait_for_event(self, arn, action):
        left = action["count"]
        for event in self.runner.watch(arn):
            left -= event.event_type == action["event"]
            if not left:
                return


def error_of(action):
    return ErrorObject(action["error"]["message"], action["error"]["type"], None, None)


def value_of(payload):
    """As a value: JSON, or where it is none, the text."""
    try:
        return None if payload is None else json.loads(payload)
    except ValueError:
        return payload


def described_error(error):
    return {} if error is None else {"type": error.type, "message": error.message}


def covers(actual, expected):
    return all(actual.get(name) == value for name, value in expected.items())


def described(event, names):
    """An event in the form of the file."""
    details = event.details
    members = {"event": event.event_type}
    if not event.event_type.startswith(("Execution", "Invocation")):
        members |= {"name": event.name, "sub_type": event.sub_type,
                    "parent": names.get(event.parent_id)}
    for member in ("input", "result"):
        recorded = getattr(details, member, None)
        if recorded is not None and recorded.payload is not None:
            members["payload"] = value_of(recorded.payload)
    error = getattr(details, "error", None)
    if error is not None and error.payload is not None:
        members["error"] = described_error(error.payload)
    retry = getattr(details, "retry_details", None)
    if retry is not None:
        members |= {"attempt": retry.current_attempt,
                    "retry_delay_seconds": retry.next_attempt_delay_seconds}
    for member, name in (("duration", "duration_seconds"), ("timeout", "timeout_seconds"),
                         ("execution_timeout", "timeout_seconds"),
                         ("heartbeat_timeout", "heartbeat_timeout_seconds"),
                         ("function_name", "function")):
        if getattr(details, member, None):
            members[name] = getattr(details, member)
    return members


def matches(expected, actual):
    if any(expected.get(name) not in ("*", actual.get(name))
           for name in ("event", "name", "sub_type", "parent")):
        return False
    # An invocation that failed has to be expected.
    if expected["event"] == "InvocationCompleted" and ("error" in expected) != ("error" in actual):
        return False
    rest = {name: value for name, value in expected.items()
            if name not in ("name", "sub_type", "parent", "error")}
    return covers(actual, rest) and covers(actual.get("error", {}), expected.get("error", {}))


def compare_histories(expectation, history):
    names = {event.operation_id: event.name for event in history}
    actual = [described(event, names) for event in history]
    expected = expectation["history"]
    if "invocations" in expectation:
        actual, expected = ([event for event in events if event["event"] != "InvocationCompleted"]
                            for events in (actual, expected))
    for wanted, found in zip(expected, actual):
        assert matches(wanted, found), (wanted, found)
    assert len(actual) == len(expected)


SCENARIOS = expanded(json.loads(FILE.read_text(encoding="utf-8"))["scenarios"])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_scenario(scenario):
    sessions = scenario.get("sessions", [scenario])
    with contextlib.ExitStack() as runners:
        runs = [ScenarioRun(scenario) for _ in sessions]
        for run, session in zip(runs, sessions):
            runners.enter_context(run.runner)
            run.start(session.get("input"))
        failures = []

        def finish(run, session):
            try:
                run.finish(session.get("actions", []), session["expect"])
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=finish, args=arguments)
                   for arguments in zip(runs[1:], sessions[1:])]
        for thread in threads:
            thread.start()
        finish(runs[0], sessions[0])
        for thread in threads:
            thread.join()
        for failure in failures:
            raise failure
