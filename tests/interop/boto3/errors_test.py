"""Each error of the API that rehearse raises: provoked; compared by class, code, status, text."""

import base64
import concurrent.futures
import json
import urllib.request

from rehearse.v1 import test_sessions_pb2

from fixture import Boto3Test
from service import Service

_NOWHERE = ("arn:aws:lambda:us-east-1:123456789012:function:durable:$LATEST"
            "/durable-execution/none/00000000-0000-4000-8000-000000000000")
_NOT_FOUND = f"Durable Execution does not exist: {_NOWHERE}"
_NO_CALLBACK = base64.b64encode(b"nonsense").decode()


class ErrorsTest(Boto3Test):

    def assert_fails(self, status, error, message, operation, client=None, **parameters):
        """Returns the response."""
        client = client or self.client
        with self.subTest(operation=operation, error=error):
            with self.assertRaises(getattr(client.exceptions, error)) as caught:
                getattr(client, operation)(**parameters)
            response = caught.exception.response
            self.assertEqual(response["Error"]["Code"], error)
            self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status)
            self.assertEqual(response["Error"]["Message"], message)
            self.assertTrue(response["ResponseMetadata"]["RequestId"])
            return response
        return None

    def test_an_execution_that_is_not_there(self):
        for operation in ("get_durable_execution", "get_durable_execution_history",
                          "stop_durable_execution", "pause_durable_execution",
                          "resume_durable_execution", "delete_durable_execution"):
            self.assert_fails(404, "ResourceNotFoundException", _NOT_FOUND, operation,
                              DurableExecutionArn=_NOWHERE)
        # The API model knows no ResourceNotFoundException of these.
        for operation in ("checkpoint_durable_execution", "get_durable_execution_state"):
            self.assert_fails(400, "InvalidParameterValueException", _NOT_FOUND, operation,
                              DurableExecutionArn=_NOWHERE, CheckpointToken="AA==")

    def test_a_function_that_is_not_there(self):
        for kind in ("RequestResponse", "Event", "DryRun"):
            self.assert_fails(404, "ResourceNotFoundException",
                              "Function not found: nobody; no worker has registered it",
                              "invoke", FunctionName="nobody", InvocationType=kind)
        elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:durable"
        self.assert_fails(404, "ResourceNotFoundException",
                          f"Function not found: {elsewhere}; no worker has registered it",
                          "list_durable_executions_by_function", FunctionName=elsewhere)

    def test_a_callback_that_is_not_there(self):
        for kind in ("success", "failure", "heartbeat"):
            self.assert_fails(404, "ResourceNotFoundException", "Callback does not exist",
                              f"send_durable_execution_callback_{kind}", CallbackId=_NO_CALLBACK)

    def test_a_callback_that_is_closed(self):
        callback_id = self.open_callback(self.start())
        self.client.send_durable_execution_callback_success(CallbackId=callback_id)
        for kind in ("success", "failure", "heartbeat"):
            self.assert_fails(
                400, "CallbackTimeoutException",
                "Callback is closed: it has timed out or been completed, or its execution has "
                "ended", f"send_durable_execution_callback_{kind}", CallbackId=callback_id)

    def test_parameters_that_are_invalid(self):
        arn = self.start().arn
        invalid = "InvalidParameterValueException"
        self.assert_fails(400, invalid, "Invalid Marker: use the NextMarker of the previous page "
                          "as it is.", "get_durable_execution_history",
                          DurableExecutionArn=arn, Marker="nonsense")
        self.assert_fails(400, invalid, "MaxItems must be 0 to 1000.",
                          "list_durable_executions_by_function", FunctionName="durable",
                          MaxItems=1001)
        self.assert_fails(400, invalid, "Reason must be 0-1024 characters long, not 1025.",
                          "pause_durable_execution", DurableExecutionArn=arn, Reason="x" * 1025)
        self.assert_fails(400, invalid,
                          "Error object size must be less than or equal to 1048576 bytes.",
                          "stop_durable_execution", DurableExecutionArn=arn,
                          Error={"ErrorData": "x" * (1 << 20 | 1)})
        self.assert_fails(400, invalid, "DurableExecutionName 'a.b' must be 1-64 characters of "
                          "A-Z a-z 0-9 - _.", "invoke", FunctionName="durable",
                          DurableExecutionName="a.b")
        self.assert_fails(400, invalid, "InvocationType 'Later' must be RequestResponse, Event or "
                          "DryRun.", "invoke", FunctionName="durable", InvocationType="Later")

    def test_a_checkpoint_token_that_is_stale(self):
        invocation = self.start()
        self.checkpoint(invocation)
        for operation in ("checkpoint_durable_execution", "get_durable_execution_state"):
            self.assert_fails(400, "InvalidParameterValueException", "Invalid checkpoint token",
                              operation, DurableExecutionArn=invocation.arn,
                              CheckpointToken=invocation.token)

    def test_an_update_that_is_invalid(self):
        invocation = self.start()
        self.assert_fails(
            400, "InvalidParameterValueException",
            "Operation 'w': WAIT START needs WaitOptions with WaitSeconds.",
            "checkpoint_durable_execution", DurableExecutionArn=invocation.arn,
            CheckpointToken=invocation.token,
            Updates=[{"Id": "w", "Type": "WAIT", "Action": "START"}])
        self.assertEqual(self.event_types(invocation.arn), ["ExecutionStarted"])

    def test_states_that_conflict(self):
        conflict = "ResourceConflictException"
        invocation = self.start()
        arn = {"DurableExecutionArn": invocation.arn}
        self.assert_fails(409, conflict, "Cannot resume an execution that is RUNNING; only a "
                          "PAUSED or PAUSING one can be resumed.", "resume_durable_execution",
                          **arn)
        self.assert_fails(409, conflict, "Cannot delete an execution that has not ended; stop it "
                          "first.", "delete_durable_execution", **arn)
        self.client.pause_durable_execution(**arn)
        self.assert_fails(409, conflict, "Cannot pause an execution that is PAUSING; only a "
                          "RUNNING one can be paused.", "pause_durable_execution", **arn)
        self.client.stop_durable_execution(**arn)
        self.assert_fails(409, conflict, "Cannot pause an execution that is closed.",
                          "pause_durable_execution", **arn)
        self.assert_fails(409, conflict, "Cannot resume an execution that is closed.",
                          "resume_durable_execution", **arn)

    def test_a_name_that_is_taken(self):
        self.start("taken", payload='{"n": 1}')
        self.assert_fails(
            409, "DurableExecutionAlreadyStartedException",
            "Durable Execution already started with another input: taken", "invoke",
            FunctionName="durable", DurableExecutionName="taken", Payload='{"n": 2}')

    def test_a_payload_that_is_no_json_or_too_large(self):
        self.assert_fails(400, "InvalidRequestContentException",
                          "Could not parse request body into json: invalid JSON.",
                          "invoke", FunctionName="plain", Payload="{")
        self.assert_fails(400, "InvalidRequestContentException",
                          "Client context must be base64-encoded JSON.", "invoke",
                          FunctionName="plain", ClientContext="{}")
        for name, what in (("durable", "Execution input"), ("plain", "Request")):
            for kind, limit in (("Event", 1 << 20), ("RequestResponse", 6 << 20)):
                self.assert_fails(
                    413, "RequestTooLargeException",
                    f"{what} payload size must be less than or equal to {limit} bytes.", "invoke",
                    FunctionName=name, InvocationType=kind, Payload=f'"{"x" * (limit - 1)}"')

    def test_too_many_executions(self):
        self.service.sessions.CreateSession(test_sessions_pb2.CreateSessionRequest(
            name="narrow", config=test_sessions_pb2.SessionConfig(
                limits=test_sessions_pb2.LimitOverrides(open_executions=1))))
        # The way of SAM CLI; it registers the function in the session, too.
        url = f"{self.service.url}/sessions/narrow"
        start = {"AccountId": "123456789012", "FunctionName": "durable",
                 "FunctionQualifier": "$LATEST", "ExecutionName": "first",
                 "ExecutionTimeoutSeconds": 60, "ExecutionRetentionPeriodDays": 1,
                 "LambdaEndpoint": self.endpoint.url}
        with urllib.request.urlopen(f"{url}/start-durable-execution", json.dumps(start).encode()):
            pass
        client = self.service.client(url, retries={"total_max_attempts": 1})
        response = self.assert_fails(
            429, "TooManyRequestsException",
            "The session has 1 open executions, its limit; stop some or wait.",
            "invoke", client, FunctionName="durable", InvocationType="Event")
        self.assertEqual(response["Reason"], "ConcurrentInvocationLimitExceeded")
        self.assertEqual(response["retryAfterSeconds"], "1")
        self.function.next_of("first").succeed()

    def test_a_session_that_is_not_there(self):
        client = self.service.client(f"{self.service.url}/sessions/nowhere")
        self.assert_fails(404, "ResourceNotFoundException",
                          "Session does not exist: nowhere; create it with CreateSession",
                          "list_durable_executions_by_function", client, FunctionName="durable")

    def test_a_service_that_stops(self):
        with Service(self.endpoint.flag("durable")) as service:
            client = service.client(retries={"total_max_attempts": 1})
            with concurrent.futures.ThreadPoolExecutor() as threads:
                waiting = threads.submit(
                    self.assert_fails, 503, "ServiceException", "The service is shutting down",
                    "invoke", client, FunctionName="durable", DurableExecutionName="last")
                invocation = self.function.next_of("last")
                service.stop()
                waiting.result()
                invocation.succeed()
