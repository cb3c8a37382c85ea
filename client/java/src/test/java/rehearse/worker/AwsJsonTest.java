package rehearse.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Timestamp;
import org.junit.jupiter.api.Test;
import rehearse.v1.DurableExecutionInvocationInput;
import rehearse.v1.ErrorObject;
import rehearse.v1.ExecutionState;
import rehearse.v1.InvokeFunctionRequest;
import rehearse.v1.Operation;
import rehearse.v1.OperationStatus;
import rehearse.v1.OperationType;
import rehearse.v1.StepDetails;

class AwsJsonTest {
    @Test
    void messagesAreAwsJson() {
        Operation step = Operation.newBuilder()
                .setId("1")
                .setName("größe")
                .setType(OperationType.OPERATION_TYPE_CHAINED_INVOKE)
                .setStatus(OperationStatus.OPERATION_STATUS_TIMED_OUT)
                .setStartTimestamp(Timestamp.newBuilder().setSeconds(1790000000).setNanos(123_999_999))
                .setStepDetails(StepDetails.newBuilder().setAttempt(0).setResult(""))
                .build();
        var input = DurableExecutionInvocationInput.newBuilder()
                .setDurableExecutionArn("arn")
                .setCheckpointToken("t")
                .setInitialExecutionState(ExecutionState.newBuilder().addOperations(step).setNextMarker("m"))
                .build();
        assertEquals(
                "{\"DurableExecutionArn\":\"arn\",\"CheckpointToken\":\"t\","
                        + "\"InitialExecutionState\":{\"Operations\":[{"
                        + "\"Id\":\"1\",\"Name\":\"größe\",\"Type\":\"CHAINED_INVOKE\","
                        + "\"StartTimestamp\":1790000000.123,\"Status\":\"TIMED_OUT\","
                        + "\"StepDetails\":{\"Attempt\":0,\"Result\":\"\"}}],\"NextMarker\":\"m\"}}",
                AwsJson.write(input).toString());
    }

    @Test
    void whatIsAbsentStaysAbsent() {
        assertEquals("{}", AwsJson.write(ErrorObject.getDefaultInstance()).toString());
        assertEquals(
                "{\"StackTrace\":[\"at\"]}",
                AwsJson.write(ErrorObject.newBuilder().addStackTrace("at").build()).toString());
    }

    @Test
    void membersThatAwsLacksAreLeftOut() {
        var request = InvokeFunctionRequest.newBuilder().setSession("s").setFunctionName("f").build();
        assertEquals("{\"FunctionName\":\"f\",\"Payload\":\"\"}", AwsJson.write(request).toString());
    }

    @Test
    void outputsAreThoseOfLambda() {
        assertEquals("{\"Status\":\"PENDING\"}", InvocationOutput.pending());
        assertEquals("{\"Status\":\"SUCCEEDED\"}", InvocationOutput.succeeded(null));
        assertEquals("{\"Status\":\"SUCCEEDED\",\"Result\":\"\\\"a\\\"\"}", InvocationOutput.succeeded("\"a\""));
        assertEquals(
                "{\"Status\":\"FAILED\",\"Error\":{\"ErrorType\":\"T\"}}",
                InvocationOutput.failed(ErrorObject.newBuilder().setErrorType("T").build()));
    }
}
