package rehearse.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StatusTest {
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"EXECUTION_STATUS_UNSPECIFIED", "EXECUTION_STATUS_RUNNING", "UNRECOGNIZED"})
    void executionsHaveTheStatusesOfAws(rehearse.v1.ExecutionStatus status) {
        assertEquals(status.name(), "EXECUTION_STATUS_" + ExecutionStatus.of(status));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"OPERATION_STATUS_UNSPECIFIED", "UNRECOGNIZED"})
    void operationsHaveTheStatusesOfAws(rehearse.v1.OperationStatus status) {
        assertEquals(status, OperationStatus.of(status).toProto());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"OPERATION_TYPE_UNSPECIFIED", "UNRECOGNIZED"})
    void operationsHaveTheTypesOfAws(rehearse.v1.OperationType type) {
        assertEquals(type.name(), "OPERATION_TYPE_" + OperationType.of(type));
    }
}
