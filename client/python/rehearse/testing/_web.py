"""WebRunner: the service with the AWS API on a port, for functions behind a Lambda endpoint.

    config = WebRunnerConfig(WebServiceConfig(port=5000), lambda_endpoint="http://127.0.0.1:3001")
    with WebRunner(config) as runner:
        runner.serve_forever()
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from rehearse.server import Server
from rehearse.testing.exceptions import DurableFunctionsLocalRunnerError
from rehearse.testing.stores.base import StoreType
from rehearse.testing.web.server import WebServiceConfig

_CHILD_EXECUTION_TIMEOUT_SECONDS = 120
_FILE_URL = "file://"


@dataclass(frozen=True)
class FunctionConfig:
    """Of a function that may be invoked by another."""

    is_durable: bool
    # Seconds.
    execution_timeout_seconds: int = _CHILD_EXECUTION_TIMEOUT_SECONDS
    retention_period_days: int = 1

    @classmethod
    def from_dict(cls, data: Any, name: str | None = None) -> FunctionConfig:
        """Of {} or None, a plain function, or {"DurableConfig": {...}}; ValueError for others."""
        if data is None:
            return cls(is_durable=False)
        durable = data.get("DurableConfig", {}) if isinstance(data, dict) else None
        if not isinstance(durable, dict):
            raise ValueError(f"Function configuration for {name!r}: expected an object, with an "
                             f"object DurableConfig if it is durable")
        if "DurableConfig" not in data:
            return cls(is_durable=False)
        return cls(True, _positive(durable, "ExecutionTimeout", cls.execution_timeout_seconds),
                   _positive(durable, "RetentionPeriodInDays", cls.retention_period_days))


@dataclass(frozen=True)
class FunctionConfigs:
    """The functions that others may invoke, by name."""

    by_name: Mapping[str, FunctionConfig]

    @classmethod
    def from_value(cls, value: str) -> FunctionConfigs:
        """Of JSON, or of file://PATH of a file with it."""
        if value.startswith(_FILE_URL):
            value = pathlib.Path(value[len(_FILE_URL):]).read_text(encoding="utf-8")
        data = json.loads(value)
        if not isinstance(data, dict):
            raise ValueError("function configurations must be a JSON object by function name")
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> FunctionConfigs:
        return cls({name: FunctionConfig.from_dict(data, name) for name, data in raw.items()})


@dataclass(frozen=True)
class WebRunnerConfig:
    web_service: WebServiceConfig
    # Where functions are invoked, by POST /2015-03-31/functions/NAME/invocations.
    lambda_endpoint: str = "http://127.0.0.1:3001"
    # Of no account: the service knows where it listens.
    local_runner_endpoint: str = "http://0.0.0.0:5000"
    local_runner_region: str = "us-west-2"
    local_runner_mode: str = "local"
    # The service keeps executions in memory.
    store_type: StoreType = StoreType.MEMORY
    store_path: str | None = None
    # Of no account: the endpoint ends what takes too long.
    invocation_timeout_seconds: int = 900
    skip_time: bool = False
    # Of no account here.
    max_invocation_page_bytes: int | None = None
    function_configs: FunctionConfigs | None = None


class WebRunner:
    """Its service is a process of its own, which ends with this one."""

    def __init__(self, config: WebRunnerConfig) -> None:
        self._config = config
        self._server: Server | None = None

    @property
    def http_address(self) -> str:
        """HOST:PORT of the AWS API."""
        return self._running().http_address

    def start(self) -> None:
        """Serves from then on."""
        if self._server is not None:
            raise DurableFunctionsLocalRunnerError("Server is already running")
        if self._config.store_type is not StoreType.MEMORY:
            raise DurableFunctionsLocalRunnerError(
                f"store {self._config.store_type.value} is not there: executions are in memory")
        service = self._config.web_service
        self._server = Server(
            time="skip" if self._config.skip_time else "real",
            region=self._config.local_runner_region,
            http_address=f"{service.host}:{service.port}",
            flags=[f"--lambda-endpoint={self._config.lambda_endpoint}",
                   "--failure-policy=python-testing", *self._functions()])

    def _functions(self) -> list[str]:
        configs = self._config.function_configs
        return [] if configs is None else [
            f"--function={name}{_settings(function)}={self._config.lambda_endpoint}"
            f"/2015-03-31/functions/{name}/invocations"
            for name, function in configs.by_name.items()]

    def serve_forever(self) -> None:
        """Blocks until the service ends."""
        self._running().wait()

    def stop(self) -> None:
        """Stopping twice is harmless."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _running(self) -> Server:
        if self._server is None:
            raise DurableFunctionsLocalRunnerError("Server not started")
        return self._server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


def _settings(function: FunctionConfig) -> str:
    return (f",execution-timeout={function.execution_timeout_seconds}" if function.is_durable
            else ",plain")


def _positive(config: Mapping[str, Any], member: str, default: int) -> int:
    value = config.get(member, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"DurableConfig.{member} must be a positive integer")
    return value
