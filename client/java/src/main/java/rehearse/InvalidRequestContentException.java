package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** What a function is to be invoked with is not JSON. */
public final class InvalidRequestContentException extends RehearseException {
    private static final long serialVersionUID = 1;

    InvalidRequestContentException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
