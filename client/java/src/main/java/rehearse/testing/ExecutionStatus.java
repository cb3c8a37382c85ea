package rehearse.testing;

/** Where an execution stands. PENDING, PAUSING and PAUSED are open; the others are terminal. */
public enum ExecutionStatus {
    /** AWS's RUNNING: it is open, and goes on by itself or waits. */
    PENDING,
    PAUSING,
    PAUSED,
    SUCCEEDED,
    FAILED,
    TIMED_OUT,
    STOPPED,
    /** Closed, and about to be gone. */
    DELETING;

    static ExecutionStatus of(rehearse.v1.ExecutionStatus status) {
        return status == rehearse.v1.ExecutionStatus.EXECUTION_STATUS_RUNNING
                ? PENDING
                : valueOf(status.name().substring("EXECUTION_STATUS_".length()));
    }
}
