"""The status of an execution: it tells TIMED_OUT and STOPPED from FAILED.

    assert result.execution_status is ExecutionStatus.STOPPED
"""

import enum


class ExecutionStatus(enum.Enum):
    RUNNING = "RUNNING"
    PAUSING = "PAUSING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"
