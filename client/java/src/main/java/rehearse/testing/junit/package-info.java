/**
 * JUnit 5: {@link rehearse.testing.junit.DurableRunnerExtension} gives every test a runner.
 *
 * <pre>{@code
 * @RegisterExtension
 * static final DurableRunnerExtension durable = new DurableRunnerExtension(Orders::handle);
 * }</pre>
 */
package rehearse.testing.junit;
