package rehearse.testing;

import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import rehearse.Protos;
import rehearse.v1.CallbackDetails;
import rehearse.v1.ChainedInvokeDetails;
import rehearse.v1.ContextDetails;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.ExecutionDetails;
import rehearse.v1.Operation;
import rehearse.v1.StepDetails;
import rehearse.v1.WaitDetails;

/**
 * One operation of a run, as it was when it was read. Plain data: it outlives the runner.
 *
 * <pre>{@code
 * TestOperation charge = result.getOperation("charge");
 * assertEquals(OperationStatus.SUCCEEDED, charge.getStatus());
 * assertEquals("receipt-17", charge.getStepResult(String.class));
 * }</pre>
 */
public final class TestOperation extends Children {
    private final Operation operation;
    private final RunRecord record;

    TestOperation(Operation operation, RunRecord record) {
        this.operation = operation;
        this.record = record;
    }

    public String getId() {
        return operation.getId();
    }

    /** Empty: directly below the execution. */
    public Optional<String> getParentId() {
        return operation.hasParentId() ? Optional.of(operation.getParentId()) : Optional.empty();
    }

    /** Empty when it has none. */
    public String getName() {
        return operation.getName();
    }

    public OperationStatus getStatus() {
        return OperationStatus.of(operation.getStatus());
    }

    public OperationType getType() {
        return OperationType.of(operation.getType());
    }

    /** The SDK's label; empty when it has none. */
    public String getSubtype() {
        return operation.getSubType();
    }

    public boolean isCompleted() {
        return operation.hasEndTimestamp();
    }

    public Instant getStartTimestamp() {
        return Protos.toInstant(operation.getStartTimestamp());
    }

    /** Empty while it is open. */
    public Optional<Instant> getEndTimestamp() {
        return isCompleted() ? Optional.of(Protos.toInstant(operation.getEndTimestamp())) : Optional.empty();
    }

    /** From start to end, on the execution's clock; empty while it is open. */
    public Optional<Duration> getDuration() {
        return getEndTimestamp().map(end -> Duration.between(getStartTimestamp(), end));
    }

    /** Of a step: attempts that have ended. */
    public int getAttempt() {
        return operation.getStepDetails().getAttempt();
    }

    /** Of a callback: what it is completed with. */
    public Optional<String> getCallbackId() {
        return operation.hasCallbackDetails()
                ? Optional.of(operation.getCallbackDetails().getCallbackId())
                : Optional.empty();
    }

    /** As it was recorded; empty when there is none. */
    public Optional<String> getResult() {
        return switch (operation.getDetailsCase()) {
            case CONTEXT_DETAILS -> given(getContextDetails().hasResult(), getContextDetails().getResult());
            case STEP_DETAILS -> given(getStepDetails().hasResult(), getStepDetails().getResult());
            case CALLBACK_DETAILS -> given(getCallbackDetails().hasResult(), getCallbackDetails().getResult());
            case CHAINED_INVOKE_DETAILS ->
                    given(getChainedInvokeDetails().hasResult(), getChainedInvokeDetails().getResult());
            default -> Optional.empty();
        };
    }

    /** The result of a step, read from JSON; null when there is none. */
    public <T> T getStepResult(Class<T> type) {
        return type.cast(getStepResult((Type) type));
    }

    /** As above, for example for {@code new TypeToken<List<String>>() {}.getType()} of Gson. */
    public <T> T getStepResult(Type type) {
        return Json.read(getResult().orElse(null), type, "operation \"" + getName() + "\"");
    }

    public Optional<ErrorObject> getError() {
        return switch (operation.getDetailsCase()) {
            case CONTEXT_DETAILS -> given(getContextDetails().hasError(), getContextDetails().getError());
            case STEP_DETAILS -> given(getStepDetails().hasError(), getStepDetails().getError());
            case CALLBACK_DETAILS -> given(getCallbackDetails().hasError(), getCallbackDetails().getError());
            case CHAINED_INVOKE_DETAILS ->
                    given(getChainedInvokeDetails().hasError(), getChainedInvokeDetails().getError());
            default -> Optional.empty();
        };
    }

    /** The details of an operation of another type are empty. */
    public StepDetails getStepDetails() {
        return operation.getStepDetails();
    }

    public WaitDetails getWaitDetails() {
        return operation.getWaitDetails();
    }

    public CallbackDetails getCallbackDetails() {
        return operation.getCallbackDetails();
    }

    public ChainedInvokeDetails getChainedInvokeDetails() {
        return operation.getChainedInvokeDetails();
    }

    public ContextDetails getContextDetails() {
        return operation.getContextDetails();
    }

    public ExecutionDetails getExecutionDetails() {
        return operation.getExecutionDetails();
    }

    /** Of an invoke of a durable function: the execution that it started. */
    public Optional<String> getInvokedExecutionArn() {
        return getEvents().stream()
                .filter(event -> event.getChainedInvokeStartedDetails().hasDurableExecutionArn())
                .map(event -> event.getChainedInvokeStartedDetails().getDurableExecutionArn())
                .findFirst();
    }

    /** The events of this operation, without those of its children. */
    public List<Event> getEvents() {
        return record.eventsOf(getId());
    }

    @Override
    public List<TestOperation> getChildOperations() {
        return record.childrenOf(getId());
    }

    /** All there is, in the contract's words. */
    public Operation toProto() {
        return operation;
    }

    /** One line, for example: {@code STEP "charge" FAILED, error Declined: no}. */
    @Override
    public String toString() {
        return getType() + " \"" + getName() + "\" " + getStatus()
                + getResult().map(result -> ", result " + HistoryPrinter.abbreviate(result, 200)).orElse("")
                + getError().map(error -> ", error " + HistoryPrinter.formatError(error)).orElse("");
    }

    private static <T> Optional<T> given(boolean present, T value) {
        return present ? Optional.of(value) : Optional.empty();
    }
}
