package rehearse.testing;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import rehearse.Protos;
import rehearse.RehearseClient;
import rehearse.RehearseException;
import rehearse.v1.AdvanceTimeRequest;
import rehearse.v1.DurableConfig;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.FunctionSpec;
import rehearse.v1.GetSessionRequest;
import rehearse.v1.InspectExecutionRequest;
import rehearse.v1.InvokeNextRequest;
import rehearse.v1.ListExecutionsRequest;
import rehearse.v1.PauseExecutionRequest;
import rehearse.v1.ResumeExecutionRequest;
import rehearse.v1.SendCallbackFailureRequest;
import rehearse.v1.SendCallbackHeartbeatRequest;
import rehearse.v1.SendCallbackSuccessRequest;
import rehearse.v1.StopExecutionRequest;
import rehearse.v1.WaitForExecutionRequest;
import rehearse.v1.WaitForOperationRequest;
import rehearse.v1.WatchExecutionRequest;
import rehearse.worker.InvocationHandler;
import rehearse.worker.Worker;

/**
 * Runs a durable function in a test - on a real service, with waits that cost no time.
 *
 * <pre>{@code
 * try (DurableFunctionTestRunner runner = new DurableFunctionTestRunner(Approval::handle)) {
 *   String arn = runner.runAsync("order-17");
 *   String id = runner.waitForCallback(arn, "approval", Duration.ofSeconds(10));
 *   runner.sendCallbackSuccess(id, "{\"approved\": true}");
 *   TestResult<String> result = runner.waitForResult(arn, Duration.ofSeconds(10));
 *   assertTrue(result.isSucceeded(), result::toString);
 * }
 * }</pre>
 *
 * <p>Each runner has a session of its own: functions, executions and clock are apart from those of every
 * other runner. Handlers run in the test's process, on threads of the runner. It connects when a method
 * needs the service for the first time.
 *
 * <p>Thread-safe. Timeouts are wall time; all waiting is done by the service. A method that ran into one
 * throws {@link rehearse.WaitTimedOutException}, which says what the run waits for and shows the history so
 * far. Other errors of the service arrive as {@link RehearseException} with AWS's names. After close every
 * method but close throws IllegalStateException; results stay readable.
 */
