/**
 * Hosting functions: a {@link rehearse.worker.Worker} runs an {@link rehearse.worker.InvocationHandler} for each
 * {@link rehearse.worker.Invocation}.
 *
 * <pre>{@code
 * InvocationHandler handler = invocation -> InvocationOutput.succeeded("17");
 * }</pre>
 */
package rehearse.worker;
