"""Each operation of the API through boto3."""

import base64
import concurrent.futures
import datetime
import json

from fixture import Boto3Test
from fixture import read
from fixture import without_metadata

_STEP = {"Id": "step", "Type": "STEP", "SubType": "Step", "Name": "pay"}


class InvokeTest(Boto3Test):

    def invoke_and_answer(self, name, answer, **parameters):
        """A RequestResponse whose first invocation is answered so; what boto3 returns."""
        with concurrent.futures.ThreadPoolExecutor() as threads:
            waiting = threads.submit(
                self.client.invoke, FunctionName="durable", DurableExecutionName=name, **parameters)
            self.function.next_of(name).answer(answer)
            return waiting.result()

    def test_request_response_answers_with_the_executions_result(self):
        response = self.invoke_and_answer(
            "succeeds", {"Status": "SUCCEEDED", "Result": "[1, 2]"}, Payload='{"n": 1}')
        self.assertEqual(response["StatusCode"], 200)
        self.assertEqual(response["ExecutedVersion"], "$LATEST")
        self.assertRegex(
            response["DurableExecutionArn"],
            r"^arn:aws:lambda:us-east-1:123456789012:function:durable:\$LATEST"
            r"/durable-execution/succeeds/[^/]+$")
        self.assertNotIn("FunctionError", response)
        self.assertEqual(response["Payload"].read(), b"[1, 2]")

    def test_request_response_answers_with_the_executions_error(self):
        response = self.invoke_and_answer("fails", {
            "Status": "FAILED", "Error": {"ErrorType": "Broke", "ErrorMessage": "no money"}})
        self.assertEqual(response["StatusCode"], 200)
        self.assertEqual(response["FunctionError"], "Unhandled")
        self.assertEqual(read(response), {"errorType": "Broke", "errorMessage": "no money"})

    def test_event_answers_at_once(self):
        response = self.client.invoke(
            FunctionName="durable", InvocationType="Event", DurableExecutionName="event")
        self.assertEqual(response["StatusCode"], 202)
        self.assertEqual(response["Payload"].read(), b"")
        invocation = self.function.next_of("event")
        self.assertEqual(response["DurableExecutionArn"], invocation.arn)
        invocation.succeed()

    def test_dry_run_starts_nothing(self):
        for name in ("durable", "plain"):
            response = self.client.invoke(FunctionName=name, InvocationType="DryRun")
            self.assertEqual(response["StatusCode"], 204)
        self.assertEqual(self.names(Statuses=["RUNNING"]), [])

    def test_a_plain_function_gets_payload_and_tenant(self):
        response = self.client.invoke(
            FunctionName="plain", Payload='{"a": 1}', TenantId="acme",
            ClientContext=base64.b64encode(b"{}").decode())
        self.assertEqual(read(response), {"event": {"a": 1}, "tenant": "acme"})
        self.assertNotIn("DurableExecutionArn", response)
        event = self.client.invoke(FunctionName="plain", InvocationType="Event")
        self.assertEqual(event["StatusCode"], 202)

    def test_a_plain_function_fails(self):
        response = self.client.invoke(FunctionName="plain", Payload='{"fail": "no"}')
        self.assertEqual(response["FunctionError"], "Unhandled")
        error = read(response)
        self.assertEqual((error["errorType"], error["errorMessage"]), ("ValueError", "no"))
        self.assertIn("in echo", error["stackTrace"][-1])

    def test_a_function_has_many_names(self):
        arn = "arn:aws:lambda:us-east-1:123456789012:function:durable"
        for name in ("durable", "durable:$LATEST", "123456789012:function:durable", arn,
                     f"{arn}:$LATEST"):
            self.client.invoke(FunctionName=name, InvocationType="DryRun")
        self.client.invoke(FunctionName=arn, Qualifier="$LATEST", InvocationType="DryRun")

    def test_the_same_name_and_payload_is_the_same_execution(self):
        first = self.start("same", '{"n": 1}')
        again = self.client.invoke(
            FunctionName="durable", InvocationType="Event", DurableExecutionName="same",
            Payload='{"n": 1}')
        self.assertEqual(again["DurableExecutionArn"], first.arn)
        first.succeed("7")
        again = self.client.invoke(
            FunctionName="durable", DurableExecutionName="same", Payload='{"n": 1}')
        self.assertEqual(again["DurableExecutionArn"], first.arn)
        self.assertEqual(read(again), 7)


