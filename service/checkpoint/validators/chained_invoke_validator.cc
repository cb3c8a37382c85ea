#include "absl/strings/str_cat.h"
#include "service/base/arn.h"
#include "service/base/errors.h"
#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {

absl::Status ValidateChainedInvoke(const v1::Operation* current, const v1::OperationUpdate& update,
                                   absl::string_view execution_arn) {
  absl::Status status = RequireStatus(current, update, kNew);
  if (!status.ok()) return status;
  if (!update.has_chained_invoke_options()) {
    return OperationError(update,
                          "CHAINED_INVOKE START needs ChainedInvokeOptions with FunctionName.");
  }
  const absl::StatusOr<FunctionReference> function =
      FunctionReference::Parse(update.chained_invoke_options().function_name());
  if (!function.ok()) return function.status();
  if (!function->account.has_value() && !function->region.has_value()) return absl::OkStatus();
  const absl::optional<ExecutionArn> own = ExecutionArn::Parse(execution_arn);
  if (!own.has_value()) return absl::OkStatus();
  if (function->account.value_or(own->location.account) != own->location.account) {
    return errors::InvalidParameter(
        "Cannot start a CHAINED_INVOKE on a function in another account.");
  }
  if (function->region.value_or(own->location.region) != own->location.region) {
    return errors::InvalidParameter(
        "Cannot start a CHAINED_INVOKE on a function in another region.");
  }
  return absl::OkStatus();
}

}  // namespace rehearse
