"""Tests of durable functions written with AWS's SDK, on the real service, with time skipped.

    from rehearse.testing import DurableFunctionTestRunner

    def test_pays_after_a_day():
        with DurableFunctionTestRunner(handler) as runner:
            result = runner.run({"order": 17})
        assert result.status is InvocationStatus.SUCCEEDED

The modules, names and signatures are those of AWS's testing package: a suite that has used it
changes its import. The SDK itself comes from PyPI: pip install rehearse[aws].
"""

from rehearse import __version__

try:
    import aws_durable_execution_sdk_python as _
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "rehearse.testing needs AWS's SDK: pip install 'rehearse[aws]'", name=error.name) from error

# pylint: disable=wrong-import-position
from rehearse.testing.runner import DurableChildContextTestRunner
from rehearse.testing.runner import DurableFunctionCloudTestRunner
from rehearse.testing.runner import DurableFunctionTestResult
from rehearse.testing.runner import DurableFunctionTestRunner
from rehearse.testing.runner import WebRunner
from rehearse.testing.runner import WebRunnerConfig

__all__ = [
    "DurableChildContextTestRunner",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "WebRunner",
    "WebRunnerConfig",
    "__version__",
]
