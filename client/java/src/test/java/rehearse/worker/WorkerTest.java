package rehearse.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import rehearse.InvalidParameterValueException;
import rehearse.RehearseClient;
import rehearse.RehearseException;
import rehearse.RehearseServer;
import rehearse.ResourceNotFoundException;
import rehearse.v1.CreateSessionRequest;
import rehearse.v1.FunctionSpec;
import rehearse.v1.InvokeFunctionRequest;
import rehearse.v1.ListFunctionsRequest;

class WorkerTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final FunctionSpec ORDERS = FunctionSpec.newBuilder().setFunctionName("orders").build();

    @Test
    void slotsServeUntilTheWorkerIsClosed() {
        try (RehearseClient client = RehearseClient.connect(RehearseServer.address())) {
            String session = client.createSession(CreateSessionRequest.getDefaultInstance()).getSession().getName();
            var list = ListFunctionsRequest.newBuilder().setSession(session).build();
            Worker worker = new Worker(client, session, List.of(ORDERS), 3, invocation -> "1");
            worker.awaitServing(LONG);
            assertEquals(3, client.listFunctions(list).getFunctions(0).getSlots());
            worker.close();
            // Known, without a slot as soon as the service has heard of it.
            assertEquals("orders", client.listFunctions(list).getFunctions(0).getFunction().getFunctionName());
            worker.close();
        }
    }

    @Test
    void aHandlerThatIsInterruptedLeavesItsSlotServing() {
        try (RehearseClient client = RehearseClient.connect(RehearseServer.address())) {
            String session = client.createSession(CreateSessionRequest.getDefaultInstance()).getSession().getName();
            try (Worker worker = new Worker(client, session, List.of(ORDERS), 1, invocation -> {
                Thread.currentThread().interrupt();
                return "1";
            })) {
                worker.awaitServing(LONG);
                var invoke = InvokeFunctionRequest.newBuilder().setSession(session).setFunctionName("orders").build();
                assertEquals("1", client.invokeFunction(invoke).getPayload().toStringUtf8());
                assertEquals("1", client.invokeFunction(invoke).getPayload().toStringUtf8());
            }
        }
    }

    @Test
    void aRefusalIsFinal() {
        try (RehearseClient client = RehearseClient.connect(RehearseServer.address())) {
            try (Worker worker = new Worker(client, "none", List.of(ORDERS), 1, invocation -> "1")) {
                assertThrows(ResourceNotFoundException.class, () -> worker.awaitServing(LONG));
            }
            try (Worker worker = new Worker(client, "default", List.of(), 1, invocation -> "1")) {
                assertThrows(InvalidParameterValueException.class, () -> worker.awaitServing(LONG));
            }
        }
    }

    @Test
    void aServiceThatIsNotThereIsAskedAgainUntilTimeIsUp() {
        RehearseServer server = RehearseServer.start();
        server.stop();
        try (RehearseClient client = RehearseClient.connect(server.grpcAddress());
                Worker worker = new Worker(client, "default", List.of(ORDERS), 1, invocation -> "1")) {
            var thrown = assertThrows(RehearseException.class, () -> worker.awaitServing(Duration.ofMillis(200)));
            assertEquals(io.grpc.Status.Code.DEADLINE_EXCEEDED, thrown.code());
            assertTrue(thrown.getMessage().contains("not connected"), thrown.getMessage());
        }
    }
}
