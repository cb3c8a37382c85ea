#include "service/checkpoint/closing.h"

#include <utility>

namespace rehearse {
namespace {

v1::OperationStatus ToOperationStatus(v1::ExecutionStatus status) {
  switch (status) {
    case v1::EXECUTION_STATUS_SUCCEEDED:
      return v1::OPERATION_STATUS_SUCCEEDED;
    case v1::EXECUTION_STATUS_TIMED_OUT:
      return v1::OPERATION_STATUS_TIMED_OUT;
    case v1::EXECUTION_STATUS_STOPPED:
      return v1::OPERATION_STATUS_STOPPED;
    default:
      return v1::OPERATION_STATUS_FAILED;
  }
}

}  // namespace

void CloseExecution(ExecutionChange& change, v1::ExecutionStatus status,
                    absl::optional<std::string> result,
                    const absl::optional<v1::ErrorObject>& error) {
  record::ExecutionProgress& progress = change.progress();
  progress.set_status(status);
  if (result.has_value()) progress.set_result(*std::move(result));
  if (error.has_value()) *progress.mutable_error() = *error;
  SetTimestamp(change.moment().time, progress.mutable_end_time());
  progress.set_invocation_owed(false);
  progress.clear_pause();
  progress.clear_timeout_deadline();
  progress.clear_held_timeout_seconds();
  progress.clear_backoff_until();
  change.Close(*change.Touch(change.base().record().execution_id()), ToOperationStatus(status));
}

int64_t MaxResultBytes(const record::ExecutionRecord& record, const Limits& limits) {
  const bool sync = record.invocation_type() == v1::INVOCATION_TYPE_REQUEST_RESPONSE;
  return sync && !record.has_parent() ? limits.sync_payload_bytes : limits.async_payload_bytes;
}

int64_t ErrorObjectBytes(const v1::ErrorObject& error) {
  size_t bytes =
      error.error_message().size() + error.error_type().size() + error.error_data().size();
  for (const std::string& line : error.stack_trace()) bytes += line.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace rehearse
