"""The pytest plugin, in runs of pytest of its own."""

import re

import pytest

from rehearse.server import Server

pytest_plugins = ["pytester"]

FUNCTION = """
import datetime
import pytest
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus

@durable_execution
def handler(event, context):
    context.wait(Duration.from_days(30), "pause")
    return context.step(lambda _: 300_000 * "x" if event == "big" else "paid", "pay")

@durable_execution
def asks(event, context):
    return context.create_callback("approval").result()
"""


@pytest.fixture(name="run")
def run_of_pytest(pytester):
    def run(tests, *arguments):
        pytester.makepyfile(FUNCTION + tests)
        return pytester.runpytest_subprocess(
            "-p", "rehearse.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers",
            *arguments)
    return run


def test_fixture_runs_what_the_marker_says(run):
    run("""
@pytest.mark.durable_handler(handler=handler)
def test_pays(durable_runner):
    assert durable_runner.run().result == '"paid"'

@pytest.mark.durable_handler(handler=handler, region="eu-north-1")
class TestHere:
    def test_option(self, durable_runner):
        assert ":eu-north-1:" in durable_runner.run_async()

    @pytest.mark.durable_handler(handler=asks)
    def test_closest_marker_counts(self, durable_runner):
        arn = durable_runner.run_async()
        durable_runner.send_callback_success(durable_runner.wait_for_callback(arn), b"yes")
        assert durable_runner.wait_for_result(arn).result == '"yes"'
""").assert_outcomes(passed=3)


def test_time_and_limits(run):
    run("""
pytestmark = pytest.mark.durable_handler(handler=handler)

@pytest.mark.durable_time("skip")
def test_skip(durable_runner):
    assert durable_runner.run().status is InvocationStatus.SUCCEEDED

@pytest.mark.durable_time("manual")
def test_manual(durable_runner):
    arn = durable_runner.run_async()
    durable_runner.wait_for_operation(arn, "pause")
    durable_runner.advance_time(datetime.timedelta(days=30))
    assert durable_runner.wait_for_result(arn).status is InvocationStatus.SUCCEEDED

@pytest.mark.durable_time("real")
def test_real(durable_runner):
    arn = durable_runner.run_async()
    durable_runner.wait_for_operation(arn, "pause")
    with pytest.raises(TimeoutError):
        durable_runner.wait_for_result(arn, timeout=0.1)

@pytest.mark.durable_time("skip", skip_deadlines=True)
@pytest.mark.durable_handler(handler=asks)
def test_deadlines(durable_runner):
    arn = durable_runner.run_async(execution_timeout=60)
    assert durable_runner.wait_for_result(arn).execution_status.value == "TIMED_OUT"

@pytest.mark.durable_limits("aws-2025")
def test_limits(durable_runner):
    assert durable_runner.run("big").status is InvocationStatus.FAILED
""").assert_outcomes(passed=5)


def test_mistakes_are_told(run):
    result = run("""
def test_no_handler(durable_runner):
    pass

@pytest.mark.durable_handler(handler=handler)
@pytest.mark.durable_time("fast")
def test_no_such_time(durable_runner):
    pass
""")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([
        "durable_runner: say what to run with @pytest.mark.durable_handler(handler=...)",
        "durable_time: expected one of skip, real, manual"])


def test_failed_test_shows_the_history(run):
    result = run("""
from rehearse.testing import DurableFunctionTestRunner

@pytest.mark.durable_handler(handler=asks)
def test_open(durable_runner):
    durable_runner.wait_for_callback(durable_runner.run_async())
    assert False

def test_closed():
    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run()
    assert result.result == "another"

@pytest.mark.durable_handler(handler=handler)
def test_passes(durable_runner):
    durable_runner.run(execution_name="of-a-test-that-passes")
""")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines([
        "*- durable execution arn:aws:lambda:*-*",
        "RUNNING",
        "id  time *  at * event * name * recorded",
        "*  CallbackStarted * approval",
        'waiting for callback "approval"*',
        "*- durable execution arn:aws:lambda:*-*",
        "SUCCEEDED",
        "*  WaitSucceeded * pause * 720h",
    ])
    result.stdout.no_fnmatch_line("*of-a-test-that-passes*")


def test_parallel_workers_on_one_server_do_not_see_each_other(run, monkeypatch):
    with Server(time="skip") as server:
        monkeypatch.setenv("REHEARSE_SERVER", server.grpc_address)
        result = run("""
@pytest.mark.parametrize("number", range(12))
@pytest.mark.durable_handler(handler=asks)
def test_answer(durable_runner, number):
    arn = durable_runner.run_async(execution_name="the-same")
    durable_runner.send_callback_success(durable_runner.wait_for_callback(arn),
                                         str(number).encode())
    assert durable_runner.wait_for_result(arn).result == f'"{number}"'
    print("SESSION", durable_runner.session)
""", "-p", "xdist", "-n2", "-rP")
        result.assert_outcomes(passed=12)
        assert len(set(re.findall(r"SESSION (\S+)", result.stdout.str()))) == 12


def test_markers_are_documented(run):
    run("", "--markers").stdout.fnmatch_lines(
        ["*durable_handler(handler*", "*durable_time(mode*", "*durable_limits(profile)*"])
