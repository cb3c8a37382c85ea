// What the published suite does not cover: pause (101), ends of children (102), sub types (103),
// completion predicates (104).
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "tests/conformance/batch_projection.h"
#include "tests/conformance/function_host.h"

namespace rehearse::conformance {
namespace {

using ::durable::BatchOptions;
using ::durable::BatchProgress;
using ::durable::BatchResult;
using ::durable::CallbackOptions;
using ::durable::ChildOptions;
using ::durable::CompletionDecision;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::StepContext;
using ::durable::StepOptions;

absl::Status ShortPause(DurableContext& ctx, const Json&) {
  return ctx.Wait("pause", absl::Seconds(2));
}
DURABLE_FUNCTION("101-1", ShortPause);

absl::Status LongPause(DurableContext& ctx, const Json&) {
  return ctx.Wait("pause", absl::Seconds(10));
}
DURABLE_FUNCTION("101-2", LongPause);
DURABLE_FUNCTION("101-3", LongPause);

absl::Status Sleep(DurableContext& ctx, const Json&) { return ctx.Wait("sleep", absl::Hours(1)); }
DURABLE_FUNCTION("sleep", Sleep);
DURABLE_FUNCTION("short-lived", Sleep);
[[maybe_unused]] const bool configured = ConfigureFunction(
    "short-lived",
    [](FunctionSettings& settings) { settings.execution_timeout = absl::Seconds(3); });

// The target does not succeed.
absl::StatusOr<std::string> HowItEnded(DurableContext& ctx, absl::string_view target) {
  const absl::StatusOr<Json> result = ctx.Invoke<Json>("target", target, Json());
  if (!durable::IsError(result.status(), durable::ErrorKind::kInvoke)) return result.status();
  switch (durable::GetError(result.status())->outcome) {
    case durable::InvokeOutcome::kTimedOut:
      return std::string("timed out");
    case durable::InvokeOutcome::kStopped:
      return std::string("stopped");
    case durable::InvokeOutcome::kFailed:
      return std::string("failed");
  }
  return result.status();
}

absl::StatusOr<std::string> ChildTimesOut(DurableContext& ctx, const Json&) {
  return HowItEnded(ctx, "short-lived");
}
DURABLE_FUNCTION("102-1", ChildTimesOut);

absl::StatusOr<std::string> ChildIsStopped(DurableContext& ctx, const Json&) {
  return HowItEnded(ctx, "sleep");
}
DURABLE_FUNCTION("102-2", ChildIsStopped);

absl::StatusOr<std::string> SubTypes(DurableContext& ctx, const Json&) {
  DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext(
      "order",
      [](DurableContext& child) {
        return child.Step(
            "charge", [](StepContext&) {}, StepOptions().set_sub_type("Charge"));
      },
      ChildOptions().set_sub_type("Order")));
  DURABLE_ASSIGN_OR_RETURN(
      durable::Callback<Json> approval,
      ctx.CreateCallback<Json>(
          "approval", CallbackOptions().set_timeout(absl::Seconds(3)).set_sub_type("Approval")));
  const absl::StatusOr<Json> answer = approval.Result();
  if (!durable::IsError(answer.status(), durable::ErrorKind::kCallbackTimeout)) {
    return answer.status();
  }
  return std::string("done");
}
DURABLE_FUNCTION("103-1", SubTypes);

constexpr std::initializer_list<const char*> kWholeProjection = {
    "completionReason", "status", "successCount", "failureCount", "totalCount"};

absl::StatusOr<Json> PredicateSucceeds(DurableContext& ctx, const Json&) {
  auto options = BatchOptions().set_max_concurrency(1).set_completion_predicate(
      [](const BatchProgress& progress) {
        return progress.succeeded > 0 ? CompletionDecision::kCompleteSucceeded
                                      : CompletionDecision::kContinue;
      });
  DURABLE_ASSIGN_OR_RETURN(BatchResult<int> batch,
                           ctx.Map(
                               "map", std::vector<int>{0, 1, 2, 3},
                               [](DurableContext&, const int& item) -> absl::StatusOr<int> {
                                 if (item == 0)
                                   return durable::MakeError("ItemFailure", "the item fails");
                                 return item;
                               },
                               options));
  return ProjectionOf(batch, kWholeProjection);
}
DURABLE_FUNCTION("104-1", PredicateSucceeds);

absl::StatusOr<Json> PredicateFails(DurableContext& ctx, const Json&) {
  auto options = BatchOptions().set_max_concurrency(1).set_completion_predicate(
      [](const BatchProgress& progress) {
        return progress.completed() == 2 ? CompletionDecision::kCompleteFailed
                                         : CompletionDecision::kContinue;
      });
  const auto number = [](DurableContext&) { return 1; };
  DURABLE_ASSIGN_OR_RETURN(
      BatchResult<int> batch,
      ctx.Parallel("parallel", std::vector<durable::Branch<int>>{number, number, number}, options));
  return ProjectionOf(batch, kWholeProjection);
}
DURABLE_FUNCTION("104-2", PredicateFails);

}  // namespace
}  // namespace rehearse::conformance
