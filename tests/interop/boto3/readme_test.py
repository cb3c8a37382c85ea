"""README's section on boto3 and the AWS CLI does what it says."""

import os
import re
import subprocess
import sys
import unittest

from fixture import AWS_CLI
from lambda_endpoint import LambdaEndpoint
from scripted_function import ScriptedFunction
from service import Service


def blocks(language):
    with open("README.md", encoding="utf-8") as readme:
        _, _, section = readme.read().partition("## boto3 and the AWS CLI\n")
    section, _, _ = section.partition("\n## ")
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


class ReadmeTest(unittest.TestCase):

    def setUp(self):
        self.orders = ScriptedFunction()
        endpoint = self.enterContext(LambdaEndpoint({"orders": self.orders}))
        self.service = self.enterContext(Service(endpoint.flag("orders")))

    def test_the_commands_start_and_list_executions(self):
        commands, = blocks("sh")
        start, rest = commands.split("\n", maxsplit=1)
        self.assertRegex(start, r"^rehearse up --http-address=\S+ &$")
        printed = subprocess.run(
            ["bash", "-euc", f'aws() {{ "$PYTHON" "$CLI" "$@"; }}\n{self.at_this_service(rest)}'],
            env={**os.environ, "PYTHON": sys.executable, "CLI": AWS_CLI}, check=True,
            stdout=subprocess.PIPE, text=True).stdout
        invocation = self.orders.next_of("order-17")
        operation = invocation.event["InitialExecutionState"]["Operations"][0]
        self.assertEqual(operation["ExecutionDetails"]["InputPayload"].strip(), '{"id": 17}')
        self.assertEqual(printed.count(invocation.arn), 2)
        invocation.succeed()

    def test_the_script_prints_result_and_history(self):
        script, = blocks("python")
        settings = {
            "AWS_ENDPOINT_URL_LAMBDA": self.service.url, "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        with subprocess.Popen([sys.executable, "-c", script], env={**os.environ, **settings},
                              stdout=subprocess.PIPE, text=True) as running:
            self.orders.next().succeed('"paid"')
            printed, _ = running.communicate()
        self.assertEqual(running.returncode, 0)
        self.assertEqual(printed.splitlines(), [
            "b'\"paid\"'", "1 ExecutionStarted", "2 InvocationCompleted", "3 ExecutionSucceeded"])

    def at_this_service(self, text):
        self.assertIn("http://127.0.0.1:9014", text)
        return text.replace("http://127.0.0.1:9014", self.service.url)