class ExecutionTest(Boto3Test):

    def test_checkpoint_answers_with_what_has_changed(self):
        invocation = self.start()
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
        answer = self.checkpoint(
            invocation, {**_STEP, "Action": "START"},
            {"Id": "wait", "Type": "WAIT", "Action": "START",
             "WaitOptions": {"WaitSeconds": 3600}},
            {"Id": "context", "Type": "CONTEXT", "Action": "START"},
            {"Id": "inner", "ParentId": "context", "Type": "STEP", "Action": "FAIL",
             "Error": {"ErrorType": "E", "ErrorMessage": "m", "ErrorData": "d",
                       "StackTrace": ["line"]}},
            {"Id": "call", "Type": "CHAINED_INVOKE", "Action": "START", "Payload": "{}",
             "ChainedInvokeOptions": {"FunctionName": "plain"}},
            {"Id": "cb", "Type": "CALLBACK", "Action": "START",
             "CallbackOptions": {"TimeoutSeconds": 60, "HeartbeatTimeoutSeconds": 30}},
            {"Id": "step", "Type": "STEP", "Action": "RETRY", "Error": {"ErrorMessage": "again"},
             "StepOptions": {"NextAttemptDelaySeconds": 60}})
        self.assertNotEqual(answer["CheckpointToken"], invocation.token)
        operations = {operation["Id"]: operation
                      for operation in answer["NewExecutionState"]["Operations"]}
        self.assertEqual(
            {identifier: operation["Status"] for identifier, operation in operations.items()},
            {"step": "PENDING", "wait": "STARTED", "context": "STARTED", "inner": "FAILED",
             "call": "STARTED", "cb": "STARTED"})
        self.assertEqual(operations["step"]["Name"], "pay")
        self.assertEqual(operations["step"]["StepDetails"]["Attempt"], 1)
        self.assertEqual(operations["step"]["StepDetails"]["Error"], {"ErrorMessage": "again"})
        self.assertEqual(operations["inner"]["ParentId"], "context")
        self.assertEqual(operations["inner"]["StepDetails"]["Error"]["StackTrace"], ["line"])
        self.assertGreater(operations["wait"]["StartTimestamp"], before)
        self.assertEqual(
            operations["wait"]["WaitDetails"]["ScheduledEndTimestamp"]
            - operations["wait"]["StartTimestamp"], datetime.timedelta(hours=1))
        self.assertTrue(operations["cb"]["CallbackDetails"]["CallbackId"])

    def test_the_same_client_token_gets_the_same_answer(self):
        invocation = self.start()
        request = {
            "DurableExecutionArn": invocation.arn, "CheckpointToken": invocation.token,
            "ClientToken": "mine", "Updates": [{**_STEP, "Action": "START"}]}
        first = self.client.checkpoint_durable_execution(**request)
        self.assertEqual(
            without_metadata(self.client.checkpoint_durable_execution(**request)),
            without_metadata(first))
        self.assertEqual(self.event_types(invocation.arn), ["ExecutionStarted", "StepStarted"])

    def test_a_checkpoint_can_end_the_execution(self):
        invocation = self.start()
        answer = self.checkpoint(invocation, {
            "Id": "end", "Type": "EXECUTION", "Action": "SUCCEED", "Payload": "1"})
        self.assertNotIn("CheckpointToken", answer)
        invocation.succeed("")
        self.assertEqual(
            self.client.get_durable_execution(DurableExecutionArn=invocation.arn)["Result"], "1")

    def test_state_comes_in_pages(self):
        invocation = self.start()
        token = self.checkpoint(invocation, *(
            {"Id": f"step-{i}", "Type": "STEP", "Action": "START"}
            for i in range(6)))["CheckpointToken"]
        pages = list(self.client.get_paginator("get_durable_execution_state").paginate(
            DurableExecutionArn=invocation.arn, CheckpointToken=token,
            PaginationConfig={"PageSize": 3}))
        self.assertEqual([len(page["Operations"]) for page in pages], [3, 3, 1])
        identifiers = [operation["Id"] for page in pages for operation in page["Operations"]]
        self.assertEqual(identifiers[1:], [f"step-{i}" for i in range(6)])
        self.assertEqual(pages[0]["Operations"][0]["Type"], "EXECUTION")

    def test_an_execution_is_described_while_it_runs_and_after(self):
        invocation = self.start(payload='{"n": 1}')
        running = without_metadata(
            self.client.get_durable_execution(DurableExecutionArn=invocation.arn))
        started, times_out = (running.pop("StartTimestamp"),
                              running.pop("ExpectedExecutionTimeoutTimestamp"))
        self.assertEqual(times_out - started, datetime.timedelta(seconds=300))
        expected = {
            "DurableExecutionArn": invocation.arn,
            "DurableExecutionName": "test_an_execution_is_described_while_it_runs_and_after",
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:durable:$LATEST",
            "InputPayload": '{"n": 1}',
            "Status": "RUNNING",
            "Version": "$LATEST",
            "ExecutionDataIncluded": True,
            "DurableConfig": {"ExecutionTimeout": 300},
        }
        self.assertEqual(running, expected)
        invocation.succeed('"done"')
        self.client.invoke(FunctionName="durable", Payload='{"n": 1}',
                           DurableExecutionName=running["DurableExecutionName"])
        ended = without_metadata(
            self.client.get_durable_execution(DurableExecutionArn=invocation.arn))
        self.assertGreaterEqual(ended.pop("EndTimestamp"), ended.pop("StartTimestamp"))
        self.assertEqual(ended, {**expected, "Status": "SUCCEEDED", "Result": '"done"'})
        bare = self.client.get_durable_execution(
            DurableExecutionArn=invocation.arn, IncludeExecutionData=False)
        self.assertFalse(bare["ExecutionDataIncluded"])
        self.assertFalse({"InputPayload", "Result"} & bare.keys())

    def test_history_comes_in_pages_and_backwards(self):
        invocation = self.start()
        self.checkpoint(invocation, *(
            {"Id": f"step-{i}", "Type": "STEP", **action}
            for i in range(3)
            for action in ({"Action": "START"}, {"Action": "SUCCEED", "Payload": str(i)})))
        invocation.succeed()
        self.client.invoke(FunctionName="durable", Payload="{}",
                           DurableExecutionName="test_history_comes_in_pages_and_backwards")
        paginator = self.client.get_paginator("get_durable_execution_history")
        request = {"DurableExecutionArn": invocation.arn, "PaginationConfig": {"PageSize": 4}}
        events = list(paginator.paginate(**request).search("Events[]"))
        self.assertEqual(
            [event["EventType"] for event in events],
            ["ExecutionStarted", *["StepStarted", "StepSucceeded"] * 3, "InvocationCompleted",
             "ExecutionSucceeded"])
        self.assertEqual([event["EventId"] for event in events], list(range(1, 10)))
        self.assertEqual(events[2]["StepSucceededDetails"]["Result"],
                         {"Payload": "0", "Truncated": False})
        backwards = list(paginator.paginate(ReverseOrder=True, **request).search("Events[]"))
        self.assertEqual(backwards, events[::-1])
        bare = list(paginator.paginate(IncludeExecutionData=False, **request).search("Events[]"))
        self.assertNotIn("Payload", bare[2]["StepSucceededDetails"]["Result"])

    def test_executions_are_listed_by_page_and_filter(self):
        begun = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
        names = [f"listed-{i}" for i in range(5)]
        invocations = [self.start(name) for name in names]
        pages = list(self.client.get_paginator("list_durable_executions_by_function").paginate(
            FunctionName="durable", Statuses=["RUNNING", "PAUSED"], ReverseOrder=True,
            PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(page["DurableExecutions"]) for page in pages], [2, 2, 1])
        first = pages[0]["DurableExecutions"][0]
        self.assertGreater(first.pop("StartTimestamp"), begun)
        self.assertEqual(first, {
            "DurableExecutionArn": invocations[0].arn,
            "DurableExecutionName": "listed-0",
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:durable:$LATEST",
            "Status": "RUNNING",
        })
        running = {"Statuses": ["RUNNING"]}
        self.assertEqual(self.names(ReverseOrder=True, **running), names)
        self.assertEqual(self.names(**running), names[::-1])
        self.assertEqual(self.names(Qualifier="$LATEST", **running), names[::-1])
        self.assertEqual(self.names(StartedAfter=begun, **running), names[::-1])
        self.assertEqual(self.names(StartedBefore=begun), [])
        self.assertEqual(self.names(DurableExecutionName="listed-3"), ["listed-3"])
        for invocation in invocations:
            self.client.stop_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertEqual(self.names(**running), [])

    def test_a_stopped_execution_keeps_the_error(self):
        invocation = self.start()
        error = {"ErrorType": "Enough", "ErrorMessage": "m", "ErrorData": "d", "StackTrace": ["s"]}
        stopped = self.client.stop_durable_execution(
            DurableExecutionArn=invocation.arn, Error=error)
        execution = self.client.get_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertEqual(execution["Status"], "STOPPED")
        self.assertEqual(execution["Error"], error)
        self.assertEqual(execution["EndTimestamp"], stopped["StopTimestamp"])

    def test_a_paused_execution_waits_for_its_resumption(self):
        invocation = self.start()
        paused = self.client.pause_durable_execution(
            DurableExecutionArn=invocation.arn, Reason="lunch")
        self.assertEqual(paused["ResponseMetadata"]["HTTPStatusCode"], 202)
        execution = self.client.get_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertEqual(execution["Status"], "PAUSING")
        self.assertEqual(execution["PauseDetails"]["Reason"], "lunch")
        self.assertTrue(execution["PauseDetails"]["ExecutionTimeoutPaused"])
        self.assertIn("PauseRequestTimestamp", execution["PauseDetails"])
        self.client.resume_durable_execution(DurableExecutionArn=invocation.arn, Reason="done")
        execution = self.client.get_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertEqual(execution["Status"], "RUNNING")

    def test_a_deleted_execution_is_gone(self):
        invocation = self.start()
        self.client.stop_durable_execution(DurableExecutionArn=invocation.arn)
        deleted = self.client.delete_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertIsInstance(deleted["DeletionRequestTimestamp"], datetime.datetime)
        self.assertEqual(self.names(DurableExecutionName="test_a_deleted_execution_is_gone"), [])
        with self.assertRaises(self.client.exceptions.ResourceNotFoundException):
            self.client.get_durable_execution_history(DurableExecutionArn=invocation.arn)


