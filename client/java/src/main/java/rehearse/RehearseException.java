package rehearse;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/**
 * An error of the service. Errors that AWS has a name for are of the class with that name.
 *
 * <pre>{@code
 * try {
 *   client.getExecution(request);
 * } catch (ResourceNotFoundException e) {
 *   System.err.println(e.getMessage());   // "Durable Execution does not exist: arn:aws:lambda:..."
 * }
 * }</pre>
 */
public class RehearseException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Status.Code code;
    private final String errorName;
    private final transient Map<String, String> metadata;

    /** An error without a name, for example of a service that is not there. */
    public RehearseException(Status.Code code, String message, Throwable cause) {
        this(code, message, ErrorInfo.getDefaultInstance(), cause);
    }

    RehearseException(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.errorName = info.getReason();
        this.metadata = Map.copyOf(info.getMetadataMap());
    }

    /** The gRPC code. */
    public Status.Code code() {
        return code;
    }

    /** AWS's name, for example {@code ResourceNotFoundException}; empty when there is none. */
    public String errorName() {
        return errorName;
    }

    /** What the service adds, for example {@code http_status}. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The same error with more to read. */
    public RehearseException withMessage(String message) {
        ErrorInfo info = ErrorInfo.newBuilder().setReason(errorName).putAllMetadata(metadata).build();
        return create(code, message, info, this);
    }

    /** Of a call or the end of a stream. */
    public static RehearseException of(Throwable failure) {
        if (failure instanceof RehearseException known) {
            return known;
        }
        Status status = Status.fromThrowable(failure);
        com.google.rpc.Status details = StatusProto.fromThrowable(failure);
        String message = status.getDescription() == null ? status.getCode().name() : status.getDescription();
        if (details == null || details.getDetailsCount() == 0) {
            // gRPC's own texts do not say who is unavailable, and a service that stops cancels its calls.
            boolean unreachable = status.getCode() == Status.Code.UNAVAILABLE
                    || status.getCode() == Status.Code.CANCELLED && failure instanceof StatusRuntimeException;
            return new RehearseException(
                    unreachable ? Status.Code.UNAVAILABLE : status.getCode(),
                    unreachable ? "the service cannot be reached: " + message : message,
                    failure);
        }
        return create(status.getCode(), message, infoOf(details.getDetailsList()), failure);
    }

    /** Of a refusal on a worker's stream. */
    public static RehearseException of(rehearse.v1.Status refusal) {
        Status.Code code = Status.fromCodeValue(refusal.getCode()).getCode();
        return create(code, refusal.getMessage(), infoOf(refusal.getDetailsList()), null);
    }

    private static ErrorInfo infoOf(Iterable<Any> details) {
        for (Any detail : details) {
            if (detail.is(ErrorInfo.class)) {
                try {
                    return detail.unpack(ErrorInfo.class);
                } catch (InvalidProtocolBufferException e) {
                    return ErrorInfo.getDefaultInstance();
                }
            }
        }
        return ErrorInfo.getDefaultInstance();
    }

    private static RehearseException create(Status.Code code, String message, ErrorInfo info, Throwable cause) {
        return switch (info.getReason()) {
            case "CallbackTimeoutException" -> new CallbackTimeoutException(code, message, info, cause);
            case "DurableExecutionAlreadyStartedException" ->
                    new DurableExecutionAlreadyStartedException(code, message, info, cause);
            case "InvalidParameterValueException" -> new InvalidParameterValueException(code, message, info, cause);
            case "InvalidRequestContentException" -> new InvalidRequestContentException(code, message, info, cause);
            case "RequestTooLargeException" -> new RequestTooLargeException(code, message, info, cause);
            case "ResourceConflictException" -> new ResourceConflictException(code, message, info, cause);
            case "ResourceNotFoundException" -> new ResourceNotFoundException(code, message, info, cause);
            case "ServiceException" -> new ServiceException(code, message, info, cause);
            case "TooManyRequestsException" -> new TooManyRequestsException(code, message, info, cause);
            case "WaitTimedOut" -> new WaitTimedOutException(code, message, info, cause);
            default -> new RehearseException(code, message, info, cause);
        };
    }
}
