package rehearse.worker;

/**
 * A function as Lambda runs it: a payload in, a payload out.
 *
 * <pre>{@code
 * InvocationHandler greet = invocation -> "{\"greeted\": " + invocation.payload() + "}";
 * }</pre>
 *
 * <p>A durable function is invoked again after every suspension; it answers with an
 * {@link InvocationOutput}. A durable SDK plugs in here: hand it {@link Invocation#payload()}, which is
 * what it would get from Lambda, and a client that calls {@link Invocation#checkpoint} and
 * {@link Invocation#getExecutionState}.
 */
@FunctionalInterface
public interface InvocationHandler {
    /**
     * Runs one invocation and returns its answer, as text of JSON. Whatever it throws is what the runtime
     * reports: the invocation has failed, with the exception's class, message and stack trace.
     */
    String handle(Invocation invocation) throws Exception;
}
