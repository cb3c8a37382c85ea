package rehearse;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import rehearse.v1.*;

/**
 * The service's calls, with errors as exceptions of AWS's names. Messages are those of the contract.
 *
 * <pre>{@code
 * try (RehearseClient client = RehearseClient.connect("127.0.0.1:9013")) {
 *   String arn = client.startExecution(StartExecutionRequest.newBuilder()
 *       .setFunctionName("orders").setInput("{\"id\": 17}").build()).getDurableExecutionArn();
 *   client.waitForExecution(WaitForExecutionRequest.newBuilder().setDurableExecutionArn(arn).build());
 * }
 * }</pre>
 *
 * <p>Thread-safe. Every method throws {@link RehearseException}. A call that the service answers at once
 * may take 30 s; one that waits, 10 s longer than the timeout in its request.
 */
public final class RehearseClient implements AutoCloseable {
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration WAIT_MARGIN = Duration.ofSeconds(10);
    // The service's own, where a request names none.
    private static final Duration DEFAULT_WAIT = Duration.ofSeconds(60);
    // A batch of checkpoints and a page of state stay far below.
    private static final int MAX_MESSAGE_BYTES = 64 << 20;

    private final ManagedChannel channel;

    private RehearseClient(ManagedChannel channel) {
        this.channel = channel;
    }

    /** Connects, when the first call is made, to a service at {@code host:port}, without transport security. */
    public static RehearseClient connect(String address) {
        return new RehearseClient(NettyChannelBuilder.forTarget(address)
                .usePlaintext()
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .build());
    }

    /** Ends the connection and whatever call is open on it. */
    @Override
    public void close() {
        channel.shutdownNow();
    }

    // DurableExecutions

    public StartExecutionResponse startExecution(StartExecutionRequest request) {
        return call(executions()::startExecution, request);
    }

    /** Waits for the function's answer, up to its time-out of at most 90 minutes. */
    public InvokeFunctionResponse invokeFunction(InvokeFunctionRequest request) {
        return call(executions(Duration.ofMinutes(91))::invokeFunction, request);
    }

    public CheckpointResponse checkpoint(CheckpointRequest request) {
        return call(executions()::checkpoint, request);
    }

    public GetExecutionStateResponse getExecutionState(GetExecutionStateRequest request) {
        return call(executions()::getExecutionState, request);
    }

    public GetExecutionResponse getExecution(GetExecutionRequest request) {
        return call(executions()::getExecution, request);
    }

    public GetExecutionHistoryResponse getExecutionHistory(GetExecutionHistoryRequest request) {
        return call(executions()::getExecutionHistory, request);
    }

    public ListExecutionsResponse listExecutions(ListExecutionsRequest request) {
        return call(executions()::listExecutions, request);
    }

    public StopExecutionResponse stopExecution(StopExecutionRequest request) {
        return call(executions()::stopExecution, request);
    }

    public PauseExecutionResponse pauseExecution(PauseExecutionRequest request) {
        return call(executions()::pauseExecution, request);
    }

    public ResumeExecutionResponse resumeExecution(ResumeExecutionRequest request) {
        return call(executions()::resumeExecution, request);
    }

    public DeleteExecutionResponse deleteExecution(DeleteExecutionRequest request) {
        return call(executions()::deleteExecution, request);
    }

    public SendCallbackSuccessResponse sendCallbackSuccess(SendCallbackSuccessRequest request) {
        return call(executions()::sendCallbackSuccess, request);
    }

    public SendCallbackFailureResponse sendCallbackFailure(SendCallbackFailureRequest request) {
        return call(executions()::sendCallbackFailure, request);
    }

    public SendCallbackHeartbeatResponse sendCallbackHeartbeat(SendCallbackHeartbeatRequest request) {
        return call(executions()::sendCallbackHeartbeat, request);
    }

