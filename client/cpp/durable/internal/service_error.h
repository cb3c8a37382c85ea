// What an error from a ServiceClient means for the invocation.
//
//   if (internal::IsRetryableServiceError(status)) ...   // the service runs the invocation again
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SERVICE_ERROR_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SERVICE_ERROR_H_

#include "absl/status/status.h"

namespace durable {
namespace internal {

// The same call may succeed if it is made again.
bool IsTransientServiceError(const absl::Status& status);

// False: the execution fails with it. Transient errors are retryable, and so is a stale token:
// another invocation owns the execution by now.
bool IsRetryableServiceError(const absl::Status& status);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SERVICE_ERROR_H_
