"""A service with durable functions in their runtime, and what tests do with it.

Module `language` says which: RUNTIME is a command, DURABLE and PLAIN are its handlers.
"""

import json
import re
import tempfile
import unittest

from credentials_file import CredentialsFile
from credentials_file import KEYS
from credentials_file import environment
from hosted_function import HostedFunction
from language import DURABLE
from language import PLAIN
from language import RUNTIME
from service import Service

# As the conformance tables write histories: SS2 is a StepStarted with EventId 2.
_OPERATIONS = {"Execution": "X", "Context": "C", "Step": "S", "Wait": "W", "Callback": "B",
               "ChainedInvoke": "I"}
_OUTCOMES = {"Started": "S", "Succeeded": "X", "Failed": "F", "TimedOut": "T", "Stopped": "P"}


def notation(events):
    """A history without its first event, which is always ExecutionStarted."""
    return " ".join(f"{_letters(event['EventType'])}{event['EventId']}" for event in events[1:])


def _letters(event_type):
    if event_type == "InvocationCompleted":
        return "IC"
    operation, outcome = re.fullmatch("(.*)(" + "|".join(_OUTCOMES) + ")", event_type).groups()
    return _OPERATIONS[operation] + _OUTCOMES[outcome]


class FunctionsTest(unittest.TestCase):
    """`official` and `hasty` are durable, and the same; `hasty` may take 8 s per invocation.

    The service checks signatures: those of the SDK in the functions, and those of boto3.
    """

    maxDiff = None
    TIME = None
    PAUSE_SECONDS = None

    @classmethod
    def setUpClass(cls):
        file = cls.enterClassContext(CredentialsFile(KEYS))
        cls.service = cls.enterClassContext(Service(f"--time={cls.TIME}", file.flag, keys=KEYS))
        cls.settings = {**environment(KEYS),
                        "MARKERS": cls.enterClassContext(tempfile.TemporaryDirectory()),
                        "PAUSE_SECONDS": str(cls.PAUSE_SECONDS)}
        cls.hosts = [
            cls.enterClassContext(HostedFunction(
                cls.service, name, [*RUNTIME, handler], *flags, **cls.settings))
            for name, handler, *flags in (
                ("official", DURABLE, "--concurrency=2", "--execution-timeout=86400"),
                ("hasty", DURABLE, "--timeout=8", "--execution-timeout=86400"),
                ("plain", PLAIN, "--durable=false"),
            )]
        cls.client = cls.service.client()

    def start(self, run, function="official", **event):
        """Returns the ARN."""
        return self.client.invoke(
            FunctionName=function, InvocationType="Event",
            Payload=json.dumps({"run": run, **event}))["DurableExecutionArn"]

    def result(self, arn):
        """Waits for the end."""
        self.service.wait_for(arn, "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")
        execution = self.client.get_durable_execution(DurableExecutionArn=arn)
        if execution["Status"] != "SUCCEEDED":
            self.fail(f"{execution.get('Error')}\n{''.join(host.log() for host in self.hosts)}")
        return json.loads(execution["Result"])

    def error(self, arn):
        self.service.wait_for(arn, "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")
        return self.client.get_durable_execution(DurableExecutionArn=arn)["Error"]

    def events(self, arn):
        return list(self.client.get_paginator("get_durable_execution_history").paginate(
            DurableExecutionArn=arn).search("Events[]"))

    def open_callback_id(self, arn):
        """Of the newest callback, as soon as nothing runs."""
        self.service.settle(arn)
        started = [event for event in self.events(arn) if event["EventType"] == "CallbackStarted"]
        return started[-1]["CallbackStartedDetails"]["CallbackId"]
