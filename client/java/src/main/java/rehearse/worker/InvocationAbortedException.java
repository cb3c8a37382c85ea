package rehearse.worker;

import io.grpc.Status;
import rehearse.RehearseException;
import rehearse.v1.ServeResponse.Abort;

/** The running invocation is of no more use to the service: what it asks for is refused, its answer ignored. */
public final class InvocationAbortedException extends RehearseException {
    private static final long serialVersionUID = 1;

    private final Abort.Reason reason;

    InvocationAbortedException(Abort.Reason reason) {
        super(Status.Code.CANCELLED, "the invocation was aborted: " + reason, null);
        this.reason = reason;
    }

    public Abort.Reason reason() {
        return reason;
    }
}
