package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** What was waited for did not happen in time; the message says what the execution waits for. */
public final class WaitTimedOutException extends RehearseException {
    private static final long serialVersionUID = 1;

    WaitTimedOutException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
