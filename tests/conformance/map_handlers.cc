// Suite 9: map.
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "tests/conformance/batch_projection.h"

namespace rehearse::conformance {
namespace {

using ::durable::BatchItem;
using ::durable::BatchOptions;
using ::durable::BatchResult;
using ::durable::CompletionConfig;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::StepContext;

using Numbers = std::vector<int>;
using Texts = std::vector<std::string>;

// Four of them do not fit the record of a map.
constexpr size_t kLargeItemBytes = 70 << 10;

// One item after the other, for a history that is always the same.
BatchOptions OneByOne() { return BatchOptions().set_max_concurrency(1); }

absl::StatusOr<std::string> StepForItem(DurableContext& ctx, const std::string& item) {
  return ctx.Step("work", [&](StepContext&) { return item; });
}

absl::StatusOr<std::string> Upper(DurableContext&, const std::string& item) {
  return absl::AsciiStrToUpper(item);
}

// Items named "fail" do; the others are their own results.
absl::StatusOr<std::string> FailIfToldSo(DurableContext&, const std::string& item) {
  if (item == "fail") return durable::MakeError("ItemFailure", "the item fails");
  return item;
}

template <typename T, typename F>
absl::StatusOr<std::vector<T>> ResultsOf(DurableContext& ctx, const std::vector<T>& items,
                                         const F& function, const BatchOptions& options) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<T> batch, ctx.Map("map", items, function, options));
  return batch.Results();
}

absl::StatusOr<Json> Project(DurableContext& ctx, const Texts& items,
                             const CompletionConfig& completion,
                             std::initializer_list<const char*> members) {
  DURABLE_ASSIGN_OR_RETURN(
      BatchResult<std::string> batch,
      ctx.Map("map", items, FailIfToldSo, OneByOne().set_completion(completion)));
  return ProjectionOf(batch, members);
}

absl::StatusOr<Texts> Basic(DurableContext& ctx, const Texts& items) {
  return ResultsOf(
      ctx, items,
      [](DurableContext& item_ctx, const std::string& item) {
        return StepForItem(item_ctx, absl::StrCat("Hello, ", item, "!"));
      },
      OneByOne());
}
DURABLE_FUNCTION("9-1", Basic);

absl::StatusOr<Numbers> Unnamed(DurableContext& ctx, const Numbers& items) {
  DURABLE_ASSIGN_OR_RETURN(
      BatchResult<int> batch,
      ctx.Map(
          "", items, [](DurableContext&, const int& item) { return 2 * item; }, OneByOne()));
  return batch.Results();
}
DURABLE_FUNCTION("9-2", Unnamed);

absl::StatusOr<Numbers> WithIndex(DurableContext& ctx, const Numbers& items) {
  return ResultsOf(
      ctx, items, [](DurableContext&, const int& item, int index) { return item + index; },
      OneByOne());
}
DURABLE_FUNCTION("9-3", WithIndex);

absl::StatusOr<Texts> NoItems(DurableContext& ctx, const Texts& items) {
  return ResultsOf(ctx, items, Upper, OneByOne());
}
DURABLE_FUNCTION("9-4", NoItems);

