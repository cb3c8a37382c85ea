package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** The execution's name is in use with another input. */
public final class DurableExecutionAlreadyStartedException extends RehearseException {
    private static final long serialVersionUID = 1;

    DurableExecutionAlreadyStartedException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
