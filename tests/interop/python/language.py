"""The functions in Python."""

import sys

RUNTIME = [sys.executable, "-m", "awslambdaric"]
DURABLE = "functions.handler"
PLAIN = "functions.plain"
SLEEPS_BY_THE_WALL_CLOCK = False
BRANCHES_WAIT_IN_THE_PROCESS = True
