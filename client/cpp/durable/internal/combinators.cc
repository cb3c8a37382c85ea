// What All, AllSettled, Any and Race need besides Parallel.
#include "absl/strings/str_cat.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/internal/batch_items.h"
#include "client/cpp/durable/internal/error_conversion.h"

namespace durable {
namespace internal {

CompletionDecision AnyHasEnded(const BatchProgress& progress) {
  return progress.completed() > 0 ? CompletionDecision::kCompleteSucceeded
                                  : CompletionDecision::kContinue;
}

absl::Status AllBranchesFailed(const absl::Status& first) {
  return MakeError("PromiseCombinatorError",
                   absl::StrCat("all branches failed, the first with: ", first.message()));
}

absl::Status NoBranches() { return ValidationError("a race has at least one branch"); }

}  // namespace internal
}  // namespace durable
