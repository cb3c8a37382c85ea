package rehearse.testing;

import com.google.gson.JsonParser;
import java.util.Optional;
import rehearse.v1.CallbackOptions;
import rehearse.v1.ChainedInvokeOptions;
import rehearse.v1.ErrorObject;
import rehearse.v1.Operation;
import rehearse.v1.OperationAction;
import rehearse.v1.OperationUpdate;
import rehearse.v1.StepOptions;
import rehearse.v1.WaitOptions;
import rehearse.worker.Invocation;
import rehearse.worker.InvocationOutput;

/** Durable functions for tests, and the updates that they are made of. */
final class Functions {
    private Functions() {}

    static OperationUpdate.Builder update(
            String id, rehearse.v1.OperationType type, OperationAction action) {
        return OperationUpdate.newBuilder().setId(id).setName(id).setType(type).setAction(action);
    }

    static OperationUpdate startStep(String id) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_STEP, OperationAction.OPERATION_ACTION_START)
                .build();
    }

    static OperationUpdate succeedStep(String id, String result) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_STEP, OperationAction.OPERATION_ACTION_SUCCEED)
                .setPayload(result)
                .build();
    }

    static OperationUpdate retryStep(String id, ErrorObject error, int delaySeconds) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_STEP, OperationAction.OPERATION_ACTION_RETRY)
                .setError(error)
                .setStepOptions(StepOptions.newBuilder().setNextAttemptDelaySeconds(delaySeconds))
                .build();
    }

    static OperationUpdate startWait(String id, int seconds) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_WAIT, OperationAction.OPERATION_ACTION_START)
                .setWaitOptions(WaitOptions.newBuilder().setWaitSeconds(seconds))
                .build();
    }

    static OperationUpdate startCallback(String id, CallbackOptions options) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_CALLBACK, OperationAction.OPERATION_ACTION_START)
                .setCallbackOptions(options)
                .build();
    }

    static OperationUpdate startInvoke(String id, String function, String payload) {
        return update(
                        id,
                        rehearse.v1.OperationType.OPERATION_TYPE_CHAINED_INVOKE,
                        OperationAction.OPERATION_ACTION_START)
                .setPayload(payload)
                .setChainedInvokeOptions(ChainedInvokeOptions.newBuilder().setFunctionName(function))
                .build();
    }

    static OperationUpdate context(String id, OperationAction action) {
        return update(id, rehearse.v1.OperationType.OPERATION_TYPE_CONTEXT, action).build();
    }

    static ErrorObject error(String type, String message) {
        return ErrorObject.newBuilder().setErrorType(type).setErrorMessage(message).build();
    }

    /** A step, a wait of an hour, a step in a context; the result is the greeting as JSON. */
    static String greet(Invocation invocation) {
        String input = JsonParser.parseString(invocation.executionInput().orElseThrow()).getAsString();
        if (invocation.operation("look_up").isEmpty()) {
            invocation.checkpoint(
                    startStep("look_up"), succeedStep("look_up", Json.write("Hello")), startWait("pause", 3600));
            return InvocationOutput.pending();
        }
        invocation.checkpoint(
                context("polish", OperationAction.OPERATION_ACTION_START),
                startStep("shout").toBuilder().setParentId("polish").build(),
                succeedStep("shout", "true").toBuilder().setParentId("polish").build(),
                context("polish", OperationAction.OPERATION_ACTION_SUCCEED));
        String greeting = invocation.operation("look_up").orElseThrow().getStepDetails().getResult();
        return InvocationOutput.succeeded(Json.write(Json.read(greeting, String.class, "") + ", " + input));
    }

    /** Waits for the callback "approval", and answers what it was completed with. */
    static String approve(Invocation invocation) {
        Optional<Operation> approval = invocation.operation("approval");
        if (approval.isEmpty()) {
            invocation.checkpoint(startCallback(
                    "approval",
                    CallbackOptions.newBuilder().setTimeoutSeconds(86400).setHeartbeatTimeoutSeconds(7200).build()));
            return InvocationOutput.pending();
        }
        return switch (approval.get().getStatus()) {
            case OPERATION_STATUS_STARTED -> InvocationOutput.pending();
            case OPERATION_STATUS_SUCCEEDED ->
                    InvocationOutput.succeeded(approval.get().getCallbackDetails().getResult());
            default -> InvocationOutput.failed(approval.get().getCallbackDetails().getError());
        };
    }

    /** Invokes the function in the input, and answers what that answered. */
    static String delegate(Invocation invocation) {
        String target = JsonParser.parseString(invocation.executionInput().orElseThrow()).getAsString();
        Optional<Operation> call = invocation.operation("call");
        if (call.isEmpty()) {
            invocation.checkpoint(startInvoke("call", target, "\"for you\""));
            return InvocationOutput.pending();
        }
        return switch (call.get().getStatus()) {
            case OPERATION_STATUS_STARTED -> InvocationOutput.pending();
            case OPERATION_STATUS_SUCCEEDED ->
                    InvocationOutput.succeeded(call.get().getChainedInvokeDetails().getResult());
            default -> InvocationOutput.failed(call.get().getChainedInvokeDetails().getError());
        };
    }

    /** A step that fails once and is tried again after a minute. */
    static String retry(Invocation invocation) {
        Optional<Operation> step = invocation.operation("flaky");
        if (step.isEmpty()) {
            invocation.checkpoint(startStep("flaky"), retryStep("flaky", error("Flaky", "not yet"), 60));
            return InvocationOutput.pending();
        }
        if (step.get().getStatus() != rehearse.v1.OperationStatus.OPERATION_STATUS_READY) {
            return InvocationOutput.pending();
        }
        invocation.checkpoint(startStep("flaky"), succeedStep("flaky", "2"));
        return InvocationOutput.succeeded("2");
    }
}
