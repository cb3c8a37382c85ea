package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** What is there is in the way of what is asked for. */
public final class ResourceConflictException extends RehearseException {
    private static final long serialVersionUID = 1;

    ResourceConflictException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
