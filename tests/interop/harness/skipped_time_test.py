"""Every type of operation with the official SDK; hours of waiting take no time.

Histories are those of the conformance tables.
"""

import json
import os
import re
import subprocess
import unittest

from functions_test import FunctionsTest
from functions_test import notation
from hosted_function import HostedFunction
from language import BRANCHES_WAIT_IN_THE_PROCESS
from language import DURABLE
from language import RUNTIME
from language import SLEEPS_BY_THE_WALL_CLOCK
from lossy_proxy import LossyProxy
from service import REHEARSE

_QUICK_START_RESULT = ["1 2", "3 4 4 3", "5 6"]
_QUICK_START_HISTORY = "SS2 SX3 WS4 IC5 WX6 CS7 SS8 SX9 SS10 SX11 CX12 SS13 SX14 IC15 XX16"


def printed_by(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class SkippedTimeTest(FunctionsTest):

    TIME = "skip"
    PAUSE_SECONDS = 3600

    def assert_runs(self, run, result, history, **options):
        """Returns the events."""
        arn = self.start(run, **options)
        self.assertEqual(self.result(arn), result)
        events = self.events(arn)
        self.assertEqual(notation(events), history)
        return events

    @unittest.skipIf(os.environ["SDK_MAJOR_VERSION"] == "0", "The SDK does not say.")
    def test_the_sdk_is_of_the_version_meant(self):
        self.assertEqual(self.result(self.start("sdk_version")).split(".")[0],
                         os.environ["SDK_MAJOR_VERSION"])

    def test_quick_start_has_the_history_of_the_one_in_cpp(self):
        arn = self.start("quick_start")
        self.assertEqual(self.result(arn), _QUICK_START_RESULT)
        self.assertEqual(notation(self.events(arn)), _QUICK_START_HISTORY)
        service = self.service.grpc_address
        printed = printed_by("client/cpp/examples/quickstart/quickstart", f"--service={service}")
        in_cpp = re.findall(r"^ *(\d+)  \S+ +\S+  (\w+)(?: +(\w+))?", printed, re.MULTILINE)
        printed = printed_by(REHEARSE, "history", f"--server={service}", arn)
        here = re.findall(r"^(\d+) +\S+ +(\w+)(?: +(\w+))?", printed, re.MULTILINE)
        self.assertEqual([event for event in in_cpp if not event[1].startswith("Execution")],
                         [event for event in here if not event[1].startswith("Execution")])
        self.assertEqual([event[:2] for event in in_cpp], [event[:2] for event in here])

    def test_a_failed_step_is_retried(self):
        events = self.assert_runs("retried_step", "done", "SS2 SF3 IC4 SS5 SX6 IC7 XX8")
        retry = events[2]["StepFailedDetails"]["RetryDetails"]
        self.assertEqual(retry, {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 3600})
        waited = events[4]["EventTimestamp"] - events[2]["EventTimestamp"]
        self.assertGreaterEqual(waited.total_seconds(), 3599.9)

    def test_a_step_without_retries_left_fails_the_execution(self):
        arn = self.start("exhausted_step")
        self.assertRegex(self.error(arn)["ErrorMessage"], r"\bnever$")
        self.assertEqual(notation(self.events(arn)), "SS2 SF3 IC4 SS5 SF6 IC7 XF8")

    def test_a_callback_is_completed_by_boto3(self):
        arn = self.start("callback")
        callback_id = self.open_callback_id(arn)
        self.client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        self.client.send_durable_execution_callback_success(CallbackId=callback_id, Result="yes")
        self.assertEqual(self.result(arn), "yes")
        self.assertEqual(notation(self.events(arn)), "BS2 IC3 BX4 IC5 XX6")

    def test_a_callback_is_failed_by_boto3(self):
        arn = self.start("callback")
        self.client.send_durable_execution_callback_failure(
            CallbackId=self.open_callback_id(arn), Error={"ErrorMessage": "not approved"})
        self.assertRegex(self.error(arn)["ErrorMessage"], r"\bnot approved$")
        self.assertEqual(notation(self.events(arn)), "BS2 IC3 BF4 IC5 XF6")

    def test_wait_for_callback_is_completed_by_boto3(self):
        arn = self.start("wait_for_callback")
        self.client.send_durable_execution_callback_success(
            CallbackId=self.open_callback_id(arn), Result="yes")
        self.assertEqual(self.result(arn), "yes")
        self.assertEqual(notation(self.events(arn)), "CS2 BS3 SS4 SX5 IC6 BX7 CX8 IC9 XX10")

    def test_a_condition_is_polled(self):
        self.assert_runs("wait_for_condition", 3,
                         "SS2 SX3 IC4 SS5 SX6 IC7 SS8 SX9 IC10 XX11")

    def test_contexts_nest(self):
        events = self.assert_runs("nested_contexts", "deep",
                                  "CS2 SS3 SX4 CS5 SS6 SX7 CX8 CX9 IC10 XX11")
        outer, inner = events[1]["Id"], events[4]["Id"]
        self.assertEqual([event.get("ParentId") for event in events[1:9]],
                         [None, outer, outer, outer, inner, inner, outer, None])

    def test_map(self):
        self.assert_runs("map_items", [2, 4],
                         "CS2 CS3 SS4 SX5 CX6 CS7 SS8 SX9 CX10 CX11 IC12 XX13")

    def test_parallel_with_a_wait(self):
        self.assert_runs("parallel_with_wait", ["first", "rested"],
                         "CS2 CS3 SS4 SX5 CX6 CS7 WS8 IC9 WX10 CX11 CX12 IC13 XX14")

    def test_branches_that_wait_are_woken_one_after_the_other(self):
        arn = self.start("parallel_waits")
        self.assertEqual(self.result(arn), [1, 2, 3])
        ended = [event["Name"] for event in self.events(arn)
                 if event["EventType"] == "WaitSucceeded"]
        self.assertEqual(ended, ["wait-1", "wait-2", "wait-3"])

    @unittest.skipUnless(BRANCHES_WAIT_IN_THE_PROCESS, "The SDK does not look at the clock.")
    @unittest.skipIf(SLEEPS_BY_THE_WALL_CLOCK, "The SDK sleeps through skipped time.")
    def test_the_clock_runs_while_a_branch_works(self):
        arn = self.start("work_beside_wait")
        self.assertEqual(self.result(arn), ["worked", "told"])
        invocations = [event for event in self.events(arn)
                       if event["EventType"] == "InvocationCompleted"]
        self.assertEqual(len(invocations), 2)

    @unittest.skipIf(SLEEPS_BY_THE_WALL_CLOCK, "The SDK sleeps through skipped time.")
    def test_a_retry_that_falls_due_while_a_branch_works_is_made(self):
        arn = self.start("retry_due_beside_work")
        self.assertEqual(self.result(arn), ["retried", "worked"])

    def test_chained_invokes(self):
        for run, result in (("invoke_durable", 2), ("invoke_plain", {"n": 2})):
            with self.subTest(run):
                self.assert_runs(run, result, "IS2 IC3 IX4 IC5 XX6")

    def test_a_chained_invoke_that_fails(self):
        arn = self.start("invoke_failing")
        self.assertRegex(self.error(arn)["ErrorMessage"], r"\bno$")
        self.assertEqual(notation(self.events(arn)), "IS2 IC3 IF4 IC5 XF6")

    def test_the_result_of_a_context_is_too_large_to_keep(self):
        events = self.assert_runs("large_context", [200_000, 200_000],
                                  "CS2 SS3 SX4 SS5 SX6 CX7 WS8 IC9 WX10 IC11 XX12")
        self.assertLess(
            len(events[6]["ContextSucceededDetails"]["Result"].get("Payload", "")), 200_000)

    def test_the_result_of_a_call_may_have_almost_6_mib(self):
        response = self.client.invoke(
            FunctionName="official", Payload='{"run": "large_result", "bytes": 6291000}')
        self.assertEqual(len(json.loads(response["Payload"].read())), 6_291_000)

    def test_the_result_of_an_event_may_have_1_mib(self):
        self.assertEqual(self.result(self.start("large_result", bytes=(1 << 20) - 2)),
                         "y" * ((1 << 20) - 2))

    def test_a_killed_function_goes_on_in_another_process(self):
        events = self.assert_runs("killed_step", "survived", "SS2 IC3 SX4 IC5 XX6")
        self.assert_crashed(events[2], "Runtime.ExitError")

    def test_an_attempt_at_most_once_fails_with_its_process(self):
        events = self.assert_runs("killed_at_most_once", "survived",
                                  "SS2 IC3 SF4 IC5 SS6 SX7 IC8 XX9")
        self.assert_crashed(events[2], "Runtime.ExitError")

    def test_an_invocation_that_takes_too_long_is_killed(self):
        events = self.assert_runs("hangs_once", "woke up", "SS2 IC3 SX4 IC5 XX6",
                                  function="hasty")
        self.assert_crashed(events[2], "Sandbox.Timedout")

    def test_a_lost_answer_of_the_service_changes_nothing(self):
        with LossyProxy(self.service.http_address) as proxy:
            command = ["env", f"AWS_ENDPOINT_URL_LAMBDA={proxy.url}", *RUNTIME, DURABLE]
            with HostedFunction(self.service, "lossy", command, **self.settings):
                proxy.lose_next_answer()
                self.assert_runs("quick_start", _QUICK_START_RESULT, _QUICK_START_HISTORY,
                                 function="lossy")
            self.assertEqual(proxy.attempts[0], proxy.attempts[1])

    def test_a_stale_token_fails_the_invocation_only(self):
        self.assert_runs("stale_token", "recovered", "IC2 SS3 SX4 IC5 XX6")

    def assert_crashed(self, event, error_type):
        error = event["InvocationCompletedDetails"]["Error"]["Payload"]
        self.assertEqual(error["ErrorType"], error_type)
