package rehearse.testing;

import java.util.Optional;
import rehearse.v1.CallbackDetails;
import rehearse.v1.Operation;
import rehearse.v1.OperationAction;
import rehearse.v1.OperationUpdate;
import rehearse.worker.Invocation;
import rehearse.worker.InvocationHandler;
import rehearse.worker.InvocationOutput;

/** A durable function that ends as its callback does: the test answers for it. */
final class UnansweredFunction implements InvocationHandler {
    /** Name of the callback. */
    static final String ANSWER = "answer";

    @Override
    public String handle(Invocation invocation) {
        Optional<Operation> answer = invocation.operation(ANSWER);
        if (answer.isEmpty()) {
            invocation.checkpoint(OperationUpdate.newBuilder()
                    .setId(ANSWER)
                    .setName(ANSWER)
                    .setType(rehearse.v1.OperationType.OPERATION_TYPE_CALLBACK)
                    .setAction(OperationAction.OPERATION_ACTION_START)
                    .build());
            return InvocationOutput.pending();
        }
        CallbackDetails details = answer.get().getCallbackDetails();
        return switch (answer.get().getStatus()) {
            case OPERATION_STATUS_SUCCEEDED ->
                    InvocationOutput.succeeded(details.hasResult() ? details.getResult() : null);
            case OPERATION_STATUS_FAILED -> InvocationOutput.failed(details.getError());
            default -> InvocationOutput.pending();
        };
    }
}
