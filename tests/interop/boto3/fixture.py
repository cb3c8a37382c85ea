"""A service with one durable and one plain function, and what tests do with them."""

import json
import unittest

from lambda_endpoint import LambdaEndpoint
from scripted_function import ScriptedFunction
from service import Service


AWS_CLI = "external/official_python/bin/aws"


def echo(event, context):
    """The plain function: answers what it has got, or fails as it is told to."""
    if isinstance(event, dict) and "fail" in event:
        raise ValueError(event["fail"])
    return {"event": event, "tenant": context.tenant_id}


class Boto3Test(unittest.TestCase):
    """Tests share a service; each names its executions after itself."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.function = ScriptedFunction()
        cls.endpoint = cls.enterClassContext(
            LambdaEndpoint({"durable": cls.function, "plain": echo}))
        cls.service = cls.enterClassContext(
            Service(cls.endpoint.flag("durable"), cls.endpoint.flag("plain", ",plain")))
        cls.client = cls.service.client()

    def start(self, name=None, payload="{}"):
        """Starts an execution named after the test; returns its first invocation."""
        name = name or self.id().rsplit(".", maxsplit=1)[-1]
        arn = self.client.invoke(
            FunctionName="durable", InvocationType="Event", DurableExecutionName=name,
            Payload=payload)["DurableExecutionArn"]
        self.addCleanup(self.stop, arn)
        return self.function.next_of(name)

    def stop(self, arn):
        try:
            self.client.stop_durable_execution(DurableExecutionArn=arn)
        except self.client.exceptions.ResourceNotFoundException:
            # The test has deleted it.
            pass

    def checkpoint(self, invocation, *updates):
        return self.client.checkpoint_durable_execution(
            DurableExecutionArn=invocation.arn, CheckpointToken=invocation.token,
            Updates=list(updates))

    def open_callback(self, invocation):
        """Returns the callback's id."""
        answer = self.checkpoint(
            invocation, {"Id": "cb", "Type": "CALLBACK", "Action": "START", "Name": "approval"})
        return answer["NewExecutionState"]["Operations"][0]["CallbackDetails"]["CallbackId"]

    def event_types(self, arn):
        history = self.client.get_durable_execution_history(DurableExecutionArn=arn)
        return [event["EventType"] for event in history["Events"]]

    def names(self, **filters):
        """Of the durable function's executions."""
        executions = self.client.list_durable_executions_by_function(
            FunctionName="durable", **filters)
        return [execution["DurableExecutionName"]
                for execution in executions["DurableExecutions"]]


def read(response):
    """The payload of an Invoke."""
    text = response["Payload"].read()
    return json.loads(text) if text else None


def without_metadata(response):
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}