    /**
     * Shows the history as it is written, until {@code wanted} returns false (the result is false then, too)
     * or the terminal event has been shown. DEADLINE_EXCEEDED after {@code timeout}.
     */
    public boolean watchExecution(WatchExecutionRequest request, Predicate<Event> wanted, Duration timeout) {
        Context.CancellableContext context = Context.current().withCancellation();
        Context previous = context.attach();
        try {
            Iterator<WatchExecutionResponse> events = executions(timeout).watchExecution(request);
            while (events.hasNext()) {
                if (!wanted.test(events.next().getEvent())) {
                    return false;
                }
            }
            return true;
        } catch (StatusRuntimeException e) {
            throw RehearseException.of(e);
        } finally {
            context.detach(previous);
            context.cancel(null);
        }
    }

    // FunctionHost

    public DeregisterFunctionResponse deregisterFunction(DeregisterFunctionRequest request) {
        return call(functions()::deregisterFunction, request);
    }

    public ListFunctionsResponse listFunctions(ListFunctionsRequest request) {
        return call(functions()::listFunctions, request);
    }

    /** For workers: streams have no deadline. */
    public FunctionHostGrpc.FunctionHostStub functionHost() {
        return FunctionHostGrpc.newStub(channel);
    }

    // TestSessions

    public CreateSessionResponse createSession(CreateSessionRequest request) {
        return call(sessions()::createSession, request);
    }

    public GetSessionResponse getSession(GetSessionRequest request) {
        return call(sessions()::getSession, request);
    }

    public ListSessionsResponse listSessions(ListSessionsRequest request) {
        return call(sessions()::listSessions, request);
    }

    public DeleteSessionResponse deleteSession(DeleteSessionRequest request) {
        return call(sessions()::deleteSession, request);
    }

    /** Until the result is run the session is held; it is deleted then, or when this process ends. */
    public Runnable holdSession(HoldSessionRequest request) {
        Context.CancellableContext context = Context.ROOT.withCancellation();
        context.run(() -> TestSessionsGrpc.newStub(channel).holdSession(request, new IgnoringObserver<>()));
        return () -> context.cancel(null);
    }

    /** Answers when every clock has arrived, which takes as long as the invocations on the way. */
    public AdvanceTimeResponse advanceTime(AdvanceTimeRequest request) {
        return call(sessions(DEFAULT_WAIT)::advanceTime, request);
    }

    public WaitForExecutionResponse waitForExecution(WaitForExecutionRequest request) {
        return call(waiting(request.hasTimeout(), request.getTimeout())::waitForExecution, request);
    }

    public WaitForOperationResponse waitForOperation(WaitForOperationRequest request) {
        return call(waiting(request.hasTimeout(), request.getTimeout())::waitForOperation, request);
    }

    public InvokeNextResponse invokeNext(InvokeNextRequest request) {
        return call(waiting(request.hasTimeout(), request.getTimeout())::invokeNext, request);
    }

    public InspectExecutionResponse inspectExecution(InspectExecutionRequest request) {
        return call(sessions()::inspectExecution, request);
    }

    private static <Q, R> R call(Function<Q, R> method, Q request) {
        try {
            return method.apply(request);
        } catch (StatusRuntimeException e) {
            throw RehearseException.of(e);
        }
    }

    private DurableExecutionsGrpc.DurableExecutionsBlockingStub executions() {
        return executions(CALL_TIMEOUT);
    }

    private DurableExecutionsGrpc.DurableExecutionsBlockingStub executions(Duration timeout) {
        return DurableExecutionsGrpc.newBlockingStub(channel)
                .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    private FunctionHostGrpc.FunctionHostBlockingStub functions() {
        return FunctionHostGrpc.newBlockingStub(channel)
                .withDeadlineAfter(CALL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private TestSessionsGrpc.TestSessionsBlockingStub sessions() {
        return sessions(CALL_TIMEOUT);
    }

    private TestSessionsGrpc.TestSessionsBlockingStub waiting(boolean named, com.google.protobuf.Duration timeout) {
        return sessions((named ? Protos.toDuration(timeout) : DEFAULT_WAIT).plus(WAIT_MARGIN));
    }

    private TestSessionsGrpc.TestSessionsBlockingStub sessions(Duration timeout) {
        return TestSessionsGrpc.newBlockingStub(channel)
                .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }
}
