/**
 * A running service, and its calls: {@link rehearse.RehearseServer} starts one, {@link rehearse.RehearseClient}
 * calls it. Tests begin with {@code rehearse.testing}.
 *
 * <pre>{@code
 * RehearseClient client = RehearseClient.connect(RehearseServer.address());
 * }</pre>
 */
package rehearse;
