package rehearse.scenarios;

import static rehearse.v1.OperationAction.OPERATION_ACTION_FAIL;
import static rehearse.v1.OperationAction.OPERATION_ACTION_RETRY;
import static rehearse.v1.OperationAction.OPERATION_ACTION_START;
import static rehearse.v1.OperationAction.OPERATION_ACTION_SUCCEED;
import static rehearse.v1.OperationStatus.OPERATION_STATUS_FAILED;
import static rehearse.v1.OperationStatus.OPERATION_STATUS_PENDING;
import static rehearse.v1.OperationStatus.OPERATION_STATUS_READY;
import static rehearse.v1.OperationStatus.OPERATION_STATUS_SUCCEEDED;
import static rehearse.v1.OperationType.OPERATION_TYPE_CALLBACK;
import static rehearse.v1.OperationType.OPERATION_TYPE_CHAINED_INVOKE;
import static rehearse.v1.OperationType.OPERATION_TYPE_CONTEXT;
import static rehearse.v1.OperationType.OPERATION_TYPE_STEP;
import static rehearse.v1.OperationType.OPERATION_TYPE_WAIT;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import rehearse.RehearseException;
import rehearse.v1.CallbackDetails;
import rehearse.v1.CallbackOptions;
import rehearse.v1.ChainedInvokeDetails;
import rehearse.v1.ChainedInvokeOptions;
import rehearse.v1.ErrorObject;
import rehearse.v1.Operation;
import rehearse.v1.OperationAction;
import rehearse.v1.OperationType;
import rehearse.v1.OperationUpdate;
import rehearse.v1.StepOptions;
import rehearse.v1.WaitOptions;
import rehearse.worker.Invocation;
import rehearse.worker.InvocationHandler;
import rehearse.worker.InvocationOutput;

/**
 * A durable function of scenarios.json that checkpoints by hand: it performs the operations of its body, and
 * suspends where one is open.
 */
final class ScenarioFunction implements InvocationHandler {
    private final JsonArray body;
    private final Set<String> crashes;

    /** {@code crashes}: names of steps at which the process dies, once; shared and thread-safe. */
    ScenarioFunction(JsonArray body, Set<String> crashes) {
        this.body = body;
        this.crashes = crashes;
    }

    @Override
    public String handle(Invocation invocation) {
        try {
            return InvocationOutput.succeeded(new Run(invocation).body(body, null).toString());
        } catch (Suspended e) {
            return InvocationOutput.pending();
        } catch (Failure e) {
            return InvocationOutput.failed(e.error);
        } catch (RehearseException e) {
            return InvocationOutput.failed(error(e.errorName(), e.getMessage()));
        }
    }

    static ErrorObject errorOf(JsonObject holder) {
        JsonObject error = holder.getAsJsonObject("error");
        return error(error.get("type").getAsString(), error.get("message").getAsString());
    }

    private static ErrorObject error(String type, String message) {
        return ErrorObject.newBuilder().setErrorType(type).setErrorMessage(message).build();
    }

    /** The invocation can do no more. */
    private static final class Suspended extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** An operation has failed. */
    private static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient ErrorObject error;

