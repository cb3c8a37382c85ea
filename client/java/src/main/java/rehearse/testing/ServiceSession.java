package rehearse.testing;

import io.grpc.Context;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import rehearse.Protos;
import rehearse.RehearseClient;
import rehearse.RehearseException;
import rehearse.RehearseServer;
import rehearse.v1.ClockMode;
import rehearse.v1.CreateSessionRequest;
import rehearse.v1.DeleteSessionRequest;
import rehearse.v1.Event;
import rehearse.v1.GetExecutionHistoryRequest;
import rehearse.v1.GetExecutionHistoryResponse;
import rehearse.v1.HoldSessionRequest;
import rehearse.v1.InspectExecutionRequest;
import rehearse.v1.InspectExecutionResponse;
import rehearse.v1.InvocationType;
import rehearse.v1.Operation;
import rehearse.v1.SessionConfig;
import rehearse.v1.StartExecutionRequest;
import rehearse.v1.WaitForOperationRequest;

/** A session of the service, and what is done in it. */
final class ServiceSession {
    private static final int PAGE_ITEMS = 1000;
    // Java's waitForCallback puts this behind its own name to name the callback.
    private static final String CALLBACK_SUFFIX = "-callback";
    // A connection carries any number of sessions; it ends with this process.
    private static final Map<String, RehearseClient> CLIENTS = new ConcurrentHashMap<>();

    private final RehearseClient client;
    private final String name;
    private final Runnable endHold;

    ServiceSession(RunnerOptions options) {
        String address = options.service.isEmpty() ? RehearseServer.address() : options.service;
        client = CLIENTS.computeIfAbsent(address, RehearseClient::connect);
        name = client.createSession(CreateSessionRequest.newBuilder().setConfig(configOf(options)).build())
                .getSession()
                .getName();
        endHold = client.holdSession(HoldSessionRequest.newBuilder().setName(name).build());
    }

    RehearseClient client() {
        return client;
    }

    String name() {
        return name;
    }

    void end() {
        try {
            client.deleteSession(DeleteSessionRequest.newBuilder().setName(name).build());
        } catch (RehearseException e) {
            // A service that is gone has no session left.
        }
        endHold.run();
    }

    String start(String functionName, String executionName, String input) {
        StartExecutionRequest.Builder request = StartExecutionRequest.newBuilder()
                .setSession(name)
                .setFunctionName(functionName)
                .setInput(input)
                .setInvocationType(InvocationType.INVOCATION_TYPE_REQUEST_RESPONSE);
        if (!executionName.isEmpty()) {
            request.setDurableExecutionName(executionName);
        }
        return client.startExecution(request.build()).getDurableExecutionArn();
    }

    RunRecord read(String arn) {
        RunRecord record = readOperations(arn);
        return new RunRecord(record.overview(), record.operations(), readHistory(arn));
    }

    /** Without the events. */
    RunRecord readOperations(String arn) {
        List<Operation> operations = new ArrayList<>();
        InspectExecutionRequest.Builder request = InspectExecutionRequest.newBuilder()
                .setSession(name)
                .setDurableExecutionArn(arn)
                .setMaxItems(PAGE_ITEMS);
        InspectExecutionResponse page = client.inspectExecution(request.build());
        operations.addAll(page.getOperationsList());
        while (page.hasNextMarker()) {
            page = client.inspectExecution(request.setMarker(page.getNextMarker()).build());
            operations.addAll(page.getOperationsList());
        }
        operations.removeIf(operation -> operation.hasExecutionDetails());
        InspectExecutionResponse overview = page.toBuilder().clearOperations().build();
        return new RunRecord(overview, List.copyOf(operations), List.of());
    }

    List<Event> readHistory(String arn) {
        List<Event> events = new ArrayList<>();
        GetExecutionHistoryRequest.Builder request = GetExecutionHistoryRequest.newBuilder()
                .setSession(name)
                .setDurableExecutionArn(arn)
                .setMaxItems(PAGE_ITEMS);
        GetExecutionHistoryResponse page;
        do {
            page = client.getExecutionHistory(request.build());
            events.addAll(page.getEventsList());
            request.setMarker(page.getNextMarker());
        } while (page.hasNextMarker());
        return List.copyOf(events);
    }

    /** `callback` null: the newest one. */
    Operation awaitCallback(String arn, String callback, Duration timeout) {
        WaitForOperationRequest.Builder request = WaitForOperationRequest.newBuilder()
                .setSession(name)
                .setDurableExecutionArn(arn)
                .setType(rehearse.v1.OperationType.OPERATION_TYPE_CALLBACK)
                .addStatuses(rehearse.v1.OperationStatus.OPERATION_STATUS_STARTED)
                .setInvocationEnded(true)
                .setTimeout(Protos.fromDuration(timeout));
        if (callback == null) {
            return explained(arn, () -> client.waitForOperation(request.setLatest(true).build()).getOperation());
        }
        return explained(arn, () -> firstOf(
                request.clone().setName(callback).build(),
                request.clone().setName(callback + CALLBACK_SUFFIX).build()));
    }

    /** What `call` gives; an error that says that time is up shows the history, too. */
    <T> T explained(String arn, Supplier<T> call) {
        try {
            return call.get();
        } catch (RehearseException e) {
            if (e.code() != io.grpc.Status.Code.DEADLINE_EXCEEDED) {
                throw e;
            }
            throw e.withMessage(e.getMessage() + "\n" + HistoryPrinter.formatHistory(readHistory(arn)));
        }
    }

    /** The operation that meets one of the conditions first; the last failure when none does. */
    private Operation firstOf(WaitForOperationRequest... requests) {
        CompletableFuture<Operation> first = new CompletableFuture<>();
        List<CompletableFuture<?>> calls = new ArrayList<>();
        Context.CancellableContext context = Context.current().withCancellation();
        for (WaitForOperationRequest request : requests) {
            Runnable wait = () -> first.complete(client.waitForOperation(request).getOperation());
            calls.add(CompletableFuture.runAsync(context.wrap(wait), ServiceSession::startThread));
        }
        CompletableFuture.allOf(calls.toArray(CompletableFuture<?>[]::new)).whenComplete((none, failure) -> {
            if (failure != null) {
                first.completeExceptionally(failure instanceof CompletionException ? failure.getCause() : failure);
            }
        });
        try {
            return first.join();
        } catch (CompletionException e) {
            throw (RehearseException) e.getCause();
        } finally {
            context.cancel(null);
        }
    }

    private static void startThread(Runnable command) {
        Thread thread = new Thread(command, "rehearse-wait");
        thread.setDaemon(true);
        thread.start();
    }

    private static SessionConfig configOf(RunnerOptions options) {
        ClockMode clock = options.manualTime
                ? ClockMode.CLOCK_MODE_MANUAL
                : options.skipTime ? ClockMode.CLOCK_MODE_SKIP : ClockMode.CLOCK_MODE_REAL;
        return SessionConfig.newBuilder()
                .setClockMode(clock)
                .setSkipDeadlines(options.skipDeadlines)
                .setStepped(options.stepped)
                .setLimitsProfile(options.limitsProfile)
                .setFailurePolicy(options.failurePolicy)
                .build();
    }
}
