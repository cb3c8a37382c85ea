"""`rehearse run`: a function in its runtime.

    with HostedFunction(service, "orders", ["node", "runtime.mjs", "app.handler"],
                        "--concurrency=2"):
        service.client().invoke(FunctionName="orders", Qualifier="$LATEST", Payload="{}")
"""

import os
import subprocess
import threading

from service import PATIENCE_SECONDS
from service import REHEARSE


class HostedFunction:
    """The function, until the `with` statement ends."""

    def __init__(self, service, name, command, *flags, **environment):
        self._process = subprocess.Popen(
            [REHEARSE, "run", f"--server={service.grpc_address}", f"--function={name}", *flags,
             "--", *command],
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        self._lines = []
        while "serving" not in (line := self._process.stdout.readline()):
            if not line:
                raise RuntimeError(f"rehearse run ended: {self._process.wait()}:\n{self.log()}")
            self._lines.append(line)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        code = self._process.wait(PATIENCE_SECONDS)
        self._reader.join()
        self._process.stdout.close()
        if code != 0:
            raise RuntimeError(f"rehearse run ended with status {code}:\n{self.log()}")

    def log(self):
        """What the program and the function have written."""
        return "".join(self._lines)

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)
