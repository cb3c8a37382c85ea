/**
 * Durable functions in tests: {@link rehearse.testing.DurableFunctionTestRunner} runs one to its end,
 * {@link rehearse.testing.LocalDurableTestRunner} invocation by invocation.
 *
 * <pre>{@code
 * TestResult<String> result = runner.run("input", Duration.ofSeconds(10));
 * assertTrue(result.isSucceeded(), result::toString);
 * }</pre>
 */
package rehearse.testing;
