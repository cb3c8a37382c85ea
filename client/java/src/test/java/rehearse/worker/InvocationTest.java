package rehearse.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import rehearse.InvalidParameterValueException;
import rehearse.Protos;
import rehearse.RehearseClient;
import rehearse.RehearseException;
import rehearse.testing.DurableFunctionTestRunner;
import rehearse.testing.RunnerOptions;
import rehearse.testing.TestResult;
import rehearse.v1.CheckpointRequest;
import rehearse.v1.ErrorObject;
import rehearse.v1.GetExecutionStateRequest;
import rehearse.v1.OperationAction;
import rehearse.v1.OperationType;
import rehearse.v1.OperationUpdate;
import rehearse.v1.ServeResponse.Abort;
import rehearse.v1.WaitOptions;

class InvocationTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private static OperationUpdate step(String id, OperationAction action) {
        return OperationUpdate.newBuilder()
                .setId(id)
                .setType(OperationType.OPERATION_TYPE_STEP)
                .setAction(action)
                .build();
    }

    private static OperationUpdate startWait(String id, int seconds) {
        return OperationUpdate.newBuilder()
                .setId(id)
                .setType(OperationType.OPERATION_TYPE_WAIT)
                .setAction(OperationAction.OPERATION_ACTION_START)
                .setWaitOptions(WaitOptions.newBuilder().setWaitSeconds(seconds))
                .build();
    }

    /** Runs `handler` to its end; what it threw is thrown here. */
    private static TestResult<String> run(RunnerOptions options, InvocationHandler handler) throws Throwable {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    try {
                        return handler.handle(invocation);
                    } catch (Throwable e) {
                        thrown.set(e);
                        return InvocationOutput.failed(ErrorObject.getDefaultInstance());
                    }
                },
                options)) {
            TestResult<String> result = runner.run("input", LONG);
            if (thrown.get() != null) {
                throw thrown.get();
            }
            return result;
        }
    }

    @Test
    void aDurableFunctionGetsWhatLambdaHandsOver() throws Throwable {
        run(new RunnerOptions().functionName("orders"), invocation -> {
            assertTrue(invocation.isDurable());
            JsonObject payload = JsonParser.parseString(invocation.payload()).getAsJsonObject();
            assertEquals(invocation.durableExecutionArn(), payload.get("DurableExecutionArn").getAsString());
            assertEquals(invocation.durable().getCheckpointToken(), payload.get("CheckpointToken").getAsString());
            JsonObject execution = payload.getAsJsonObject("InitialExecutionState")
                    .getAsJsonArray("Operations")
                    .get(0)
                    .getAsJsonObject();
            assertEquals("EXECUTION", execution.get("Type").getAsString());
            assertEquals(
                    "\"input\"",
                    execution.getAsJsonObject("ExecutionDetails").get("InputPayload").getAsString());
            assertEquals("\"input\"", invocation.executionInput().orElseThrow());
            assertEquals("orders", invocation.functionName());
            assertTrue(invocation.invokedFunctionArn().endsWith(":function:orders:$LATEST"));
            assertEquals(36, invocation.requestId().length());
            assertTrue(invocation.deadline().isAfter(Instant.now()));
            assertEquals("$LATEST", invocation.message().getVersion());
            return InvocationOutput.succeeded(null);
        });
    }

    @Test
    void aCheckpointIsRecordedAndRemembered() throws Throwable {
        TestResult<String> result = run(new RunnerOptions(), invocation -> {
            var response = invocation.checkpoint(step("1", OperationAction.OPERATION_ACTION_START));
            assertEquals("1", response.getNewExecutionState().getOperations(0).getId());
            assertTrue(invocation.operation("1").isPresent());
            invocation.checkpoint(step("1", OperationAction.OPERATION_ACTION_SUCCEED));
            // A poll.
            invocation.checkpoint();
            return InvocationOutput.succeeded(String.valueOf(invocation.operations().size()));
        });
        assertEquals("2", result.getResult());
        assertEquals("SS2 SX3 IC4 XS5", result.compactHistory());
    }

    @Test
    void anSdkMayKeepTheTokenItself() throws Throwable {
        run(new RunnerOptions(), invocation -> {
            CheckpointRequest request = CheckpointRequest.newBuilder()
                    .setDurableExecutionArn(invocation.durableExecutionArn())
                    .setCheckpointToken(invocation.durable().getCheckpointToken())
                    .addUpdates(step("1", OperationAction.OPERATION_ACTION_START))
                    .setClientToken("token-1")
                    .build();
            var response = invocation.checkpoint(request);
            assertEquals(response, invocation.checkpoint(request));
            var stale = assertThrows(
                    InvalidParameterValueException.class,
                    () -> invocation.checkpoint(request.toBuilder().setClientToken("token-2").build()));
            assertTrue(stale.isStaleCheckpointToken());
            assertEquals("Invalid checkpoint token", stale.getMessage());
            // The invocation goes on.
            var state = invocation.getExecutionState(GetExecutionStateRequest.newBuilder()
                    .setDurableExecutionArn(invocation.durableExecutionArn())
                    .setCheckpointToken(response.getCheckpointToken())
                    .build());
            assertEquals(2, state.getOperationsCount());
            return InvocationOutput.succeeded(null);
        });
    }

    @Test
    void anSdkMayCheckpointByUnaryCalls() {
        var client = new CompletableFuture<RehearseClient>();
        try (var runner = new DurableFunctionTestRunner(invocation -> {
            CheckpointRequest request = CheckpointRequest.newBuilder()
                    .setDurableExecutionArn(invocation.durableExecutionArn())
                    .setCheckpointToken(invocation.durable().getCheckpointToken())
                    .addUpdates(step("1", OperationAction.OPERATION_ACTION_START))
                    .build();
            String token = client.get().checkpoint(request).getCheckpointToken();
            var state = client.get().getExecutionState(GetExecutionStateRequest.newBuilder()
                    .setDurableExecutionArn(invocation.durableExecutionArn())
                    .setCheckpointToken(token)
                    .build());
            return InvocationOutput.succeeded(state.getOperations(1).getId());
        })) {
            client.complete(runner.client());
            assertEquals("1", runner.run(null, LONG).getResult());
        }
    }

    @Test
    void aRefusedCheckpointChangesNothing() throws Throwable {
        TestResult<String> result = run(new RunnerOptions(), invocation -> {
            var refused = assertThrows(
                    InvalidParameterValueException.class,
                    () -> invocation.checkpoint(
                            step("1", OperationAction.OPERATION_ACTION_START),
                            step("not an id", OperationAction.OPERATION_ACTION_START)));
            assertFalse(refused.isStaleCheckpointToken());
            assertEquals(io.grpc.Status.Code.INVALID_ARGUMENT, refused.code());
            assertEquals("400", refused.metadata().get("http_status"));
            return InvocationOutput.succeeded(null);
        });
        assertEquals("IC2 XS3", result.compactHistory());
    }

    @Test
    void stateOfManyPagesIsReadWhole() throws Throwable {
        String large = "x".repeat(200_000);
        int count = 40;
        TestResult<String> result = run(new RunnerOptions(), invocation -> {
            if (invocation.operation("wait").isEmpty()) {
                for (int i = 0; i < count; i++) {
                    invocation.checkpoint(
                            step("s" + i, OperationAction.OPERATION_ACTION_START),
                            step("s" + i, OperationAction.OPERATION_ACTION_SUCCEED).toBuilder()
                                    .setPayload(large)
                                    .build());
                }
                invocation.checkpoint(startWait("wait", 60));
                return InvocationOutput.pending();
            }
            assertTrue(invocation.durable().getInitialExecutionState().getOperationsCount() < count);
            assertEquals(large, invocation.operation("s" + (count - 1)).orElseThrow().getStepDetails().getResult());
            return InvocationOutput.succeeded(String.valueOf(invocation.operations().size()));
        });
        assertEquals(String.valueOf(count + 2), result.getResult(), result::toString);
    }

    @Test
    void timeJumpsWhileAHandlerIsIdle() throws Throwable {
        TestResult<String> result = run(new RunnerOptions(), invocation -> {
            invocation.checkpoint(startWait("wait", 3600));
            Instant end = Protos.toInstant(
                    invocation.operation("wait").orElseThrow().getWaitDetails().getScheduledEndTimestamp());
            assertFalse(invocation.idle(end).isBefore(end));
            invocation.checkpoint();
            return InvocationOutput.succeeded(invocation.operation("wait").orElseThrow().getStatus().name());
        });
        assertEquals("OPERATION_STATUS_SUCCEEDED", result.getResult());
        assertEquals("WS2 WX3 IC4 XS5", result.compactHistory());
    }

    @Test
    void aCrashIsThatOfTheProcess() throws Throwable {
        AtomicBoolean crashed = new AtomicBoolean();
        TestResult<String> result = run(new RunnerOptions(), invocation -> {
            if (!crashed.getAndSet(true)) {
                invocation.crash();
                var gone = assertThrows(RehearseException.class, () -> invocation.checkpoint());
                assertEquals(io.grpc.Status.Code.UNAVAILABLE, gone.code());
                return InvocationOutput.failed(ErrorObject.getDefaultInstance());
            }
            return InvocationOutput.succeeded(null);
        });
        assertTrue(result.isSucceeded(), result::toString);
        assertEquals("Runtime.ExitError", result.getInvocations().get(0).getError().getPayload().getErrorType());
    }

    @Test
    void aStoppedExecutionAbortsItsInvocation() throws Exception {
        CompletableFuture<RehearseException> told = new CompletableFuture<>();
        CompletableFuture<RehearseException> refused = new CompletableFuture<>();
        CountDownLatch running = new CountDownLatch(1);
        try (var runner = new DurableFunctionTestRunner(invocation -> {
            assertTrue(invocation.abortReason().isEmpty());
            invocation.onAbort(told::complete);
            running.countDown();
            RehearseException reason = told.get();
            assertEquals(reason, invocation.abortReason().orElseThrow());
            // Too late, but told all the same.
            CompletableFuture<RehearseException> again = new CompletableFuture<>();
            invocation.onAbort(again::complete);
            assertEquals(reason, again.getNow(null));
            refused.complete(assertThrows(RehearseException.class, () -> invocation.checkpoint()));
            return InvocationOutput.pending();
        })) {
            String arn = runner.runAsync(null);
            running.await();
            runner.stop(arn, ErrorObject.getDefaultInstance());
            assertEquals(
                    Abort.Reason.EXECUTION_STOPPED, ((InvocationAbortedException) refused.get()).reason());
            runner.waitForResult(arn, LONG);
        }
    }

    /** What a durable SDK does that is handed a payload and the URL of the AWS API. */
    private static String checkpointOverRest(String payload, String endpointUrl) throws Exception {
        JsonObject input = JsonParser.parseString(payload).getAsJsonObject();
        JsonObject request = new JsonObject();
        request.add("CheckpointToken", input.get("CheckpointToken"));
        request.add("Updates", JsonParser.parseString("[{\"Id\": \"1\", \"Type\": \"STEP\", \"Action\": \"START\"},"
                + " {\"Id\": \"1\", \"Type\": \"STEP\", \"Action\": \"SUCCEED\", \"Payload\": \"17\"}]"));
        String arn = URLEncoder.encode(input.get("DurableExecutionArn").getAsString(), StandardCharsets.UTF_8);
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(
                                        endpointUrl + "/2025-12-01/durable-executions/" + arn + "/checkpoint"))
                                .POST(HttpRequest.BodyPublishers.ofString(request.toString()))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response::body);
        return InvocationOutput.succeeded("17");
    }

    @Test
    void anSdkMayCheckpointOverTheAwsApi() {
        var endpointUrl = new AtomicReference<String>();
        try (var runner = new DurableFunctionTestRunner(
                invocation -> checkpointOverRest(invocation.payload(), endpointUrl.get()))) {
            endpointUrl.set(runner.endpointUrl());
            TestResult<String> result = runner.run(null, LONG);
            assertEquals("17", result.getResult());
            assertEquals("SS2 SX3 IC4 XS5", result.compactHistory());
        }
    }

    @Test
    void aPlainFunctionGetsThePayload() {
        try (var runner = new DurableFunctionTestRunner(invocation -> InvocationOutput.pending())
                .registerFunction("plain", invocation -> {
                    assertFalse(invocation.isDurable());
                    return invocation.payload() + " back";
                })) {
            var request = rehearse.v1.InvokeFunctionRequest.newBuilder()
                    .setSession(runner.session())
                    .setFunctionName("plain")
                    .setPayload(ByteString.copyFromUtf8("größe"));
            assertEquals("größe back", runner.client().invokeFunction(request.build()).getPayload().toStringUtf8());
        }
    }
}
