"""The server that a test process starts for itself."""

import json
import os
import signal
import subprocess
import sys
import threading

import functions
import grpc
import pytest

from rehearse import server as servers
from rehearse.channel import OPTIONS
from rehearse.server import Server, ServerError, find_binary, shared_address
from rehearse.testing import DurableFunctionTestRunner

# A process that starts a server by its first run and then waits for its standard input's end.
STARTS_ONE = """
import os, sys
sys.path.insert(0, sys.argv[1])
import functions
from rehearse import server
from rehearse.testing import DurableFunctionTestRunner
for _ in range(2):
    with DurableFunctionTestRunner(functions.handler) as runner:
        runner.run({"run": "echo"})
print(*[started.pid for started in server._shared.values()], flush=True)
sys.stdin.read()
"""


def start_process():
    return subprocess.Popen([sys.executable, "-c", STARTS_ONE, os.path.dirname(__file__)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for_end(pid):
    """Of a process that is not ours: pidfd tells without polling."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        with subprocess.Popen([sys.executable, "-c", "import select, sys\n"
                               f"select.select([{descriptor}], [], [])"],
                              pass_fds=[descriptor]) as waiter:
            return waiter.wait(60) == 0
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_one_server_for_a_process_ends_with_it(end):
    with start_process() as process:
        pids = process.stdout.readline().split()
        assert len(pids) == 1
        # Ctrl-C does not reach it.
        assert os.getpgid(int(pids[0])) != os.getpgid(process.pid)
        if end == "kill":
            process.send_signal(signal.SIGKILL)
        else:
            process.stdin.close()
        process.wait(60)
        assert wait_for_end(int(pids[0]))
        assert process.returncode == (-signal.SIGKILL if end == "kill" else 0)


def test_server_stops_and_leaves_nothing():
    with Server(time="skip") as server:
        assert server.grpc_address != server.http_address
        folder = server._folder.name
        with grpc.insecure_channel(server.grpc_address, options=OPTIONS) as channel:
            grpc.channel_ready_future(channel).result(60)
    server.stop()
    assert not os.path.exists(folder)
    assert server._process.returncode == 0


def test_server_that_cannot_start_says_why(monkeypatch):
    with pytest.raises(ServerError, match="did not start: .*nonsense"):
        Server(flags=["--nonsense"])
    monkeypatch.setenv("REHEARSE_BINARY", "/no/such/program")
    with pytest.raises(FileNotFoundError):
        Server()


def test_running_server_is_used(monkeypatch):
    with Server(region="eu-north-1") as server:
        monkeypatch.setenv("REHEARSE_SERVER", server.grpc_address)
        assert shared_address("us-west-2", "123456789012") == server.grpc_address
        with DurableFunctionTestRunner(functions.handler) as runner:
            # It has its own region.
            assert runner.run_async({"run": "echo"}).startswith("arn:aws:lambda:eu-north-1:")
        monkeypatch.delenv("REHEARSE_SERVER")
        with DurableFunctionTestRunner(functions.handler, server=server.grpc_address) as runner:
            assert runner.run({"run": "echo"}).result == '{"run": "echo"}'


def test_one_server_for_each_region_even_when_many_ask_at_once(monkeypatch):
    monkeypatch.setattr(servers, "_shared", {})
    addresses = []
    threads = [threading.Thread(target=lambda: addresses.append(
        shared_address("us-west-2", "123456789012"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(addresses)) == 1
    assert shared_address("eu-north-1", "123456789012") not in addresses
    for server in servers._shared.values():
        server.stop()


def test_binary_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("REHEARSE_BINARY")
    program = tmp_path / "rehearse"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() == str(program)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServerError, match="there is no rehearse program"):
        find_binary()


def test_the_package_is_the_program():
    version = subprocess.run([sys.executable, "-m", "rehearse", "--version"], check=True,
                             capture_output=True, text=True).stdout
    from rehearse import __version__
    assert version.split() == ["rehearse", __version__]


def test_testing_without_the_sdk_says_what_is_missing():
    code = ("import sys\n"
            "sys.modules['aws_durable_execution_sdk_python'] = None\n"
            "import rehearse.testing")
    output = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True,
                            text=True).stderr
    assert output.endswith("ModuleNotFoundError: rehearse.testing needs AWS's SDK: "
                           "pip install 'rehearse[aws]'\n")


def test_importing_the_package_loads_neither_grpc_nor_an_sdk():
    code = ("import json, sys, rehearse, rehearse.pytest_plugin\n"
            "print(json.dumps([name for name in ('grpc', 'google.protobuf', 'boto3',"
            " 'aws_durable_execution_sdk_python') if name in sys.modules]))")
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                            text=True).stdout
    assert json.loads(output) == []
