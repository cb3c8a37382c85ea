"""The runners that go through the AWS API: the cloud runner, and the web runner."""

import contextlib
import functools
import http.server
import json
import threading

import boto3
import functions
import pytest
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import LambdaClient
from aws_durable_execution_sdk_python.lambda_service import OperationStatus

from rehearse.server import Server
from rehearse.testing import DurableFunctionCloudTestRunner
from rehearse.testing import WebRunner
from rehearse.testing import WebRunnerConfig
from rehearse.testing import _host
from rehearse.testing.exceptions import DurableFunctionsLocalRunnerError
from rehearse.testing.exceptions import DurableFunctionsTestError
from rehearse.testing.execution import ExecutionStatus
from rehearse.testing.model import LambdaContext
from rehearse.testing.runner import DurableFunctionTestRunner
from rehearse.testing.runner import FunctionConfig
from rehearse.testing.runner import FunctionConfigs
from rehearse.testing.stores.base import StoreType
from rehearse.testing.web.server import WebServiceConfig
from rehearse.channel import shared_channel
from rehearse.v1 import function_host_pb2 as host
from rehearse.worker import Worker


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    functions.attempts.clear()


@pytest.fixture(name="runner")
def runner_of_a_deployed_function():
    with Server(time="skip") as server:
        serve = functools.partial(_host.run_durable, functions.handler, _host.Crashes())
        spec = host.FunctionSpec(function_name="deployed", durable=True)
        with Worker(shared_channel(server.grpc_address), [spec], serve):
            with DurableFunctionCloudTestRunner(
                    "deployed", region="us-east-1", poll_interval=0.01,
                    lambda_endpoint=f"http://{server.http_address}") as runner:
                yield runner


def test_run(runner):
    result = runner.run({"run": "quick_start"}, timeout=60)
    with DurableFunctionTestRunner(functions.handler) as local:
        same = local.run({"run": "quick_start"})
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.execution_status is ExecutionStatus.SUCCEEDED
    assert result.result == same.result
    assert [(operation.name, operation.status, operation.operation_type, operation.sub_type)
            for operation in result.get_all_operations()] == [
        (operation.name, operation.status, operation.operation_type, operation.sub_type)
        for operation in same.get_all_operations()]
    assert result.get_step("one").attempt == 1
    assert result.get_context("two").get_step("two_1").result == '"3 4"'
    assert result.get_wait("pause").scheduled_end_timestamp is not None


def test_run_of_a_function_that_fails(runner):
    result = runner.run({"run": "exhausted_step"})
    assert result.status is InvocationStatus.FAILED
    assert result.get_step("hopeless").error.message == "never"
    assert result.get_step("hopeless").attempt == 2


@pytest.mark.parametrize("name", [None, "approval"])
def test_callbacks(runner, name):
    arn = runner.run_async({"run": "callback"})
    callback_id = runner.wait_for_callback(arn, name)
    runner.send_callback_heartbeat(callback_id)
    runner.send_callback_success(callback_id, b"fine")
    result = runner.wait_for_result(arn)
    assert result.result == '"fine"'
    assert result.get_callback("approval").callback_id == callback_id
    with pytest.raises(DurableFunctionsTestError, match="already completed"):
        runner.wait_for_callback(arn, "approval")
    for send in (runner.send_callback_success, runner.send_callback_failure,
                 runner.send_callback_heartbeat):
        with pytest.raises(DurableFunctionsTestError, match="Failed to send callback"):
            send(callback_id)


def test_callback_that_is_failed(runner):
    arn = runner.run_async({"run": "callback"})
    runner.send_callback_failure(runner.wait_for_callback(arn),
                                 ErrorObject("no receipt", "Rejected", None, None))
    callback = runner.wait_for_result(arn).get_callback("approval")
    assert (callback.status, callback.error.message) == (OperationStatus.FAILED, "no receipt")


def test_time_outs(runner):
    arn = runner.run_async({"run": "callback"})
    with pytest.raises(TimeoutError, match="Callback did not become available"):
        runner.wait_for_callback(arn, "another", timeout=0.1)
    with pytest.raises(TimeoutError, match="Execution did not complete"):
        runner.wait_for_result(arn, timeout=0.1)
    with pytest.raises(TimeoutError):
        runner.wait_for_result(arn[:-1] + "x", timeout=0.1)


def test_what_is_not_for_deployed_functions(runner):
    for call in (runner.pause_execution, runner.resume_execution):
        with pytest.raises(NotImplementedError):
            call("arn")
    runner.function_name = "nobody"
    for call in (runner.run, runner.run_async):
        with pytest.raises(DurableFunctionsTestError, match="nobody"):
            call()


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Invokes functions as Lambda does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        name = self.path.split("/")[3]
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "null")
        handler = functions.price if name == "price" else functions.handler
        answer = json.dumps(handler(event, LambdaContext("request", function_name=name))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def endpoint():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_web_runner(monkeypatch):
    with endpoint() as url:
        config = WebRunnerConfig(
            WebServiceConfig("127.0.0.1", 0), lambda_endpoint=url, skip_time=True,
            local_runner_region="us-east-1", function_configs=FunctionConfigs.from_value(
                '{"orders": {"DurableConfig": {"ExecutionTimeout": 60}}, "price": {}}'))
        with WebRunner(config) as runner:
            address = f"http://{runner.http_address}"
            monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", address)
            monkeypatch.setattr(LambdaClient, "_cached_boto_client", boto3.client(
                "lambda", endpoint_url=address))
            with pytest.raises(DurableFunctionsLocalRunnerError, match="already running"):
                runner.start()
            cloud = DurableFunctionCloudTestRunner(
                "orders", region="us-east-1", lambda_endpoint=address, poll_interval=0.01)
            assert cloud.run({"run": "quick_start"}).result == '["1 2", "3 4 4 3", "5 6"]'
            invoked = cloud.run({"run": "invoke", "target": "price", "payload": {"pieces": 2}})
            assert invoked.get_invoke("call").result == '{"cents": 200, "for": "price"}'
            waiter = threading.Thread(target=runner.serve_forever)
            waiter.start()
        waiter.join(60)
        assert not waiter.is_alive()


def test_web_runner_that_is_not_started():
    runner = WebRunner(WebRunnerConfig(WebServiceConfig()))
    with pytest.raises(DurableFunctionsLocalRunnerError, match="not started"):
        runner.serve_forever()
    runner.stop()
    with pytest.raises(DurableFunctionsLocalRunnerError, match="in memory"):
        WebRunner(WebRunnerConfig(WebServiceConfig(), store_type=StoreType.SQLITE)).start()


def test_function_configurations(tmp_path):
    file = tmp_path / "configs.json"
    file.write_text('{"a": null, "b": {"DurableConfig": {}}}')
    assert FunctionConfigs.from_value(f"file://{file}") == FunctionConfigs({
        "a": FunctionConfig(False), "b": FunctionConfig(True, 120, 1)})
    for wrong in ("[]", '{"a": 1}', '{"a": {"DurableConfig": 1}}',
                  '{"a": {"DurableConfig": {"ExecutionTimeout": 0}}}', "{"):
        with pytest.raises(ValueError):
            FunctionConfigs.from_value(wrong)
