// When a polled condition is met, and when to look again. A strategy is any function of the state
// and the number of checks made so far; PollUntil makes the usual one.
//
//   absl::StatusOr<Job> job = ctx.WaitForCondition(
//       "job-done", Job{id}, [](const Job& job, durable::CheckContext&) { return Query(job.id); },
//       durable::PollUntil<Job>([](const Job& job) { return job.done; },
//                               durable::PollOptions().set_initial_delay(absl::Seconds(10))));
#ifndef REHEARSE_CLIENT_CPP_DURABLE_WAIT_STRATEGY_H_
#define REHEARSE_CLIENT_CPP_DURABLE_WAIT_STRATEGY_H_

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/retry.h"

namespace durable {

struct WaitDecision {
  // The condition is met: the operation returns the state.
  bool done = false;
  // Until the next check; rounded up to whole seconds, at least one.
  absl::Duration delay = absl::ZeroDuration();
};

// `attempt` counts the checks made so far: 1 after the first. An error ends the operation with that
// error. Runs once per check and its decision is recorded, so it need not be deterministic.
template <typename S>
using WaitStrategy = std::function<absl::StatusOr<WaitDecision>(const S& state, int attempt)>;

// How often to look, and how many times. Delays grow like those of ExponentialBackoff.
// Defaults: 60 checks, 5 s, rate 1.5, at most 300 s, full jitter.
class PollOptions {
 public:
  // Counts the first check, too.
  PollOptions& set_max_attempts(int attempts) {
    backoff_.set_max_attempts(attempts);
    return *this;
  }
  PollOptions& set_initial_delay(absl::Duration delay) {
    backoff_.set_initial_delay(delay);
    return *this;
  }
  PollOptions& set_max_delay(absl::Duration delay) {
    backoff_.set_max_delay(delay);
    return *this;
  }
  PollOptions& set_backoff_rate(double rate) {
    backoff_.set_backoff_rate(rate);
    return *this;
  }
  PollOptions& set_jitter(Jitter jitter) {
    backoff_.set_jitter(jitter);
    return *this;
  }

  const ExponentialBackoff& backoff() const { return backoff_; }

 private:
  ExponentialBackoff backoff_ = ExponentialBackoff().set_max_attempts(60).set_backoff_rate(1.5);
};

// Polls until `done`, bool(const S&), is true of the state. When it is not after the last check,
// the operation fails with type "WaitForConditionError".
template <typename S, typename Done>
WaitStrategy<S> PollUntil(Done done, const PollOptions& options = {}) {
  return [done = std::move(done), backoff = options.backoff().Build()](
             const S& state, int attempt) -> absl::StatusOr<WaitDecision> {
    if (done(state)) return WaitDecision{true};
    const RetryDecision decision = backoff(ErrorInfo(), attempt);
    if (decision.retry) return WaitDecision{false, decision.delay};
    return MakeError("WaitForConditionError",
                     absl::StrCat("the condition was not met after ", attempt, " checks"));
  };
}

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_WAIT_STRATEGY_H_
