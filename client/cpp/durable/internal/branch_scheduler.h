// BranchScheduler: gets the branches of a batch run. The thread that called Parallel or Map decides
// everything, in Run(); branches run on threads of BranchThreads and report how they ended.
//
//   BranchScheduler scheduler(batch, policy, names.size(), max_concurrency, run_branch);
//   scheduler.Run();                           // or unwinds: the batch suspends, or is of no use
//   Record(scheduler.outcomes(), scheduler.reason());
//   // Leaving the scope waits for branches that still run although the batch is over.
//
// A branch that suspends gives its thread back and keeps its place among those on their way. When
// the time comes that it waits for while others run, it runs again, in this invocation; when
// nothing runs, the whole batch suspends. Branches whose turn it is and that get no thread because
// the invocation has all that it may have wait for one, but for the only one: that runs on the
// calling thread, and so does everything when no two branches may be on their way.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_SCHEDULER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_SCHEDULER_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/internal/batch_items.h"
#include "client/cpp/durable/internal/completion_policy.h"
#include "client/cpp/durable/internal/context.h"
#include "client/cpp/durable/internal/unwind.h"

namespace durable {
namespace internal {

// How one run of a branch ended.
struct BranchEnd {
  enum class Kind { kSucceeded, kFailed, kSuspended, kUnwound };

  int index = 0;
  Kind kind = Kind::kSucceeded;
  // kFailed.
  absl::Status error;
  // kSuspended.
  Blockage blockage;
  // kUnwound: kOrphaned or kFatal.
  Unwind::Reason reason = Unwind::Reason::kFatal;
};

class BranchScheduler {
 public:
  // Runs a branch, on any thread. `again`: it has suspended before, in this invocation.
  using RunBranch = std::function<BranchEnd(int index, bool again)>;

  // `batch` is the context of all branches. `batch` and `policy` outlive the scheduler.
  BranchScheduler(Context& batch, CompletionPolicy& policy, int branches, int max_concurrency,
                  RunBranch run_branch);
  // Makes branches that still run unwind at their next operation, and waits for them.
  ~BranchScheduler();
  BranchScheduler(const BranchScheduler&) = delete;
  BranchScheduler& operator=(const BranchScheduler&) = delete;

  // Returns when the batch is complete; from then on no branch can record anything. Unwinds when
  // the batch suspends - `batch` is blocked then - or is of no more use. What the policy's
  // predicate throws passes.
  void Run();

  // After Run. Of all branches that were started, by index.
  const std::vector<ItemOutcome>& outcomes() const { return outcomes_; }
  CompletionReason reason() const { return reason_; }

 private:
  // Ends on their way from threads to the scheduler.
  class Ends {
   public:
    void Push(BranchEnd end) ABSL_LOCKS_EXCLUDED(mutex_);
    // Waits until `deadline`.
    absl::optional<BranchEnd> Pop(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

   private:
    absl::Mutex mutex_;
    absl::CondVar pushed_;
    std::deque<BranchEnd> ends_ ABSL_GUARDED_BY(mutex_);
  };

  struct Waiting {
    Blockage blockage;
    // The key in timers_; InfiniteFuture when there is none.
    absl::Time look_at = absl::InfiniteFuture();
  };

  int started() const { return static_cast<int>(outcomes_.size()); }
  int on_their_way() const;
  void StartPending();
  // Makes branches ready whose time has come, after one look at what has changed outside.
  void MakeDueReady();
  // Makes branches ready whose operations have ended as far as this invocation was told: nobody
  // will tell it again.
  void MakeUnblockedReady();
  void ResumeReady();
  // Gets a branch run; false when there is no thread for it now.
  bool Launch(int index, bool again);
  bool RunOnThread(int index, bool again);
  [[noreturn]] void SuspendBatch();
  // Waits for a branch to end, or for a time that one waits for.
  void ApplyNext();
  void Apply(BranchEnd end);
  void Suspended(int index, Blockage blockage);

  Context& batch_;
  CompletionPolicy& policy_;
  const int branches_;
  const int max_concurrency_;
  const RunBranch run_branch_;
  const std::shared_ptr<Ends> ends_ = std::make_shared<Ends>();

  std::vector<ItemOutcome> outcomes_;
  CompletionReason reason_ = CompletionReason::kAllCompleted;
  // Launched, and not applied yet.
  int running_ = 0;
  std::map<int, Waiting> suspended_;
  // When to look after a suspended branch.
  std::set<std::pair<absl::Time, int>> timers_;
  // To run again as soon as there is a thread.
  std::set<int> ready_;
  // The times that branches were resumed for.
  std::map<int, absl::Time> resumed_for_;
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BRANCH_SCHEDULER_H_
