package rehearse.testing.junit;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import rehearse.RehearseException;
import rehearse.testing.DurableFunctionTestRunner;
import rehearse.testing.RunnerOptions;
import rehearse.worker.InvocationHandler;

/**
 * Gives every test of a JUnit 5 class a runner of its own, as a parameter.
 *
 * <pre>{@code
 * class OrdersTest {
 *   @RegisterExtension
 *   static final DurableRunnerExtension durable = new DurableRunnerExtension(Orders::handle);
 *
 *   @Test
 *   void ships(DurableFunctionTestRunner runner) {
 *     TestResult<String> result = runner.run(new Order(17), Duration.ofSeconds(10));
 *     assertTrue(result.isSucceeded());
 *   }
 * }
 * }</pre>
 *
 * <p>The runner is closed after the test. When a test fails, what its executions recorded is shown as a
 * suppressed exception of the failure. Tests may run at the same time.
 */
public final class DurableRunnerExtension
        implements BeforeEachCallback, AfterEachCallback, ParameterResolver, TestExecutionExceptionHandler {
    private static final Namespace NAMESPACE = Namespace.create(DurableRunnerExtension.class);

    private final InvocationHandler handler;
    private final RunnerOptions options;

    public DurableRunnerExtension(InvocationHandler handler) {
        this(handler, new RunnerOptions());
    }

    public DurableRunnerExtension(InvocationHandler handler, RunnerOptions options) {
        this.handler = handler;
        this.options = options;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put(this, new DurableFunctionTestRunner(handler, options));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        runnerOf(context).close();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == DurableFunctionTestRunner.class;
    }

    @Override
    public DurableFunctionTestRunner resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return runnerOf(context);
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        String executions = describe(runnerOf(context));
        if (!executions.isEmpty()) {
            failure.addSuppressed(new RecordedExecutions(executions));
        }
        throw failure;
    }

    private static String describe(DurableFunctionTestRunner runner) {
        try {
            return runner.describeExecutions();
        } catch (IllegalStateException | RehearseException e) {
            return "what the executions recorded cannot be read: " + e.getMessage();
        }
    }

    private DurableFunctionTestRunner runnerOf(ExtensionContext context) {
        return context.getStore(NAMESPACE).get(this, DurableFunctionTestRunner.class);
    }

    /** Not a failure of its own: text for whoever reads that of the test. */
    private static final class RecordedExecutions extends Exception {
        private static final long serialVersionUID = 1;

        RecordedExecutions(String text) {
            super(text, null, false, false);
        }
    }
}
