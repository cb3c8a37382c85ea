package rehearse.testing;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.reflect.TypeToken;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import rehearse.CallbackTimeoutException;
import rehearse.DurableExecutionAlreadyStartedException;
import rehearse.InvalidParameterValueException;
import rehearse.RehearseException;
import rehearse.RehearseServer;
import rehearse.ResourceConflictException;
import rehearse.ResourceNotFoundException;
import rehearse.WaitTimedOutException;
import rehearse.v1.GetSessionRequest;
import rehearse.worker.Invocation;
import rehearse.worker.InvocationOutput;

class DurableFunctionTestRunnerTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final Duration SHORT = Duration.ofMillis(50);

    @Test
    void runsToTheEndAndSkipsTime() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet)) {
            TestResult<String> result = runner.run("Ada", LONG);
            assertEquals("\"Hello, Ada\"", result.getResult(), result::toString);
            assertEquals("Hello, Ada", result.getResult(String.class));
            assertEquals("SS2 SX3 WS4 IC5 WX6 CS7 SS8 SX9 CX10 IC11 XS12", result.compactHistory());
            assertEquals(2, result.getInvocationCount());
        }
    }

    @Test
    void viewsAreFoundByNameIndexAndId() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet)) {
            TestResult<String> result = runner.run("Ada", LONG);
            assertEquals(
                    List.of("look_up", "pause", "polish", "shout"),
                    result.getOperations().stream().map(TestOperation::getName).toList());
            assertEquals("pause", result.getOperationByIndex(1).getName());
            assertNull(result.getOperationByIndex(4));
            assertEquals("shout", result.getOperationById("shout").getId());
            assertNull(result.getOperationById("none"));
            assertEquals("look_up", result.getOperation("look_up", 0).getName());
            assertNull(result.getOperation("look_up", 1));
            assertNull(result.getOperation("none"));
            assertEquals(
                    List.of("look_up", "pause", "polish"),
                    result.getChildOperations().stream().map(TestOperation::getName).toList());
            assertEquals(result.getOperations().toString(), result.getSucceededOperations().toString());
            assertEquals(List.of(), result.getFailedOperations());
            assertEquals(2, result.getEventsForOperation("pause").size());
            assertEquals(List.of(), result.getEventsForOperation("none"));
        }
    }

    @Test
    void whatIsBelowIsFoundByTypeAndName() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet)) {
            TestResult<String> result = runner.run("Ada", LONG);
            assertEquals("Hello", result.getStep("look_up").getStepResult(String.class));
            assertEquals("pause", result.getWait("pause").getId());
            assertEquals("true", result.getContext("polish").getStep("shout").getResult().orElseThrow());
            var thrown = assertThrows(NoSuchElementException.class, () -> result.getStep("shout"));
            assertEquals(
                    "there is no STEP \"shout\" here, but: [STEP \"look_up\" SUCCEEDED, result \"Hello\","
                            + " WAIT \"pause\" SUCCEEDED, CONTEXT \"polish\" SUCCEEDED]",
                    thrown.getMessage());
        }
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            String id = runner.waitForCallback(arn, "approval", LONG);
            assertEquals(id, runner.getResult(arn).getCallback("approval").getCallbackId().orElseThrow());
        }
        try (var runner = new DurableFunctionTestRunner(Functions::delegate)) {
            assertEquals(OperationStatus.FAILED, runner.run("missing", LONG).getInvoke("call").getStatus());
        }
    }

    @Test
    void operationsShowWhatWasRecorded() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet)) {
            TestResult<String> result = runner.run("Ada", LONG);
            TestOperation step = result.getOperation("look_up");
            assertEquals(OperationType.STEP, step.getType());
            assertEquals(OperationStatus.SUCCEEDED, step.getStatus());
            assertEquals("Hello", step.getStepResult(String.class));
            assertEquals(1, step.getAttempt());
            assertEquals(Optional.empty(), step.getError());
            assertEquals(Optional.empty(), step.getCallbackId());
            assertEquals("STEP \"look_up\" SUCCEEDED, result \"Hello\"", step.toString());
            assertThrows(IllegalStateException.class, () -> step.getStepResult(Integer.class));

            TestOperation wait = result.getOperation("pause");
            assertTrue(wait.isCompleted());
            assertEquals(1, wait.getDuration().orElseThrow().toHours());
            assertEquals(
                    wait.getEndTimestamp().orElseThrow().getEpochSecond(),
                    wait.getWaitDetails().getScheduledEndTimestamp().getSeconds());
            assertEquals(2, wait.getEvents().size());

            TestOperation shout = result.getOperation("polish").getChildOperations().get(0);
            assertEquals("shout", shout.getName());
            assertEquals(Optional.of("polish"), shout.getParentId());
            assertEquals(Optional.empty(), wait.getParentId());
            assertEquals("", shout.getSubtype());
            assertEquals(OperationType.CONTEXT, OperationType.of(result.getOperation("polish").toProto().getType()));
        }
    }

    @Test
    void resultsOutliveTheRunner() {
        TestResult<String> result;
        try (var runner = new DurableFunctionTestRunner(invocation -> InvocationOutput.succeeded("[1, 2]"))) {
            result = runner.run(Map.of("id", 17), LONG);
        }
        List<Integer> list = result.getResult(new TypeToken<List<Integer>>() {}.getType());
        assertEquals(List.of(1, 2), list);
        var start = result.getHistoryEvents().get(0).getExecutionStartedDetails();
        assertEquals("{\"id\":17}", start.getInput().getPayload());
        assertTrue(result.getEndTimestamp().orElseThrow().compareTo(result.getStartTimestamp()) >= 0);
        assertEquals(1, result.getInvocations().size());
        assertFalse(result.getInvocations().get(0).hasError());
    }

    @Test
    void aFailedRunIsAResult() {
        try (var runner = new DurableFunctionTestRunner(
                invocation -> InvocationOutput.failed(Functions.error("Declined", "the bank said no")))) {
            TestResult<String> result = runner.run(null, LONG);
            assertEquals(ExecutionStatus.FAILED, result.getStatus());
            assertTrue(result.isFailed());
            assertFalse(result.isSucceeded());
            assertEquals("Declined", result.getError().orElseThrow().getErrorType());
            var thrown = assertThrows(IllegalStateException.class, result::getResult);
            assertTrue(thrown.getMessage().contains("FAILED, error Declined: the bank said no"), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("ExecutionFailed"), thrown.getMessage());
        }
    }

    @Test
    void aHandlerThatThrowsFailsItsInvocation() {
        var options = new RunnerOptions().failurePolicy("python-testing");
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    throw new IllegalArgumentException("no such order");
                },
                options)) {
            TestResult<String> result = runner.run(17, LONG);
            assertEquals(ExecutionStatus.FAILED, result.getStatus(), result::toString);
            var error = result.getInvocations().get(0).getError().getPayload();
            assertEquals("java.lang.IllegalArgumentException", error.getErrorType());
            assertEquals("no such order", error.getErrorMessage());
            assertTrue(error.getStackTrace(0).startsWith("rehearse.testing.DurableFunctionTestRunnerTest"));
        }
    }

    @Test
    void aCallbackIsHandedOutAfterItsInvocationHasEnded() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync("order-17");
            String id = runner.waitForCallback(arn, "approval", LONG);
            assertEquals("BS2 IC3", HistoryPrinter.compactHistory(runner.getExecutionHistory(arn)));
            assertEquals(id, runner.waitForCallback(arn, null, LONG));
            assertEquals(Optional.of(id), runner.getResult(arn).getOperation("approval").getCallbackId());
            runner.sendCallbackHeartbeat(id);
            runner.sendCallbackSuccess(id, "{\"approved\": true}");
            assertEquals("{\"approved\": true}", runner.waitForResult(arn, LONG).getResult());
            assertThrows(CallbackTimeoutException.class, () -> runner.sendCallbackSuccess(id, null));
        }
    }

    private static final class Approval {
        static String handle(Invocation invocation) {
            return Functions.approve(invocation);
        }
    }

    /** The README shows this. */
    @Test
    void anApprovalIsGiven() {
        try (DurableFunctionTestRunner runner = new DurableFunctionTestRunner(Approval::handle)) {
            String arn = runner.runAsync("order-17");
            String id = runner.waitForCallback(arn, "approval", Duration.ofSeconds(10));
            runner.sendCallbackSuccess(id, "{\"approved\": true}");
            TestResult<String> result = runner.waitForResult(arn, Duration.ofSeconds(10));
            assertTrue(result.isSucceeded(), result::toString);
        }
    }

    @Test
    void theCallbackOfAnSdksWaitForCallbackHasItsName() {
        try (var runner = new DurableFunctionTestRunner(invocation -> {
            if (invocation.operation("inner").isEmpty()) {
                invocation.checkpoint(
                        Functions.startCallback("inner", rehearse.v1.CallbackOptions.getDefaultInstance()).toBuilder()
                                .setName("approval-callback")
                                .build());
            }
            return InvocationOutput.pending();
        })) {
            String arn = runner.runAsync(null);
            assertEquals(
                    runner.waitForCallback(arn, "approval-callback", LONG),
                    runner.waitForCallback(arn, "approval", LONG));
        }
    }

    @Test
    void aCallbackCanFail() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.sendCallbackFailure(
                    runner.waitForCallback(arn, "approval", LONG), Functions.error("Declined", "no"));
            TestResult<String> result = runner.waitForResult(arn, LONG);
            assertEquals("Declined", result.getError().orElseThrow().getErrorType());
            assertEquals("Declined", result.getOperation("approval").getError().orElseThrow().getErrorType());
            assertEquals(List.of("approval"), result.getFailedOperations().stream().map(TestOperation::getId).toList());
        }
    }

    @Test
    void aCallbackWithoutAResultHasNone() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.sendCallbackSuccess(runner.waitForCallback(arn, null, LONG), null);
            assertEquals(Optional.empty(), runner.waitForResult(arn, LONG).getOperation("approval").getResult());
        }
    }

    @Test
    void aTimeOutShowsHistoryAndWhatTheRunWaitsFor() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.waitForCallback(arn, "approval", LONG);
            var thrown = assertThrows(WaitTimedOutException.class, () -> runner.waitForResult(arn, SHORT));
            assertTrue(thrown.getMessage().contains("callback \"approval\""), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("CallbackStarted"), thrown.getMessage());
            TestResult<String> result = runner.getResult(arn);
            assertEquals(ExecutionStatus.PENDING, result.getStatus());
            assertFalse(result.isFailed());
            assertEquals(Optional.empty(), result.getEndTimestamp());
            assertEquals("approval", result.getWaitingFor().get(0).getName());
            assertTrue(result.toString().contains("waiting for callback \"approval\""), result::toString);
        }
    }

    @Test
    void deadlinesPassWhenTimeIsMoved() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.waitForCallback(arn, "approval", LONG);
            runner.advanceTime(Duration.ofHours(3));
            TestResult<String> result = runner.waitForResult(arn, LONG);
            assertEquals(OperationStatus.TIMED_OUT, result.getOperation("approval").getStatus(), result::toString);
        }
    }

    @Test
    void deadlinesPassInSkippedTimeWhenAskedFor() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve, new RunnerOptions().skipDeadlines(true))) {
            TestResult<String> result = runner.run(null, LONG);
            assertEquals(OperationStatus.TIMED_OUT, result.getOperation("approval").getStatus(), result::toString);
        }
    }

    @Test
    void manualTimeMovesTimerByTimer() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet, new RunnerOptions().manualTime(true))) {
            String arn = runner.runAsync("Ada");
            TestOperation wait = runner.waitForOperation(arn, "pause", Set.of(), LONG);
            assertEquals(OperationStatus.STARTED, wait.getStatus());
            assertEquals(Optional.empty(), wait.getDuration());
            assertEquals(1, runner.advanceToNextTimer());
            assertTrue(runner.waitForResult(arn, LONG).isSucceeded());
            assertEquals(0, runner.advanceToNextTimer());
        }
    }

    @Test
    void realTimePassesByItself() {
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    if (invocation.operation("pause").isEmpty()) {
                        invocation.checkpoint(Functions.startWait("pause", 1));
                        return InvocationOutput.pending();
                    }
                    return InvocationOutput.succeeded(null);
                },
                new RunnerOptions().skipTime(false))) {
            TestResult<String> result = runner.run(null, LONG);
            assertNull(result.getResult());
            assertNull(result.getResult(String.class));
        }
    }

    @Test
    void waitsForAnOperationInAStatus() {
        try (var runner = new DurableFunctionTestRunner(Functions::retry)) {
            String arn = runner.runAsync(null);
            TestOperation step = runner.waitForOperation(arn, "flaky", Set.of(OperationStatus.SUCCEEDED), LONG);
            assertEquals(2, step.getAttempt());
            var thrown = assertThrows(
                    RehearseException.class, () -> runner.waitForOperation(arn, "none", Set.of(), LONG));
            assertEquals(io.grpc.Status.Code.FAILED_PRECONDITION, thrown.code());
        }
    }

    @Test
    void watchShowsEveryEventUntilTheEnd() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet)) {
            String arn = runner.runAsync("Ada");
            List<rehearse.v1.Event> events = new ArrayList<>();
            runner.watch(arn, events::add, LONG);
            assertEquals(runner.getExecutionHistory(arn), events);
            List<rehearse.v1.Event> first = new ArrayList<>();
            runner.watch(arn, event -> !first.add(event), LONG);
            assertEquals(events.subList(0, 1), first);
        }
    }

    @Test
    void watchGivesUpAfterItsTimeout() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.waitForCallback(arn, null, LONG);
            var thrown = assertThrows(RehearseException.class, () -> runner.watch(arn, event -> true, SHORT));
            assertEquals(io.grpc.Status.Code.DEADLINE_EXCEEDED, thrown.code());
            assertTrue(thrown.getMessage().startsWith("the execution is still open after 50ms\n"), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("waiting for callback \"approval\""), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("CallbackStarted"), thrown.getMessage());
        }
    }

    @Test
    void pausesAndResumes() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            String id = runner.waitForCallback(arn, "approval", LONG);
            runner.pause(arn, LONG);
            assertEquals(ExecutionStatus.PAUSED, runner.getResult(arn).getStatus());
            assertThrows(ResourceConflictException.class, () -> runner.pause(arn, LONG));
            runner.sendCallbackSuccess(id, "1");
            assertEquals(1, runner.getInvocationCount(arn));
            runner.resume(arn);
            assertEquals("1", runner.waitForResult(arn, LONG).getResult());
        }
    }

    @Test
    void aStoppedRunIsStopped() {
        try (var runner = new DurableFunctionTestRunner(Functions::approve)) {
            String arn = runner.runAsync(null);
            runner.waitForCallback(arn, "approval", LONG);
            runner.stop(arn, Functions.error("Operator", "enough"));
            TestResult<String> result = runner.waitForResult(arn, LONG);
            assertEquals(ExecutionStatus.STOPPED, result.getStatus());
            assertEquals("enough", result.getError().orElseThrow().getErrorMessage());
        }
    }

    @Test
    void chainedInvokesReachRegisteredFunctions() {
        try (var runner = new DurableFunctionTestRunner(Functions::delegate)
                .registerFunction("plain", invocation -> "\"plain \" + " + invocation.payload())
                .registerDurableFunction("durable", Functions::greet)) {
            assertEquals("\"plain \" + \"for you\"", runner.run("plain", LONG).getResult());
            TestResult<String> result = runner.run("durable", LONG);
            assertEquals("\"Hello, for you\"", result.getResult());
            String child = result.getOperation("call").getInvokedExecutionArn().orElseThrow();
            assertTrue(runner.getResult(child).isSucceeded());
        }
    }

    @Test
    void aFunctionRegisteredLateIsReached() {
        try (var runner = new DurableFunctionTestRunner(Functions::delegate)) {
            TestResult<String> missing = runner.run("late", LONG);
            assertEquals(ExecutionStatus.FAILED, missing.getStatus());
            assertEquals(Optional.empty(), missing.getOperation("call").getInvokedExecutionArn());
            runner.registerFunction("late", invocation -> "17");
            assertEquals("17", runner.run("late", LONG).getResult());
            runner.registerFunction("late", invocation -> "18");
            assertEquals("18", runner.run("late", LONG).getResult());
        }
    }

    @Test
    void anInvokedExecutionCanTimeOut() {
        try (var runner = new DurableFunctionTestRunner(Functions::delegate, new RunnerOptions().skipDeadlines(true))
                .registerDurableFunction("slow", invocation -> {
                    if (invocation.operation("unanswered").isEmpty()) {
                        invocation.checkpoint(Functions.startCallback(
                                "unanswered", rehearse.v1.CallbackOptions.getDefaultInstance()));
                    }
                    return InvocationOutput.pending();
                }, Duration.ofMillis(1))) {
            TestResult<String> result = runner.run("slow", LONG);
            assertEquals(OperationStatus.TIMED_OUT, result.getOperation("call").getStatus(), result::toString);
        }
    }

    @Test
    void anExecutionTimesOut() {
        var options = new RunnerOptions().executionTimeout(Duration.ofHours(1)).skipDeadlines(true);
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    if (invocation.operation("pause").isEmpty()) {
                        invocation.checkpoint(Functions.startWait("pause", 7200));
                    }
                    return InvocationOutput.pending();
                },
                options)) {
            assertEquals(ExecutionStatus.TIMED_OUT, runner.run(null, LONG).getStatus());
        }
    }

    @Test
    void anInvocationTimesOut() throws InterruptedException {
        var aborted = new CountDownLatch(1);
        var options = new RunnerOptions().invocationTimeout(Duration.ofSeconds(1)).failurePolicy("python-testing");
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    invocation.onAbort(reason -> aborted.countDown());
                    aborted.await();
                    return InvocationOutput.pending();
                },
                options)) {
            TestResult<String> result = runner.run(null, LONG);
            assertEquals(ExecutionStatus.FAILED, result.getStatus(), result::toString);
            aborted.await();
        }
    }

    @Test
    void invocationsAreSteppedWhenAskedFor() {
        try (var runner = new DurableFunctionTestRunner(Functions::greet, new RunnerOptions().stepped(true))) {
            String arn = runner.runAsync("Ada");
            assertEquals(0, runner.getInvocationCount(arn));
            assertTrue(runner.invokeNext(arn, LONG));
            assertEquals(1, runner.getInvocationCount(arn));
            assertTrue(runner.invokeNext(arn, LONG));
            assertTrue(runner.getResult(arn).isSucceeded());
            assertFalse(runner.invokeNext(arn, LONG));
        }
    }

    @Test
    void anExecutionNameIsJoinedOrRefused() {
        var options = new RunnerOptions().executionName("order-17").functionName("orders");
        try (var runner = new DurableFunctionTestRunner(Functions::approve, options)) {
            String arn = runner.runAsync(1);
            assertTrue(arn.contains(":function:orders:$LATEST/durable-execution/order-17/"), arn);
            assertEquals(arn, runner.runAsync(1));
            assertThrows(DurableExecutionAlreadyStartedException.class, () -> runner.runAsync(2));
        }
    }

    @Test
    void limitsAreThoseOfTheProfile() {
        String payload = "x".repeat(300_000);
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    var thrown = assertThrows(
                            RehearseException.class,
                            () -> invocation.checkpoint(
                                    Functions.startStep("big"), Functions.succeedStep("big", payload)));
                    return InvocationOutput.succeeded(thrown.errorName());
                },
                new RunnerOptions().limitsProfile("aws-2025"))) {
            assertEquals("InvalidParameterValueException", runner.run(null, LONG).getResult());
        }
        assertThrows(InvalidParameterValueException.class, () -> {
            try (var runner =
                    new DurableFunctionTestRunner(Functions::greet, new RunnerOptions().limitsProfile("none"))) {
                runner.session();
            }
        });
    }

    @Test
    void asManyInvocationsRunAtOnceAsAskedFor() {
        var together = new CountDownLatch(3);
        try (var runner = new DurableFunctionTestRunner(
                invocation -> {
                    together.countDown();
                    together.await();
                    return InvocationOutput.succeeded(null);
                },
                new RunnerOptions().concurrency(3))) {
            List<String> arns = List.of(runner.runAsync(1), runner.runAsync(2), runner.runAsync(3));
            arns.forEach(arn -> assertTrue(runner.waitForResult(arn, LONG).isSucceeded()));
        }
    }

    @Test
    void runnersNeverSeeEachOther() {
        try (var one = new DurableFunctionTestRunner(Functions::approve);
                var other = new DurableFunctionTestRunner(Functions::approve)) {
            assertNotEquals(one.session(), other.session());
            String arn = one.runAsync(null);
            String id = one.waitForCallback(arn, null, LONG);
            assertThrows(ResourceNotFoundException.class, () -> other.getResult(arn));
            assertThrows(ResourceNotFoundException.class, () -> other.stop(arn, Functions.error("", "")));
            assertThrows(RehearseException.class, () -> other.sendCallbackSuccess(id, "1"));
            other.advanceTime(Duration.ofDays(30));
            assertEquals(ExecutionStatus.PENDING, one.getResult(arn).getStatus());
        }
    }

    @Test
    void closingEndsSessionAndHandlers() throws InterruptedException {
        var running = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var runner = new DurableFunctionTestRunner(invocation -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            return InvocationOutput.pending();
        });
        runner.runAsync(null);
        running.await();
        var client = runner.client();
        var session = GetSessionRequest.newBuilder().setName(runner.session()).build();
        assertDoesNotThrow(() -> client.getSession(session));
        runner.close();
        interrupted.await();
        assertThrows(ResourceNotFoundException.class, () -> client.getSession(session));
        runner.close();
        assertThrows(IllegalStateException.class, () -> runner.runAsync(null));
    }

    @Test
    void aServiceThatIsNamedIsUsed() {
        RehearseServer server = RehearseServer.start("--time=real");
        try (var runner = new DurableFunctionTestRunner(
                Functions::greet, new RunnerOptions().service(server.grpcAddress()))) {
            assertTrue(runner.run("Ada", LONG).isSucceeded());
            server.stop();
            var thrown = assertThrows(RehearseException.class, () -> runner.runAsync("Ada"));
            assertEquals(io.grpc.Status.Code.UNAVAILABLE, thrown.code());
            assertTrue(thrown.getMessage().startsWith("the service cannot be reached: "), thrown.getMessage());
        }
    }
}
