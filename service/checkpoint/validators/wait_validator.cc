#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateWait(const v1::Operation* current, const v1::OperationUpdate& update) {
  if (update.action() == v1::OPERATION_ACTION_CANCEL) {
    return RequireStatus(current, update, kStarted);
  }
  absl::Status status = RequireStatus(current, update, kNew);
  if (!status.ok()) return status;
  if (!update.wait_options().has_wait_seconds()) {
    return OperationError(update, "WAIT START needs WaitOptions with WaitSeconds.");
  }
  return absl::OkStatus();
}

}  // namespace rehearse
