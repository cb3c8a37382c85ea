#!/usr/bin/python3
"""What the checks let pass and what they do not."""

import unittest

from checks import check
from checks import check_durations
from checks import side_by_side
from crash_sweep_test import check_at_most_once
from crash_sweep_test import check_same_course
from run import Run
from suite import load_requirements


def _event(number, event_type, seconds, details=None, operation="op"):
    return {"EventId": number, "EventType": event_type, "EventTimestamp": 1000.0 + seconds,
            "Id": operation, f"{event_type}Details": details or {}}


def _run(name, events, log_lines=()):
    run = Run(load_requirements([name])[0])
    run.events = events
    run.log_lines = list(log_lines)
    return run


# What requirement 2-1 asks for.
def _wait(seconds=2.0, duration=2):
    events = [
        _event(2, "WaitStarted", 0, {"Duration": duration}),
        {"EventId": 3, "EventType": "InvocationCompleted", "EventTimestamp": 1000.0,
         "InvocationCompletedDetails": {}},
        _event(4, "WaitSucceeded", seconds, {"Duration": duration}),
        {"EventId": 5, "EventType": "InvocationCompleted", "EventTimestamp": 1000.0 + seconds,
         "InvocationCompletedDetails": {}},
    ]
    for event in events[::2]:
        event["SubType"] = "Wait"
    return events


class CheckTest(unittest.TestCase):

    def test_the_expected_history_passes(self):
        self.assertEqual(check(_run("2-1", _wait())), [])

    def test_another_duration_is_named(self):
        errors = check(_run("2-1", _wait(seconds=3.0, duration=3)))
        self.assertIn("Event[EventId=2].WaitStartedDetails.Duration: expected 2, got 3", errors)

    def test_a_missing_event_is_named_and_marked(self):
        run = _run("2-1", _wait()[:-1])
        self.assertEqual(check(run), ["No actual event found for EventId=5"])
        marked = [line for line in side_by_side(run).splitlines() if line.startswith("!")]
        self.assertEqual(marked, ["! 5 InvocationCompleted InvocationCompletedDetails={}"])

    def test_a_log_line_that_appears_twice_is_named(self):
        run = _run("3-17", [])
        line = '{"message": "%s"}' % run.context.get("INPUT_1")
        run.log_lines = [line, line]
        self.assertTrue(any("expected exactly 1 match(es), got 2" in error for error in check(run)))


class CheckDurationsTest(unittest.TestCase):

    def test_what_ends_too_early_is_named(self):
        self.assertEqual(check_durations(_wait()), [])
        self.assertEqual(len(check_durations(_wait(seconds=1.9))), 1)

    def test_a_retry_waits_for_its_delay(self):
        failed = {"RetryDetails": {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 6}}
        for seconds, errors in ((6, 0), (5.9, 1)):
            events = [_event(2, "StepStarted", 0), _event(3, "StepFailed", 0, failed),
                      _event(5, "StepStarted", seconds)]
            self.assertEqual(len(check_durations(events)), errors)

    def test_a_callback_times_out_after_the_shorter_limit(self):
        limits = {"CallbackId": "c", "Timeout": 9, "HeartbeatTimeout": 4}
        for seconds, errors in ((4, 0), (3.9, 1)):
            events = [_event(2, "CallbackStarted", 0, limits),
                      _event(4, "CallbackTimedOut", seconds)]
            self.assertEqual(len(check_durations(events)), errors)


class CheckSweepTest(unittest.TestCase):

    def test_a_repeated_operation_is_named(self):
        undisturbed = _run("1-1", [_event(2, "StepStarted", 0), _event(3, "StepSucceeded", 0)])
        repeated = _run("1-1", undisturbed.events + undisturbed.events)
        self.assertEqual(list(check_same_course(undisturbed, undisturbed)), [])
        self.assertEqual(len(list(check_same_course(repeated, undisturbed))), 1)

    def test_a_lost_operation_is_named(self):
        undisturbed = _run("1-1", [_event(2, "StepStarted", 0), _event(3, "StepSucceeded", 0)])
        lost = _run("1-1", undisturbed.events[:1])
        self.assertEqual(len(list(check_same_course(lost, undisturbed))), 1)

    def test_a_body_that_ran_twice_in_one_attempt_is_named(self):
        events = [_event(2, "StepStarted", 0), _event(4, "StepFailed", 0)]
        body = '{"message": "x", "operationId": "op"}'
        self.assertEqual(list(check_at_most_once(_run("1-17", events, [body]))), [])
        self.assertEqual(list(check_at_most_once(_run("1-17", events, [body, body]))),
                         ["the body ran 2 times in 1 attempts"])


if __name__ == "__main__":
    unittest.main()
