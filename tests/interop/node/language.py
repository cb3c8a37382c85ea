"""The functions in Node.js."""

import os

RUNTIME = [os.environ["NODE"], "tests/interop/node/runtime.mjs"]
DURABLE = "tests/interop/node/functions.handler"
PLAIN = "tests/interop/node/plain.handler"
# While one branch works, the SDK waits in the process until another is due, by the machine's clock.
SLEEPS_BY_THE_WALL_CLOCK = True
BRANCHES_WAIT_IN_THE_PROCESS = True
