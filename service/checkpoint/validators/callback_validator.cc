#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateCallback(const v1::Operation* current, const v1::OperationUpdate& update) {
  return RequireStatus(current, update, kNew);
}

}  // namespace rehearse