        Failure(ErrorObject error) {
            this.error = error;
        }
    }

    /** Where an operation is: its id, and the context around it, null for none. */
    private record Place(String id, String parent, String name) {
        OperationUpdate.Builder update(OperationType type, OperationAction action, String subType) {
            OperationUpdate.Builder update = OperationUpdate.newBuilder()
                    .setId(id)
                    .setName(name)
                    .setType(type)
                    .setSubType(subType)
                    .setAction(action);
            return parent == null ? update : update.setParentId(parent);
        }
    }

    /** One invocation. */
    private final class Run {
        private final Invocation invocation;
        // By name, the places of those that have been created.
        private final Map<String, Place> callbacks = new HashMap<>();

        Run(Invocation invocation) {
            this.invocation = invocation;
        }

        JsonElement body(JsonArray operations, String parent) {
            JsonElement value = JsonNull.INSTANCE;
            for (int i = 0; i < operations.size(); i++) {
                JsonObject operation = operations.get(i).getAsJsonObject();
                String name = operation.has("name") ? operation.get("name").getAsString() : "";
                Place place = new Place(parent == null ? "op-" + i : parent + "-" + i, parent, name);
                try {
                    value = perform(operation, place);
                } catch (Failure failure) {
                    if (!operation.has("fallback")) {
                        throw failure;
                    }
                    value = operation.get("fallback");
                }
            }
            return value;
        }

        private JsonElement perform(JsonObject operation, Place place) {
            return switch (operation.get("op").getAsString()) {
                case "input" -> JsonParser.parseString(invocation.executionInput().orElseThrow());
                case "value" -> operation.get("value");
                case "fail" -> throw new Failure(errorOf(operation));
                case "step" -> step(operation, place);
                case "wait" -> await(operation, place);
                case "wait_for_condition" -> waitForCondition(operation, place);
                case "child_context" -> context(place, "RunInChildContext",
                        () -> body(operation.getAsJsonArray("body"), place.id()));
                case "create_callback" -> createCallback(operation, place);
                case "callback_result" -> callbackResult(callbacks.get(place.name()));
                case "wait_for_callback" -> context(place, "WaitForCallback",
                        () -> submitAndAwaitCallback(operation, place));
                case "invoke" -> invoke(operation, place);
                default -> throw new IllegalArgumentException("unknown operation: " + operation);
            };
        }

        private JsonElement step(JsonObject operation, Place place) {
            Operation known = startAttempt(place, "Step");
            if (isClosed(known)) {
                return stepOutcome(known);
            }
            if (operation.has("crash") && crashes.remove(place.name())) {
                invocation.crash();
            }
            JsonArray attempts = operation.getAsJsonArray("attempts");
            int index = known.getStepDetails().getAttempt();
            JsonObject attempt = attempts.get(index).getAsJsonObject();
            if (!attempt.has("error")) {
                return succeedStep(place, "Step", attempt.get("result"));
            }
            ErrorObject error = errorOf(attempt);
            if (index + 1 < attempts.size()) {
                throw retry(place.update(OPERATION_TYPE_STEP, OPERATION_ACTION_RETRY, "Step")
                        .setError(error), operation, "retry_delay_seconds");
            }
            invocation.checkpoint(
                    place.update(OPERATION_TYPE_STEP, OPERATION_ACTION_FAIL, "Step")
                            .setError(error)
                            .build());
            throw new Failure(error);
        }

        private JsonElement waitForCondition(JsonObject operation, Place place) {
            Operation known = startAttempt(place, "WaitForCondition");
            if (isClosed(known)) {
                return stepOutcome(known);
            }
            JsonArray states = operation.getAsJsonArray("states");
            int index = known.getStepDetails().getAttempt();
            if (index + 1 == states.size()) {
                return succeedStep(place, "WaitForCondition", states.get(index));
            }
            throw retry(
                    place.update(OPERATION_TYPE_STEP, OPERATION_ACTION_RETRY, "WaitForCondition")
                            .setPayload(states.get(index).toString()),
                    operation,
                    "delay_seconds");
        }

        /** Closed, or an attempt is running now. */
        private Operation startAttempt(Place place, String subType) {
            Operation known = find(place);
            if (known != null && known.getStatus() == OPERATION_STATUS_PENDING) {
                throw new Suspended();
            }
            if (known == null || known.getStatus() == OPERATION_STATUS_READY) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_STEP, OPERATION_ACTION_START, subType)
                                .build());
            }
            return find(place);
        }

        private JsonElement succeedStep(Place place, String subType, JsonElement value) {
            invocation.checkpoint(
                    place.update(OPERATION_TYPE_STEP, OPERATION_ACTION_SUCCEED, subType)
                            .setPayload(value.toString())
                            .build());
            return value;
        }

        private Suspended retry(OperationUpdate.Builder update, JsonObject operation, String delay) {
            invocation.checkpoint(update.setStepOptions(
                            StepOptions.newBuilder().setNextAttemptDelaySeconds(secondsOf(operation, delay)))
                    .build());
            return new Suspended();
        }

        private JsonElement stepOutcome(Operation step) {
            if (step.getStatus() == OPERATION_STATUS_SUCCEEDED) {
                return JsonParser.parseString(step.getStepDetails().getResult());
            }
            throw new Failure(step.getStepDetails().getError());
        }

        private JsonElement await(JsonObject operation, Place place) {
            if (find(place) == null) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_WAIT, OPERATION_ACTION_START, "Wait")
                                .setWaitOptions(
                                        WaitOptions.newBuilder().setWaitSeconds(secondsOf(operation, "seconds")))
                                .build());
            }
            closed(place);
            return JsonNull.INSTANCE;
        }

        private JsonElement context(Place place, String subType, Supplier<JsonElement> run) {
            Operation known = find(place);
            if (known == null) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_CONTEXT, OPERATION_ACTION_START, subType)
                                .build());
            } else if (known.getStatus() == OPERATION_STATUS_SUCCEEDED) {
                return JsonParser.parseString(known.getContextDetails().getResult());
            } else if (known.getStatus() == OPERATION_STATUS_FAILED) {
                throw new Failure(known.getContextDetails().getError());
            }
            try {
                JsonElement value = run.get();
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_CONTEXT, OPERATION_ACTION_SUCCEED, subType)
                                .setPayload(value.toString())
                                .build());
                return value;
            } catch (Failure failure) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_CONTEXT, OPERATION_ACTION_FAIL, subType)
                                .setError(failure.error)
                                .build());
                throw failure;
            }
        }

        private JsonElement createCallback(JsonObject operation, Place place) {
            callbacks.put(place.name(), place);
            if (find(place) == null) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_CALLBACK, OPERATION_ACTION_START, "Callback")
                                .setCallbackOptions(CallbackOptions.newBuilder()
                                        .setTimeoutSeconds(secondsOf(operation, "timeout_seconds"))
                                        .setHeartbeatTimeoutSeconds(secondsOf(operation, "heartbeat_timeout_seconds")))
                                .build());
            }
            return JsonNull.INSTANCE;
        }

        private JsonElement submitAndAwaitCallback(JsonObject operation, Place place) {
            Place callback = new Place(place.id() + "-callback", place.id(), place.name() + "-callback");
            Place submitter = new Place(place.id() + "-submitter", place.id(), place.name() + "-submitter");
            createCallback(operation, callback);
            if (!isClosed(startAttempt(submitter, "Step"))) {
                succeedStep(submitter, "Step", JsonNull.INSTANCE);
            }
            return callbackResult(callback);
        }

        private JsonElement callbackResult(Place place) {
            Operation callback = closed(place);
            CallbackDetails details = callback.getCallbackDetails();
            if (callback.getStatus() == OPERATION_STATUS_SUCCEEDED) {
                return new JsonPrimitive(details.getResult());
            }
            throw new Failure(details.getError());
        }

        private JsonElement invoke(JsonObject operation, Place place) {
            if (find(place) == null) {
                invocation.checkpoint(
                        place.update(OPERATION_TYPE_CHAINED_INVOKE, OPERATION_ACTION_START, "ChainedInvoke")
                                .setPayload(operation.get("payload").toString())
                                .setChainedInvokeOptions(ChainedInvokeOptions.newBuilder()
                                        .setFunctionName(operation.get("function").getAsString()))
                                .build());
            }
            Operation invoke = closed(place);
            ChainedInvokeDetails details = invoke.getChainedInvokeDetails();
            if (invoke.getStatus() == OPERATION_STATUS_SUCCEEDED) {
                return JsonParser.parseString(details.getResult());
            }
            throw new Failure(details.getError());
        }

        private Operation find(Place place) {
            return invocation.operation(place.id()).orElse(null);
        }

        /** The operation, which has been started; suspends while it is open. */
        private Operation closed(Place place) {
            Operation operation = find(place);
            if (!isClosed(operation)) {
                throw new Suspended();
            }
            return operation;
        }

        private static boolean isClosed(Operation operation) {
            return operation.hasEndTimestamp();
        }

        private static int secondsOf(JsonObject operation, String member) {
            return operation.has(member) ? operation.get(member).getAsInt() : 0;
        }
    }
}
