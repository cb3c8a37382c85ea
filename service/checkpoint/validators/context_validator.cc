#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateContext(const v1::Operation* current, const v1::OperationUpdate& update) {
  if (update.action() == v1::OPERATION_ACTION_START) return RequireStatus(current, update, kNew);
  absl::Status status = RequireStatus(current, update, kNew | kStarted);
  if (!status.ok()) return status;
  return update.action() == v1::OPERATION_ACTION_SUCCEED ? ForbidError(update)
                                                         : ForbidPayload(update);
}

}  // namespace rehearse
