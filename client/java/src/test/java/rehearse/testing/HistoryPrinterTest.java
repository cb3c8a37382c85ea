package rehearse.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import rehearse.v1.CallbackStartedDetails;
import rehearse.v1.ChainedInvokeStartedDetails;
import rehearse.v1.ErrorObject;
import rehearse.v1.Event;
import rehearse.v1.EventError;
import rehearse.v1.EventInput;
import rehearse.v1.EventType;
import rehearse.v1.ExecutionStartedDetails;
import rehearse.v1.RetryDetails;
import rehearse.v1.StepFailedDetails;
import rehearse.v1.WaitStartedDetails;

class HistoryPrinterTest {
    private static Event.Builder event(int id, EventType type, int millis) {
        var time = Timestamp.newBuilder().setSeconds(millis / 1000).setNanos(millis % 1000 * 1_000_000);
        return Event.newBuilder().setEventId(id).setEventType(type).setEventTimestamp(time);
    }

    @Test
    void historiesAreTables() {
        List<Event> events = List.of(
                event(1, EventType.EVENT_TYPE_EXECUTION_STARTED, 500)
                        .setExecutionStartedDetails(ExecutionStartedDetails.newBuilder()
                                .setInput(EventInput.newBuilder().setPayload("\"line\none\""))
                                .setExecutionTimeout(90))
                        .build(),
                event(2, EventType.EVENT_TYPE_CONTEXT_STARTED, 501).setId("c").setName("outer").build(),
                event(3, EventType.EVENT_TYPE_STEP_FAILED, 1501)
                        .setId("s")
                        .setParentId("c")
                        .setName("größe")
                        .setStepFailedDetails(StepFailedDetails.newBuilder()
                                .setError(EventError.newBuilder().setPayload(Functions.error("Declined", "no")))
                                .setRetryDetails(RetryDetails.newBuilder()
                                        .setCurrentAttempt(1)
                                        .setNextAttemptDelaySeconds(60)))
                        .build(),
                event(4, EventType.EVENT_TYPE_WAIT_STARTED, 62_000)
                        .setId("w")
                        .setName("pause")
                        .setWaitStartedDetails(WaitStartedDetails.newBuilder().setDuration(7200))
                        .build(),
                event(5, EventType.EVENT_TYPE_CALLBACK_STARTED, 62_000)
                        .setId("b")
                        .setCallbackStartedDetails(
                                CallbackStartedDetails.newBuilder().setTimeout(60).setHeartbeatTimeout(5))
                        .build(),
                event(10, EventType.EVENT_TYPE_CHAINED_INVOKE_STARTED, 62_000)
                        .setId("i")
                        .setChainedInvokeStartedDetails(ChainedInvokeStartedDetails.newBuilder()
                                .setFunctionName("orders")
                                .setTenantId("t1"))
                        .build());
        assertEquals(
                """
                id  time     at            event                 name     recorded
                 1  +0       00:00:00.500  ExecutionStarted               "line\\none", timeout 1m30s
                 2  +1ms     00:00:00.501  ContextStarted        outer
                 3  +1.001s  00:00:01.501  StepFailed              größe  Declined: no, attempt 1, next in 1m
                 4  +1m1.5s  00:01:02.000  WaitStarted           pause    2h
                 5  +1m1.5s  00:01:02.000  CallbackStarted                heartbeat timeout 5s, timeout 1m
                10  +1m1.5s  00:01:02.000  ChainedInvokeStarted           -> orders, tenant t1
                """,
                HistoryPrinter.formatHistory(events));
        assertEquals("CS2 SF3 WS4 BS5 IS10", HistoryPrinter.compactHistory(events));
    }

    @Test
    void anEmptyHistorySaysSo() {
        assertEquals("(no events)\n", HistoryPrinter.formatHistory(List.of()));
        assertEquals("", HistoryPrinter.compactHistory(List.of()));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"EVENT_TYPE_UNSPECIFIED", "UNRECOGNIZED"})
    void everyTypeHasACode(EventType type) {
        String compact = HistoryPrinter.compactHistory(List.of(event(2, type, 0).build()));
        assertEquals(true, compact.matches("[A-Z]{2}2"), compact);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0", "17, 17ms", "999, 999ms", "1000, 1s", "1500, 1.5s", "60000, 1m", "3600000, 1h", "3661001, 1h1m1.001s",
        "2592000000, 720h"
    })
    void durationsAreShort(long millis, String text) {
        assertEquals(text, HistoryPrinter.formatDuration(Duration.ofMillis(millis)));
    }

    @Test
    void longTextIsCutByCharacters() {
        assertEquals("123456", HistoryPrinter.abbreviate("123456", 6));
        assertEquals("ä".repeat(4) + "... (42 bytes)", HistoryPrinter.abbreviate("ä".repeat(21), 18));
        assertEquals("😀".repeat(4) + "... (80 bytes)", HistoryPrinter.abbreviate("😀".repeat(20), 18));
    }

    @Test
    void errorsShowWhatTheyHave() {
        assertEquals("no", HistoryPrinter.formatError(ErrorObject.newBuilder().setErrorMessage("no").build()));
        assertEquals("T", HistoryPrinter.formatError(ErrorObject.newBuilder().setErrorType("T").build()));
        assertEquals("T: no", HistoryPrinter.formatError(Functions.error("T", "no")));
    }
}
