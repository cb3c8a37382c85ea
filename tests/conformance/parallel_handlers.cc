// Suite 8: parallel.
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "tests/conformance/batch_projection.h"

namespace rehearse::conformance {
namespace {

using ::durable::BatchOptions;
using ::durable::BatchResult;
using ::durable::CompletionConfig;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::StepContext;

using Branch = ::durable::Branch<std::string>;
using Branches = std::vector<Branch>;
using Texts = std::vector<std::string>;

// One branch after the other, for a history that is always the same.
BatchOptions OneByOne() { return BatchOptions().set_max_concurrency(1); }

BatchOptions OneByOne(const CompletionConfig& completion) {
  return OneByOne().set_completion(completion);
}

Branch Return(const std::string& text) {
  return [text](DurableContext&) { return text; };
}

Branch ReturnFromStep(const std::string& text) {
  return
      [text](DurableContext& ctx) { return ctx.Step("work", [&](StepContext&) { return text; }); };
}

Branch Fail() {
  return [](DurableContext&) { return durable::MakeError("BranchFailure", "the branch fails"); };
}

absl::StatusOr<Texts> ResultsOf(DurableContext& ctx, absl::string_view name,
                                const Branches& branches, const BatchOptions& options) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<std::string> batch, ctx.Parallel(name, branches, options));
  return batch.Results();
}

absl::StatusOr<Json> Project(DurableContext& ctx, const Branches& branches,
                             const CompletionConfig& completion,
                             std::initializer_list<const char*> members) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<std::string> batch,
                           ctx.Parallel("parallel", branches, OneByOne(completion)));
  return ProjectionOf(batch, members);
}

absl::StatusOr<Texts> Basic(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {ReturnFromStep("task-1"), ReturnFromStep("task-2")},
                   OneByOne());
}
DURABLE_FUNCTION("8-1", Basic);

absl::StatusOr<Texts> Unnamed(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "", {Return("alpha"), Return("beta")}, OneByOne());
}
DURABLE_FUNCTION("8-2", Unnamed);

absl::StatusOr<Texts> NamedBranches(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel",
                   {{"first", [](DurableContext&) { return std::string("one"); }},
                    {"second", [](DurableContext&) { return std::string("two"); }}},
                   OneByOne());
}
DURABLE_FUNCTION("8-3", NamedBranches);

absl::StatusOr<std::vector<Json>> DifferentTypes(DurableContext& ctx, const Json&) {
  const std::vector<durable::Branch<Json>> branches = {
      [](DurableContext&) { return Json("hello"); },
      [](DurableContext&) { return Json(42); },
      [](DurableContext&) {
        return Json{{"k", "v"}};
      },
  };
  DURABLE_ASSIGN_OR_RETURN(BatchResult<Json> batch, ctx.Parallel("parallel", branches, OneByOne()));
  return batch.Results();
}
DURABLE_FUNCTION("8-4", DifferentTypes);

absl::StatusOr<Texts> NoBranches(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {}, OneByOne());
}
DURABLE_FUNCTION("8-5", NoBranches);

