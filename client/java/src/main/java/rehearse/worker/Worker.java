package rehearse.worker;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import rehearse.RehearseClient;
import rehearse.RehearseException;
import rehearse.v1.ErrorObject;
import rehearse.v1.FunctionSpec;
import rehearse.v1.ServeRequest;
import rehearse.v1.ServeResponse;

/**
 * Hosts functions: opens streams to a service - one is one slot - and runs what arrives on them.
 *
 * <pre>{@code
 * FunctionSpec orders = FunctionSpec.newBuilder().setFunctionName("orders").setDurable(true).build();
 * try (Worker worker = new Worker(client, "default", List.of(orders), 4, handler)) {
 *   worker.awaitServing(Duration.ofSeconds(10));
 *   ...
 * }
 * }</pre>
 *
 * <p>Each slot has a daemon thread, on which its invocations run one after the other. When the service goes
 * away a slot connects again: at once after a stream that served, then with growing, jittered pauses of at
 * most 2 s. A refusal that trying again cannot mend (unknown session, invalid function) ends the slot.
 */
public final class Worker implements AutoCloseable {
    private static final int MIN_PAUSE_MILLIS = 50;
    private static final int MAX_PAUSE_MILLIS = 2000;
    // How long close() waits for handlers that it has interrupted.
    private static final int CLOSE_MILLIS = 10_000;

    private final RehearseClient client;
    private final ServeRequest.Register registration;
    private final InvocationHandler handler;
    private final List<Slot> slots = new ArrayList<>();
    private volatile boolean stopping;
    private volatile RehearseException lastFailure;

    /** Starts to connect. {@code slots}: invocations at a time, at least 1. */
    public Worker(
            RehearseClient client, String session, List<FunctionSpec> functions, int slots,
            InvocationHandler handler) {
        this.client = client;
        this.handler = handler;
        this.registration = ServeRequest.Register.newBuilder()
                .setSession(session)
                .addAllFunctions(functions)
                .setWorker("java:" + ProcessHandle.current().pid())
                .build();
        for (int i = 0; i < slots; i++) {
            this.slots.add(new Slot());
        }
        this.slots.forEach(slot -> slot.thread.start());
    }

    /** Returns when every slot is registered, or throws why the service refused one. */
    public void awaitServing(Duration timeout) {
        CompletableFuture<?>[] served = slots.stream().map(slot -> slot.served).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(served).get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw (RehearseException) e.getCause();
        } catch (TimeoutException e) {
            throw new RehearseException(
                    Status.Code.DEADLINE_EXCEEDED,
                    "the worker is not connected after " + timeout + (lastFailure == null ? "" : ": " + lastFailure),
                    lastFailure);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RehearseException(Status.Code.CANCELLED, "interrupted", e);
        }
    }

    /**
     * Takes no more invocations. Handlers that still run are interrupted and lose their streams, which is a
     * crash to the service; waits up to 10 s for their end.
     */
    @Override
    public void close() {
        stopping = true;
        slots.forEach(Slot::stop);
        try {
            for (Slot slot : slots) {
                slot.thread.join(CLOSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isTransient(RehearseException failure) {
        return switch (failure.code()) {
            case INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED,
                    UNIMPLEMENTED -> false;
            default -> true;
        };
    }

    private ServeRequest.Outcome run(Invocation invocation) {
        ServeRequest.Outcome.Builder outcome = ServeRequest.Outcome.newBuilder();
        try {
            String answer = handler.handle(invocation);
            return outcome.setPayload(ByteString.copyFromUtf8(answer)).build();
        } catch (Throwable failure) {
            // Errors of assertions, too: the runtime reports whatever ends a handler.
            return outcome.setError(toErrorObject(failure)).build();
        }
    }

    private static ErrorObject toErrorObject(Throwable failure) {
        ErrorObject.Builder error = ErrorObject.newBuilder()
                .setErrorType(failure.getClass().getName())
                .setErrorMessage(String.valueOf(failure.getMessage()));
        for (StackTraceElement frame : failure.getStackTrace()) {
            error.addStackTrace(frame.toString());
        }
        return error.build();
    }

    private final class Slot {
        final CompletableFuture<Void> served = new CompletableFuture<>();
        final Thread thread = new Thread(this::serveUntilStopped, "rehearse-slot");
        private ServeStream stream;
        private boolean running;

        Slot() {
            thread.setDaemon(true);
        }

        synchronized void stop() {
            if (running) {
                thread.interrupt();
                stream.cancel();
            } else if (stream != null) {
                stream.stopWaiting();
            } else {
                thread.interrupt();
            }
        }

        private void serveUntilStopped() {
            int pauseMillis = MIN_PAUSE_MILLIS;
            try {
                while (!stopping) {
                    ServeStream current = open();
                    boolean registered = false;
                    boolean invoked = false;
                    try {
                        current.register(registration);
                        registered = true;
                        pauseMillis = MIN_PAUSE_MILLIS;
                        served.complete(null);
                        while (runNext(current)) {
                            invoked = true;
                        }
                        current.leave();
                    } catch (RehearseException failure) {
                        lastFailure = failure;
                        if (!registered && !isTransient(failure)) {
                            served.completeExceptionally(failure);
                            return;
                        }
                    }
                    if (!invoked && !stopping) {
                        Thread.sleep(ThreadLocalRandom.current().nextInt(pauseMillis / 2, pauseMillis));
                        pauseMillis = Math.min(2 * pauseMillis, MAX_PAUSE_MILLIS);
                    }
                }
            } catch (InterruptedException e) {
                // The worker stops.
            } finally {
                leave();
            }
        }

        private synchronized ServeStream open() {
            stream = new ServeStream(client.functionHost());
            if (stopping) {
                stream.stopWaiting();
            }
            return stream;
        }

        private synchronized void leave() {
            if (stream != null) {
                stream.cancel();
                stream = null;
            }
        }

        /** False: the worker stops. */
        private boolean runNext(ServeStream current) throws InterruptedException {
            Optional<ServeResponse.Invocation> next = current.nextInvocation();
            if (next.isEmpty() || !setRunning(true)) {
                return false;
            }
            ServeRequest.Outcome outcome = run(new Invocation(current, next.get()));
            if (setRunning(false)) {
                // The handler's own interrupts are no business of the slot.
                Thread.interrupted();
            }
            current.endInvocation(outcome);
            return true;
        }

        /** False: the worker stops. */
        private synchronized boolean setRunning(boolean value) {
            running = value;
            return !stopping;
        }
    }
}
