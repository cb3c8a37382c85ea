"""Durable functions with the official SDK, for every type of operation.

One Lambda function runs them all, so that a few processes serve every test: the event names one,
for example {"run": "retried_step"}. The same code runs on each major version of the SDK. In the
environment, PAUSE_SECONDS says how long waits and back-offs are, and MARKERS names a folder for
what outlives a process.
"""

import os
import pathlib
import signal
import time

import boto3
from aws_durable_execution_sdk_python import __version__
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.config import MapConfig
from aws_durable_execution_sdk_python.config import ParallelConfig
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.config import StepSemantics
from aws_durable_execution_sdk_python.config import WaitForCallbackConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig
from aws_durable_execution_sdk_python.waits import WaitForConditionDecision

_PAUSE = Duration.from_seconds(int(os.environ["PAUSE_SECONDS"]))
_ONE_SECOND = Duration.from_seconds(1)


def _retries(count, delay=_PAUSE):
    """A strategy: so many retries."""
    return lambda error, attempt: (
        RetryDecision.retry(delay) if attempt <= count else RetryDecision.no_retry())


def sdk_version(*_):
    return __version__


def quick_start(_, context):
    def two(child):
        first = child.step(lambda _: "3 4", "two_1")
        second = child.step(lambda _: "4 3", "two_2")
        return f"{first} {second}"

    one = context.step(lambda _: "1 2", "one")
    context.wait(_PAUSE, "pause")
    return [one, context.run_in_child_context(two, "two"), context.step(lambda _: "5 6", "three")]


def retried_step(_, context):
    def once_more(_):
        if not _happened_before(context, "attempt"):
            raise ValueError("not yet")
        return "done"

    return context.step(once_more, "flaky", StepConfig(retry_strategy=_retries(1)))


def exhausted_step(_, context):
    def fail(_):
        raise ValueError("never")

    return context.step(fail, "hopeless", StepConfig(retry_strategy=_retries(1)))


def callback(_, context):
    waiting = context.create_callback("approval", CallbackConfig(
        timeout=Duration.from_hours(1), heartbeat_timeout=Duration.from_minutes(10)))
    return waiting.result()


def wait_for_callback(_, context):
    return context.wait_for_callback(lambda callback_id, _: None, "approval",
                                     WaitForCallbackConfig(timeout=Duration.from_hours(1)))


def wait_for_condition(_, context):
    return context.wait_for_condition(
        lambda state, _: state + 1,
        WaitForConditionConfig(
            initial_state=0,
            wait_strategy=lambda state, _: (
                WaitForConditionDecision.stop_polling() if state == 3
                else WaitForConditionDecision.continue_waiting(_PAUSE))),
        "count")


def nested_contexts(_, context):
    def outer(child):
        child.step(lambda _: 1, "before")
        return child.run_in_child_context(
            lambda grandchild: grandchild.step(lambda _: "deep", "inside"), "inner")

    return context.run_in_child_context(outer, "outer")


def map_items(_, context):
    def double(child, item, index, _):
        return child.step(lambda _: 2 * item, f"double-{index}")

    return context.map([1, 2], double, "doubled", MapConfig(max_concurrency=1)).get_results()


def parallel_with_wait(_, context):
    def waits(child):
        child.wait(_PAUSE, "nap")
        return "rested"

    return context.parallel(
        [lambda child: child.step(lambda _: "first", "work"), waits], "both",
        ParallelConfig(max_concurrency=1)).get_results()


def parallel_waits(_, context):
    """All branches at once; each waits longer than the one before."""
    def branch(number):
        def run(child):
            child.wait(Duration.from_seconds(number * _PAUSE.seconds), f"wait-{number}")
            return number
        return run

    return context.parallel([branch(number) for number in (1, 2, 3)], "all").get_results()


def work_beside_wait(_, context):
    """One branch waits a second, and is retried after another, while the other works until then.

    The SDK keeps the invocation for it, and looks at the clock by itself.
    """
    context.wait(_PAUSE, "before")

    def works(child):
        def work(_):
            while not _marker(context, "told").exists():
                time.sleep(0.01)
            return "worked"
        return child.step(work, "work")

    def waits(child):
        def tell(_):
            if not _happened_before(context, "attempt"):
                raise ValueError("not yet")
            _marker(context, "told").touch()
            return "told"
        child.wait(_ONE_SECOND, "nap")
        return child.step(tell, "tell", StepConfig(retry_strategy=_retries(1, _ONE_SECOND)))

    return context.parallel([works, waits], "both").get_results()


