"""rehearse.testing is AWS's testing package by name and signature: compared with the package itself."""

import dataclasses
import inspect

import aws_durable_execution_sdk_python_testing as official
import pytest
from aws_durable_execution_sdk_python.lambda_service import DurableExecutionInvocationOutput
from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python_testing import child_dispatcher as official_dispatcher
from aws_durable_execution_sdk_python_testing import exceptions as official_exceptions
from aws_durable_execution_sdk_python_testing import execution as official_execution
from aws_durable_execution_sdk_python_testing import model as official_model
from aws_durable_execution_sdk_python_testing import runner as official_runner
from aws_durable_execution_sdk_python_testing.web import server as official_web_server

from rehearse import testing
from rehearse.testing import exceptions, execution, model, runner
from rehearse.testing.web import server as web_server

CLASSES = [
    (getattr(official_runner, name), getattr(runner, name))
    for name in (
        "CallbackOperation", "ContextOperation", "DurableChildContextTestRunner",
        "DurableFunctionCloudTestRunner", "DurableFunctionTestResult",
        "DurableFunctionTestRunner", "ExecutionOperation", "InvokeOperation", "Operation",
        "StepOperation", "WaitOperation", "WebRunner", "WebRunnerConfig")
] + [
    (official_dispatcher.FunctionConfig, runner.FunctionConfig),
    (official_dispatcher.FunctionConfigs, runner.FunctionConfigs),
    (official_web_server.WebServiceConfig, web_server.WebServiceConfig),
] + [
    (cls, getattr(model, name)) for name, cls in vars(official_model).items()
    if inspect.isclass(cls) and cls.__module__ == official_model.__name__
    and (name == "Event" or name.endswith(("Details", "LambdaContext"))
         or name in ("EventInput", "EventResult", "EventError", "GetDurableExecutionResponse",
                     "GetDurableExecutionHistoryResponse"))
]
# None means what 300 does to `run`; but the execution itself has no time-out then.
OTHER_DEFAULTS = {("DurableFunctionTestRunner", "execution_timeout")}
# How the package works inside.
INTERNAL = ("create_", "from_details", "from_durable", "from_event", "from_json", "from_start",
            "lookup", "resolve", "to_json")


def parameters(function):
    return [(parameter.name, parameter.kind, parameter.default)
            for parameter in inspect.signature(function).parameters.values()]


def comparable(default):
    return default.name if hasattr(default, "name") else default


@pytest.mark.parametrize("theirs, ours", CLASSES, ids=lambda cls: cls.__name__)
def test_class(theirs, ours):
    for name in dir(theirs):
        member = getattr(theirs, name)
        if name.startswith("_") and name != "__init__" or not callable(member):
            continue
        if name.startswith(INTERNAL):
            continue
        mirrored = parameters(getattr(ours, name))
        for wanted, found in zip(parameters(member), mirrored, strict=False):
            if (theirs.__name__, wanted[0]) in OTHER_DEFAULTS:
                wanted, found = wanted[:2], found[:2]
            assert wanted[:2] == found[:2], name
            assert [comparable(part) for part in wanted[2:]] == [
                comparable(part) for part in found[2:]], (name, wanted[0])
        assert len(mirrored) >= len(parameters(member)), name
        # What is more is by keyword and has a default.
        for _, kind, default in mirrored[len(parameters(member)):]:
            assert kind is inspect.Parameter.KEYWORD_ONLY or default is None, name
    if dataclasses.is_dataclass(theirs):
        names = [field.name for field in dataclasses.fields(theirs)]
        assert names == [field.name for field in dataclasses.fields(ours)][:len(names)]
        assert theirs.__dataclass_params__.frozen == ours.__dataclass_params__.frozen


def test_what_the_package_exports():
    assert set(official.__all__) <= set(testing.__all__)
    for name in testing.__all__:
        assert getattr(testing, name) is not None


def test_exceptions():
    ours = {name for name, cls in vars(exceptions).items() if inspect.isclass(cls)}
    # Of an executor and a web server of one's own.
    internal = {"SerializationError", "UnknownRouteError", "InvalidInvocationOutputError",
                "IllegalStateException", "RuntimeException", "IllegalArgumentException"}
    theirs = {name for name, cls in vars(official_exceptions).items()
              if inspect.isclass(cls) and cls.__module__ == official_exceptions.__name__}
    assert theirs - internal <= ours
    for name in theirs - internal:
        error, mirrored = (getattr(module, name) for module in (official_exceptions, exceptions))
        for parent in error.__mro__:
            if parent.__module__ == official_exceptions.__name__:
                assert issubclass(mirrored, getattr(exceptions, parent.__name__))
        if hasattr(error, "http_status_code") and name not in (
                "CallbackTimeoutException", "AwsApiException"):
            assert mirrored.http_status_code == error.http_status_code, name


def test_statuses():
    assert {status.name for status in official_execution.ExecutionStatus} <= {
        status.name for status in execution.ExecutionStatus}


def test_result_is_made_of_an_execution_alike():
    def execution_of(statuses):
        return type("Execution", (), {
            "operations": [],
            "result": DurableExecutionInvocationOutput(InvocationStatus.SUCCEEDED, "1"),
            "close_status": statuses.SUCCEEDED})()

    theirs = official_runner.DurableFunctionTestResult.create(
        execution_of(official_execution.ExecutionStatus))
    ours = runner.DurableFunctionTestResult.create(execution_of(execution.ExecutionStatus))
    assert (ours.status, ours.operations, ours.result, ours.error) == (
        theirs.status, theirs.operations, theirs.result, theirs.error)
    assert ours.execution_status.name == theirs.execution_status.name
    for missing in ("result", "close_status"):
        incomplete = execution_of(execution.ExecutionStatus)
        setattr(type(incomplete), missing, None)
        with pytest.raises(exceptions.DurableFunctionsTestError):
            runner.DurableFunctionTestResult.create(incomplete)
