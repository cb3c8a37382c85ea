"""Holds scenarios.json to the format that README.md describes.

    scenarios_file_test.py SCENARIOS DESCRIPTION
"""

import json
import re
import sys
import unittest

SCENARIOS = "scenarios.json"
DESCRIPTION = "README.md"

OPERATIONS = {
    "input": ({"op"}, set()),
    "value": ({"op", "value"}, set()),
    "fail": ({"op", "error"}, set()),
    "step": ({"op", "name", "attempts"}, {"retry_delay_seconds", "crash"}),
    "wait": ({"op", "name", "seconds"}, set()),
    "wait_for_condition": ({"op", "name", "states", "delay_seconds"}, set()),
    "child_context": ({"op", "name", "body"}, set()),
    "create_callback": ({"op", "name"}, {"timeout_seconds", "heartbeat_timeout_seconds"}),
    "callback_result": ({"op", "name"}, set()),
    "wait_for_callback": ({"op", "name"}, {"timeout_seconds", "heartbeat_timeout_seconds"}),
    "invoke": ({"op", "name", "function", "payload"}, set()),
}
ACTIONS = {
    "wait_for_callback": ({"do", "name"}, {"of"}),
    "wait_for_event": ({"do", "event", "count"}, {"of"}),
    "wait_for_end": ({"do"}, {"of"}),
    "callback_success": ({"do", "result"}, {"name", "id", "refused"}),
    "callback_failure": ({"do", "error"}, {"name", "id", "refused"}),
    "callback_heartbeat": ({"do"}, {"name", "id", "refused"}),
    "advance_time": ({"do", "seconds"}, set()),
    "pause": ({"do"}, {"of", "refused"}),
    "resume": ({"do"}, {"of", "refused"}),
    "stop": ({"do", "error"}, {"of", "refused"}),
}
STATUSES = {"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"}
EVENTS = {kind + end for kind, ends in {
    "Execution": ("Started", "Succeeded", "Failed", "TimedOut", "Stopped", "Paused", "Resumed"),
    "Context": ("Started", "Succeeded", "Failed"),
    "Wait": ("Started", "Succeeded"),
    "Step": ("Started", "Succeeded", "Failed"),
    "ChainedInvoke": ("Started", "Succeeded", "Failed", "TimedOut", "Stopped"),
    "Callback": ("Started", "Succeeded", "Failed", "TimedOut"),
    "Invocation": ("Completed",),
}.items() for end in ends}
EVENT_DETAILS = {
    "payload", "error", "attempt", "retry_delay_seconds", "duration_seconds", "timeout_seconds",
    "heartbeat_timeout_seconds", "function",
}


def operations(body):
    for operation in body:
        yield operation
        yield from operations(operation.get("body", []))


def runs(scenario):
    return scenario.get("sessions", [scenario])


class ScenariosFileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(SCENARIOS, encoding="utf-8") as file:
            cls.scenarios = json.load(file)["scenarios"]

    def check_each(self, check):
        for scenario in self.scenarios:
            with self.subTest(scenario["name"]):
                check(scenario)

    def assert_members(self, members, required, optional, what):
        self.assertLessEqual(required, set(members), what)
        self.assertLessEqual(set(members), required | optional, what)

    def assert_error(self, error):
        self.assertLessEqual(set(error), {"type", "message"})

    def test_names_are_unique_and_can_name_a_test(self):
        names = [scenario["name"] for scenario in self.scenarios]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 25)
        for name in names:
            self.assertRegex(name, r"^[a-z][a-z0-9_]*$")

    def test_the_example_of_the_description_is_one_of_them(self):
        with open(DESCRIPTION, encoding="utf-8") as file:
            example = re.search(r"```json\n(.*?)```", file.read(), re.DOTALL)[1]
        self.assertIn(json.loads(example), self.scenarios)

    def test_members_of_scenarios(self):
        self.check_each(self.check_members_of_scenarios)

    def check_members_of_scenarios(self, scenario):
        run = {"input", "actions", "expect"}
        own = {"sessions"} if "sessions" in scenario else run
        self.assert_members(
            scenario,
            {"name", "about", "functions"} | (own - {"input", "actions"}),
            {"time", "execution_name"} | own, scenario["name"])
        self.assertIn(scenario.get("time", "skip"), {"skip", "manual"})
        for each in scenario.get("sessions", []):
            self.assert_members(each, {"expect"}, run, "session")

    def test_functions(self):
        self.check_each(self.check_functions)

    def check_functions(self, scenario):
        self.assertIn("main", scenario["functions"])
        for function in scenario["functions"].values():
            self.assert_members(function, {"body"}, {"plain", "execution_timeout_seconds"}, "function")
            if function.get("plain"):
                self.assertLessEqual({each["op"] for each in function["body"]}, {"input", "value", "fail"})

    def test_operations(self):
        self.check_each(self.check_operations)

    def check_operations(self, scenario):
        for function in scenario["functions"].values():
            for operation in operations(function["body"]):
                required, optional = OPERATIONS[operation["op"]]
                self.assert_members(operation, required, optional | {"fallback"}, operation["op"])
                self.assert_attempts(operation)

    def assert_attempts(self, operation):
        *failing, last = operation.get("attempts", [{"result": 1}])
        for attempt in failing:
            self.assertEqual({"error"}, set(attempt))
        self.assertIn(set(last), [{"error"}, {"result"}])
        self.assertEqual(bool(failing), "retry_delay_seconds" in operation)

    def test_actions(self):
        self.check_each(self.check_actions)

    def check_actions(self, scenario):
        for run in runs(scenario):
            known = set()
            for action in run.get("actions", []):
                required, optional = ACTIONS[action["do"]]
                self.assert_members(action, required, optional, action["do"])
                if action["do"] == "wait_for_callback":
                    known.add(action["name"])
                elif action["do"].startswith("callback_"):
                    self.assertEqual("id" in action, "name" not in action)
                    self.assertIn(action.get("name"), known | {None})

    def test_expectations(self):
        self.check_each(self.check_expectations)

    def check_expectations(self, scenario):
        for run in runs(scenario):
            expect = run["expect"]
            self.assert_members(expect, {"status", "history"}, {"result", "error", "invocations"}, "expect")
            self.assertIn(expect["status"], STATUSES)
            self.assertEqual(expect["status"] == "SUCCEEDED", "result" in expect)
            self.assert_error(expect.get("error", {}))
            self.assertIn(expect.get("invocations", "any"), {"any"})

    def test_histories(self):
        self.check_each(self.check_histories)

    def check_histories(self, scenario):
        for run in runs(scenario):
            history = run["expect"]["history"]
            self.assertEqual({"event": "ExecutionStarted"}, history[0])
            self.assertTrue(history[-1]["event"].startswith("Execution"))
            for event in history:
                self.assert_event(event)

    def assert_event(self, event):
        self.assertIn(event["event"], EVENTS)
        of_operation = not event["event"].startswith(("Execution", "Invocation"))
        identity = {"event"} | ({"name", "sub_type"} if of_operation else set())
        self.assert_members(event, identity, EVENT_DETAILS | ({"parent"} if of_operation else set()), event["event"])
        self.assert_error(event.get("error", {}))


if __name__ == "__main__":
    SCENARIOS = sys.argv.pop(1)
    DESCRIPTION = sys.argv.pop(1)
    unittest.main()
