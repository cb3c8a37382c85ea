package rehearse.testing;

import com.google.protobuf.Timestamp;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import rehearse.Protos;
import rehearse.v1.AdvanceTimeRequest;
import rehearse.v1.CheckpointRequest;
import rehearse.v1.ErrorObject;
import rehearse.v1.InspectExecutionResponse;
import rehearse.v1.Operation;
import rehearse.v1.OperationUpdate;
import rehearse.worker.InvocationHandler;

/**
 * Runs a durable function invocation by invocation, as AWS's test runner for Java does.
 *
 * <pre>{@code
 * try (var runner = LocalDurableTestRunner.create(Order.class, Orders::handle).withOutputType(Receipt.class)) {
 *   TestResult<Receipt> result = runner.run(new Order(17));
 *   assertEquals(ExecutionStatus.PENDING, result.getStatus());
 *   runner.completeCallback(runner.getCallbackId("approval"), "true");
 *   assertTrue(runner.runUntilComplete(new Order(17)).isSucceeded());
 * }
 * }</pre>
 *
 * <p>A runner is one execution, which the first {@link #run} starts; later inputs are of no account. Time
 * stands still until {@link #advanceTime}. A chained invoke of a function that is not registered stays open
 * until the test answers it; that is so when the handler checkpoints by its {@link Invocation}. Thread-safe.
 * Errors are those of {@link DurableFunctionTestRunner}.
 *
 * @param <I> the function's input
 * @param <O> what {@link TestResult#getResult()} gives; text as it was recorded unless withOutputType says
 */
public final class LocalDurableTestRunner<I, O> implements AutoCloseable {
    private static final int MAX_INVOCATIONS = 100;
    // Of one invocation, on the wall clock: what Lambda allows.
    private static final Duration INVOCATION_TIMEOUT = Duration.ofMinutes(15);

    private final InvocationHandler handler;
    private final Type outputType;
    private final DurableFunctionTestRunner runner;
    private String arn;

    private LocalDurableTestRunner(InvocationHandler handler, Type outputType) {
        this.handler = handler;
        this.outputType = outputType;
        this.runner =
                new DurableFunctionTestRunner(withTargets(handler), new RunnerOptions().stepped(true).manualTime(true));
    }

    /** {@code inputType} fixes I only. */
    public static <I> LocalDurableTestRunner<I, String> create(Class<I> inputType, InvocationHandler handler) {
        return new LocalDurableTestRunner<>(handler, null);
    }

    /** A new runner for the same function, without what has been registered or run. */
    public <T> LocalDurableTestRunner<I, T> withOutputType(Class<T> type) {
        return new LocalDurableTestRunner<>(handler, type);
    }

    /** As {@link DurableFunctionTestRunner#registerFunction}. */
    public LocalDurableTestRunner<I, O> registerFunction(String name, InvocationHandler function) {
        runner.registerFunction(name, function);
        return this;
    }

    /** As {@link DurableFunctionTestRunner#registerDurableFunction}. */
    public LocalDurableTestRunner<I, O> registerDurableFunction(String name, InvocationHandler function) {
        runner.registerDurableFunction(name, withTargets(function));
        return this;
    }

    /**
     * Runs one invocation over what is recorded, if one is due; PENDING when the run has not ended with it.
     * Chained executions are not invoked.
     */
    public TestResult<O> run(I input) {
        invoke(start(input));
        return result();
    }

    /**
     * Runs invocations, chained executions' among them, and moves time, until the run has ended, or waits
     * for callbacks only (PENDING), or 100 invocations have been made.
     */
    public TestResult<O> runUntilComplete(I input) {
        String execution = start(input);
        for (int invocations = 0; invocations < MAX_INVOCATIONS; ) {
            List<String> open = runner.openExecutions();
            int made = open.stream().mapToInt(this::invoke).sum();
            if (!open.contains(execution) || made == 0 && !moveTime(open)) {
                break;
            }
            invocations += made;
        }
        return result();
    }

    /**
     * Moves time to where the last of all waits and retries that are pending now is due. Deadlines on the
     * way, of callbacks for example, pass.
     */
    public void advanceTime() {
        moveTime(runner.openExecutions());
    }

    /** The first of that name that was recorded; null if there is none, or before the first run. */
    public TestOperation getOperation(String name) {
        return arn() == null ? null : result().getOperation(name, 0);
    }

    /** Of the callback of that name, or of the SDK's operation of that name that waits for it; else null. */
    public String getCallbackId(String name) {
        return Stream.of(name, name + "-callback")
                .map(this::getOperation)
                .filter(operation -> operation != null)
                .flatMap(operation -> operation.getCallbackId().stream())
                .findFirst()
                .orElse(null);
    }

    /** IllegalStateException if it is not open. */
    public void completeCallback(String callbackId, String result) {
        requireOpen(callbackId);
        runner.sendCallbackSuccess(callbackId, result);
    }

    /** IllegalStateException if it is not open. */
    public void failCallback(String callbackId, ErrorObject error) {
        requireOpen(callbackId);
        runner.sendCallbackFailure(callbackId, error);
    }

