// When a batch is over, and why: CompletionConfig and CompletionPredicate as a function of how its
// branches are doing.
//
//   CompletionPolicy policy(config, /*predicate=*/nullptr, {"a", "b", "c"});
//   policy.Start(0);
//   policy.End(0, ItemStatus::kFailed);
//   if (policy.complete()) reason = policy.reason();
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_COMPLETION_POLICY_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_COMPLETION_POLICY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cpp/durable/batch_options.h"
#include "client/cpp/durable/batch_result.h"

namespace durable {
namespace internal {

// kValidation unless the criteria can hold for a batch of `branches`.
absl::Status ValidateCompletion(const CompletionConfig& config, int branches);

class CompletionPolicy {
 public:
  // `predicate`, which may be null, is used in place of `config`. It is called by this and by the
  // other functions, and what it throws passes.
  CompletionPolicy(const CompletionConfig& config, CompletionPredicate predicate,
                   const std::vector<std::string>& names);

  // Each branch at most once. No effect but on progress() once the batch is complete.
  void Start(int index);
  // `status` is kSucceeded or kFailed.
  void End(int index, ItemStatus status);

  bool complete() const;
  // Requires a complete batch.
  CompletionReason reason() const;

 private:
  void Ask();
  bool tolerance_exceeded() const;
  bool min_reached() const;

  const CompletionConfig config_;
  const CompletionPredicate predicate_;
  BatchProgress progress_;
  CompletionDecision decision_ = CompletionDecision::kContinue;
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_COMPLETION_POLICY_H_
