package rehearse.testing.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import rehearse.testing.DurableFunctionTestRunner;
import rehearse.worker.InvocationOutput;

class DurableRunnerExtensionTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final int AT_ONCE = 4;
    private static final Set<String> SESSIONS = ConcurrentHashMap.newKeySet();
    private static final Map<String, DurableFunctionTestRunner> SAMPLE_RUNNERS = new ConcurrentHashMap<>();

    @RegisterExtension
    final DurableRunnerExtension durable =
            new DurableRunnerExtension(invocation -> InvocationOutput.succeeded("\"done\""));

    @RepeatedTest(AT_ONCE)
    void everyTestHasARunnerOfItsOwn(DurableFunctionTestRunner runner) {
        assertEquals("\"done\"", runner.run(null, LONG).getResult());
        assertTrue(SESSIONS.add(runner.session()));
    }

    @Test
    void aFailureShowsTheHistoryAndClosesTheRunner() {
        Map<String, TestExecutionResult> results = run(Sample.class);
        Throwable failure = results.get("fails(DurableFunctionTestRunner)").getThrowable().orElseThrow();
        assertEquals("as expected", failure.getMessage());
        String recorded = failure.getSuppressed()[0].getMessage();
        assertTrue(recorded.contains("SUCCEEDED, result \"sample\""), recorded);
        assertTrue(recorded.contains("ExecutionStarted"), recorded);
        assertThrows(IllegalStateException.class, () -> SAMPLE_RUNNERS.get("fails").session());
    }

    @Test
    void aFailureWithoutAnExecutionIsLeftAlone() {
        TestExecutionResult result = run(Sample.class).get("failsAtOnce(DurableFunctionTestRunner)");
        Throwable failure = result.getThrowable().orElseThrow();
        assertEquals(0, failure.getSuppressed().length);
    }

    @Test
    void testsRunAtTheSameTime() {
        Map<String, TestExecutionResult> results = run(ParallelSample.class);
        assertEquals(3, results.size());
        results.values().forEach(result -> assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus()));
    }

    private static Map<String, TestExecutionResult> run(Class<?> sample) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(sample))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
                .configurationParameter("junit.jupiter.execution.parallel.mode.default", "concurrent")
                .configurationParameter("junit.jupiter.execution.parallel.config.strategy", "fixed")
                .configurationParameter("junit.jupiter.execution.parallel.config.fixed.parallelism", "3")
                .build();
        Map<String, TestExecutionResult> results = new ConcurrentHashMap<>();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    results.put(test.getDisplayName(), result);
                }
            }
        });
        return results;
    }

    @Tag("sample")
    static class Sample {
        @RegisterExtension
        static final DurableRunnerExtension durable =
                new DurableRunnerExtension(invocation -> InvocationOutput.succeeded("\"sample\""));

        @Test
        void fails(DurableFunctionTestRunner runner) {
            SAMPLE_RUNNERS.put("fails", runner);
            runner.run(null, LONG);
            fail("as expected");
        }

        @Test
        void failsAtOnce(DurableFunctionTestRunner runner) {
            fail("as expected");
        }
    }

    @Tag("sample")
    static class ParallelSample {
        private static final CyclicBarrier TOGETHER = new CyclicBarrier(3);

        @RegisterExtension
        static final DurableRunnerExtension durable = new DurableRunnerExtension(invocation -> {
            // Ends only when the handlers of all three tests are here.
            TOGETHER.await(1, TimeUnit.MINUTES);
            return InvocationOutput.succeeded(null);
        });

        @Test
        void one(DurableFunctionTestRunner runner) {
            assertTrue(runner.run(1, LONG).isSucceeded());
        }

        @Test
        void two(DurableFunctionTestRunner runner) {
            assertTrue(runner.run(2, LONG).isSucceeded());
        }

        @Test
        void three(DurableFunctionTestRunner runner) {
            assertTrue(runner.run(3, LONG).isSucceeded());
        }
    }
}
