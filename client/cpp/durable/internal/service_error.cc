#include "client/cpp/durable/internal/service_error.h"

#include "absl/strings/match.h"

namespace durable {
namespace internal {

bool IsRetryableServiceError(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kAborted:
      return true;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
      return absl::StartsWithIgnoreCase(status.message(), "Invalid checkpoint token");
    default:
      return false;
  }
}

}  // namespace internal
}  // namespace durable
