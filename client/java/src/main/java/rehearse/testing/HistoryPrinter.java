package rehearse.testing;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import rehearse.Protos;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.EventError;
import rehearse.v1.EventInput;
import rehearse.v1.EventReason;
import rehearse.v1.EventResult;
import rehearse.v1.EventType;
import rehearse.v1.RetryDetails;

/**
 * Histories as text: a table for people, and a short notation for tests.
 *
 * <pre>{@code
 *    id  time     at            event             name   recorded
 *     1  +0       12:00:00.000  ExecutionStarted         "input str"
 *     2  +1ms     12:00:00.001  StepStarted       one
 *     3  +1ms     12:00:00.001  StepSucceeded     one    "1 2"
 *
 * HistoryPrinter.compactHistory(result.getHistoryEvents())   // "SS2 SX3 WS4 IC5 WX6 ..."
 * }</pre>
 */
public final class HistoryPrinter {
    private static final int MAX_RECORDED = 60;
    private static final int MAX_NAME = 40;
    private static final List<String> HEADING = List.of("id", "time", "at", "event", "name", "recorded");
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final Map<String, String> CODES = Map.ofEntries(
            Map.entry("ExecutionStarted", "ES"),
            Map.entry("ExecutionSucceeded", "XS"),
            Map.entry("ExecutionFailed", "XF"),
            Map.entry("ExecutionTimedOut", "XT"),
            Map.entry("ExecutionStopped", "XP"),
            Map.entry("ExecutionPaused", "XH"),
            Map.entry("ExecutionResumed", "XR"),
            Map.entry("ContextStarted", "CS"),
            Map.entry("ContextSucceeded", "CX"),
            Map.entry("ContextFailed", "CF"),
            Map.entry("WaitStarted", "WS"),
            Map.entry("WaitSucceeded", "WX"),
            Map.entry("WaitCancelled", "WC"),
            Map.entry("StepStarted", "SS"),
            Map.entry("StepSucceeded", "SX"),
            Map.entry("StepFailed", "SF"),
            Map.entry("ChainedInvokeStarted", "IS"),
            Map.entry("ChainedInvokeSucceeded", "IX"),
            Map.entry("ChainedInvokeFailed", "IF"),
            Map.entry("ChainedInvokeTimedOut", "IT"),
            Map.entry("ChainedInvokeStopped", "IP"),
            Map.entry("CallbackStarted", "BS"),
            Map.entry("CallbackSucceeded", "BX"),
            Map.entry("CallbackFailed", "BF"),
            Map.entry("CallbackTimedOut", "BT"),
            Map.entry("InvocationCompleted", "IC"));

    private HistoryPrinter() {}

    /**
     * A line per event; times relative to the first event, and in UTC; names indented by the contexts around
     * them. What was recorded is cut to 60 characters.
     */
    public static String formatHistory(List<Event> events) {
        if (events.isEmpty()) {
            return "(no events)\n";
        }
        List<List<String>> rows = new ArrayList<>(List.of(HEADING));
        Instant start = Protos.toInstant(events.get(0).getEventTimestamp());
        Map<String, Integer> depths = new HashMap<>();
        for (Event event : events) {
            int depth = event.hasParentId() ? depths.getOrDefault(event.getParentId(), -1) + 1 : 0;
            depths.put(event.getId(), depth);
            rows.add(rowOf(event, start, depth));
        }
        StringBuilder text = new StringBuilder();
        int[] widths = widthsOf(rows);
        rows.forEach(row -> text.append(formatRow(row, widths)));
        return text.toString();
    }

    /** Code and id of each event but the first. */
    public static String compactHistory(List<Event> events) {
        List<String> codes = new ArrayList<>();
        for (Event event : events) {
            if (event.getEventId() > 1) {
                codes.add(CODES.get(eventTypeName(event.getEventType())) + event.getEventId());
            }
        }
        return String.join(" ", codes);
    }

    /** For example {@code StepStarted}. */
    public static String eventTypeName(EventType type) {
        StringBuilder name = new StringBuilder();
        for (String word : type.name().substring("EVENT_TYPE_".length()).split("_")) {
            name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        }
        return name.toString();
    }

    /** For example {@code Declined: the bank said no}. */
    public static String formatError(ErrorObject error) {
        if (error.getErrorType().isEmpty()) {
            return error.getErrorMessage();
        }
        return error.getErrorMessage().isEmpty()
                ? error.getErrorType()
                : error.getErrorType() + ": " + error.getErrorMessage();
    }

