"""Server: a `rehearse up` in a process of its own, on free ports.

    with Server(time="skip") as server:
        print(server.grpc_address, server.http_address)

It ends with this process, even when that is killed: its standard input is a pipe from here. The
program is the one in this package; REHEARSE_BINARY names another.
"""

from __future__ import annotations

import atexit
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time as clock
from collections.abc import Sequence
from typing import Any

from rehearse.errors import RehearseError

# Far longer than a start takes, on any machine.
_START_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.001
_STOP_TIMEOUT_SECONDS = 10


class ServerError(RehearseError):
    """The server is not there, or could not start."""


def find_binary() -> str:
    """Path of the program: $REHEARSE_BINARY, else the one in this package, else on the PATH."""
    named = os.environ.get("REHEARSE_BINARY")
    if named:
        return named
    bundled = pathlib.Path(__file__).parent / "bin" / "rehearse"
    if bundled.exists():
        return str(bundled)
    on_path = shutil.which("rehearse")
    if on_path is None:
        raise ServerError("there is no rehearse program: this package has none, and neither "
                          "REHEARSE_BINARY nor the PATH leads to one")
    return on_path


class Server:
    """A running service. Constructing starts it; `stop`, or the end of this process, ends it."""

    def __init__(self, *, time: str = "real", region: str = "us-east-1",
                 account: str = "123456789012", http_address: str = "127.0.0.1:0",
                 flags: Sequence[str] = ()) -> None:
        """`time` is "real", "skip" or "manual"; `flags` are more of `rehearse up --help`."""
        self._folder = tempfile.TemporaryDirectory(prefix="rehearse-")
        ready_file = pathlib.Path(self._folder.name, "ready.json")
        log_file = pathlib.Path(self._folder.name, "log")
        command = [find_binary(), "up", "--exit-with-stdin", "--grpc-address=127.0.0.1:0",
                   f"--http-address={http_address}", f"--ready-file={ready_file}",
                   f"--time={time}", f"--region={region}", f"--account={account}",
                   "--log-level=warn", *flags]
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log,
                # Ctrl-C is for the tests, which close their sessions then.
                start_new_session=True)
        addresses = self._await(ready_file, log_file)
        # HOST:PORT each.
        self.grpc_address: str = addresses["grpc"]
        self.http_address: str = addresses["http"]

    def _await(self, ready_file: pathlib.Path, log_file: pathlib.Path) -> dict[str, str]:
        deadline = clock.monotonic() + _START_TIMEOUT_SECONDS
        while not ready_file.exists():
            if self._process.poll() is not None or clock.monotonic() > deadline:
                self._process.kill()
                log = log_file.read_text(errors="replace")
                self.stop()
                raise ServerError(f"the service did not start: {log.strip()}")
            clock.sleep(_POLL_SECONDS)
        addresses: dict[str, str] = json.loads(ready_file.read_text())
        return addresses

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Ends the service. Stopping twice is harmless."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def wait(self) -> None:
        """Blocks until the service ends by itself."""
        self._process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


_shared: dict[tuple[int, str, str], Server] = {}
_shared_lock = threading.Lock()


def shared_address(region: str, account: str) -> str:
    """gRPC address of the service for tests: $REHEARSE_SERVER, else one that this process starts,
    once for each region and account."""
    running = os.environ.get("REHEARSE_SERVER")
    if running:
        return running
    # A process that was forked has not started what it knows of.
    key = (os.getpid(), region, account)
    with _shared_lock:
        if key not in _shared:
            server = Server(region=region, account=account)
            atexit.register(_stop_in, key[0], server)
            _shared[key] = server
        return _shared[key].grpc_address


def _stop_in(pid: int, server: Server) -> None:
    if os.getpid() == pid:
        server.stop()
