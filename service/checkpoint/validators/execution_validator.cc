#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateExecution(const v1::OperationUpdate& update) {
  return update.action() == v1::OPERATION_ACTION_SUCCEED ? ForbidError(update)
                                                         : ForbidPayload(update);
}

}  // namespace rehearse
