package rehearse.worker;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import java.math.BigDecimal;
import java.util.List;

/**
 * Messages of the contract as the JSON of the AWS API: AWS's member names, times in seconds since 1970,
 * enum values without their prefix; what is absent stays absent.
 *
 * <pre>{@code
 * AwsJson.write(operation)   // {"Id":"1","Type":"WAIT","Status":"STARTED","StartTimestamp":1790000000.123}
 * }</pre>
 */
public final class AwsJson {
    private static final int NANOS_PER_MILLI = 1_000_000;
    private static final int MILLIS_DIGITS = 3;

    private AwsJson() {}

    /** Members that only rehearse has are left out: their JSON names begin with a small letter. */
    public static JsonObject write(Message message) {
        JsonObject object = new JsonObject();
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (Character.isUpperCase(field.getJsonName().charAt(0)) && isPresent(message, field)) {
                object.add(field.getJsonName(), writeField(field, message.getField(field)));
            }
        }
        return object;
    }

    private static boolean isPresent(Message message, FieldDescriptor field) {
        if (field.isRepeated()) {
            return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                    || message.getRepeatedFieldCount(field) > 0;
        }
        if (field.getJavaType() == FieldDescriptor.JavaType.ENUM) {
            return ((EnumValueDescriptor) message.getField(field)).getNumber() != 0;
        }
        return !field.hasPresence() || message.hasField(field);
    }

    private static JsonElement writeField(FieldDescriptor field, Object value) {
        if (!field.isRepeated()) {
            return writeValue(value);
        }
        JsonArray list = new JsonArray();
        for (Object element : (List<?>) value) {
            list.add(writeValue(element));
        }
        return list;
    }

    private static JsonElement writeValue(Object value) {
        if (value instanceof Timestamp time) {
            long millis = time.getSeconds() * 1000 + time.getNanos() / NANOS_PER_MILLI;
            return new JsonPrimitive(BigDecimal.valueOf(millis, MILLIS_DIGITS));
        }
        if (value instanceof Message message) {
            return write(message);
        }
        if (value instanceof EnumValueDescriptor name) {
            String unspecified = name.getType().getValues().get(0).getName();
            int prefix = unspecified.length() - "UNSPECIFIED".length();
            return new JsonPrimitive(name.getName().substring(prefix));
        }
        if (value instanceof Boolean flag) {
            return new JsonPrimitive(flag);
        }
        if (value instanceof Number number) {
            return new JsonPrimitive(number);
        }
        return new JsonPrimitive(value instanceof ByteString bytes ? bytes.toStringUtf8() : (String) value);
    }
}
