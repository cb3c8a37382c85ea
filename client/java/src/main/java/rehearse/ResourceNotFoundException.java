package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** There is no such execution, function, callback or session. */
public final class ResourceNotFoundException extends RehearseException {
    private static final long serialVersionUID = 1;

    ResourceNotFoundException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
