// Suite 6: wait for a condition.
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "nlohmann/json.hpp"

namespace rehearse::conformance {
namespace {

using ::durable::CheckContext;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::PollOptions;
using ::durable::PollUntil;
using ::durable::StepContext;

PollOptions Every(absl::Duration delay) {
  return PollOptions().set_initial_delay(delay).set_backoff_rate(1).set_jitter(
      durable::Jitter::kNone);
}

int Increment(const int& number, CheckContext&) { return number + 1; }

// Counts up, once per check.
absl::StatusOr<int> Count(DurableContext& ctx, absl::string_view name, int from, int to,
                          absl::Duration delay = absl::Seconds(1)) {
  return ctx.WaitForCondition(
      name, from, Increment,
      PollUntil<int>([to](int number) { return number >= to; }, Every(delay)));
}

absl::StatusOr<int> Basic(DurableContext& ctx, const int& threshold) {
  return Count(ctx, "", 0, threshold);
}
DURABLE_FUNCTION("6-1", Basic);

absl::StatusOr<int> MetAtOnce(DurableContext& ctx, const int& threshold) {
  return ctx.WaitForCondition(
      "", 5, [](const int& number, CheckContext&) { return number; },
      PollUntil<int>([&](int number) { return number >= threshold; }));
}
DURABLE_FUNCTION("6-2", MetAtOnce);

absl::StatusOr<int> Named(DurableContext& ctx, const int& threshold) {
  return Count(ctx, "poll-status", 0, threshold);
}
DURABLE_FUNCTION("6-3", Named);

absl::StatusOr<int> InitialState(DurableContext& ctx, const int& threshold) {
  return Count(ctx, "count", 5, threshold);
}
DURABLE_FUNCTION("6-4", InitialState);

absl::StatusOr<int> FixedDelay(DurableContext& ctx, const int& threshold) {
  return Count(ctx, "count", 0, threshold, absl::Seconds(2));
}
DURABLE_FUNCTION("6-5", FixedDelay);

absl::StatusOr<int> NeverMet(DurableContext& ctx, const Json&) {
  return ctx.WaitForCondition(
      "count", 0, Increment,
      PollUntil<int>([](int) { return false; }, Every(absl::Seconds(1)).set_max_attempts(3)));
}
DURABLE_FUNCTION("6-6", NeverMet);

absl::StatusOr<int> CheckFails(DurableContext& ctx, const Json&) {
  return ctx.WaitForCondition(
      "count", 0,
      [](const int&, CheckContext&) -> absl::StatusOr<int> {
        return durable::MakeError("CheckFailure", "nothing to look at");
      },
      PollUntil<int>([](int) { return false; }));
}
DURABLE_FUNCTION("6-7", CheckFails);

absl::StatusOr<std::string> CatchFailedCheck(DurableContext& ctx, const Json& input) {
  const absl::StatusOr<int> failed = CheckFails(ctx, input);
  if (!durable::IsError(failed.status(), durable::ErrorKind::kWaitForCondition)) {
    return failed.status();
  }
  return std::string("recovered");
}
DURABLE_FUNCTION("6-8", CatchFailedCheck);

struct Job {
  std::string status = "PENDING";
  int attempts = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Job, status, attempts)

absl::StatusOr<Job> ObjectState(DurableContext& ctx, const Json&) {
  return ctx.WaitForCondition(
      "job", Job(),
      [](const Job& job, CheckContext&) {
        const int attempts = job.attempts + 1;
        return Job{attempts < 2 ? "PENDING" : "DONE", attempts};
      },
      PollUntil<Job>([](const Job& job) { return job.status == "DONE"; }, Every(absl::Seconds(1))));
}
DURABLE_FUNCTION("6-9", ObjectState);

absl::StatusOr<Json> NullState(DurableContext& ctx, const Json&) {
  return ctx.WaitForCondition(
      "nothing", Json(), [](const Json& state, CheckContext&) { return state; },
      PollUntil<Json>([](const Json&) { return true; }));
}
DURABLE_FUNCTION("6-10", NullState);

absl::StatusOr<std::string> CustomSerdes(DurableContext& ctx, const Json&) {
  return ctx.WaitForCondition(
      "append", std::string(), [](const std::string& text, CheckContext&) { return text + "x"; },
      PollUntil<std::string>([](const std::string& text) { return text.size() == 2; },
                             Every(absl::Seconds(1))),
      durable::ConditionOptions().set_serdes<std::string>(
          [](const std::string& text, const auto&) { return absl::StrCat("text:", text); },
          [](absl::string_view text, const auto&) {
            return std::string(absl::StripPrefix(text, "text:"));
          }));
}
DURABLE_FUNCTION("6-11", CustomSerdes);

absl::StatusOr<int> FeedsStep(DurableContext& ctx, const int& threshold) {
  DURABLE_ASSIGN_OR_RETURN(const int count, Count(ctx, "count", 0, threshold));
  return ctx.Step("multiply", [&](StepContext&) { return 10 * count; });
}
DURABLE_FUNCTION("6-12", FeedsStep);

absl::StatusOr<int> OneAfterTheOther(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(const int first, Count(ctx, "first", 0, 2));
  return Count(ctx, "second", first, 4);
}
DURABLE_FUNCTION("6-13", OneAfterTheOther);

}  // namespace
}  // namespace rehearse::conformance
