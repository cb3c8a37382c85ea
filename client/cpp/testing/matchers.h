// GoogleTest matchers for runs and for absl::Status. A mismatch prints the whole history.
//
//   EXPECT_THAT(*result, Succeeded());
//   EXPECT_THAT(*result, ResultJson(R"({"total": 3})"));
//   EXPECT_THAT(*result, ResultIs<int>(testing::Gt(2)));
//   EXPECT_THAT(*result, FailedWith(ErrorTypeIs("StepError")));
//   EXPECT_THAT(*result, HasStep("charge", Succeeded()));
//   EXPECT_THAT(*result, HistoryIs("CS2 SS3 SX4[attempt 1] CX5 IC6"));
//   EXPECT_THAT(runner.Resume(arn), IsOk());
//   EXPECT_THAT(runner.RunAsync(input), IsOkAndHolds(testing::HasSubstr("order-17")));
#ifndef REHEARSE_CLIENT_CPP_TESTING_MATCHERS_H_
#define REHEARSE_CLIENT_CPP_TESTING_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/serdes.h"
#include "client/cpp/testing/run_result.h"
#include "gmock/gmock.h"

namespace durable::testing {
namespace internal {

// Compares as HistoryIs says; writes the first difference, and the history around it, to `out`
// unless that is null.
bool HistoryMatches(const std::vector<Event>& history, absl::string_view pattern,
                    std::ostream* out);

inline bool HasEnded(const RunResult& run, ExecutionStatus status, OperationStatus) {
  return run.status() == status;
}
inline bool HasEnded(const OperationView& operation, ExecutionStatus, OperationStatus status) {
  return operation.status() == status;
}

// Code and message, without the details of the service's errors.
std::string Describe(const absl::Status& status);

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

template <typename Inner>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}

  template <typename StatusOr>
  // NOLINTNEXTLINE(google-explicit-constructor): as GoogleTest's matchers
  operator ::testing::Matcher<StatusOr>() const {
    return ::testing::Matcher<StatusOr>(new Impl<StatusOr>(inner_));
  }

 private:
  template <typename StatusOr>
  class Impl final : public ::testing::MatcherInterface<StatusOr> {
    using Value = typename std::decay_t<StatusOr>::value_type;

   public:
    explicit Impl(const Inner& inner) : matcher_(::testing::SafeMatcherCast<const Value&>(inner)) {}

    bool MatchAndExplain(StatusOr value, ::testing::MatchResultListener* listener) const override {
      if (!value.ok()) {
        *listener << "which is " << Describe(value.status());
        return false;
      }
      *listener << "which holds " << ::testing::PrintToString(*value) << ", ";
      return matcher_.MatchAndExplain(*value, listener);
    }
    void DescribeTo(std::ostream* out) const override {
      *out << "is OK and holds a value that ";
      matcher_.DescribeTo(out);
    }
    void DescribeNegationTo(std::ostream* out) const override {
      *out << "is not OK, or holds a value that ";
      matcher_.DescribeNegationTo(out);
    }

   private:
    const ::testing::Matcher<const Value&> matcher_;
  };

  const Inner inner_;
};

}  // namespace internal

// absl::Status and absl::StatusOr.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  if (arg.ok()) return true;
  *result_listener << "which is " << internal::Describe(internal::StatusOf(arg));
  return false;
}

template <typename Inner>
internal::IsOkAndHoldsMatcher<std::decay_t<Inner>> IsOkAndHolds(Inner&& inner) {
  return internal::IsOkAndHoldsMatcher<std::decay_t<Inner>>(std::forward<Inner>(inner));
}

MATCHER_P(StatusIs, code, "") {
  *result_listener << "which is " << internal::Describe(internal::StatusOf(arg));
  return internal::StatusOf(arg).code() == code;
}

// RunResult and OperationView.
MATCHER(Succeeded, negation ? "did not succeed" : "succeeded") {
  return internal::HasEnded(arg, ExecutionStatus::kSucceeded, OperationStatus::kSucceeded);
}

MATCHER(Failed, negation ? "did not fail" : "failed") {
  return internal::HasEnded(arg, ExecutionStatus::kFailed, OperationStatus::kFailed);
}

MATCHER(TimedOut, negation ? "did not time out" : "timed out") {
  return internal::HasEnded(arg, ExecutionStatus::kTimedOut, OperationStatus::kTimedOut);
}

MATCHER(Stopped, negation ? "was not stopped" : "was stopped") {
  return internal::HasEnded(arg, ExecutionStatus::kStopped, OperationStatus::kStopped);
}

// Failed, and `error` matches the ErrorObject.
MATCHER_P(FailedWith, error,
          "failed with an error that " + ::testing::DescribeMatcher<const ErrorObject&>(error)) {
  if (!internal::HasEnded(arg, ExecutionStatus::kFailed, OperationStatus::kFailed)) return false;
  if (!arg.error().has_value()) {
    *result_listener << "which failed without an error";
    return false;
  }
  return ::testing::ExplainMatchResult(error, *arg.error(), result_listener);
}

// The result is the same JSON value as `text`.
MATCHER_P(ResultJson, text, "has the result " + std::string(text)) {
  const Json expected = Json::parse(std::string(text));
  const Json actual = Json::parse(arg.result(), nullptr, /*allow_exceptions=*/false);
  return arg.has_result() && actual == expected;
}

// The result, read as a T, matches.
template <typename T, typename Inner>
auto ResultIs(Inner inner) {
  return ::testing::ResultOf(
      "result", [](const auto& run) { return run.template ResultAs<T>(); },
      ::testing::SafeMatcherCast<const T&>(inner));
}

// The run, or context, has a step of that name directly below it, and the first one matches.
MATCHER_P2(HasStep, name, step,
           "has a step \"" + std::string(name) + "\" that " +
               ::testing::DescribeMatcher<const OperationView&>(step)) {
  const absl::StatusOr<OperationView> found = arg.GetStep(name);
  if (!found.ok()) {
    *result_listener << found.status().message();
    return false;
  }
  *result_listener << "where " << internal::Describe(*found) << ", ";
  return ::testing::ExplainMatchResult(step, *found, result_listener);
}

// The run has exactly these events, in the notation of HistoryPattern:
// `HistoryIs("SS2 SF3[attempt 1, delay 5] IC4 ...")`. Throws std::invalid_argument, which fails the
// test, for text that is not in the notation.
MATCHER_P(HistoryIs, pattern, "has the history " + std::string(pattern)) {
  return internal::HistoryMatches(arg.History(), pattern, result_listener->stream());
}

// ErrorObject.
template <typename Inner>
auto ErrorTypeIs(Inner type) {
  return ::testing::Field("type", &ErrorObject::type, type);
}
template <typename Inner>
auto ErrorMessageIs(Inner message) {
  return ::testing::Field("message", &ErrorObject::message, message);
}

// For GoogleTest's messages.
void PrintTo(ExecutionStatus status, std::ostream* out);

}  // namespace durable::testing

namespace durable {

// For GoogleTest's messages.
void PrintTo(const ErrorObject& error, std::ostream* out);
void PrintTo(OperationStatus status, std::ostream* out);

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_TESTING_MATCHERS_H_
