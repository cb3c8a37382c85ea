"""A lost answer, or one that comes too late, makes boto3 call again: nothing happens twice."""

import concurrent.futures
import os
import subprocess
import sys

from fixture import AWS_CLI
from fixture import Boto3Test
from fixture import read
from lossy_proxy import LossyProxy
from service import PATIENCE_SECONDS


class RetriesTest(Boto3Test):

    def setUp(self):
        self.proxy = self.enterContext(LossyProxy(self.service.http_address))
        # boto3's defaults: five attempts.
        self.lossy = self.service.client(self.proxy.url)

    def lose_answer(self, operation, **parameters):
        """Calls through the proxy, which loses the first answer; returns or raises the second."""
        self.proxy.lose_next_answer()
        try:
            return getattr(self.lossy, operation)(**parameters)
        finally:
            self.assertEqual(len(self.proxy.attempts), 2)

    def test_a_nameless_event_starts_one_execution(self):
        before = self.names()
        response = self.lose_answer("invoke", FunctionName="durable", InvocationType="Event")
        invocation = self.function.next()
        self.assertEqual(invocation.arn, response["DurableExecutionArn"])
        self.assertEqual(self.names(), [invocation.execution_name, *before])
        invocation.succeed()

    def test_a_nameless_call_attaches_to_its_execution(self):
        before = self.names()
        with concurrent.futures.ThreadPoolExecutor() as threads:
            waiting = threads.submit(self.lose_answer, "invoke", FunctionName="durable")
            self.function.next().succeed("7")
            self.assertEqual(read(waiting.result()), 7)
        self.assertEqual(len(self.names()), len(before) + 1)

    def test_a_call_that_times_out_attaches_to_its_execution(self):
        before = self.names()
        impatient = self.service.client(self.proxy.url, read_timeout=0.2)
        with concurrent.futures.ThreadPoolExecutor() as threads:
            waiting = threads.submit(impatient.invoke, FunctionName="durable")
            self.proxy.wait_for_attempts(2, PATIENCE_SECONDS)
            self.function.next().succeed("7")
            self.assertEqual(read(waiting.result()), 7)
        self.assertEqual(len(self.names()), len(before) + 1)

    def test_a_command_of_the_cli_starts_one_execution(self):
        before = self.names()
        settings = {"AWS_ENDPOINT_URL_LAMBDA": self.proxy.url, "AWS_DEFAULT_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        self.proxy.lose_next_answer()
        subprocess.run(
            [sys.executable, AWS_CLI, "lambda", "invoke", "--function-name", "durable",
             "--invocation-type", "Event", "/dev/null"],
            env={**os.environ, **settings}, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(len(self.proxy.attempts), 2)
        self.function.next().succeed()
        self.assertEqual(len(self.names()), len(before) + 1)

    def test_two_calls_are_two_executions(self):
        before = self.names()
        for _ in range(2):
            self.client.invoke(FunctionName="durable", InvocationType="Event")
            self.function.next().succeed()
        self.assertEqual(len(self.names()), len(before) + 2)

    def test_a_checkpoint_is_applied_once(self):
        invocation = self.start()
        answer = self.lose_answer(
            "checkpoint_durable_execution", DurableExecutionArn=invocation.arn,
            CheckpointToken=invocation.token,
            Updates=[{"Id": "cb", "Type": "CALLBACK", "Action": "START"}])
        self.assertEqual(len(answer["NewExecutionState"]["Operations"]), 1)
        self.assertEqual(self.event_types(invocation.arn), ["ExecutionStarted", "CallbackStarted"])
        # The token of the answer is good.
        self.client.checkpoint_durable_execution(
            DurableExecutionArn=invocation.arn, CheckpointToken=answer["CheckpointToken"])

    def test_a_callback_is_completed_once(self):
        for operation, event_type in (("success", "CallbackSucceeded"),
                                      ("failure", "CallbackFailed")):
            with self.subTest(operation):
                self.proxy = self.enterContext(LossyProxy(self.service.http_address))
                self.lossy = self.service.client(self.proxy.url)
                invocation = self.start(operation)
                callback_id = self.open_callback(invocation)
                with self.assertRaises(self.client.exceptions.CallbackTimeoutException):
                    self.lose_answer(f"send_durable_execution_callback_{operation}",
                                     CallbackId=callback_id)
                self.assertEqual(self.event_types(invocation.arn),
                                 ["ExecutionStarted", "CallbackStarted", event_type])

    def test_a_heartbeat_can_come_twice(self):
        invocation = self.start()
        self.lose_answer("send_durable_execution_callback_heartbeat",
                         CallbackId=self.open_callback(invocation))

    def test_a_pause_takes_effect_once(self):
        invocation = self.start()
        self.open_callback(invocation)
        self.lose_answer("pause_durable_execution", DurableExecutionArn=invocation.arn)
        invocation.suspend()
        self.service.wait_for(invocation.arn, "PAUSED")
        self.assertEqual(
            self.event_types(invocation.arn),
            ["ExecutionStarted", "CallbackStarted", "InvocationCompleted", "ExecutionPaused"])

    def test_a_resumption_takes_effect_once(self):
        invocation = self.start()
        self.open_callback(invocation)
        self.client.pause_durable_execution(DurableExecutionArn=invocation.arn)
        invocation.suspend()
        self.service.wait_for(invocation.arn, "PAUSED")
        self.lose_answer("resume_durable_execution", DurableExecutionArn=invocation.arn)
        self.assertEqual(self.event_types(invocation.arn)[-2:],
                         ["ExecutionPaused", "ExecutionResumed"])

    def test_a_stop_is_answered_as_before(self):
        invocation = self.start()
        stopped = self.lose_answer("stop_durable_execution", DurableExecutionArn=invocation.arn)
        execution = self.client.get_durable_execution(DurableExecutionArn=invocation.arn)
        self.assertEqual(execution["EndTimestamp"], stopped["StopTimestamp"])
        self.assertEqual(self.event_types(invocation.arn)[-1], "ExecutionStopped")
