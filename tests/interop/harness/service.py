"""`rehearse up` on free ports, and boto3's client of it.

    with Service("--time=skip", endpoint.flag("orders")) as service:
        service.client().invoke(FunctionName="orders", Qualifier="$LATEST", Payload="{}")
"""

import json
import os
import subprocess
import tempfile

import boto3
import grpc
from botocore.config import Config
from google.protobuf import duration_pb2

from rehearse.v1 import execution_pb2
from rehearse.v1 import test_sessions_pb2
from rehearse.v1 import test_sessions_pb2_grpc

REHEARSE = "service/cli/rehearse"

# Only a broken run takes this long.
PATIENCE_SECONDS = 60

_ANY_KEYS = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}


class Service:
    """The program, until the `with` statement or we ourselves end. Thread-safe."""

    def __init__(self, *flags, keys=None):
        """`keys` are what boto3's clients get."""
        self._keys = keys or _ANY_KEYS
        self._folder = tempfile.TemporaryDirectory()
        ready_file = os.path.join(self._folder.name, "ready.json")
        self._process = subprocess.Popen(
            [REHEARSE, "up", "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0",
             f"--ready-file={ready_file}", "--log-level=info", "--exit-with-stdin", *flags],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "serving" not in (line := self._process.stderr.readline()):
            if not line:
                raise RuntimeError(f"rehearse ended: {self._process.wait()}")
        with open(ready_file, encoding="utf-8") as file:
            addresses = json.load(file)
        self.grpc_address = addresses["grpc"]
        self.http_address = addresses["http"]
        self.url = f"http://{self.http_address}"
        self.sessions = test_sessions_pb2_grpc.TestSessionsStub(
            grpc.insecure_channel(self.grpc_address))

    def __enter__(self):
        return self

    def stop(self):
        """Tells the program to stop; the `with` statement waits for that."""
        self._process.stdin.close()

    def __exit__(self, *_):
        self.stop()
        self._process.stderr.close()
        code = self._process.wait(PATIENCE_SECONDS)
        self._folder.cleanup()
        if code != 0:
            raise RuntimeError(f"rehearse ended with status {code}")

    def wait_for(self, arn, *statuses):
        """Until the execution has one of the statuses, which are named as in the contract."""
        self._wait(arn, [f"EXECUTION_STATUS_{status}" for status in statuses])

    def settle(self, arn):
        """Until no invocation runs or is about to."""
        self._wait(arn, [number for number in execution_pb2.ExecutionStatus.values() if number],
                   invocation_ended=True)

    def _wait(self, arn, statuses, **options):
        self.sessions.WaitForExecution(test_sessions_pb2.WaitForExecutionRequest(
            durable_execution_arn=arn, statuses=statuses,
            timeout=duration_pb2.Duration(seconds=PATIENCE_SECONDS), **options))

    def client(self, url=None, **config):
        """A client with boto3's default configuration, but for what `config` says."""
        return lambda_client(url or self.url, self._keys, **config)


def lambda_client(url, keys=None, region="us-east-1", **config):
    return boto3.client("lambda", endpoint_url=url, region_name=region,
                        config=Config(**config), **(keys or _ANY_KEYS))