absl::StatusOr<Json> FailFast(DurableContext& ctx, const Json&) {
  return Project(ctx, {Return("ok"), Fail(), Return("never")},
                 CompletionConfig().set_tolerated_failures(0),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-6", FailFast);

absl::StatusOr<Texts> FirstError(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<std::string> batch,
                           ctx.Parallel("parallel", Branches{Fail(), Return("never")},
                                        OneByOne(CompletionConfig().set_tolerated_failures(0))));
  DURABLE_RETURN_IF_ERROR(batch.FirstError());
  return batch.Results();
}
DURABLE_FUNCTION("8-7", FirstError);

absl::StatusOr<Json> MinSuccessful(DurableContext& ctx, const Json&) {
  return Project(ctx, {Return("a"), Return("b"), Return("c"), Return("d")},
                 CompletionConfig().set_min_successful(2),
                 {"completionReason", "successCount", "totalCount"});
}
DURABLE_FUNCTION("8-8", MinSuccessful);

absl::StatusOr<Json> ToleratedFailure(DurableContext& ctx, const Json&) {
  return Project(ctx, {Return("a"), Fail(), Return("c")},
                 CompletionConfig().set_tolerated_failures(1),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-9", ToleratedFailure);

absl::StatusOr<Json> TooManyFailures(DurableContext& ctx, const Json&) {
  return Project(ctx, {Fail(), Fail(), Return("never")},
                 CompletionConfig().set_tolerated_failures(1),
                 {"completionReason", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-10", TooManyFailures);

absl::StatusOr<Texts> AtTheSameTime(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {Return("r0"), Return("r1"), Return("r2")},
                   BatchOptions().set_max_concurrency(2));
}
DURABLE_FUNCTION("8-11", AtTheSameTime);

absl::StatusOr<Texts> Flat(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {ReturnFromStep("fa"), ReturnFromStep("fb")},
                   OneByOne().set_nesting(durable::Nesting::kFlat));
}
DURABLE_FUNCTION("8-12", Flat);

absl::StatusOr<Json> TooLargeAShareOfFailures(DurableContext& ctx, const Json&) {
  return Project(ctx, {Fail(), Fail(), Return("never"), Return("never")},
                 CompletionConfig().set_tolerated_failure_percentage(25),
                 {"completionReason", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-13", TooLargeAShareOfFailures);

absl::StatusOr<Texts> BranchWaits(DurableContext& ctx, const Json&) {
  const Branch wait = [](DurableContext& branch) -> absl::StatusOr<std::string> {
    DURABLE_RETURN_IF_ERROR(branch.Wait("pause", absl::Seconds(2)));
    return std::string("b1");
  };
  return ResultsOf(ctx, "parallel", {ReturnFromStep("b0"), wait}, OneByOne());
}
DURABLE_FUNCTION("8-14", BranchWaits);

absl::StatusOr<Texts> ItemSerdes(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {Return("x"), Return("y")},
                   OneByOne().set_item_serdes<std::string>(
                       [](const std::string& value, const auto&) {
                         return Json{{"wrapped", value}}.dump();
                       },
                       [](absl::string_view text, const auto&) {
                         return Json::parse(text).at("wrapped").get<std::string>();
                       }));
}
DURABLE_FUNCTION("8-15", ItemSerdes);

absl::StatusOr<Json> EverythingFailsAsTolerated(DurableContext& ctx, const Json&) {
  return Project(ctx, {Fail(), Fail(), Fail()}, CompletionConfig().set_tolerated_failures(3),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-16", EverythingFailsAsTolerated);

absl::StatusOr<Json> MinSuccessfulNotReached(DurableContext& ctx, const Json&) {
  return Project(ctx, {Return("a"), Fail(), Return("c")}, CompletionConfig().set_min_successful(3),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-17", MinSuccessfulNotReached);

absl::StatusOr<Json> ToleranceBeforeSuccesses(DurableContext& ctx, const Json&) {
  return Project(ctx, {Fail(), Fail(), Return("never"), Return("never")},
                 CompletionConfig().set_min_successful(3).set_tolerated_failures(1),
                 {"completionReason", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-18", ToleranceBeforeSuccesses);

absl::StatusOr<Texts> NoConcurrency(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, "parallel", {Return("never"), Return("never")},
                   BatchOptions().set_max_concurrency(0));
}
DURABLE_FUNCTION("8-19", NoConcurrency);

absl::StatusOr<Json> Accessors(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<std::string> batch,
                           ctx.Parallel("parallel", Branches{Return("a"), Fail(), Return("c")},
                                        OneByOne(CompletionConfig().set_tolerated_failures(1))));
  return Json{{"hasFailure", batch.has_failure()},
              {"successCount", batch.Succeeded().size()},
              {"failureCount", batch.Failed().size()},
              {"errorCount", batch.Errors().size()}};
}
DURABLE_FUNCTION("8-20", Accessors);

absl::StatusOr<std::vector<Texts>> Nested(DurableContext& ctx, const Json&) {
  const std::vector<durable::Branch<Texts>> branches = {[](DurableContext& branch) {
    return ResultsOf(branch, "inner", {ReturnFromStep("i1"), ReturnFromStep("i2")}, OneByOne());
  }};
  DURABLE_ASSIGN_OR_RETURN(BatchResult<Texts> batch, ctx.Parallel("outer", branches, OneByOne()));
  return batch.Results();
}
DURABLE_FUNCTION("8-21", Nested);

absl::StatusOr<Json> ToleratedShareOfFailures(DurableContext& ctx, const Json&) {
  return Project(ctx, {Fail(), Return("b"), Return("c"), Return("d")},
                 CompletionConfig().set_tolerated_failure_percentage(25),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("8-22", ToleratedShareOfFailures);

}  // namespace
}  // namespace rehearse::conformance
