package rehearse.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import rehearse.v1.CallbackOptions;
import rehearse.worker.InvocationOutput;

class LocalDurableTestRunnerTest {
    @Test
    void runIsOneInvocation() {
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::greet)) {
            assertNull(runner.getOperation("look_up"));
            assertNull(runner.getDurableExecutionArn());
            TestResult<String> first = runner.run("Ada");
            assertEquals(ExecutionStatus.PENDING, first.getStatus());
            assertEquals("SS2 SX3 WS4 IC5", first.compactHistory());
            assertEquals(first.getDurableExecutionArn(), runner.getDurableExecutionArn());
            // Nothing is due.
            assertEquals("SS2 SX3 WS4 IC5", runner.run("Ada").compactHistory());
            runner.advanceTime();
            assertEquals(OperationStatus.SUCCEEDED, runner.getOperation("pause").getStatus());
            assertNull(runner.getOperation("polish"));
            assertEquals("\"Hello, Ada\"", runner.run("Ada").getResult());
            assertTrue(runner.run("Ada").isSucceeded());
        }
    }

    @Test
    void runUntilCompleteMovesTime() {
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::greet).withOutputType(String.class)) {
            TestResult<String> result = runner.runUntilComplete("Ada");
            assertEquals("Hello, Ada", result.getResult());
            assertEquals(2, result.getInvocationCount());
        }
    }

    @Test
    void retriesBecomeReadyWhenTimeIsMoved() {
        try (var runner = LocalDurableTestRunner.create(Object.class, Functions::retry).withOutputType(Integer.class)) {
            runner.run(null);
            assertEquals(OperationStatus.PENDING, runner.getOperation("flaky").getStatus());
            runner.advanceTime();
            assertEquals(OperationStatus.READY, runner.getOperation("flaky").getStatus());
            assertEquals(2, runner.run(null).getResult());
        }
    }

    @Test
    void callbacksAreCompletedByTheTest() {
        try (var runner = LocalDurableTestRunner.create(Object.class, Functions::approve)) {
            assertEquals(ExecutionStatus.PENDING, runner.runUntilComplete(null).getStatus());
            assertNull(runner.getCallbackId("other"));
            String id = runner.getCallbackId("approval");
            runner.completeCallback(id, "\"yes\"");
            assertThrows(IllegalStateException.class, () -> runner.completeCallback(id, "\"again\""));
            assertThrows(
                    IllegalStateException.class, () -> runner.failCallback("none", Functions.error("Declined", "no")));
            assertEquals("\"yes\"", runner.runUntilComplete(null).getResult());
        }
    }

    @Test
    void callbacksAreFailedByTheTest() {
        try (var runner = LocalDurableTestRunner.create(Object.class, Functions::approve)) {
            runner.run(null);
            runner.failCallback(runner.getCallbackId("approval"), Functions.error("Declined", "no"));
            TestResult<String> result = runner.runUntilComplete(null);
            assertEquals(ExecutionStatus.FAILED, result.getStatus());
            assertEquals("Declined", result.getError().orElseThrow().getErrorType());
        }
    }

    @Test
    void theCallbackOfAnSdksWaitForCallbackHasItsName() {
        try (var runner = LocalDurableTestRunner.create(Object.class, invocation -> {
            invocation.checkpoint(Functions.startCallback("approval-callback", CallbackOptions.getDefaultInstance()));
            return InvocationOutput.pending();
        })) {
            runner.run(null);
            TestOperation callback = runner.getOperation("approval-callback");
            assertEquals(callback.getCallbackId().orElseThrow(), runner.getCallbackId("approval"));
        }
    }

    @Test
    void chainedFunctionsAreRunToTheirEnd() {
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)
                .registerDurableFunction("durable", Functions::greet)) {
            assertEquals("\"Hello, for you\"", runner.runUntilComplete("durable").getResult());
        }
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)
                .registerFunction("plain", invocation -> "17")) {
            assertEquals("17", runner.runUntilComplete("plain").getResult());
        }
    }

    @Test
    void chainedInvokesAreAnsweredByTheTest() {
        for (String target : List.of(
                "payments", "payments:live", "arn:aws:lambda:us-east-1:123456789012:function:payments:$LATEST")) {
            try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)) {
                assertThrows(IllegalStateException.class, () -> runner.completeChainedInvoke("call", "1"));
                assertEquals(ExecutionStatus.PENDING, runner.run(target).getStatus());
                assertEquals(OperationStatus.STARTED, runner.getOperation("call").getStatus());
                assertThrows(IllegalStateException.class, () -> runner.completeChainedInvoke("other", "1"));
                runner.completeChainedInvoke("call", "17");
                assertEquals(OperationStatus.SUCCEEDED, runner.getOperation("call").getStatus());
                assertThrows(IllegalStateException.class, () -> runner.completeChainedInvoke("call", "18"));
                TestResult<String> result = runner.run(target);
                assertEquals("17", result.getResult());
                assertEquals("IS2 IC3 IX4 IC5 XS6", result.compactHistory());
            }
        }
    }

    @Test
    void chainedInvokesAreFailedAndStoppedByTheTest() {
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)) {
            assertEquals(ExecutionStatus.PENDING, runner.runUntilComplete("payments").getStatus());
            runner.failChainedInvoke("call", Functions.error("Declined", "no"));
            TestResult<String> result = runner.runUntilComplete("payments");
            assertEquals("Declined", result.getError().orElseThrow().getErrorType());
            assertEquals(OperationStatus.FAILED, result.getInvoke("call").getStatus());
        }
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)) {
            runner.run("payments");
            runner.stopChainedInvoke("call", Functions.error("Operator", "enough"));
            assertEquals(OperationStatus.STOPPED, runner.getOperation("call").getStatus());
        }
    }

    @Test
    void anInvokeOfARegisteredFunctionIsNotAnsweredByTheTest() {
        try (var runner = LocalDurableTestRunner.create(String.class, Functions::delegate)
                .registerDurableFunction("durable", Functions::greet)) {
            runner.run("durable:live");
            assertThrows(IllegalStateException.class, () -> runner.completeChainedInvoke("call", "17"));
            assertEquals("\"Hello, for you\"", runner.runUntilComplete("durable:live").getResult());
        }
    }

    @Test
    void callbacksTimeOutWhenTheTestSaysSo() {
        try (var runner = LocalDurableTestRunner.create(Object.class, Functions::approve)) {
            assertThrows(IllegalStateException.class, () -> runner.timeoutCallback("none"));
            runner.run(null);
            runner.timeoutCallback(runner.getCallbackId("approval"));
            assertEquals(OperationStatus.TIMED_OUT, runner.getOperation("approval").getStatus());
        }
        try (var runner = LocalDurableTestRunner.create(Object.class, invocation -> {
            invocation.checkpoint(Functions.startCallback("approval", CallbackOptions.getDefaultInstance()));
            return InvocationOutput.pending();
        })) {
            runner.run(null);
            String id = runner.getCallbackId("approval");
            assertThrows(IllegalStateException.class, () -> runner.timeoutCallback(id));
        }
    }

    @Test
    void aRunThatNeverEndsIsLeftAfterAHundredInvocations() {
        try (var runner = LocalDurableTestRunner.create(Object.class, invocation -> {
            invocation.checkpoint(Functions.startWait("wait-" + invocation.operations().size(), 1));
            return InvocationOutput.pending();
        })) {
            TestResult<String> result = runner.runUntilComplete(null);
            assertEquals(ExecutionStatus.PENDING, result.getStatus());
            assertEquals(100, result.getInvocationCount());
        }
    }

    @Test
    void failedInvocationsAreTriedAgain() {
        var attempts = new AtomicInteger();
        try (var runner = LocalDurableTestRunner.create(Object.class, invocation -> {
            if (attempts.incrementAndGet() < 3) {
                throw new IllegalStateException("not yet");
            }
            return InvocationOutput.succeeded(null);
        })) {
            TestResult<String> result = runner.runUntilComplete(null);
            assertTrue(result.isSucceeded(), result::toString);
            assertEquals(List.of(true, true, false), result.getInvocations().stream().map(i -> i.hasError()).toList());
        }
    }
}
