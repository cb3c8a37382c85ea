"""The official SDK with waits and back-offs of a second that take a second."""

import datetime

from functions_test import FunctionsTest
from language import BRANCHES_WAIT_IN_THE_PROCESS


class RealTimeTest(FunctionsTest):

    TIME = "real"
    PAUSE_SECONDS = 1

    def test_functions_wait_together(self):
        expected = {
            "quick_start": ["1 2", "3 4 4 3", "5 6"],
            "retried_step": "done",
            "wait_for_condition": 3,
            "parallel_waits": [1, 2, 3],
            "work_beside_wait": ["worked", "told"],
            "invoke_durable": 2,
        }
        if not BRANCHES_WAIT_IN_THE_PROCESS:
            del expected["work_beside_wait"]
        arns = {run: self.start(run) for run in expected}
        self.assertEqual({run: self.result(arn) for run, arn in arns.items()}, expected)
        for arn in arns.values():
            self.assert_waits_took_their_time(self.events(arn))

    def assert_waits_took_their_time(self, events):
        started = {event["Id"]: event for event in events if event["EventType"] == "WaitStarted"}
        for event in events:
            if event["EventType"] != "WaitSucceeded":
                continue
            start = started[event["Id"]]
            seconds = start["WaitStartedDetails"]["Duration"]
            # Timestamps have milliseconds.
            self.assertGreaterEqual(event["EventTimestamp"] - start["EventTimestamp"],
                                    datetime.timedelta(seconds=seconds, milliseconds=-1))

    def test_a_callback_is_completed_by_boto3(self):
        arn = self.start("wait_for_callback")
        self.client.send_durable_execution_callback_success(
            CallbackId=self.open_callback_id(arn), Result="yes")
        self.assertEqual(self.result(arn), "yes")