class CallbackTest(Boto3Test):

    def completed(self, complete):
        """Completes a callback so; returns its operation as the next invocation sees it."""
        invocation = self.start()
        callback_id = self.open_callback(invocation)
        self.client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        complete(callback_id)
        invocation.suspend()
        again = self.function.next_of(self.id().rsplit(".", maxsplit=1)[-1])
        self.assertEqual(again.event["UpdatedOperationIds"], ["cb"])
        again.succeed()
        return again.event["InitialExecutionState"]["Operations"][1]

    def test_success_carries_a_result(self):
        operation = self.completed(
            lambda callback_id: self.client.send_durable_execution_callback_success(
                CallbackId=callback_id, Result=json.dumps({"ok": True})))
        self.assertEqual(operation["Status"], "SUCCEEDED")
        self.assertEqual(operation["CallbackDetails"]["Result"], '{"ok": true}')

    def test_success_without_a_result(self):
        operation = self.completed(
            lambda callback_id: self.client.send_durable_execution_callback_success(
                CallbackId=callback_id))
        self.assertEqual(operation["Status"], "SUCCEEDED")
        self.assertNotIn("Result", operation["CallbackDetails"])

    def test_failure_carries_an_error(self):
        error = {"ErrorType": "Rejected", "ErrorMessage": "m", "ErrorData": "d", "StackTrace": []}
        operation = self.completed(
            lambda callback_id: self.client.send_durable_execution_callback_failure(
                CallbackId=callback_id, Error=error))
        self.assertEqual(operation["Status"], "FAILED")
        del error["StackTrace"]
        self.assertEqual(operation["CallbackDetails"]["Error"], error)
