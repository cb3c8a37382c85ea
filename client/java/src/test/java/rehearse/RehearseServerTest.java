package rehearse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import rehearse.v1.ListSessionsRequest;

class RehearseServerTest {
    /** Finds the service of its JVM, tells the id of the process it has started for that, and waits to be killed. */
    static final class Starter {
        static final long NONE = 0;

        public static void main(String[] arguments) throws Exception {
            String address = RehearseServer.address();
            long server = ProcessHandle.current().children().findFirst().map(ProcessHandle::pid).orElse(NONE);
            System.out.println(server + " " + address + " " + RehearseServer.address().equals(address));
            Thread.currentThread().join();
        }
    }

    private static ProcessBuilder starter() {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                        Starter.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT);
    }

    private static String[] firstLine(Process process) throws IOException {
        return new BufferedReader(new InputStreamReader(process.getInputStream())).readLine().split(" ");
    }

    @Test
    void theServiceOfAJvmIsStartedOnceAndEndsWithItEvenWhenThatIsKilled() throws Exception {
        Process jvm = starter().start();
        String[] told = firstLine(jvm);
        assertEquals("true", told[2]);
        ProcessHandle server = ProcessHandle.of(Long.parseLong(told[0])).orElseThrow();
        assertTrue(server.isAlive());
        jvm.destroyForcibly();
        server.onExit().get(1, TimeUnit.MINUTES);
    }

    @Test
    void aServiceThatIsNamedInTheEnvironmentIsUsed() throws Exception {
        RehearseServer running = RehearseServer.start();
        ProcessBuilder builder = starter();
        builder.environment().put("REHEARSE_SERVER", running.grpcAddress());
        Process jvm = builder.start();
        String[] told = firstLine(jvm);
        assertEquals(Starter.NONE, Long.parseLong(told[0]));
        assertEquals(running.grpcAddress(), told[1]);
        jvm.destroyForcibly();
        running.stop();
    }

    @Test
    void aServiceOfTheCallersOwnIsStopped() {
        RehearseServer server = RehearseServer.start("--region=eu-west-1");
        assertTrue(server.httpAddress().startsWith("127.0.0.1:"), server.httpAddress());
        try (RehearseClient client = RehearseClient.connect(server.grpcAddress())) {
            ListSessionsRequest request = ListSessionsRequest.getDefaultInstance();
            assertEquals("default", client.listSessions(request).getSessions(0).getName());
            server.stop();
            var thrown = assertThrows(RehearseException.class, () -> client.listSessions(request));
            assertEquals(Status.Code.UNAVAILABLE, thrown.code());
        }
    }

    @Test
    void aServiceThatCannotStartIsToldOf() {
        var thrown = assertThrows(UncheckedIOException.class, () -> RehearseServer.start("--no-such-flag"));
        assertTrue(thrown.getMessage().startsWith("rehearse cannot be started: it ended with status "),
                thrown.getMessage());
        assertEquals(List.of(), ProcessHandle.current().children().filter(child ->
                child.info().arguments().map(List::of).orElse(List.of()).contains("--no-such-flag")).toList());
    }
}
