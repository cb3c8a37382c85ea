"""The functions in Rust."""

import os

RUNTIME = [os.environ["RUST_FUNCTIONS"]]
DURABLE = "durable"
PLAIN = "plain"
SLEEPS_BY_THE_WALL_CLOCK = False
# A branch that waits goes on in another invocation, when no branch works any more.
BRANCHES_WAIT_IN_THE_PROCESS = False