    /** On one line; what is cut off is told by its size. */
    static String abbreviate(String text, int maxCharacters) {
        String line = text.replace("\n", "\\n").replace("\t", "\\t");
        if (line.codePointCount(0, line.length()) <= maxCharacters) {
            return line;
        }
        String size = "... (" + text.getBytes(StandardCharsets.UTF_8).length + " bytes)";
        return line.substring(0, line.offsetByCodePoints(0, maxCharacters - size.length())) + size;
    }

    private static List<String> rowOf(Event event, Instant start, int depth) {
        Instant time = Protos.toInstant(event.getEventTimestamp());
        return List.of(
                Long.toString(event.getEventId()),
                "+" + formatDuration(Duration.between(start, time)),
                CLOCK.format(time),
                eventTypeName(event.getEventType()),
                "  ".repeat(depth) + abbreviate(event.getName(), MAX_NAME),
                recorded(event));
    }

    private static int[] widthsOf(List<List<String>> rows) {
        int[] widths = new int[HEADING.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).codePointCount(0, row.get(i).length()));
            }
        }
        return widths;
    }

    private static String formatRow(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = row.get(i);
            String padding = " ".repeat(widths[i] - cell.codePointCount(0, cell.length()));
            // Numbers stand to the right.
            line.append(i == 0 ? padding + cell : "  " + cell + padding);
        }
        return line.toString().stripTrailing() + "\n";
    }

    /** What the event says, besides its columns. */
    private static String recorded(Event event) {
        List<String> parts = new ArrayList<>();
        detailsOf(event).getAllFields().forEach((field, value) -> describe(field, value, parts));
        return String.join(", ", parts);
    }

    private static Message detailsOf(Event event) {
        for (Map.Entry<FieldDescriptor, Object> field : event.getAllFields().entrySet()) {
            if (field.getKey().getContainingOneof() != null && field.getValue() instanceof Message details) {
                return details;
            }
        }
        return Event.getDefaultInstance();
    }

    private static void describe(FieldDescriptor field, Object value, List<String> parts) {
        if (value instanceof EventInput input && input.hasPayload()) {
            parts.add(abbreviate(input.getPayload(), MAX_RECORDED));
        } else if (value instanceof EventResult result && result.hasPayload()) {
            parts.add(abbreviate(result.getPayload(), MAX_RECORDED));
        } else if (value instanceof EventReason reason && reason.hasPayload()) {
            parts.add(abbreviate(reason.getPayload(), MAX_RECORDED));
        } else if (value instanceof EventError error && error.hasPayload()) {
            parts.add(abbreviate(formatError(error.getPayload()), MAX_RECORDED));
        } else if (value instanceof RetryDetails retry) {
            describeRetry(retry, parts);
        } else {
            describeSetting(field.getName(), value, parts);
        }
    }

    private static void describeRetry(RetryDetails retry, List<String> parts) {
        if (retry.getCurrentAttempt() > 1 || retry.hasNextAttemptDelaySeconds()) {
            parts.add("attempt " + retry.getCurrentAttempt());
        }
        if (retry.hasNextAttemptDelaySeconds()) {
            parts.add("next in " + seconds(retry.getNextAttemptDelaySeconds()));
        }
    }

    private static void describeSetting(String name, Object value, List<String> parts) {
        switch (name) {
            case "duration" -> parts.add(seconds(value));
            case "function_name" -> parts.add("-> " + value);
            case "tenant_id" -> parts.add("tenant " + value);
            case "timeout", "execution_timeout" -> parts.add("timeout " + seconds(value));
            case "heartbeat_timeout" -> parts.add("heartbeat timeout " + seconds(value));
            default -> { }
        }
    }

    private static String seconds(Object value) {
        return formatDuration(Duration.ofSeconds((Integer) value));
    }

    /** For example {@code 1h0m2.5s}, {@code 17ms} or {@code 0}. */
    static String formatDuration(Duration duration) {
        if (duration.toMillis() < 1000) {
            return duration.toMillis() == 0 ? "0" : duration.toMillis() + "ms";
        }
        StringBuilder text = new StringBuilder();
        if (duration.toHours() > 0) {
            text.append(duration.toHours()).append('h');
        }
        if (duration.toMinutesPart() > 0) {
            text.append(duration.toMinutesPart()).append('m');
        }
        if (duration.toSecondsPart() > 0 || duration.toMillisPart() > 0) {
            BigDecimal part =
                    BigDecimal.valueOf(duration.toSecondsPart() * 1000L + duration.toMillisPart(), 3);
            text.append(part.stripTrailingZeros().toPlainString()).append('s');
        }
        return text.toString();
    }
}