def retry_due_beside_work(_, context):
    """A retry falls due while another branch works, in an invocation that begins before.

    The SDK compares its time with the clock of the machine, which is behind by the first wait.
    """
    context.wait(_PAUSE, "before")

    def retries(child):
        def once_more(_):
            if not _happened_before(context, "attempt"):
                raise ValueError("not yet")
            return "retried"
        return child.step(once_more, "flaky", StepConfig(
            retry_strategy=_retries(1, Duration.from_seconds(2))))

    def works(child):
        child.wait(_ONE_SECOND, "nap")
        return child.step(lambda _: time.sleep(2) or "worked", "work")

    return context.parallel([retries, works], "both").get_results()


def invoke_durable(_, context):
    return context.invoke("hasty:$LATEST", {"run": "child", "n": 1}, "call")


def invoke_plain(_, context):
    return context.invoke("plain", {"n": 1}, "call")


def invoke_failing(_, context):
    return context.invoke("plain", {"fail": "no"}, "call")


def child(event, context):
    context.wait(_PAUSE, "think")
    return event["n"] + 1


def large_context(_, context):
    """Over what the SDK keeps of a child context: its children are run again on replay."""
    def large(inner):
        return [inner.step(lambda _: "x" * 200_000, f"part-{i}") for i in range(2)]

    parts = context.run_in_child_context(large, "large")
    context.wait(_PAUSE, "pause")
    return [len(part) for part in parts]


def large_result(event, _):
    """Over what a Lambda function may answer: the SDK checkpoints it."""
    return "y" * event["bytes"]


def killed_step(_, context):
    """The process dies in an at-least-once step, once the service knows that it has started."""
    def die_once(_):
        if not _happened_before(context, "death"):
            _wait_for_event(context, "StepStarted")
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    return context.step(die_once, "deadly", StepConfig(
        step_semantics=StepSemantics.AT_LEAST_ONCE_PER_RETRY))


def killed_at_most_once(_, context):
    def die_once(_):
        if not _happened_before(context, "death"):
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    return context.step(die_once, "deadly", StepConfig(
        retry_strategy=_retries(1), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY))


def hangs_once(_, context):
    """The first invocation is longer than the function's timeout."""
    def hang_once(_):
        if not _happened_before(context, "hang"):
            _wait_for_event(context, "StepStarted")
            time.sleep(600)
        return "woke up"

    return context.step(hang_once, "lazy")


def fails(_, context):
    context.step(lambda _: 1, "one")
    raise RuntimeError("as intended")


def stale_token(_, context):
    """Somebody else uses up the checkpoint token; the SDK has to fail the invocation only."""
    if not _happened_before(context, "theft"):
        boto3.client("lambda").checkpoint_durable_execution(
            DurableExecutionArn=_arn(context),
            # pylint: disable=protected-access
            CheckpointToken=context.state._current_checkpoint_token)
    return context.step(lambda _: "recovered", "after")


def _arn(context):
    return context.execution_context.durable_execution_arn


def _marker(context, what):
    """A file that says that something has happened in this execution."""
    identifier = _arn(context).rsplit("/", maxsplit=1)[-1]
    return pathlib.Path(os.environ["MARKERS"], f"{identifier}-{what}")


def _happened_before(context, what):
    """Whether this was asked before in this execution, by this process or another."""
    marker = _marker(context, what)
    existed = marker.exists()
    marker.touch()
    return existed


def _wait_for_event(context, event_type):
    client = boto3.client("lambda")
    while event_type not in str(client.get_durable_execution_history(
            DurableExecutionArn=_arn(context))["Events"]):
        time.sleep(0.01)


@durable_execution
def handler(event, context):
    return globals()[event["run"]](event, context)


def plain(event, _):
    """Not durable."""
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"n": event["n"] + 1}
