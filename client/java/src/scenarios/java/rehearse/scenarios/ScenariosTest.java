package rehearse.scenarios;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import rehearse.RehearseException;
import rehearse.testing.DurableFunctionTestRunner;
import rehearse.testing.HistoryPrinter;
import rehearse.testing.RunnerOptions;
import rehearse.testing.TestResult;
import rehearse.worker.InvocationHandler;
import rehearse.worker.InvocationOutput;

/** The scenarios of scenarios.json, by functions that checkpoint by hand. */
class ScenariosTest {
    private static final Path FILE = Path.of(System.getenv("SCENARIOS"));
    // Only to fail.
    private static final Duration FAR = Duration.ofMinutes(1);

    static Stream<Named<JsonObject>> scenarios() throws IOException {
        try (Reader reader = Files.newBufferedReader(FILE)) {
            return JsonParser.parseReader(reader).getAsJsonObject().getAsJsonArray("scenarios").asList().stream()
                    .map(scenario -> expanded(scenario).getAsJsonObject())
                    .map(scenario -> Named.of(scenario.get("name").getAsString(), scenario));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("scenarios")
    void endsAsExpected(JsonObject scenario) {
        JsonArray sessions = new JsonArray();
        sessions.add(scenario);
        if (scenario.has("sessions")) {
            sessions = scenario.getAsJsonArray("sessions");
        }
        List<ScenarioRun> runs = new ArrayList<>();
        try {
            for (JsonElement session : sessions) {
                ScenarioRun run = new ScenarioRun(scenario);
                runs.add(run);
                run.start(member(session.getAsJsonObject(), "input"));
            }
            List<CompletableFuture<Void>> finished = new ArrayList<>();
            for (int i = 0; i < runs.size(); i++) {
                ScenarioRun run = runs.get(i);
                JsonObject session = sessions.get(i).getAsJsonObject();
                finished.add(CompletableFuture.runAsync(() -> run.finish(session), ScenariosTest::startThread));
            }
            CompletableFuture.allOf(finished.toArray(CompletableFuture<?>[]::new)).join();
        } finally {
            runs.forEach(ScenarioRun::close);
        }
    }

    @Test
    void everyDifferenceIsTold() {
        try (var runner = new DurableFunctionTestRunner(invocation -> InvocationOutput.succeeded("17"))) {
            TestResult<String> result = runner.run("in", FAR);
            String expected = "{'status': 'SUCCEEDED', 'result': 17, 'history': ["
                    + "{'event': 'ExecutionStarted', 'payload': 'in'}, {'event': 'InvocationCompleted'}, "
                    + "{'event': 'ExecutionSucceeded', 'payload': 17}]}";
            assertEquals("", Expectation.difference(JsonParser.parseString(expected).getAsJsonObject(), result));
            for (var wrong : Map.of(
                            "'SUCCEEDED'", "'FAILED'",
                            "'result': 17", "'result': '17'",
                            "'payload': 17", "'payload': 18",
                            "'InvocationCompleted'", "'InvocationCompleted', 'error': {'type': 'Boom'}",
                            "{'event': 'InvocationCompleted'}, ", "",
                            "'ExecutionStarted'", "'ExecutionStarted', 'name': 'one'",
                            "'history'", "'error': {'type': 'Boom'}, 'history'")
                    .entrySet()) {
                assertTrue(expected.contains(wrong.getKey()), wrong::toString);
                String changed = expected.replace(wrong.getKey(), wrong.getValue());
                JsonObject other = JsonParser.parseString(changed).getAsJsonObject();
                assertNotEquals("", Expectation.difference(other, result), changed);
            }
        }
    }

    private static void startThread(Runnable command) {
        new Thread(command).start();
    }

    private static JsonElement member(JsonObject object, String name) {
        return object.has(name) ? object.get(name) : JsonNull.INSTANCE;
    }

    private static String textOf(JsonObject object, String name) {
        return object.has(name) ? object.get(name).getAsString() : "";
    }

    /** Replaces {"$repeat": [text, times]} by the text, that many times. */
    private static JsonElement expanded(JsonElement value) {
        if (value.isJsonArray()) {
            JsonArray list = new JsonArray();
            value.getAsJsonArray().forEach(element -> list.add(expanded(element)));
            return list;
        }
        if (!value.isJsonObject()) {
            return value;
        }
        JsonObject object = value.getAsJsonObject();
        if (object.has("$repeat")) {
            JsonArray repeat = object.getAsJsonArray("$repeat");
            return new JsonPrimitive(repeat.get(0).getAsString().repeat(repeat.get(1).getAsInt()));
        }
        JsonObject members = new JsonObject();
        object.entrySet().forEach(entry -> members.add(entry.getKey(), expanded(entry.getValue())));
        return members;
    }

    /** One execution of a scenario's main function, in a session of its own. */
    private static final class ScenarioRun implements AutoCloseable {
        private final DurableFunctionTestRunner runner;
        private final Map<String, String> callbackIds = new HashMap<>();
        private String arn;

        ScenarioRun(JsonObject scenario) {
            JsonObject functions = scenario.getAsJsonObject("functions");
            Set<String> crashes = ConcurrentHashMap.newKeySet();
            functions.entrySet().forEach(function ->
                    addCrashes(function.getValue().getAsJsonObject().getAsJsonArray("body"), crashes));
            JsonObject main = functions.getAsJsonObject("main");
            runner = new DurableFunctionTestRunner(
                    new ScenarioFunction(main.getAsJsonArray("body"), crashes),
                    new RunnerOptions()
                            .functionName("main")
                            .executionName(textOf(scenario, "execution_name"))
                            .manualTime(member(scenario, "time").equals(new JsonPrimitive("manual")))
                            .executionTimeout(timeoutOf(main)));
            functions.entrySet().stream().filter(entry -> !entry.getKey().equals("main")).forEach(entry -> {
                JsonObject function = entry.getValue().getAsJsonObject();
                JsonArray body = function.getAsJsonArray("body");
                if (function.has("plain")) {
                    runner.registerFunction(entry.getKey(), plain(body));
                } else {
                    runner.registerDurableFunction(
                            entry.getKey(), new ScenarioFunction(body, crashes), timeoutOf(function));
                }
            });
        }

        void start(JsonElement input) {
            arn = runner.runAsync(input);
        }

        void finish(JsonObject session) {
            if (session.has("actions")) {
                for (JsonElement action : session.getAsJsonArray("actions")) {
                    assertEquals(
                            textOf(action.getAsJsonObject(), "refused"),
                            refusalOf(action.getAsJsonObject()),
                            action::toString);
                }
            }
            TestResult<String> result = runner.waitForResult(arn, FAR);
            assertEquals(
                    "", Expectation.difference(session.getAsJsonObject("expect"), result), result::toString);
        }

        @Override
        public void close() {
            runner.close();
        }

        /** Carries it out; the name of the error with which the service refused that, or nothing. */
        private String refusalOf(JsonObject action) {
            try {
                carryOut(action);
                return "";
            } catch (RehearseException e) {
                return e.errorName().isEmpty() ? e.toString() : e.errorName();
            }
        }

        private void carryOut(JsonObject action) {
            switch (action.get("do").getAsString()) {
                case "advance_time" -> runner.advanceTime(Duration.ofSeconds(action.get("seconds").getAsInt()));
                case "wait_for_end" -> runner.waitForResult(arnOf(action), FAR);
                case "wait_for_event" -> waitForEvent(action);
                case "pause" -> runner.pause(arnOf(action), FAR);
                case "resume" -> runner.resume(arnOf(action));
                case "stop" -> runner.stop(arnOf(action), ScenarioFunction.errorOf(action));
                case "wait_for_callback" -> {
                    String name = action.get("name").getAsString();
                    callbackIds.put(name, runner.waitForCallback(arnOf(action), name, FAR));
                }
                case "callback_heartbeat" -> runner.sendCallbackHeartbeat(callbackOf(action));
                case "callback_failure" ->
                        runner.sendCallbackFailure(callbackOf(action), ScenarioFunction.errorOf(action));
                case "callback_success" ->
                        runner.sendCallbackSuccess(callbackOf(action), action.get("result").getAsString());
                default -> throw new IllegalArgumentException("unknown action: " + action);
            }
        }

        /** Of the run, or of the execution that its invoke {@code of} has started. */
        private String arnOf(JsonObject action) {
            if (!action.has("of")) {
                return arn;
            }
            return runner.waitForOperation(arn, action.get("of").getAsString(), Set.of(), FAR)
                    .getInvokedExecutionArn()
                    .orElseThrow();
        }

        private String callbackOf(JsonObject action) {
            return action.has("id")
                    ? action.get("id").getAsString()
                    : callbackIds.get(action.get("name").getAsString());
        }

        private void waitForEvent(JsonObject action) {
            String type = action.get("event").getAsString();
            AtomicInteger left = new AtomicInteger(action.get("count").getAsInt());
            runner.watch(
                    arnOf(action),
                    event -> (HistoryPrinter.eventTypeName(event.getEventType()).equals(type)
                                    ? left.decrementAndGet()
                                    : left.get())
                            > 0,
                    FAR);
        }

        private static InvocationHandler plain(JsonArray body) {
            JsonObject operation = body.get(body.size() - 1).getAsJsonObject();
            return invocation -> switch (operation.get("op").getAsString()) {
                case "input" -> invocation.payload();
                case "value" -> operation.get("value").toString();
                default -> throw new IllegalStateException(
                        operation.getAsJsonObject("error").get("message").getAsString());
            };
        }

        private static Duration timeoutOf(JsonObject function) {
            return function.has("execution_timeout_seconds")
                    ? Duration.ofSeconds(function.get("execution_timeout_seconds").getAsInt())
                    : Duration.ZERO;
        }

        private static void addCrashes(JsonArray body, Set<String> crashes) {
            for (JsonElement element : body) {
                JsonObject operation = element.getAsJsonObject();
                if (operation.has("crash")) {
                    crashes.add(operation.get("name").getAsString());
                }
                if (operation.has("body")) {
                    addCrashes(operation.getAsJsonArray("body"), crashes);
                }
            }
        }
    }
}
