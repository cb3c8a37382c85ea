package rehearse;

import com.google.rpc.ErrorInfo;
import io.grpc.Status;

/** A limit on how much may be there or be asked for is reached. */
public final class TooManyRequestsException extends RehearseException {
    private static final long serialVersionUID = 1;

    TooManyRequestsException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(code, message, info, cause);
    }
}