absl::StatusOr<Json> FailFast(DurableContext& ctx, const Json&) {
  return Project(ctx, {"ok", "fail", "never"}, CompletionConfig().set_tolerated_failures(0),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("9-5", FailFast);

absl::StatusOr<Texts> FirstError(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(
      BatchResult<std::string> batch,
      ctx.Map("map", Texts{"fail", "never"}, FailIfToldSo,
              OneByOne().set_completion(CompletionConfig().set_tolerated_failures(0))));
  DURABLE_RETURN_IF_ERROR(batch.FirstError());
  return batch.Results();
}
DURABLE_FUNCTION("9-6", FirstError);

absl::StatusOr<Json> MinSuccessful(DurableContext& ctx, const Json&) {
  return Project(ctx, {"a", "b", "c", "d"}, CompletionConfig().set_min_successful(2),
                 {"completionReason", "successCount", "totalCount"});
}
DURABLE_FUNCTION("9-7", MinSuccessful);

absl::StatusOr<Json> ToleratedFailure(DurableContext& ctx, const Json&) {
  return Project(ctx, {"a", "fail", "c"}, CompletionConfig().set_tolerated_failures(1),
                 {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("9-8", ToleratedFailure);

absl::StatusOr<Json> TooManyFailures(DurableContext& ctx, const Json&) {
  return Project(ctx, {"fail", "fail", "never"}, CompletionConfig().set_tolerated_failures(1),
                 {"completionReason", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("9-9", TooManyFailures);

absl::StatusOr<Json> TooLargeAShareOfFailures(DurableContext& ctx, const Json&) {
  return Project(ctx, {"fail", "fail", "never", "never"},
                 CompletionConfig().set_tolerated_failure_percentage(25),
                 {"completionReason", "successCount", "failureCount", "totalCount"});
}
DURABLE_FUNCTION("9-10", TooLargeAShareOfFailures);

absl::StatusOr<Texts> AtTheSameTime(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, Texts{"r0", "r1", "r2"}, FailIfToldSo,
                   BatchOptions().set_max_concurrency(2));
}
DURABLE_FUNCTION("9-11", AtTheSameTime);

absl::StatusOr<Texts> Flat(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, Texts{"fa", "fb"}, StepForItem,
                   OneByOne().set_nesting(durable::Nesting::kFlat));
}
DURABLE_FUNCTION("9-12", Flat);

absl::StatusOr<Numbers> ItemNamer(DurableContext& ctx, const Numbers& items) {
  DURABLE_ASSIGN_OR_RETURN(
      BatchResult<int> batch,
      ctx.Map(
          "named-items", items, [](DurableContext&, const int& item) { return 10 * item; },
          OneByOne().set_item_namer(
              [&](int index) { return absl::StrCat("item-", items[index]); })));
  return batch.Results();
}
DURABLE_FUNCTION("9-13", ItemNamer);

absl::StatusOr<Texts> ItemSerdes(DurableContext& ctx, const Json&) {
  return ResultsOf(
      ctx, Texts{"x", "y"}, Upper,
      OneByOne().set_item_serdes<std::string>(
          [](const std::string& value, const auto&) { return absl::StrCat("wrapped:", value); },
          [](absl::string_view text, const auto&) {
            return std::string(absl::StripPrefix(text, "wrapped:"));
          }));
}
DURABLE_FUNCTION("9-14", ItemSerdes);

absl::StatusOr<Texts> ItemWaits(DurableContext& ctx, const Json&) {
  return ResultsOf(
      ctx, Texts{"r0", "r1"},
      [](DurableContext& item_ctx, const std::string& item,
         int index) -> absl::StatusOr<std::string> {
        if (index == 1) DURABLE_RETURN_IF_ERROR(item_ctx.Wait("pause", absl::Seconds(1)));
        return StepForItem(item_ctx, item);
      },
      OneByOne());
}
DURABLE_FUNCTION("9-15", ItemWaits);

absl::StatusOr<Json> LargeResult(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(BatchResult<std::string> batch,
                           ctx.Map(
                               "map", Texts{"a", "b", "c", "d"},
                               [](DurableContext&, const std::string& item) {
                                 return std::string(kLargeItemBytes, item[0]);
                               },
                               OneByOne()));
  return ProjectionOf(batch, {"successCount", "totalCount"});
}
DURABLE_FUNCTION("9-16", LargeResult);

absl::StatusOr<Texts> WaitAfterwards(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(Texts results, ResultsOf(ctx, Texts{"a", "b"}, Upper, OneByOne()));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return results;
}
DURABLE_FUNCTION("9-17", WaitAfterwards);

absl::StatusOr<Json> WaitAfterFailure(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(
      Json projection,
      Project(ctx, {"ok", "fail"}, CompletionConfig().set_tolerated_failures(1),
              {"completionReason", "status", "successCount", "failureCount", "totalCount"}));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return projection;
}
DURABLE_FUNCTION("9-18", WaitAfterFailure);

// Keeps the results only: enough for a batch of which every item succeeds.
BatchOptions ResultSerdes() {
  return OneByOne().set_serdes<std::string>(
      [](const BatchResult<std::string>& batch, const auto&) {
        return absl::StrCat("OPSERDE:", absl::StrJoin(batch.Results(), ","));
      },
      [](absl::string_view text, const auto&) {
        std::vector<BatchItem<std::string>> items;
        for (absl::string_view result : absl::StrSplit(absl::StripPrefix(text, "OPSERDE:"), ',')) {
          BatchItem<std::string>& item = items.emplace_back();
          item.index = static_cast<int>(items.size()) - 1;
          item.status = durable::ItemStatus::kSucceeded;
          item.result = std::string(result);
        }
        return BatchResult<std::string>(std::move(items), durable::CompletionReason::kAllCompleted);
      });
}

absl::StatusOr<Texts> CustomSerdes(DurableContext& ctx, const Json&) {
  return ResultsOf(ctx, Texts{"x", "y"}, Upper, ResultSerdes());
}
DURABLE_FUNCTION("9-19", CustomSerdes);

absl::StatusOr<Texts> ReplayCustomSerdes(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(Texts results, ResultsOf(ctx, Texts{"x", "y"}, Upper, ResultSerdes()));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return results;
}
DURABLE_FUNCTION("9-20", ReplayCustomSerdes);

}  // namespace
}  // namespace rehearse::conformance
