// DurableContext::WithRetry: a child context in which attempts and waits take turns.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/error_conversion.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/retry.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace {

// What the names of the waits need: "-backoff-" and the attempt.
constexpr size_t kBackoffSuffixBytes = 19;

std::string BackoffName(absl::string_view name, int attempt) {
  return name.empty() ? "" : absl::StrCat(name, "-backoff-", attempt);
}

}  // namespace

absl::Status DurableContext::RunWithRetry(absl::string_view name, const RetryStrategy& strategy,
                                          const ChildOptions& options, internal::RetriedBody body,
                                          internal::ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name, kBackoffSuffixBytes));
  const RetryStrategy decide = strategy ? strategy : ExponentialBackoff().Build();
  const auto attempts = [&](DurableContext& child) -> absl::Status {
    for (int attempt = 1;; ++attempt) {
      internal::UserOutcome outcome = internal::CallUserCode([&] { return body(child, attempt); });
      if (outcome.status.ok() || IsSuspended(outcome.status)) return outcome.status;
      ErrorInfo info = internal::InfoOf(outcome.status);
      info.exception = outcome.exception;
      const RetryDecision decision = decide(info, attempt);
      if (!decision.retry) return outcome.status;
      const absl::Duration delay = absl::Seconds(internal::RetryDelaySeconds(decision.delay));
      DURABLE_RETURN_IF_ERROR(child.Wait(BackoffName(name, attempt), delay));
    }
  };
  return RunChild(name, options, attempts, slot);
}

}  // namespace durable
