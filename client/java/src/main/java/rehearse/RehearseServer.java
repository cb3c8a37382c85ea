package rehearse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A running service for the tests of this JVM.
 *
 * <pre>{@code
 * RehearseClient client = RehearseClient.connect(RehearseServer.address());
 * }</pre>
 *
 * <p>With {@code REHEARSE_SERVER=host:port} in the environment it is that one. Otherwise the program
 * {@code rehearse} is started, once per JVM: the one that {@code REHEARSE_BINARY} names, or the one in this
 * library's jar, or the one on the PATH. It takes free ports and ends with this JVM, however that ends.
 * What it logs goes to standard error.
 */
public final class RehearseServer {
    private static final long START_TIMEOUT_MILLIS = 30_000;
    private static final int POLL_MILLIS = 5;

    private final String address;
    private final String httpAddress;
    // Its standard input stays open as long as this process lives, and ends it then.
    private final Process process;

    private RehearseServer(Process process, JsonObject ready) {
        this.process = process;
        this.address = ready.get("grpc").getAsString();
        this.httpAddress = ready.has("http") ? ready.get("http").getAsString() : "";
    }

    /** {@code host:port} of the service of this JVM. */
    public static String address() {
        String running = System.getenv("REHEARSE_SERVER");
        return running != null && !running.isEmpty() ? running : Started.SERVER.grpcAddress();
    }

    /** Starts a service of the caller's own. {@code flags}: more of {@code rehearse up}. */
    public static RehearseServer start(String... flags) {
        try {
            Path folder = Files.createTempDirectory("rehearse");
            try {
                return start(folder, flags);
            } finally {
                // A program that runs needs no file.
                deleteFolder(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("rehearse cannot be started: " + e.getMessage(), e);
        }
    }

    public String grpcAddress() {
        return address;
    }

    /** Where it serves the AWS API; empty if it does not. */
    public String httpAddress() {
        return httpAddress;
    }

    /** Ends it, and waits for that. */
    public void stop() {
        try {
            process.getOutputStream().close();
            process.waitFor();
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static final class Started {
        static final RehearseServer SERVER = start();
    }

    private static RehearseServer start(Path folder, String... flags) throws IOException {
        Path readyFile = folder.resolve("ready.json");
        List<String> command = new ArrayList<>(List.of(
                findBinary(folder), "up", "--grpc-address=127.0.0.1:0", "--ready-file=" + readyFile,
                "--exit-with-stdin", "--log-level=warn"));
        command.addAll(List.of(flags));
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        awaitFile(readyFile, process);
        return new RehearseServer(process, JsonParser.parseString(Files.readString(readyFile)).getAsJsonObject());
    }

    private static void awaitFile(Path file, Process process) throws IOException {
        long giveUp = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_TIMEOUT_MILLIS);
        try {
            while (!Files.exists(file)) {
                if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new IOException("it ended with status " + process.exitValue());
                }
                if (System.nanoTime() > giveUp) {
                    throw new IOException("it does not serve after " + START_TIMEOUT_MILLIS / 1000 + " s");
                }
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private static String findBinary(Path folder) throws IOException {
        String named = System.getenv("REHEARSE_BINARY");
        if (named != null && !named.isEmpty()) {
            return named;
        }
        String resource = "/rehearse/bin/rehearse-linux-" + machine();
        try (InputStream bundled = RehearseServer.class.getResourceAsStream(resource)) {
            if (bundled == null) {
                return "rehearse";
            }
            Path binary = folder.resolve("rehearse");
            Files.copy(bundled, binary);
            if (!binary.toFile().setExecutable(true)) {
                throw new IOException("cannot make " + binary + " executable");
            }
            return binary.toString();
        }
    }

    // As `uname -m` spells it.
    private static String machine() {
        String machine = System.getProperty("os.arch");
        return machine.equals("amd64") ? "x86_64" : machine;
    }

    private static void deleteFolder(Path folder) throws IOException {
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }
}
