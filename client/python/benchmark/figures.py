"""Figures of the Python runner, next to AWS's local runner in the same process, in turns.

    figures.py [--quick]        # prints "python_runner_quickstart_ms 213.4" and so on

Medians. A ratio is the median of the ratios of neighbouring runs: a noisy neighbour meets both.
"""

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner as OfficialRunner

from rehearse.testing import DurableFunctionTestRunner

SDK_IMPORT = "import aws_durable_execution_sdk_python"
FIRST_RUN = """
from aws_durable_execution_sdk_python import durable_execution
from rehearse.testing import DurableFunctionTestRunner

@durable_execution
def handler(event, context):
    return context.step(lambda _: event, "echo")

with DurableFunctionTestRunner(handler) as runner:
    assert runner.run("hello").result == '"hello"'
"""


@durable_execution
def quick_start(_, context):
    def two(child):
        first = child.step(lambda _: "3 4", "two_1")
        second = child.step(lambda _: "4 3", "two_2")
        return f"{first} {second}"

    one = context.step(lambda _: "1 2", "one")
    context.wait(Duration.from_seconds(1), "pause")
    return [one, context.run_in_child_context(two, "two"), context.step(lambda _: "5 6", "three")]


@durable_execution
def ten_steps(_, context):
    return [context.step(lambda _: i, f"step-{i}") for i in range(10)]


def seconds(action):
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def run_once(runner):
    assert runner.run("input").status is InvocationStatus.SUCCEEDED


def run_many(count):
    def run(runner):
        arns = [runner.run_async("input") for _ in range(count)]
        for arn in arns:
            assert runner.wait_for_result(arn, timeout=300).status is InvocationStatus.SUCCEEDED
    return run


def compare(handler, action, rounds):
    """Seconds of ours, and pairs with the official one's."""
    with DurableFunctionTestRunner(handler) as ours, OfficialRunner(handler) as official:
        run_once(ours)
        run_once(official)
        return [(seconds(lambda: action(ours)), seconds(lambda: action(official)))
                for _ in range(rounds)]


def of_single_runs(name, handler):
    def measure(quick):
        pairs = compare(handler, run_once, 2 if quick else 25)
        return {f"{name}_ms": 1000 * statistics.median(ours for ours, _ in pairs),
                f"{name}_vs_official": statistics.median(ours / official
                                                         for ours, official in pairs)}
    return measure


def executions_at_once(quick):
    count = 8 if quick else 64
    pairs = compare(ten_steps, run_many(count), 1 if quick else 5)
    return {"python_executions_64_per_s": count / statistics.median(ours for ours, _ in pairs),
            "python_executions_64_vs_official": statistics.median(official / ours
                                                                  for ours, official in pairs)}


def first_run(quick):
    """A process that imports both and has a first result, above one that imports the SDK."""
    with tempfile.TemporaryDirectory() as folder:
        # Compiled once, as an installed package is.
        environment = {name: value for name, value in os.environ.items()
                       if name != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": folder}

        def process(code):
            return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True,
                                                  env=environment))

        process(FIRST_RUN)
        return {"python_import_and_first_run_ms": 1000 * statistics.median(
            process(FIRST_RUN) - process(SDK_IMPORT) for _ in range(1 if quick else 11))}


GROUPS = (of_single_runs("python_runner_quickstart", quick_start),
          of_single_runs("python_runner_10_steps", ten_steps), executions_at_once, first_run)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    logging.disable()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    for measure in GROUPS:
        for name, value in measure(quick).items():
            print(name, value, flush=True)


if __name__ == "__main__":
    main()
