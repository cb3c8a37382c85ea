package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** The service failed, or stops. */
public final class ServiceException extends RehearseException {
    private static final long serialVersionUID = 1;

    ServiceException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