    /** Moves time to the callback's deadline. IllegalStateException if it is not open or has none. */
    public void timeoutCallback(String callbackId) {
        TestOperation callback = requireOpen(callbackId);
        Duration left = runner.readOperations(arn()).overview().getWaitingForList().stream()
                .filter(waiting -> waiting.getOperationId().equals(callback.getId()) && waiting.hasTimeLeft())
                .map(waiting -> Protos.toDuration(waiting.getTimeLeft()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the callback has no deadline: " + callback));
        runner.advanceTime(left);
    }

    /**
     * The chained invoke of that name succeeds with {@code result}, text as it is to be recorded.
     * IllegalStateException if there is none that waits for an answer of the test.
     */
    public void completeChainedInvoke(String name, String result) {
        String target = openInvoke(name);
        runner.sendCallbackSuccess(answerOf(target), result);
        invoke(target);
    }

    /** As above; the chained invoke fails. */
    public void failChainedInvoke(String name, ErrorObject error) {
        String target = openInvoke(name);
        runner.sendCallbackFailure(answerOf(target), error);
        invoke(target);
    }

    /** As above; the target is stopped. */
    public void stopChainedInvoke(String name, ErrorObject error) {
        runner.stop(openInvoke(name), error);
    }

    /** Of the run; null before the first run. */
    public String getDurableExecutionArn() {
        return arn();
    }

    @Override
    public void close() {
        runner.close();
    }

    private synchronized String arn() {
        return arn;
    }

    private synchronized String start(I input) {
        if (arn == null) {
            arn = runner.runAsync(input);
        }
        return arn;
    }

    private TestResult<O> result() {
        return new TestResult<>(runner.read(arn()), outputType);
    }

    private int invoke(String execution) {
        return runner.invokeNext(execution, INVOCATION_TIMEOUT) ? 1 : 0;
    }

    /** False: nothing waits for time. */
    private boolean moveTime(List<String> executions) {
        Optional<Timestamp> last = executions.stream()
                .flatMap(this::dueTimes)
                .max((one, other) -> Protos.toInstant(one).compareTo(Protos.toInstant(other)));
        last.ifPresent(until -> runner.client()
                .advanceTime(AdvanceTimeRequest.newBuilder()
                        .setSession(runner.session())
                        .setUntil(until)
                        .build()));
        return last.isPresent();
    }

    private Stream<Timestamp> dueTimes(String execution) {
        RunRecord record = runner.readOperations(execution);
        return Stream.concat(
                record.operations().stream().flatMap(operation -> dueTime(operation).stream()),
                backOff(record.overview()));
    }

    private static Optional<Timestamp> dueTime(Operation operation) {
        return switch (operation.getStatus()) {
            case OPERATION_STATUS_STARTED -> operation.hasWaitDetails()
                    ? Optional.of(operation.getWaitDetails().getScheduledEndTimestamp())
                    : Optional.empty();
            case OPERATION_STATUS_PENDING -> Optional.of(operation.getStepDetails().getNextAttemptTimestamp());
            default -> Optional.empty();
        };
    }

    // The delay after a failed invocation.
    private static Stream<Timestamp> backOff(InspectExecutionResponse overview) {
        return overview.getWaitingForList().stream()
                .filter(waiting -> waiting.getKind() == rehearse.v1.WaitingFor.Kind.KIND_BACKOFF)
                .map(waiting -> Protos.fromInstant(
                        Protos.toInstant(overview.getNow()).plus(Protos.toDuration(waiting.getTimeLeft()))));
    }

    private Stream<TestOperation> openOperations() {
        List<TestOperation> operations = arn() == null ? List.of() : result().getOperations();
        return operations.stream().filter(operation -> !operation.isCompleted());
    }

    private TestOperation requireOpen(String callbackId) {
        return openOperations()
                .filter(operation -> operation.getCallbackId().equals(Optional.of(callbackId)))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no open callback " + callbackId));
    }

    /** The execution that the invoke has started. */
    private String openInvoke(String name) {
        return openOperations()
                .filter(operation -> operation.getName().equals(name))
                .flatMap(operation -> operation.getInvokedExecutionArn().stream())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no open chained invoke \"" + name + "\""));
    }

    /** The id of the callback for which the target waits. */
    private String answerOf(String target) {
        invoke(target);
        TestOperation answer = runner.getResult(target).getOperation(UnansweredFunction.ANSWER);
        if (answer == null) {
            throw new IllegalStateException("the target is a registered function: " + target);
        }
        return answer.getCallbackId().orElseThrow();
    }

    /** The handler, for whose chained invokes there are targets. */
    private InvocationHandler withTargets(InvocationHandler function) {
        return invocation -> {
            invocation.onCheckpoint(this::registerTargets);
            return function.handle(invocation);
        };
    }

    private void registerTargets(CheckpointRequest request) {
        for (OperationUpdate update : request.getUpdatesList()) {
            if (update.hasChainedInvokeOptions()) {
                registerTarget(update.getChainedInvokeOptions().getFunctionName());
            }
        }
    }

    private synchronized void registerTarget(String functionName) {
        // Of an ARN, what is behind ":function:".
        String name = functionName.replaceFirst("^arn:.*:function:", "");
        if (!runner.isRegistered(name) && !runner.isRegistered(name.split(":")[0])) {
            runner.registerDurableFunction(name, new UnansweredFunction());
        }
    }
}
