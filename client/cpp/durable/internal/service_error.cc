#include "client/cpp/durable/internal/service_error.h"

#include "absl/strings/match.h"

namespace durable {
namespace internal {

bool IsTransientServiceError(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

bool IsRetryableServiceError(const absl::Status& status) {
  const bool may_be_stale_token =
      absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
  return IsTransientServiceError(status) ||
         (may_be_stale_token &&
          absl::StartsWithIgnoreCase(status.message(), "Invalid checkpoint token"));
}

}  // namespace internal
}  // namespace durable
