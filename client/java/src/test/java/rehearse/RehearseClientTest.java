package rehearse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import rehearse.v1.*;
import rehearse.worker.InvocationOutput;
import rehearse.worker.Worker;

class RehearseClientTest {
    private final RehearseClient client = RehearseClient.connect(RehearseServer.address());
    private String session;
    private Worker worker;

    @BeforeEach
    void host() {
        SessionConfig config = SessionConfig.newBuilder().setClockMode(ClockMode.CLOCK_MODE_MANUAL).build();
        session = client.createSession(CreateSessionRequest.newBuilder().setConfig(config).build())
                .getSession()
                .getName();
        worker = new Worker(
                client,
                session,
                List.of(
                        FunctionSpec.newBuilder().setFunctionName("durable").setDurable(true).build(),
                        FunctionSpec.newBuilder().setFunctionName("plain").build()),
                1,
                invocation -> {
                    if (!invocation.isDurable()) {
                        return invocation.payload();
                    }
                    if (invocation.operation("callback").isEmpty()) {
                        invocation.checkpoint(OperationUpdate.newBuilder()
                                .setId("callback")
                                .setType(OperationType.OPERATION_TYPE_CALLBACK)
                                .setAction(OperationAction.OPERATION_ACTION_START)
                                .build());
                        return InvocationOutput.pending();
                    }
                    return InvocationOutput.succeeded(null);
                });
        worker.awaitServing(Duration.ofMinutes(1));
    }

    @AfterEach
    void leave() {
        worker.close();
        client.close();
    }

    private String start() {
        return client.startExecution(StartExecutionRequest.newBuilder()
                        .setSession(session)
                        .setFunctionName("durable")
                        .setInput("1")
                        .build())
                .getDurableExecutionArn();
    }

    private Operation awaitCallback(String arn) {
        return client.waitForOperation(WaitForOperationRequest.newBuilder()
                        .setDurableExecutionArn(arn)
                        .setOperationId("callback")
                        .setInvocationEnded(true)
                        .build())
                .getOperation();
    }

    @Test
    void executionsAreStartedListedAndRead() {
        String arn = start();
        awaitCallback(arn);
        assertEquals(
                arn,
                client.listExecutions(ListExecutionsRequest.newBuilder().setSession(session).build())
                        .getDurableExecutions(0)
                        .getDurableExecutionArn());
        assertEquals(
                WaitingFor.Kind.KIND_CALLBACK,
                client.getExecution(GetExecutionRequest.newBuilder().setDurableExecutionArn(arn).build())
                        .getWaitingFor(0)
                        .getKind());
        assertEquals(
                3,
                client.getExecutionHistory(
                                GetExecutionHistoryRequest.newBuilder().setDurableExecutionArn(arn).build())
                        .getEventsCount());
        assertEquals(
                1,
                client.inspectExecution(InspectExecutionRequest.newBuilder().setDurableExecutionArn(arn).build())
                        .getInvocationCount());
    }

    @Test
    void anExecutionIsPausedResumedStoppedAndDeleted() {
        String arn = start();
        awaitCallback(arn);
        client.pauseExecution(PauseExecutionRequest.newBuilder().setDurableExecutionArn(arn).build());
        client.resumeExecution(ResumeExecutionRequest.newBuilder().setDurableExecutionArn(arn).build());
        client.stopExecution(StopExecutionRequest.newBuilder().setDurableExecutionArn(arn).build());
        assertEquals(
                ExecutionStatus.EXECUTION_STATUS_STOPPED,
                client.waitForExecution(WaitForExecutionRequest.newBuilder().setDurableExecutionArn(arn).build())
                        .getExecution()
                        .getStatus());
        client.deleteExecution(DeleteExecutionRequest.newBuilder().setDurableExecutionArn(arn).build());
        GetExecutionRequest get = GetExecutionRequest.newBuilder().setDurableExecutionArn(arn).build();
        assertEquals(
                "Durable Execution does not exist: " + arn,
                assertThrows(ResourceNotFoundException.class, () -> client.getExecution(get)).getMessage());
    }

    @Test
    void callbacksAreCompletedFailedAndKeptUp() {
        String id = awaitCallback(start()).getCallbackDetails().getCallbackId();
        client.sendCallbackHeartbeat(SendCallbackHeartbeatRequest.newBuilder().setCallbackId(id).build());
        client.sendCallbackSuccess(SendCallbackSuccessRequest.newBuilder().setCallbackId(id).build());
        SendCallbackFailureRequest late = SendCallbackFailureRequest.newBuilder().setCallbackId(id).build();
        var thrown = assertThrows(CallbackTimeoutException.class, () -> client.sendCallbackFailure(late));
        assertEquals("CallbackTimeoutException", thrown.errorName());
        assertEquals(io.grpc.Status.Code.FAILED_PRECONDITION, thrown.code());
        assertEquals("400", thrown.metadata().get("http_status"));
    }

