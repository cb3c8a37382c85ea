package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** The callback has expired or been completed, or its execution is closed. */
public final class CallbackTimeoutException extends RehearseException {
    private static final long serialVersionUID = 1;

    CallbackTimeoutException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
