package rehearse.testing;

/** Where an operation stands. STARTED, PENDING and READY are open; the others are terminal. */
public enum OperationStatus {
    STARTED,
    /** A step that waits for its next attempt. */
    PENDING,
    /** A step whose next attempt is due and has not been started. */
    READY,
    SUCCEEDED,
    FAILED,
    CANCELLED,
    TIMED_OUT,
    STOPPED;

    static OperationStatus of(rehearse.v1.OperationStatus status) {
        return valueOf(status.name().substring("OPERATION_STATUS_".length()));
    }

    rehearse.v1.OperationStatus toProto() {
        return rehearse.v1.OperationStatus.valueOf("OPERATION_STATUS_" + name());
    }
}