    @Test
    void aHistoryIsWatchedToItsEndOrAsFarAsWanted() {
        String arn = start();
        String id = awaitCallback(arn).getCallbackDetails().getCallbackId();
        client.sendCallbackSuccess(SendCallbackSuccessRequest.newBuilder().setCallbackId(id).build());
        List<Event> events = new ArrayList<>();
        WatchExecutionRequest watch = WatchExecutionRequest.newBuilder().setDurableExecutionArn(arn).build();
        assertTrue(client.watchExecution(watch, events::add, Duration.ofMinutes(1)));
        assertEquals(EventType.EVENT_TYPE_EXECUTION_SUCCEEDED, events.get(events.size() - 1).getEventType());
        assertFalse(client.watchExecution(watch, event -> false, Duration.ofMinutes(1)));
    }

    @Test
    void plainFunctionsAreInvoked() {
        InvokeFunctionRequest request = InvokeFunctionRequest.newBuilder()
                .setSession(session)
                .setFunctionName("plain")
                .setPayload(ByteString.copyFromUtf8("17"))
                .build();
        assertEquals("17", client.invokeFunction(request).getPayload().toStringUtf8());
    }

    @Test
    void functionsAreListedAndForgotten() {
        ListFunctionsRequest list = ListFunctionsRequest.newBuilder().setSession(session).build();
        assertEquals(2, client.listFunctions(list).getFunctionsCount());
        DeregisterFunctionRequest forget =
                DeregisterFunctionRequest.newBuilder().setSession(session).setFunctionName("plain").build();
        client.deregisterFunction(forget);
        assertEquals(1, client.listFunctions(list).getFunctionsCount());
        assertThrows(ResourceNotFoundException.class, () -> client.deregisterFunction(forget));
    }

    @Test
    void sessionsAreHeldListedAndDeleted() {
        GetSessionRequest get = GetSessionRequest.newBuilder().setName(session).build();
        assertEquals(session, client.getSession(get).getSession().getName());
        assertTrue(client.listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsList().stream()
                .anyMatch(listed -> listed.getName().equals(session)));
        CreateSessionRequest again = CreateSessionRequest.newBuilder().setName(session).build();
        assertThrows(ResourceConflictException.class, () -> client.createSession(again));
        Runnable endHold = client.holdSession(HoldSessionRequest.newBuilder().setName(session).build());
        client.deleteSession(DeleteSessionRequest.newBuilder().setName(session).build());
        endHold.run();
        assertThrows(ResourceNotFoundException.class, () -> client.getSession(get));
    }

    @Test
    void timeIsMoved() {
        AdvanceTimeRequest request = AdvanceTimeRequest.newBuilder()
                .setSession(session)
                .setDuration(Protos.fromDuration(Duration.ofDays(1)))
                .build();
        assertEquals(0, client.advanceTime(request).getFiredCount2());
    }

    @Test
    void checkpointsOfNoInvocationAreRefused() {
        CheckpointRequest checkpoint =
                CheckpointRequest.newBuilder().setDurableExecutionArn("none").setCheckpointToken("bm9uZQ==").build();
        assertThrows(InvalidParameterValueException.class, () -> client.checkpoint(checkpoint));
        GetExecutionStateRequest state = GetExecutionStateRequest.newBuilder()
                .setDurableExecutionArn("none")
                .setCheckpointToken("bm9uZQ==")
                .build();
        assertThrows(InvalidParameterValueException.class, () -> client.getExecutionState(state));
    }

    @Test
    void aSessionThatIsNotSteppedInvokesByItself() {
        InvokeNextRequest request = InvokeNextRequest.newBuilder().setDurableExecutionArn(start()).build();
        assertThrows(ResourceConflictException.class, () -> client.invokeNext(request));
    }

    @Test
    void errorsHaveTheNamesOfAws() {
        for (var expected : List.of(
                CallbackTimeoutException.class,
                DurableExecutionAlreadyStartedException.class,
                InvalidParameterValueException.class,
                InvalidRequestContentException.class,
                RequestTooLargeException.class,
                ResourceConflictException.class,
                ResourceNotFoundException.class,
                ServiceException.class,
                TooManyRequestsException.class)) {
            RehearseException error = RehearseException.of(refusal(expected.getSimpleName()));
            assertEquals(expected, error.getClass());
            assertEquals(expected.getSimpleName(), error.errorName());
            assertEquals(expected, error.withMessage("more").getClass());
            assertEquals("more", error.withMessage("more").getMessage());
        }
        assertEquals(WaitTimedOutException.class, RehearseException.of(refusal("WaitTimedOut")).getClass());
        assertEquals(RehearseException.class, RehearseException.of(refusal("Unheard")).getClass());
        assertEquals("", RehearseException.of(Status.newBuilder().setCode(13).setMessage("oh").build()).errorName());
    }

    private static Status refusal(String name) {
        return Status.newBuilder()
                .setCode(3)
                .setMessage("no")
                .addDetails(com.google.protobuf.Any.pack(
                        com.google.rpc.ErrorInfo.newBuilder().setReason(name).build()))
                .build();
    }
}
