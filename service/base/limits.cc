#include "service/base/limits.h"

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"

namespace rehearse {

absl::StatusOr<Limits> LimitsProfile(absl::string_view name) {
  Limits limits;
  if (name == "aws") return limits;
  if (name == "aws-2025") {
    limits.operation_payload_bytes = 262144;
    limits.callback_result_bytes = 262144;
    limits.error_object_bytes = 262144;
    return limits;
  }
  return errors::InvalidParameter(
      absl::StrCat("Unknown limits profile '", name, "': use 'aws' or 'aws-2025'."));
}

absl::StatusOr<Limits> ApplyOverrides(Limits limits, const v1::LimitOverrides& overrides) {
  absl::Status status;
  const auto apply = [&status](absl::string_view name, bool given, int64_t value, int64_t& limit) {
    if (!given) return;
    if (value < 0) {
      status.Update(
          errors::InvalidParameter(absl::StrCat("Limit ", name, " must not be negative: ", value)));
    }
    limit = value;
  };
#define REHEARSE_APPLY_OVERRIDE(name) \
  apply(#name, overrides.has_##name(), overrides.name(), limits.name)
  REHEARSE_APPLY_OVERRIDE(operation_payload_bytes);
  REHEARSE_APPLY_OVERRIDE(chained_invoke_payload_bytes);
  REHEARSE_APPLY_OVERRIDE(callback_result_bytes);
  REHEARSE_APPLY_OVERRIDE(error_object_bytes);
  REHEARSE_APPLY_OVERRIDE(sync_payload_bytes);
  REHEARSE_APPLY_OVERRIDE(async_payload_bytes);
  REHEARSE_APPLY_OVERRIDE(checkpoint_request_bytes);
  REHEARSE_APPLY_OVERRIDE(checkpoint_updates);
  REHEARSE_APPLY_OVERRIDE(operations_per_execution);
  REHEARSE_APPLY_OVERRIDE(stored_bytes_per_execution);
  REHEARSE_APPLY_OVERRIDE(state_page_bytes);
  REHEARSE_APPLY_OVERRIDE(open_executions);
#undef REHEARSE_APPLY_OVERRIDE
  if (!status.ok()) return status;
  return limits;
}

}  // namespace rehearse
