package rehearse.testing;

/** What kind of durable primitive an operation is. */
public enum OperationType {
    EXECUTION,
    CONTEXT,
    STEP,
    WAIT,
    CALLBACK,
    CHAINED_INVOKE;

    static OperationType of(rehearse.v1.OperationType type) {
        return valueOf(type.name().substring("OPERATION_TYPE_".length()));
    }
}
