#include "client/cpp/durable/retry.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "absl/algorithm/container.h"
#include "absl/random/random.h"
#include "absl/strings/match.h"

namespace durable {
namespace {

// The service's bound: 366 days.
constexpr int64_t kMaxDelaySeconds = 31'622'400;

double Random() {
  thread_local absl::BitGen generator;
  return absl::Uniform(generator, 0.0, 1.0);
}

// `delay_of` maps the number of attempts made to the delay before jitter.
template <typename DelayOf>
RetryStrategy MakeStrategy(int max_attempts, Jitter jitter, RetryFilter filter, DelayOf delay_of) {
  return [=, filter = std::move(filter)](const ErrorInfo& error, int attempt) {
    RetryDecision decision;
    decision.retry = attempt < max_attempts && filter.Matches(error);
    if (decision.retry) {
      decision.delay = internal::ApplyJitter(delay_of(attempt), jitter, Random());
    }
    return decision;
  };
}

}  // namespace

void RetryFilter::AddTypes(std::vector<std::string> types) {
  predicates_.push_back([types = std::move(types)](const ErrorInfo& error) {
    return absl::c_linear_search(types, error.type);
  });
}

void RetryFilter::AddMessages(std::vector<std::string> substrings) {
  predicates_.push_back([substrings = std::move(substrings)](const ErrorInfo& error) {
    return absl::c_any_of(substrings, [&](const std::string& substring) {
      return absl::StrContains(error.message, substring);
    });
  });
}

void RetryFilter::AddMessagePatterns(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    predicates_.push_back([expression = std::regex(pattern)](const ErrorInfo& error) {
      return std::regex_search(error.message, expression);
    });
  }
}

void RetryFilter::AddPredicate(std::function<bool(const ErrorInfo&)> predicate) {
  predicates_.push_back(std::move(predicate));
}

bool RetryFilter::Matches(const ErrorInfo& error) const {
  return predicates_.empty() ||
         absl::c_any_of(predicates_, [&](const auto& predicate) { return predicate(error); });
}

RetryStrategy ExponentialBackoff::Build() const {
  return MakeStrategy(
      max_attempts_, jitter_, filter_,
      [initial = initial_delay_, rate = backoff_rate_, max = max_delay_](int attempt) {
        return std::min(initial * std::pow(rate, attempt - 1), max);
      });
}

RetryStrategy LinearBackoff::Build() const {
  return MakeStrategy(
      max_attempts_, jitter_, filter_,
      [initial = initial_delay_, increment = increment_, max = max_delay_](int attempt) {
        return std::min(initial + increment * (attempt - 1), max);
      });
}

RetryStrategy DefaultRetry() {
  return ExponentialBackoff().set_max_attempts(6).set_max_delay(absl::Seconds(60)).Build();
}

RetryStrategy NoRetry() { return ExponentialBackoff().set_max_attempts(1).Build(); }

RetryStrategy TransientRetry() { return ExponentialBackoff().set_jitter(Jitter::kHalf).Build(); }

RetryStrategy ResourceAvailabilityRetry() {
  return ExponentialBackoff().set_max_attempts(5).Build();
}

RetryStrategy CriticalRetry() {
  return ExponentialBackoff()
      .set_max_attempts(10)
      .set_initial_delay(absl::Seconds(1))
      .set_backoff_rate(1.5)
      .set_max_delay(absl::Seconds(60))
      .set_jitter(Jitter::kNone)
      .Build();
}

RetryStrategy LinearRetry() { return LinearBackoff().set_jitter(Jitter::kNone).Build(); }

RetryStrategy FixedRetry(absl::Duration interval) {
  return ExponentialBackoff()
      .set_max_attempts(5)
      .set_initial_delay(interval)
      .set_backoff_rate(1)
      .set_max_delay(interval)
      .set_jitter(Jitter::kNone)
      .Build();
}

namespace internal {

absl::Duration ApplyJitter(absl::Duration delay, Jitter jitter, double random) {
  switch (jitter) {
    case Jitter::kNone:
      return delay;
    case Jitter::kFull:
      return delay * random;
    case Jitter::kHalf:
      return delay / 2 + delay / 2 * random;
  }
  return delay;
}

int64_t RetryDelaySeconds(absl::Duration delay) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(delay, absl::Seconds(1)));
  return std::clamp<int64_t>(seconds, 1, kMaxDelaySeconds);
}

}  // namespace internal
}  // namespace durable
