package rehearse.testing;

import java.lang.reflect.Type;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import rehearse.Protos;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.EventType;
import rehearse.v1.Execution;
import rehearse.v1.InvocationCompletedDetails;
import rehearse.v1.WaitingFor;

/**
 * How a run ended, or stands, and everything that was recorded on the way. Plain data: it outlives the
 * runner.
 *
 * <pre>{@code
 * TestResult<String> result = runner.run(new Order(17), Duration.ofSeconds(10));
 * assertEquals(ExecutionStatus.SUCCEEDED, result.getStatus(), result::toString);
 * assertEquals(List.of("charge", "ship"), result.getOperations().stream().map(TestOperation::getName).toList());
 * }</pre>
 *
 * <p>toString shows status, result or error, what the run waits for, and the history.
 *
 * @param <O> what {@link #getResult()} gives
 */
public final class TestResult<O> extends Children {
    private final RunRecord record;
    private final Type outputType;

    TestResult(RunRecord record, Type outputType) {
        this.record = record;
        this.outputType = outputType;
    }

    public String getDurableExecutionArn() {
        return execution().getDurableExecutionArn();
    }

    public ExecutionStatus getStatus() {
        return ExecutionStatus.of(execution().getStatus());
    }

    public boolean isSucceeded() {
        return getStatus() == ExecutionStatus.SUCCEEDED;
    }

    /** FAILED, TIMED_OUT or STOPPED. */
    public boolean isFailed() {
        return execution().hasEndTimestamp() && !isSucceeded();
    }

    /**
     * The result, read from JSON as the runner's output type, or, without one, as text as it was recorded;
     * null when there is none. IllegalStateException unless the run has succeeded.
     */
    @SuppressWarnings("unchecked")
    public O getResult() {
        return outputType == null ? (O) succeeded() : Json.read(succeeded(), outputType, "the run");
    }

    /** As above, for this type. */
    public <T> T getResult(Class<T> type) {
        return Json.read(succeeded(), type, "the run");
    }

    /** As above, for example for {@code new TypeToken<List<String>>() {}.getType()} of Gson. */
    public <T> T getResult(Type type) {
        return Json.read(succeeded(), type, "the run");
    }

    /** Of a run that failed, timed out or was stopped; may be absent then, too. */
    public Optional<ErrorObject> getError() {
        return execution().hasError() ? Optional.of(execution().getError()) : Optional.empty();
    }

    public Instant getStartTimestamp() {
        return Protos.toInstant(execution().getStartTimestamp());
    }

    /** Empty while it is open. */
    public Optional<Instant> getEndTimestamp() {
        return execution().hasEndTimestamp()
                ? Optional.of(Protos.toInstant(execution().getEndTimestamp()))
                : Optional.empty();
    }

    /** Every operation, wherever it is, in order of creation; without EXECUTION. */
    public List<TestOperation> getOperations() {
        return record.views();
    }

    public List<TestOperation> getSucceededOperations() {
        return operationsThat(operation -> operation.getStatus() == OperationStatus.SUCCEEDED);
    }

    public List<TestOperation> getFailedOperations() {
        return operationsThat(operation -> operation.getStatus() == OperationStatus.FAILED);
    }

    @Override
    public List<TestOperation> getChildOperations() {
        return record.childrenOf("");
    }

    /** The last of that name, wherever it is; null if there is none. */
    public TestOperation getOperation(String name) {
        List<TestOperation> named = operationsThat(operation -> operation.getName().equals(name));
        return named.isEmpty() ? null : named.get(named.size() - 1);
    }

    /** The one at {@code index}, from 0, among those of that name; null if there is none. */
    public TestOperation getOperation(String name, int index) {
        List<TestOperation> named = operationsThat(operation -> operation.getName().equals(name));
        return index < named.size() ? named.get(index) : null;
    }

    /** The one at {@code index}, from 0, of {@link #getOperations}; null if there is none. */
    public TestOperation getOperationByIndex(int index) {
        return index < record.operations().size() ? getOperations().get(index) : null;
    }

    /** Null if there is none. */
    public TestOperation getOperationById(String id) {
        return operationsThat(operation -> operation.getId().equals(id)).stream().findFirst().orElse(null);
    }

    /** All events, those of the execution and its invocations among them, in order. */
    public List<Event> getHistoryEvents() {
        return record.events();
    }

    /** Of the last operation of that name; none if there is no such operation. */
    public List<Event> getEventsForOperation(String name) {
        TestOperation operation = getOperation(name);
        return operation == null ? List.of() : operation.getEvents();
    }

    /** Invocations that have started, crashed ones included. */
    public int getInvocationCount() {
        return record.overview().getInvocationCount();
    }

    /** Those that have ended: their times, request ids and errors. */
    public List<InvocationCompletedDetails> getInvocations() {
        return getHistoryEvents().stream()
                .filter(event -> event.getEventType() == EventType.EVENT_TYPE_INVOCATION_COMPLETED)
                .map(Event::getInvocationCompletedDetails)
                .toList();
    }

    /** What an open run cannot go on without, and what would move it. */
    public List<WaitingFor> getWaitingFor() {
        return record.overview().getWaitingForList();
    }

    /** The history as a table. */
    public String formatHistory() {
        return HistoryPrinter.formatHistory(getHistoryEvents());
    }

    /** For example {@code SS2 SX3 WS4 IC5 WX6 IC7 XS8}; see {@link HistoryPrinter}. */
    public String compactHistory() {
        return HistoryPrinter.compactHistory(getHistoryEvents());
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(getDurableExecutionArn()).append(": ").append(getStatus());
        if (execution().hasResult()) {
            text.append(", result ").append(HistoryPrinter.abbreviate(execution().getResult(), 200));
        }
        getError().ifPresent(error -> text.append(", error ").append(HistoryPrinter.formatError(error)));
        getWaitingFor().forEach(waiting -> text.append("\n  waiting for ").append(waiting.getText()));
        return text.append("\n").append(formatHistory()).toString();
    }

    private Execution execution() {
        return record.overview().getExecution();
    }

    private String succeeded() {
        if (!isSucceeded()) {
            throw new IllegalStateException("the run has not succeeded: " + this);
        }
        return execution().hasResult() ? execution().getResult() : null;
    }

    private List<TestOperation> operationsThat(Predicate<TestOperation> meet) {
        return getOperations().stream().filter(meet).toList();
    }
}
