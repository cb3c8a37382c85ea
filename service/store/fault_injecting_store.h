// FaultInjectingStore: a store whose commits fail or are late, and whose loads fail, when a test
// says so.
//
//   FaultInjectingStore store(memory_store);
//   store.SetFaults([](int64_t commit) {
//     return commit == 3 ? CommitFault::kFail : CommitFault::kNone;
//   }, [&](absl::AnyInvocable<void()> commit) { scheduler.Post(disk_lane, std::move(commit)); });
#ifndef REHEARSE_SERVICE_STORE_FAULT_INJECTING_STORE_H_
#define REHEARSE_SERVICE_STORE_FAULT_INJECTING_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "service/store/execution_store.h"

namespace rehearse {

enum class CommitFault {
  kNone,
  // Answered with errors::StoreUnavailable; nothing is written.
  kFail,
  // Written, and answered, when the deferred call is made.
  kDefer,
  // As kFail, when the deferred call is made.
  kDeferAndFail,
};

// As thread-safe as the functions given. All other calls are passed on.
class FaultInjectingStore final : public ExecutionStore {
 public:
  // What is to happen to the commit of this number, from 1.
  using Decide = absl::AnyInvocable<CommitFault(int64_t number)>;
  // Takes a commit that is to be late; calling the argument carries it out.
  using Defer = absl::AnyInvocable<void(absl::AnyInvocable<void()> commit)>;

  // `base` outlives this store. No faults until they are set.
  explicit FaultInjectingStore(ExecutionStore& base) : base_(base) {}

  // Numbers start at 1 again. `defer` is needed where `decide` defers.
  void SetFaults(Decide decide, Defer defer = nullptr);
  // Load answers with errors::StoreUnavailable where `fails` says so. nullptr: never.
  void SetLoadFaults(absl::AnyInvocable<bool()> fails) { load_fails_ = std::move(fails); }

  void Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) override;
  absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn) override;
  absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn) override;
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                    int64_t last_id) override;
  absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query) override;
  absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                         absl::string_view function_name,
                                                         absl::string_view name) override;
  absl::Status VisitExecutions(Visit visit) override;
  absl::Status Delete(const std::vector<std::string>& arns) override;
  absl::Status PutSession(const record::SessionRecord& session) override;
  absl::StatusOr<std::vector<record::SessionRecord>> Sessions() override;
  absl::Status DeleteSession(absl::string_view session) override;

 private:
  void CommitOrFail(bool fail, std::vector<const ExecutionDelta*> deltas, Committed committed);

  ExecutionStore& base_;
  Decide decide_;
  Defer defer_;
  int64_t commits_ = 0;
  absl::AnyInvocable<bool()> load_fails_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_FAULT_INJECTING_STORE_H_
