"""With a credentials file the service takes only what one of its profiles has signed."""

import datetime
import unittest
import urllib.error
import urllib.request
from unittest import mock

import botocore
from botocore import auth
from botocore.exceptions import ClientError

from rehearse.v1 import test_sessions_pb2

from credentials_file import CredentialsFile
from credentials_file import KEYS
from lambda_endpoint import LambdaEndpoint
from scripted_function import ScriptedFunction
from service import Service
from service import lambda_client

_TEMPORARY = {"aws_access_key_id": "ASIAEXAMPLE", "aws_secret_access_key": "a+b/c=",
              "aws_session_token": "token/of+the==role"}
_MISMATCH = ("The request signature we calculated does not match the signature you provided. "
             "Check your AWS Secret Access Key and signing method.")
_UNKNOWN = "The security token included in the request is invalid."


class CredentialsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.function = ScriptedFunction()
        endpoint = cls.enterClassContext(LambdaEndpoint({"durable": cls.function}))
        file = cls.enterClassContext(CredentialsFile(KEYS, _TEMPORARY))
        cls.service = cls.enterClassContext(Service(endpoint.flag("durable"), file.flag))

    def assert_refused(self, error, message, client):
        with self.assertRaises(ClientError) as caught:
            client.invoke(FunctionName="durable", InvocationType="DryRun")
        response = caught.exception.response
        self.assertEqual(response["Error"]["Code"], error)
        self.assertRegex(response["Error"]["Message"], message)
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], 403)

    def client(self, keys, **options):
        return lambda_client(self.service.url, keys, **options)

    def test_every_kind_of_request_is_signed_as_we_check_it(self):
        for number, keys in enumerate((KEYS, _TEMPORARY)):
            client = self.client(keys)
            name = f"execution-{number}"
            arn = client.invoke(
                FunctionName="durable", Qualifier="$LATEST", InvocationType="Event",
                DurableExecutionName=name, Payload='{"text": "ä"}')["DurableExecutionArn"]
            invocation = self.function.next_of(name)
            answer = client.checkpoint_durable_execution(
                DurableExecutionArn=arn, CheckpointToken=invocation.token,
                Updates=[{"Id": "cb", "Type": "CALLBACK", "Action": "START"}])
            callback, = answer["NewExecutionState"]["Operations"]
            client.get_durable_execution_state(
                DurableExecutionArn=arn, CheckpointToken=answer["CheckpointToken"], MaxItems=1)
            client.send_durable_execution_callback_success(
                CallbackId=callback["CallbackDetails"]["CallbackId"], Result="ja, natürlich".encode())
            invocation.suspend()
            self.function.next_of(name).succeed()
            self.service.wait_for(arn, "SUCCEEDED")
            pages = client.get_paginator("get_durable_execution_history").paginate(
                DurableExecutionArn=arn, PaginationConfig={"PageSize": 1})
            self.assertEqual(len(list(pages)), 6)
            listed = client.list_durable_executions_by_function(
                FunctionName="durable", Statuses=["SUCCEEDED", "FAILED"],
                StartedAfter=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
                DurableExecutionName=name)
            self.assertEqual(len(listed["DurableExecutions"]), 1)
            client.delete_durable_execution(DurableExecutionArn=arn)

    def test_a_session_is_part_of_what_is_signed(self):
        self.service.sessions.CreateSession(
            test_sessions_pb2.CreateSessionRequest(name="signed"))
        client = lambda_client(f"{self.service.url}/sessions/signed", KEYS)
        with self.assertRaises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="durable", InvocationType="DryRun")

    def test_without_a_signature(self):
        client = self.client(KEYS, signature_version=botocore.UNSIGNED)
        self.assert_refused("MissingAuthenticationTokenException",
                            "^Missing Authentication Token$", client)

    def test_credentials_of_nobody(self):
        for keys in ({**KEYS, "aws_access_key_id": "AKIAOTHER"},
                     {**KEYS, "aws_session_token": "any"},
                     {**_TEMPORARY, "aws_session_token": "any"}):
            self.assert_refused("UnrecognizedClientException", f"^{_UNKNOWN}$", self.client(keys))

    def test_another_secret(self):
        keys = {**KEYS, "aws_secret_access_key": "any"}
        self.assert_refused("InvalidSignatureException", f"^{_MISMATCH}$", self.client(keys))

    def test_another_region(self):
        self.assert_refused("InvalidSignatureException",
                            "^Credential should be scoped to a valid region, not 'eu-west-1'; "
                            "this service is in us-east-1.$", self.client(KEYS, region="eu-west-1"))

    def test_a_clock_that_is_off(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        for minutes, message in ((-6, "^Signature expired: "), (6, "^Signature not yet current: ")):
            with mock.patch.object(auth, "get_current_datetime",
                                   return_value=now + datetime.timedelta(minutes=minutes)):
                self.assert_refused("InvalidSignatureException", message, self.client(KEYS))

    def test_health_needs_no_signature(self):
        for path, status in (("/health", 200), ("/metrics", 200),
                             ("/2025-12-01/durable-executions", 403)):
            try:
                with urllib.request.urlopen(self.service.url + path) as response:
                    self.assertEqual(response.status, status)
            except urllib.error.HTTPError as error:
                self.assertEqual(error.code, status)
