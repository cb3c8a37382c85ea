package rehearse.testing;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import java.lang.reflect.Type;

/** Values of tests to JSON and back. */
final class Json {
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private Json() {}

    static String write(Object value) {
        return GSON.toJson(value);
    }

    /** Null for null. {@code of}: for the message of the exception when the text is no such value. */
    static <T> T read(String text, Type type, String of) {
        try {
            return GSON.fromJson(text, type);
        } catch (JsonSyntaxException e) {
            throw new IllegalStateException(
                    "the result of " + of + " cannot be read as " + type.getTypeName() + ": " + text, e);
        }
    }
}
