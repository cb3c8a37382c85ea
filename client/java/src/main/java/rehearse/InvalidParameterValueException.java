package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** A request has a member that is missing, malformed or not possible now. */
public final class InvalidParameterValueException extends RehearseException {
    private static final long serialVersionUID = 1;

    InvalidParameterValueException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }

    /** Whether it tells a handler that its checkpoint token is not the current one. */
    public boolean isStaleCheckpointToken() {
        return "true".equals(metadata().get("stale_checkpoint_token"));
    }
}
