// When a failed step is tried again. A strategy is any function of the error and the number of
// attempts made so far; builders and presets make the usual ones.
//
//   auto options = durable::StepOptions().set_retry(durable::ExponentialBackoff()
//                                                       .set_max_attempts(5)
//                                                       .set_initial_delay(absl::Seconds(2))
//                                                       .set_backoff_rate(3)
//                                                       .set_jitter(durable::Jitter::kNone)
//                                                       .RetryOnTypes({"TransientError"})
//                                                       .Build());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_RETRY_H_
#define REHEARSE_CLIENT_CPP_DURABLE_RETRY_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/errors.h"

namespace durable {

struct RetryDecision {
  bool retry = false;
  // Rounded up to whole seconds, at least one.
  absl::Duration delay = absl::ZeroDuration();
};

// `attempt` counts the attempts made so far: 1 after the first failure. Runs once per failure and
// its decision is recorded, so it need not be deterministic.
using RetryStrategy = std::function<RetryDecision(const ErrorInfo& error, int attempt)>;

// kFull: uniform between 0 and the delay. kHalf: half of the delay plus uniform up to the other
// half.
enum class Jitter { kNone, kFull, kHalf };

// Which errors are retried. Without any filter all are; with filters those that match at least one.
class RetryFilter {
 public:
  void AddTypes(std::vector<std::string> types);
  void AddMessages(std::vector<std::string> substrings);
  // ECMAScript regular expressions, searched for anywhere in the message. Throws std::regex_error
  // for a malformed one.
  void AddMessagePatterns(const std::vector<std::string>& patterns);
  void AddPredicate(std::function<bool(const ErrorInfo&)> predicate);

  bool Matches(const ErrorInfo& error) const;

 private:
  std::vector<std::function<bool(const ErrorInfo&)>> predicates_;
};

namespace internal {

template <typename Exception>
bool Threw(const ErrorInfo& error) {
#ifdef __cpp_exceptions
  if (error.exception == nullptr) return false;
  try {
    std::rethrow_exception(error.exception);
  } catch (const Exception&) {
    return true;
  } catch (...) {
    return false;
  }
#else
  static_cast<void>(error);
  return false;
#endif
}

// What the two builders share; Builder is the class that derives from it.
template <typename Builder>
class BackoffBuilder {
 public:
  // Counts the first try, so 1 means no retry.
  Builder& set_max_attempts(int attempts) { return Set(max_attempts_, attempts); }
  Builder& set_initial_delay(absl::Duration delay) { return Set(initial_delay_, delay); }
  Builder& set_max_delay(absl::Duration delay) { return Set(max_delay_, delay); }
  Builder& set_jitter(Jitter jitter) { return Set(jitter_, jitter); }

  // Matches ErrorInfo::type, without namespaces for C++ exceptions.
  Builder& RetryOnTypes(std::vector<std::string> types) {
    filter_.AddTypes(std::move(types));
    return self();
  }
  Builder& RetryOnMessages(std::vector<std::string> substrings) {
    filter_.AddMessages(std::move(substrings));
    return self();
  }
  Builder& RetryOnMessagePatterns(const std::vector<std::string>& patterns) {
    filter_.AddMessagePatterns(patterns);
    return self();
  }
  // Matches a body that threw Exception or a class derived from it.
  template <typename Exception>
  Builder& RetryOnException() {
    filter_.AddPredicate(&Threw<Exception>);
    return self();
  }

 protected:
  Builder& self() { return static_cast<Builder&>(*this); }

  template <typename T>
  Builder& Set(T& member, T value) {
    member = value;
    return self();
  }

  int max_attempts_ = 3;
  absl::Duration initial_delay_ = absl::Seconds(5);
  absl::Duration max_delay_ = absl::Seconds(300);
  Jitter jitter_ = Jitter::kFull;
  RetryFilter filter_;
};

}  // namespace internal

// initial_delay * backoff_rate^(attempt-1), at most max_delay.
// Defaults: 3 attempts, 5 s, rate 2, at most 300 s, full jitter.
class ExponentialBackoff : public internal::BackoffBuilder<ExponentialBackoff> {
 public:
  ExponentialBackoff& set_backoff_rate(double rate) { return Set(backoff_rate_, rate); }
  RetryStrategy Build() const;

 private:
  double backoff_rate_ = 2.0;
};

// initial_delay + increment * (attempt-1), at most max_delay.
// Defaults: 6 attempts, 1 s, 1 s more each time, at most 300 s, full jitter.
class LinearBackoff : public internal::BackoffBuilder<LinearBackoff> {
 public:
  LinearBackoff() { set_max_attempts(6).set_initial_delay(absl::Seconds(1)); }
  LinearBackoff& set_increment(absl::Duration increment) { return Set(increment_, increment); }
  RetryStrategy Build() const;

 private:
  absl::Duration increment_ = absl::Seconds(1);
};

// Presets: attempts, initial delay, rate or increment, longest delay, jitter.
// 6, 5 s, 2, 60 s, full. What a step has when nothing is set.
RetryStrategy DefaultRetry();
// 1 attempt.
RetryStrategy NoRetry();
// 3, 5 s, 2, 300 s, half.
RetryStrategy TransientRetry();
// 5, 5 s, 2, 300 s, full.
RetryStrategy ResourceAvailabilityRetry();
// 10, 1 s, 1.5, 60 s, none.
RetryStrategy CriticalRetry();
// 6, 1 s, 1 s more each time, 300 s, none.
RetryStrategy LinearRetry();
// 5 attempts, always `interval` apart.
RetryStrategy FixedRetry(absl::Duration interval = absl::Seconds(5));

namespace internal {

// `delay` with jitter applied; `random` is uniform in [0, 1).
absl::Duration ApplyJitter(absl::Duration delay, Jitter jitter, double random);

// Whole seconds to wait before the next attempt: rounded up, 1 to 31,622,400 (366 days, the
// service's bound).
int64_t RetryDelaySeconds(absl::Duration delay);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_RETRY_H_
