package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** A payload or request is above its limit. */
public final class RequestTooLargeException extends RehearseException {
    private static final long serialVersionUID = 1;

    RequestTooLargeException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
