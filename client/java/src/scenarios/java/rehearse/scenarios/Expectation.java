package rehearse.scenarios;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import rehearse.testing.HistoryPrinter;
import rehearse.testing.TestResult;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.EventError;
import rehearse.v1.EventInput;
import rehearse.v1.EventResult;
import rehearse.v1.RetryDetails;

/** How a run differs from the `expect` of a scenario. */
final class Expectation {
    private Expectation() {}

    /** Empty: it does not. */
    static String difference(JsonObject expected, TestResult<String> result) {
        if (!result.getStatus().name().equals(expected.get("status").getAsString())) {
            return "the status is " + result.getStatus();
        }
        JsonElement value = result.isSucceeded() ? valueOf(Optional.ofNullable(result.getResult())) : JsonNull.INSTANCE;
        if (!value.equals(member(expected, "result"))) {
            return "the result is " + value;
        }
        JsonObject error = result.getError().map(Expectation::describe).orElseGet(JsonObject::new);
        if (!covers(error, member(expected, "error"))) {
            return "the error is " + error;
        }
        return historyDifference(expected, result.getHistoryEvents());
    }

    private static String historyDifference(JsonObject expected, List<Event> history) {
        Map<String, String> names = new HashMap<>();
        JsonArray described = new JsonArray();
        for (Event event : history) {
            names.put(event.getId(), event.getName());
            described.add(describe(event, names.get(event.getParentId())));
        }
        List<JsonObject> actual = compared(expected, described);
        List<JsonObject> wanted = compared(expected, expected.getAsJsonArray("history"));
        for (int i = 0; i < Math.min(actual.size(), wanted.size()); i++) {
            if (!matches(wanted.get(i), actual.get(i))) {
                return "event " + (i + 1) + " is " + actual.get(i) + ", not " + wanted.get(i);
            }
        }
        return actual.size() == wanted.size()
                ? ""
                : "the history has " + actual.size() + " events, not " + wanted.size();
    }

    /** Without what is not to be compared. */
    private static List<JsonObject> compared(JsonObject expected, JsonArray events) {
        List<JsonObject> compared = new ArrayList<>();
        for (JsonElement event : events) {
            boolean invocation = event.getAsJsonObject().get("event").getAsString().equals("InvocationCompleted");
            if (!invocation || !expected.has("invocations")) {
                compared.add(event.getAsJsonObject());
            }
        }
        return compared;
    }

    private static boolean matches(JsonObject wanted, JsonObject actual) {
        for (String name : List.of("event", "name", "sub_type", "parent")) {
            JsonElement value = member(wanted, name);
            if (!value.equals(new JsonPrimitive("*")) && !value.equals(member(actual, name))) {
                return false;
            }
        }
        // An invocation that failed has to be expected.
        if (wanted.get("event").getAsString().equals("InvocationCompleted")
                && wanted.has("error") != actual.has("error")) {
            return false;
        }
        JsonObject rest = wanted.deepCopy();
        List.of("name", "sub_type", "parent", "error").forEach(rest::remove);
        return covers(actual, rest) && covers(member(actual, "error"), member(wanted, "error"));
    }

    /** Every member of `wanted` has its value in `actual`, too. */
    private static boolean covers(JsonElement actual, JsonElement wanted) {
        if (wanted.isJsonNull()) {
            return true;
        }
        JsonObject present = actual.isJsonNull() ? new JsonObject() : actual.getAsJsonObject();
        return wanted.getAsJsonObject().entrySet().stream()
                .allMatch(entry -> member(present, entry.getKey()).equals(entry.getValue()));
    }

    private static JsonElement member(JsonObject object, String name) {
        return object.has(name) ? object.get(name) : JsonNull.INSTANCE;
    }

    /** A payload as a value: JSON, or where it is none, the text. */
    private static JsonElement valueOf(Optional<String> payload) {
        if (payload.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        try {
            JsonReader reader = new JsonReader(new StringReader(payload.get()));
            reader.setStrictness(Strictness.STRICT);
            JsonElement value = JsonParser.parseReader(reader);
            return reader.peek() == JsonToken.END_DOCUMENT
                    ? value
                    : new JsonPrimitive(payload.get());
        } catch (JsonSyntaxException | IOException e) {
            return new JsonPrimitive(payload.get());
        }
    }

    private static JsonObject describe(ErrorObject error) {
        JsonObject described = new JsonObject();
        described.addProperty("type", error.getErrorType());
        described.addProperty("message", error.getErrorMessage());
        return described;
    }

    /** An event in the form of the file; `parent` is the name of the context around it. */
    private static JsonObject describe(Event event, String parent) {
        JsonObject members = new JsonObject();
        String type = HistoryPrinter.eventTypeName(event.getEventType());
        members.addProperty("event", type);
        if (!type.startsWith("Execution")) {
            addText(members, "name", event.getName());
            addText(members, "sub_type", event.getSubType());
            addText(members, "parent", event.getParentId().isEmpty() ? "" : parent);
        }
        for (Map.Entry<FieldDescriptor, Object> field : event.getAllFields().entrySet()) {
            if (field.getKey().getContainingOneof() != null && field.getValue() instanceof Message details) {
                details.getAllFields().forEach((detail, value) -> addDetail(members, detail.getName(), value));
            }
        }
        return members;
    }

    private static void addDetail(JsonObject members, String name, Object value) {
        if (value instanceof EventInput input && input.hasPayload()) {
            members.add("payload", valueOf(Optional.of(input.getPayload())));
        } else if (value instanceof EventResult result && result.hasPayload()) {
            members.add("payload", valueOf(Optional.of(result.getPayload())));
        } else if (value instanceof EventError error && error.hasPayload()) {
            members.add("error", describe(error.getPayload()));
        } else if (value instanceof RetryDetails retry) {
            addNumber(members, "attempt", retry.getCurrentAttempt());
            addNumber(members, "retry_delay_seconds", retry.getNextAttemptDelaySeconds());
        } else if (value instanceof Integer number) {
            addNumber(members, name.replace("execution_", "") + "_seconds", number);
        } else if (name.equals("function_name")) {
            addText(members, "function", (String) value);
        }
    }

    private static void addText(JsonObject members, String name, String text) {
        if (!text.isEmpty()) {
            members.addProperty(name, text);
        }
    }

    private static void addNumber(JsonObject members, String name, int number) {
        if (number > 0) {
            members.addProperty(name, number);
        }
    }
}
