#include "service/checkpoint/closing.h"
#include "service/checkpoint/processors/processors.h"

namespace rehearse {

void ProcessExecution(ExecutionChange& change, const v1::OperationUpdate& update,
                      std::vector<Effect>& effects) {
  absl::optional<std::string> result;
  absl::optional<v1::ErrorObject> error;
  if (update.has_payload()) result = update.payload();
  if (update.has_error()) error = update.error();
  change.CountStored(static_cast<int64_t>(update.payload().size()) +
                     ErrorObjectBytes(update.error()));
  const bool succeeded = update.action() == v1::OPERATION_ACTION_SUCCEED;
  CloseExecution(change, succeeded ? v1::EXECUTION_STATUS_SUCCEEDED : v1::EXECUTION_STATUS_FAILED,
                 std::move(result), error);
  change.progress().set_terminal_event_pending(true);
  effects.push_back({Effect::Kind::kExecutionClosed, change.base().record().execution_id()});
}

}  // namespace rehearse
