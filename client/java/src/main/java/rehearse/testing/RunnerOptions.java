package rehearse.testing;

import java.time.Duration;

/**
 * How a runner runs functions.
 *
 * <pre>{@code
 * new DurableFunctionTestRunner(handler, new RunnerOptions().skipDeadlines(true).concurrency(8));
 * }</pre>
 */
public final class RunnerOptions implements Cloneable {
    String service = "";
    boolean skipTime = true;
    boolean skipDeadlines;
    boolean manualTime;
    boolean stepped;
    Duration executionTimeout = Duration.ZERO;
    Duration invocationTimeout = Duration.ofSeconds(900);
    String functionName = "test-function";
    String executionName = "";
    int concurrency = 4;
    String limitsProfile = "";
    String failurePolicy = "";

    /** {@code host:port} of a running service. Default: {@link rehearse.RehearseServer#address}. */
    public RunnerOptions service(String address) {
        service = address;
        return this;
    }

    /** True: waits, retries and back-offs take no time. False: the wall clock. Default: true. */
    public RunnerOptions skipTime(boolean skip) {
        skipTime = skip;
        return this;
    }

    /**
     * True: callback, heartbeat and execution deadlines are skipped, too, when nothing else is left.
     * Default: false.
     */
    public RunnerOptions skipDeadlines(boolean skip) {
        skipDeadlines = skip;
        return this;
    }

    /** True: time stands still until advanceTime moves it; skipTime is of no account then. Default: false. */
    public RunnerOptions manualTime(boolean manual) {
        manualTime = manual;
        return this;
    }

    /** True: an invocation starts only when invokeNext asks for it. Default: false. */
    public RunnerOptions stepped(boolean byStep) {
        stepped = byStep;
        return this;
    }

    /**
     * On the execution's clock, rounded up to seconds; zero: none. Default: none, so that a test may move
     * time as far as it likes.
     */
    public RunnerOptions executionTimeout(Duration timeout) {
        executionTimeout = timeout;
        return this;
    }

    /** One invocation of any function, on the wall clock, rounded up to seconds. Default: 900 s. */
    public RunnerOptions invocationTimeout(Duration timeout) {
        invocationTimeout = timeout;
        return this;
    }

    /** Default: {@code test-function}. */
    public RunnerOptions functionName(String name) {
        functionName = name;
        return this;
    }

    /**
     * Default: empty, each run gets a name of its own. A name that is in use starts nothing new: the run with
     * the same input is joined, another input is a DurableExecutionAlreadyStartedException.
     */
    public RunnerOptions executionName(String name) {
        executionName = name;
        return this;
    }

    /**
     * Invocations that may run at the same time; functions registered after the first run have as many
     * again. Default: 4.
     */
    public RunnerOptions concurrency(int invocations) {
        concurrency = invocations;
        return this;
    }

    /** Limits on sizes and counts: {@code aws} or {@code aws-2025}. Default: the service's own choice. */
    public RunnerOptions limitsProfile(String profile) {
        limitsProfile = profile;
        return this;
    }

    /**
     * What happens after a failed invocation: {@code aws} or {@code python-testing}. Default: the service's
     * own choice.
     */
    public RunnerOptions failurePolicy(String policy) {
        failurePolicy = policy;
        return this;
    }

    RunnerOptions copy() {
        try {
            return (RunnerOptions) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
