"""The runtime that hosts the functions."""

import json
import unittest

from hosted_function import HostedFunction
from language import PLAIN
from language import RUNTIME
from service import Service


class RuntimeTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service())

    def host(self, handler, *flags):
        return self.enterContext(
            HostedFunction(self.service, "plain", [*RUNTIME, handler], "--durable=false", *flags))

    def invoke(self, event, **options):
        """Returns the answer and whether it is an error."""
        response = self.service.client().invoke(
            FunctionName="plain", Payload=json.dumps(event), **options)
        return json.load(response["Payload"]), "FunctionError" in response

    def test_the_context_describes_the_invocation(self):
        self.host(PLAIN.replace(".handler", ".describe"), "--tenancy=per-tenant")
        context, _ = self.invoke({}, TenantId="blue")
        self.assertRegex(context.pop("awsRequestId"), "^[0-9a-f-]{36}$")
        self.assertEqual(context, {
            "functionName": "plain",
            "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:plain:$LATEST",
            "tenantId": "blue",
            "isInTime": True,
        })

    def test_a_handler_fails(self):
        self.host(PLAIN)
        error, is_error = self.invoke({"fail": "no"})
        self.assertTrue(is_error)
        self.assertEqual((error["errorType"], error["errorMessage"]), ("RangeError", "no"))

    def test_a_module_is_not_there(self):
        self.host("nowhere.handler")
        error, is_error = self.invoke({})
        self.assertTrue(is_error)
        self.assertIn("Cannot find module", error["errorMessage"])
