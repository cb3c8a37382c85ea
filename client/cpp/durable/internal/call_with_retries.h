// Makes a call to the service again while it fails for now.
//
//   return internal::CallWithRetries(options, [&]() -> absl::StatusOr<Response> { ... });
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CALL_WITH_RETRIES_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CALL_WITH_RETRIES_H_

#include <algorithm>
#include <type_traits>

#include "absl/time/time.h"
#include "client/cpp/durable/internal/service_error.h"
#include "client/cpp/durable/unary_options.h"

namespace durable {
namespace internal {

// `call`, absl::StatusOr<T>(), is made up to `options.max_attempts` times, with pauses between.
template <typename Call>
std::invoke_result_t<Call> CallWithRetries(const UnaryOptions& options, Call call) {
  absl::Duration pause = options.first_pause;
  for (int attempt = 1;; ++attempt) {
    auto answer = call();
    if (answer.ok() || attempt >= options.max_attempts ||
        !IsTransientServiceError(answer.status())) {
      return answer;
    }
    options.sleep(pause);
    pause = std::min(pause * 2, options.max_pause);
  }
}

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_CALL_WITH_RETRIES_H_
