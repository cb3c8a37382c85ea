package rehearse.worker;

import com.google.gson.JsonObject;
import rehearse.v1.ErrorObject;

/**
 * What a durable function answers at the end of an invocation, as JSON of AWS.
 *
 * <pre>{@code
 * return InvocationOutput.pending();   // {"Status":"PENDING"}
 * }</pre>
 */
public final class InvocationOutput {
    private InvocationOutput() {}

    /** The execution goes on when something that was recorded has changed. */
    public static String pending() {
        return output("PENDING").toString();
    }

    /** The execution is over. {@code result}: its result as text, JSON by custom; null for none. */
    public static String succeeded(String result) {
        JsonObject output = output("SUCCEEDED");
        if (result != null) {
            output.addProperty("Result", result);
        }
        return output.toString();
    }

    /** The execution is over, and has failed. */
    public static String failed(ErrorObject error) {
        JsonObject output = output("FAILED");
        output.add("Error", AwsJson.write(error));
        return output.toString();
    }

    private static JsonObject output(String status) {
        JsonObject output = new JsonObject();
        output.addProperty("Status", status);
        return output;
    }
}