public final class DurableFunctionTestRunner implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(30);

    private final RunnerOptions options;
    private final Map<String, InvocationHandler> functions = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> started = new ConcurrentLinkedQueue<>();

    // Guarded by this.
    private final Map<String, FunctionSpec> unserved = new LinkedHashMap<>();
    private final List<Worker> workers = new ArrayList<>();
    private ServiceSession session;
    private boolean closed;

    public DurableFunctionTestRunner(InvocationHandler handler) {
        this(handler, new RunnerOptions());
    }

    public DurableFunctionTestRunner(InvocationHandler handler, RunnerOptions options) {
        this.options = options.copy();
        register(durable(options.functionName, options.executionTimeout), handler);
    }

    /**
     * Starts an execution and waits for its end. {@code input} is made JSON by Gson; null is JSON's null. An
     * execution that failed is a result with that status.
     */
    public TestResult<String> run(Object input, Duration timeout) {
        return waitForResult(runAsync(input), timeout);
    }

    /** Starts an execution and returns its ARN. */
    public String runAsync(Object input) {
        String arn = connect().start(options.functionName, options.executionName, Json.write(input));
        started.add(arn);
        return arn;
    }

    /** Waits until the execution is closed and its last invocation has ended. */
    public TestResult<String> waitForResult(String arn, Duration timeout) {
        awaitStatus(arn, Set.of(), timeout);
        return getResult(arn);
    }

    /** What is recorded of an execution so far; also for chained ones. */
    public TestResult<String> getResult(String arn) {
        return new TestResult<>(connect().read(arn), null);
    }

    /**
     * Waits until an operation of that name, wherever it is, has one of {@code statuses}; with none, until
     * there is one. FAILED_PRECONDITION when the execution ends without it.
     */
    public TestOperation waitForOperation(String arn, String name, Set<OperationStatus> statuses, Duration timeout) {
        ServiceSession current = connect();
        WaitForOperationRequest request = WaitForOperationRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .setName(name)
                .addAllStatuses(statuses.stream().map(OperationStatus::toProto).toList())
                .setTimeout(Protos.fromDuration(timeout))
                .build();
        String id = current.explained(arn, () -> current.client().waitForOperation(request)).getOperation().getId();
        return getResult(arn).getOperationById(id);
    }

    /**
     * Shows every event from the first on, as it is recorded, until {@code wanted} returns false or the
     * execution is closed. DEADLINE_EXCEEDED after {@code timeout}.
     */
    public void watch(String arn, Predicate<Event> wanted, Duration timeout) {
        ServiceSession current = connect();
        WatchExecutionRequest request = WatchExecutionRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .build();
        try {
            current.client().watchExecution(request, wanted, timeout);
        } catch (RehearseException e) {
            if (e.code() != Status.Code.DEADLINE_EXCEEDED) {
                throw e;
            }
            throw e.withMessage("the execution is still open after " + HistoryPrinter.formatDuration(timeout) + "\n"
                    + getResult(arn));
        }
    }

    /** All events so far; also of chained executions. */
    public List<Event> getExecutionHistory(String arn) {
        return connect().readHistory(arn);
    }

    /**
     * Waits for an open callback and for the end of the invocation that created it, and returns the
     * callback's id. {@code name}: of the callback, or of the operation of the SDK that waits for it; null:
     * the newest callback.
     */
    public String waitForCallback(String arn, String name, Duration timeout) {
        return connect().awaitCallback(arn, name, timeout).getCallbackDetails().getCallbackId();
    }

    /** {@code result}: text as it is to be recorded, JSON by custom; null for none. */
    public void sendCallbackSuccess(String callbackId, String result) {
        ServiceSession current = connect();
        SendCallbackSuccessRequest.Builder request =
                SendCallbackSuccessRequest.newBuilder().setSession(current.name()).setCallbackId(callbackId);
        if (result != null) {
            request.setResult(ByteString.copyFromUtf8(result));
        }
        current.client().sendCallbackSuccess(request.build());
    }

    public void sendCallbackFailure(String callbackId, ErrorObject error) {
        ServiceSession current = connect();
        current.client().sendCallbackFailure(SendCallbackFailureRequest.newBuilder()
                .setSession(current.name())
                .setCallbackId(callbackId)
                .setError(error)
                .build());
    }

    public void sendCallbackHeartbeat(String callbackId) {
        ServiceSession current = connect();
        current.client().sendCallbackHeartbeat(SendCallbackHeartbeatRequest.newBuilder()
                .setSession(current.name())
                .setCallbackId(callbackId)
                .build());
    }

    /**
     * Makes a plain function that chained invokes reach: one request, one answer. A name that is known gets
     * the new function for later invocations.
     */
    public DurableFunctionTestRunner registerFunction(String name, InvocationHandler handler) {
        register(FunctionSpec.newBuilder().setFunctionName(name), handler);
        return this;
    }

    /** Makes a durable function that chained invokes reach, without an execution timeout. */
    public DurableFunctionTestRunner registerDurableFunction(String name, InvocationHandler handler) {
        return registerDurableFunction(name, handler, Duration.ZERO);
    }

    /** As above; {@code executionTimeout} on the execution's clock, rounded up to seconds; zero: none. */
    public DurableFunctionTestRunner registerDurableFunction(
            String name, InvocationHandler handler, Duration executionTimeout) {
        register(durable(name, executionTimeout), handler);
        return this;
    }

    /**
     * Moves the time of every execution of this runner; all timers fire, deadlines included, in due order.
     * Returns when all have arrived.
     */
    public void advanceTime(Duration duration) {
        ServiceSession current = connect();
        current.client().advanceTime(AdvanceTimeRequest.newBuilder()
                .setSession(current.name())
                .setDuration(Protos.fromDuration(duration))
                .build());
    }

    /**
     * Moves each execution to its next timer, deadlines included, if it has one. Returns how many timers
     * fired.
     */
    public long advanceToNextTimer() {
        ServiceSession current = connect();
        return current.client()
                .advanceTime(AdvanceTimeRequest.newBuilder().setSession(current.name()).setNextTimer(true).build())
                .getFiredCount2();
    }

    /** Holds an execution; returns when no invocation of it runs. IllegalStateException if it ended first. */
    public void pause(String arn, Duration timeout) {
        ServiceSession current = connect();
        current.client().pauseExecution(PauseExecutionRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .build());
        ExecutionStatus status = awaitStatus(
                arn,
                Set.of(
                        rehearse.v1.ExecutionStatus.EXECUTION_STATUS_PAUSED,
                        rehearse.v1.ExecutionStatus.EXECUTION_STATUS_SUCCEEDED,
                        rehearse.v1.ExecutionStatus.EXECUTION_STATUS_FAILED,
                        rehearse.v1.ExecutionStatus.EXECUTION_STATUS_TIMED_OUT,
                        rehearse.v1.ExecutionStatus.EXECUTION_STATUS_STOPPED),
                timeout);
        if (status != ExecutionStatus.PAUSED) {
            throw new IllegalStateException("the execution ended before the pause took effect: " + status);
        }
    }

    public void resume(String arn) {
        ServiceSession current = connect();
        current.client().resumeExecution(ResumeExecutionRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .build());
    }

    /** Closes an open execution as STOPPED, with this error. */
    public void stop(String arn, ErrorObject error) {
        ServiceSession current = connect();
        current.client().stopExecution(StopExecutionRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .setError(error)
                .build());
    }

    /**
     * Stepped runners: runs the invocation that is due and returns when it has ended. False: none was due.
     */
    public boolean invokeNext(String arn, Duration timeout) {
        ServiceSession current = connect();
        InvokeNextRequest request = InvokeNextRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .setTimeout(Protos.fromDuration(timeout))
                .build();
        return current.explained(arn, () -> current.client().invokeNext(request)).getInvoked();
    }

    /** Invocations that have started so far, crashed ones included. */
    public int getInvocationCount(String arn) {
        ServiceSession current = connect();
        return current.client()
                .inspectExecution(InspectExecutionRequest.newBuilder()
                        .setSession(current.name())
                        .setDurableExecutionArn(arn)
                        .setMaxItems(1)
                        .build())
                .getInvocationCount();
    }

    /** What every execution that was started here recorded, as text; for messages of failed tests. */
    public String describeExecutions() {
        StringBuilder text = new StringBuilder();
        for (String arn : started) {
            text.append(getResult(arn)).append('\n');
        }
        return text.toString();
    }

    /**
     * Where AWS's clients reach the session: what {@code AWS_ENDPOINT_URL_LAMBDA} is set to, or the
     * endpointOverride of a LambdaClient. IllegalStateException if the service does not serve the AWS API.
     */
    public String endpointUrl() {
        ServiceSession current = connect();
        String address = current.client()
                .getSession(GetSessionRequest.newBuilder().setName(current.name()).build())
                .getHttpAddress();
        if (address.isEmpty()) {
            throw new IllegalStateException("the service does not serve the AWS API");
        }
        return "http://" + address + "/sessions/" + current.name();
    }

    /** Name of the session. */
    public String session() {
        return connect().name();
    }

    /** For what has no method here. Its requests name the session. */
    public RehearseClient client() {
        return connect().client();
    }

    /**
     * Ends the session; handlers that still run are interrupted, and waited for, up to 10 s. Calling it
     * again is harmless.
     */
    @Override
    public void close() {
        ServiceSession current;
        List<Worker> serving;
        synchronized (this) {
            closed = true;
            current = session;
            session = null;
            serving = List.copyOf(workers);
            workers.clear();
        }
        if (current != null) {
            // Aborts what runs, and answers whoever waits.
            current.end();
        }
        serving.forEach(Worker::close);
    }

    boolean isRegistered(String name) {
        return functions.containsKey(name);
    }

    /** Open executions of the session, chained ones among them, oldest first; at most 1000. */
    List<String> openExecutions() {
        ServiceSession current = connect();
        return current.client()
                .listExecutions(ListExecutionsRequest.newBuilder()
                        .setSession(current.name())
                        .addStatuses(rehearse.v1.ExecutionStatus.EXECUTION_STATUS_RUNNING)
                        .setReverseOrder(true)
                        .setMaxItems(1000)
                        .build())
                .getDurableExecutionsList()
                .stream()
                .map(execution -> execution.getDurableExecutionArn())
                .toList();
    }

    /** What {@link #getResult} reads. */
    RunRecord read(String arn) {
        return connect().read(arn);
    }

    /** As read, without the events. */
    RunRecord readOperations(String arn) {
        return connect().readOperations(arn);
    }

    private ExecutionStatus awaitStatus(
            String arn, Set<rehearse.v1.ExecutionStatus> statuses, Duration timeout) {
        ServiceSession current = connect();
        WaitForExecutionRequest request = WaitForExecutionRequest.newBuilder()
                .setSession(current.name())
                .setDurableExecutionArn(arn)
                .addAllStatuses(statuses)
                .setInvocationEnded(true)
                .setTimeout(Protos.fromDuration(timeout))
                .build();
        return ExecutionStatus.of(current.explained(arn, () -> current.client().waitForExecution(request))
                .getExecution()
                .getStatus());
    }

    /** The session, with every registered function served. */
    private synchronized ServiceSession connect() {
        if (closed) {
            throw new IllegalStateException("the runner is closed");
        }
        if (session == null) {
            session = new ServiceSession(options);
        }
        if (!unserved.isEmpty()) {
            Worker worker = new Worker(
                    session.client(), session.name(), List.copyOf(unserved.values()), options.concurrency,
                    invocation -> functions.get(invocation.functionName()).handle(invocation));
            workers.add(worker);
            worker.awaitServing(CONNECT_TIMEOUT);
            unserved.clear();
        }
        return session;
    }

    private void register(FunctionSpec.Builder spec, InvocationHandler handler) {
        spec.setTimeout(com.google.protobuf.Duration.newBuilder().setSeconds(wholeSeconds(options.invocationTimeout)));
        synchronized (this) {
            functions.put(spec.getFunctionName(), handler);
            unserved.put(spec.getFunctionName(), spec.build());
            if (session != null) {
                // Executions that run may invoke it.
                connect();
            }
        }
    }

    private static FunctionSpec.Builder durable(String name, Duration executionTimeout) {
        FunctionSpec.Builder spec = FunctionSpec.newBuilder().setFunctionName(name).setDurable(true);
        if (!executionTimeout.isZero()) {
            spec.setDurableConfig(
                    DurableConfig.newBuilder().setExecutionTimeout((int) wholeSeconds(executionTimeout)));
        }
        return spec;
    }

    private static long wholeSeconds(Duration duration) {
        return duration.plusSeconds(1).minusNanos(1).getSeconds();
    }
}
