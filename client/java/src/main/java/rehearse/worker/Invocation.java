package rehearse.worker;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import rehearse.Protos;
import rehearse.RehearseException;
import rehearse.v1.CheckpointRequest;
import rehearse.v1.CheckpointResponse;
import rehearse.v1.DurableExecutionInvocationInput;
import rehearse.v1.GetExecutionStateRequest;
import rehearse.v1.GetExecutionStateResponse;
import rehearse.v1.Operation;
import rehearse.v1.OperationUpdate;
import rehearse.v1.ServeRequest;
import rehearse.v1.ServeResponse;

/**
 * A running invocation: what the function was invoked with, and its line to the service.
 *
 * <pre>{@code
 * if (invocation.operation("pause").isEmpty()) {
 *   invocation.checkpoint(OperationUpdate.newBuilder()
 *       .setId("pause").setType(OPERATION_TYPE_WAIT).setAction(OPERATION_ACTION_START)
 *       .setWaitOptions(WaitOptions.newBuilder().setWaitSeconds(3600)).build());
 *   return InvocationOutput.pending();
 * }
 * return InvocationOutput.succeeded("\"rested\"");
 * }</pre>
 *
 * <p>Thread-safe; of use while the handler runs. Requests block until they are answered. What the service
 * refuses is thrown, and the invocation goes on. Once the invocation is of no more use every request throws
 * why: {@link InvocationAbortedException} after an abort by the service, UNAVAILABLE after the stream broke.
 */
public final class Invocation {
    private final ServeStream stream;
    private final ServeResponse.Invocation message;
    private final Map<String, Operation> operations = new LinkedHashMap<>();
    private String checkpointToken;
    // Of the state that has not been read yet.
    private String nextMarker;
    private volatile Consumer<CheckpointRequest> onCheckpoint = request -> {};

    Invocation(ServeStream stream, ServeResponse.Invocation message) {
        this.stream = stream;
        this.message = message;
        this.checkpointToken = message.getDurable().getCheckpointToken();
        this.nextMarker = message.getDurable().getInitialExecutionState().getNextMarker();
        remember(message.getDurable().getInitialExecutionState().getOperationsList());
    }

    /** The Lambda request id, a UUID. */
    public String requestId() {
        return message.getRequestId();
    }

    /** As it was registered. */
    public String functionName() {
        return message.getFunctionName();
    }

    /** With the version that runs. */
    public String invokedFunctionArn() {
        return message.getInvokedFunctionArn();
    }

    /** The wall-clock moment at which the service gives up. */
    public Instant deadline() {
        return Protos.toInstant(message.getDeadline());
    }

    /** All there is: version, tenant, trace id and client context, too. */
    public ServeResponse.Invocation message() {
        return message;
    }

    /** Whether it is one of an execution. */
    public boolean isDurable() {
        return message.hasDurable();
    }

    /**
     * What Lambda hands to the function: of a durable one the JSON object with execution, token and state,
     * of a plain one the payload.
     */
    public String payload() {
        return isDurable() ? AwsJson.write(message.getDurable()).toString() : message.getPayload().toStringUtf8();
    }

    /** The input of the execution; empty when it was started without one. */
    public Optional<String> executionInput() {
        return operations().values().stream()
                .filter(operation -> operation.getExecutionDetails().hasInputPayload())
                .map(operation -> operation.getExecutionDetails().getInputPayload())
                .findFirst();
    }

    /** What a durable function was invoked with. */
    public DurableExecutionInvocationInput durable() {
        return message.getDurable();
    }

    public String durableExecutionArn() {
        return message.getDurable().getDurableExecutionArn();
    }

    /** What is recorded, as far as this object has heard, by id, in order of creation; EXECUTION first. */
    public synchronized Map<String, Operation> operations() {
        while (!nextMarker.isEmpty()) {
            GetExecutionStateResponse page = getExecutionState(GetExecutionStateRequest.newBuilder()
                    .setDurableExecutionArn(durableExecutionArn())
                    .setCheckpointToken(checkpointToken)
                    .setMarker(nextMarker)
                    .build());
            remember(page.getOperationsList());
            nextMarker = page.getNextMarker();
        }
        return Collections.unmodifiableMap(new LinkedHashMap<>(operations));
    }

    /** Empty: it has never been started. */
    public Optional<Operation> operation(String id) {
        return Optional.ofNullable(operations().get(id));
    }

    /** Records updates, all or none, with the newest token of this invocation. None: reads what has changed. */
    public synchronized CheckpointResponse checkpoint(OperationUpdate... updates) {
        operations();
        return checkpoint(CheckpointRequest.newBuilder()
                .setDurableExecutionArn(durableExecutionArn())
                .setCheckpointToken(checkpointToken)
                .addAllUpdates(List.of(updates))
                .build());
    }

    /** As it is. */
    public CheckpointResponse checkpoint(CheckpointRequest request) {
        onCheckpoint.accept(request);
        CheckpointResponse response =
                stream.call(ServeRequest.newBuilder().setCheckpoint(request).build()).getCheckpoint();
        synchronized (this) {
            checkpointToken = response.getCheckpointToken();
            remember(response.getNewExecutionState().getOperationsList());
            if (!response.getNewExecutionState().getNextMarker().isEmpty()) {
                nextMarker = response.getNewExecutionState().getNextMarker();
            }
        }
        return response;
    }

    public GetExecutionStateResponse getExecutionState(GetExecutionStateRequest request) {
        return stream.call(ServeRequest.newBuilder().setGetExecutionState(request).build())
                .getGetExecutionState();
    }

    /**
     * Tells the service that nothing runs until {@code until}, a moment of the execution's clock, so that
     * time may jump. Returns that clock when the moment has come, when an operation has changed from
     * outside, or when another thread has sent a request.
     */
    public Instant idle(Instant until) {
        ServeRequest.Idle idle = ServeRequest.Idle.newBuilder().setUntil(Protos.fromInstant(until)).build();
        ServeResponse answer = stream.call(ServeRequest.newBuilder().setIdle(idle).build());
        return Protos.toInstant(answer.getIdle().getNow());
    }

    /** Why the invocation is of no more use; empty while it is of use. */
    public Optional<RehearseException> abortReason() {
        return stream.abort();
    }

    /**
     * Calls {@code action} with the reason when the invocation is of no more use: at most once, on a thread
     * of gRPC that it must not block, or at once on this one.
     */
    public void onAbort(Consumer<RehearseException> action) {
        stream.onAbort(action);
    }

    /** For test tools: shown every checkpoint before it is sent, on the thread that sends it. */
    public void onCheckpoint(Consumer<CheckpointRequest> action) {
        onCheckpoint = action;
    }

    /** To the service, the process dies now. What the handler answers is lost. */
    public void crash() {
        stream.cancel();
    }

    private void remember(List<Operation> changed) {
        changed.forEach(operation -> operations.put(operation.getId(), operation));
    }
}
