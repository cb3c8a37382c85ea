package rehearse.testing;

import java.util.List;
import rehearse.v1.Event;
import rehearse.v1.InspectExecutionResponse;
import rehearse.v1.Operation;

/**
 * What was recorded of an execution. {@code operations}: without EXECUTION, in order of creation.
 * {@code overview}: everything but the operations.
 */
record RunRecord(InspectExecutionResponse overview, List<Operation> operations, List<Event> events) {
    TestOperation view(Operation operation) {
        return new TestOperation(operation, this);
    }

    List<TestOperation> views() {
        return operations.stream().map(this::view).toList();
    }

    /** {@code id} empty: below the execution. */
    List<TestOperation> childrenOf(String id) {
        return operations.stream().filter(child -> child.getParentId().equals(id)).map(this::view).toList();
    }

    List<Event> eventsOf(String id) {
        return events.stream().filter(event -> event.getId().equals(id)).toList();
    }
}
