package rehearse.worker;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import rehearse.RehearseException;
import rehearse.v1.FunctionHostGrpc.FunctionHostStub;
import rehearse.v1.ServeRequest;
import rehearse.v1.ServeResponse;

/**
 * One FunctionHost.Serve stream from its registration to its end, with blocking methods. Thread-safe, but
 * that register, nextInvocation and endInvocation belong to one thread.
 */
final class ServeStream implements ClientResponseObserver<ServeRequest, ServeResponse> {
    private final ArrayDeque<CompletableFuture<ServeResponse>> calls = new ArrayDeque<>();
    // Empty: no more are wanted, or the stream has ended.
    private final BlockingQueue<Optional<ServeResponse.Invocation>> invocations = new LinkedBlockingQueue<>();
    private ClientCallStreamObserver<ServeRequest> requests;
    private boolean running;
    private RehearseException abort;
    private Consumer<RehearseException> onAbort = reason -> {};
    // Nothing may be sent any more.
    private boolean broken;
    private RehearseException end;

    ServeStream(FunctionHostStub stub) {
        stub.serve(this);
    }

    void register(ServeRequest.Register message) {
        call(ServeRequest.newBuilder().setRegister(message).build());
    }

    /** Waits; empty after stopWaiting. Throws why the stream has ended. */
    Optional<ServeResponse.Invocation> nextInvocation() throws InterruptedException {
        Optional<ServeResponse.Invocation> next = invocations.take();
        synchronized (this) {
            if (next.isEmpty() && end != null) {
                throw end;
            }
        }
        return next;
    }

    /** Makes nextInvocation return, now or when it is called next. */
    void stopWaiting() {
        invocations.add(Optional.empty());
    }

    /** Sends a request of the running invocation and waits for its answer. */
    ServeResponse call(ServeRequest request) {
        CompletableFuture<ServeResponse> answer = new CompletableFuture<>();
        synchronized (this) {
            throwIfUseless();
            calls.add(answer);
            send(request);
        }
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throwIfUseless();
            throw (RehearseException) e.getCause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RehearseException(Status.Code.CANCELLED, "interrupted", e);
        }
    }

    /** Sends the outcome if the stream is still there. */
    synchronized void endInvocation(ServeRequest.Outcome outcome) {
        running = false;
        abort = null;
        onAbort = reason -> {};
        send(ServeRequest.newBuilder().setOutcome(outcome).build());
    }

    synchronized Optional<RehearseException> abort() {
        return Optional.ofNullable(abort);
    }

    void onAbort(Consumer<RehearseException> action) {
        RehearseException known;
        synchronized (this) {
            known = abort;
            onAbort = action;
        }
        if (known != null) {
            action.accept(known);
        }
    }

    /** Leaves an idle stream. */
    synchronized void leave() {
        if (!broken) {
            broken = true;
            requests.onCompleted();
        }
    }

    /** Breaks the stream. */
    synchronized void cancel() {
        broken = true;
        requests.cancel("the worker broke the stream", null);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<ServeRequest> stream) {
        requests = stream;
    }

    @Override
    public void onNext(ServeResponse response) {
        switch (response.getMessageCase()) {
            case INVOCATION -> begin(response.getInvocation());
            case ABORT -> abort(new InvocationAbortedException(response.getAbort().getReason()));
            case ERROR -> oldestCall().completeExceptionally(RehearseException.of(response.getError()));
            default -> oldestCall().complete(response);
        }
    }

    @Override
    public void onError(Throwable failure) {
        end(RehearseException.of(failure));
    }

    @Override
    public void onCompleted() {
        end(new RehearseException(Status.Code.UNAVAILABLE, "the service closed the stream", null));
    }

    private synchronized void begin(ServeResponse.Invocation invocation) {
        running = true;
        invocations.add(Optional.of(invocation));
    }

    private void abort(RehearseException reason) {
        Consumer<RehearseException> tell;
        synchronized (this) {
            if (!running || abort != null) {
                return;
            }
            abort = reason;
            tell = onAbort;
        }
        tell.accept(reason);
    }

    private void end(RehearseException why) {
        abort(new RehearseException(
                Status.Code.UNAVAILABLE, "the stream to the service broke: " + why.getMessage(), why));
        synchronized (this) {
            end = why;
            broken = true;
            calls.forEach(call -> call.completeExceptionally(why));
            calls.clear();
        }
        invocations.add(Optional.empty());
    }

    private synchronized void send(ServeRequest request) {
        if (!broken) {
            requests.onNext(request);
        }
    }

    private synchronized CompletableFuture<ServeResponse> oldestCall() {
        return calls.isEmpty() ? new CompletableFuture<>() : calls.remove();
    }

    private synchronized void throwIfUseless() {
        if (abort != null) {
            throw abort;
        }
        if (end != null) {
            throw end;
        }
    }
}
