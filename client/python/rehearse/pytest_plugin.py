"""The pytest plugin: a runner as a fixture, and histories in the report of a test that fails.

    @pytest.mark.durable_handler(handler=handler)
    def test_pays(durable_runner):
        result = durable_runner.run({"order": 17})
        assert result.status is InvocationStatus.SUCCEEDED

pip makes pytest load it. What it loads itself waits for the first test that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from rehearse._journal import journal

if TYPE_CHECKING:
    from rehearse.testing import DurableFunctionTestRunner

_MARKERS = (
    "durable_handler(handler=, **options): what the fixture durable_runner runs; the options are "
    "those of DurableFunctionTestRunner",
    "durable_time(mode, skip_deadlines=False): how time goes for the fixture durable_runner: "
    "'skip', the default, 'real' or 'manual'",
    "durable_limits(profile): limits for the fixture durable_runner: 'aws' or 'aws-2025'",
)
_TIME_OPTIONS = {
    "skip": {"skip_time": True},
    "real": {"skip_time": False},
    "manual": {"manual_time": True},
}


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def durable_runner(request: pytest.FixtureRequest) -> Iterator[DurableFunctionTestRunner]:
    """A DurableFunctionTestRunner as the test's markers say; closed behind the test."""
    # pylint: disable-next=import-outside-toplevel
    from rehearse.testing import DurableFunctionTestRunner

    marker = request.node.get_closest_marker("durable_handler")
    if marker is None or "handler" not in marker.kwargs:
        pytest.fail("durable_runner: say what to run with "
                    "@pytest.mark.durable_handler(handler=...)", pytrace=False)
    with DurableFunctionTestRunner(**_options(request.node), **marker.kwargs) as runner:
        yield runner


def _options(node: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    time = node.get_closest_marker("durable_time")
    if time is not None:
        if len(time.args) != 1 or time.args[0] not in _TIME_OPTIONS:
            pytest.fail(f"durable_time: expected one of {', '.join(_TIME_OPTIONS)}", pytrace=False)
        options = _TIME_OPTIONS[time.args[0]] | time.kwargs
    limits = node.get_closest_marker("durable_limits")
    if limits is not None:
        options["limits_profile"] = limits.args[0]
    return options


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    journal.start()
    yield
    journal.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed:
        for reporter in journal.reporters or ():
            report.sections += list(reporter.report())
