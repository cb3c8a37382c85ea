"""A durable function that does what its input says, for every type of operation.

{"run": "callback"} runs `callback`. The same code runs on each major version of the SDK.
"""

import logging
import threading

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.config import MapConfig
from aws_durable_execution_sdk_python.config import ParallelConfig
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.config import WaitForCallbackConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig
from aws_durable_execution_sdk_python.waits import WaitForConditionDecision

PAUSE = Duration.from_days(30)
log = logging.getLogger("orders")

# Set by tests: what a function in this process does is seen by the test, and the other way round.
attempts: list[str] = []
entered = threading.Event()
released = threading.Event()


def retries(count):
    """A strategy: so many retries, an hour apart."""
    return lambda error, attempt: (
        RetryDecision.retry(Duration.from_hours(1)) if attempt <= count
        else RetryDecision.no_retry())


def quick_start(_, context):
    def two(child):
        first = child.step(lambda _: "3 4", "two_1")
        second = child.step(lambda _: "4 3", "two_2")
        return f"{first} {second}"

    one = context.step(lambda _: "1 2", "one")
    context.wait(PAUSE, "pause")
    return [one, context.run_in_child_context(two, "two"), context.step(lambda _: "5 6", "three")]


def echo(event, _):
    return event


def nothing(_event, _context):
    return None


def retried_step(_, context):
    def once_more(_):
        attempts.append("attempt")
        if len(attempts) < 3:
            raise ValueError("not yet")
        return "done"

    return context.step(once_more, "flaky", StepConfig(retry_strategy=retries(2)))


def exhausted_step(_, context):
    def fail(_):
        raise ValueError("never")

    return context.step(fail, "hopeless", StepConfig(retry_strategy=retries(1)))


def callback(_, context):
    return context.create_callback("approval", CallbackConfig(
        timeout=Duration.from_hours(1), heartbeat_timeout=Duration.from_minutes(10))).result()


def two_callbacks(_, context):
    first = context.create_callback("first")
    second = context.create_callback("second")
    return [first.result(), second.result()]


def wait_for_callback(_, context):
    return context.wait_for_callback(lambda callback_id, _: attempts.append(callback_id),
                                     "approval",
                                     WaitForCallbackConfig(timeout=Duration.from_hours(1)))


def wait_for_condition(_, context):
    return context.wait_for_condition(
        lambda state, _: state + 1,
        WaitForConditionConfig(
            initial_state=0,
            wait_strategy=lambda state, _: (
                WaitForConditionDecision.stop_polling() if state == 3
                else WaitForConditionDecision.continue_waiting(PAUSE))),
        "count")


def map_items(_, context):
    def double(child, item, index, _):
        return child.step(lambda _: 2 * item, f"double-{index}")

    return context.map([1, 2], double, "doubled", MapConfig(max_concurrency=1)).get_results()


def parallel(_, context):
    def waits(child):
        child.wait(PAUSE, "nap")
        return "rested"

    return context.parallel(
        [lambda child: child.step(lambda _: "first", "work"), waits], "both",
        ParallelConfig(max_concurrency=1)).get_results()


def failing_child(_, context):
    def fail(child):
        child.step(lambda _: 1, "before")
        raise RuntimeError("as intended")

    return context.run_in_child_context(fail, "broken")


def invoke(event, context):
    return context.invoke(event["target"], event.get("payload"), "call")


def held_step(_, context):
    """Runs until the test releases it."""
    def hold(_):
        attempts.append("held")
        entered.set()
        released.wait(60)
        return "released"

    return context.step(hold, "held") + context.step(lambda _: "!", "after")


def logs(_, context):
    log.info("outside of steps")
    return context.step(lambda _: log.warning("inside a step"), "log")


def lambda_context(_, context):
    given = context.lambda_context
    return {name: getattr(given, name)
            for name in ("function_name", "function_version", "invoked_function_arn", "tenant_id")
            } | {"in time": 0 < given.get_remaining_time_in_millis() <= 900_000}


def crashes_once(_, context):
    """In an invocation of its own: what was not checkpointed runs again."""
    context.wait(PAUSE, "before")
    attempts.append("run")
    if len(attempts) == 1:
        raise SystemExit("the process dies")
    return "survived"


def fails(_event, _context):
    raise ValueError("no")


def large_state(_, context):
    """More than a page."""
    parts = [context.step(lambda _: "x" * 1000, f"part-{i}") for i in range(20)]
    context.wait(PAUSE, "pause")
    return len("".join(parts))


def large_step(_, context):
    return len(context.step(lambda _: 300_000 * "x", "large"))


def large_result(_event, _context):
    return "y" * (6 << 20)


@durable_execution
def handler(event, context):
    if isinstance(event, dict) and "run" in event:
        return globals()[event["run"]](event, context)
    return event


def price(event, context):
    """Not durable."""
    if event is None:
        raise ValueError("nothing to price")
    return {"cents": 100 * event["pieces"], "for": context.function_name}


@durable_execution
def child(event, context):
    context.wait(PAUSE, "think")
    return event["n"] + 1


@durable_execution
def failing(_event, _context):
    raise ValueError("no")


@durable_execution
def unanswered(_event, context):
    return context.create_callback("nobody").result()
