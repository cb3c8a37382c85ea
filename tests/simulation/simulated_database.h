// SimulatedDatabase: a store that simulated replicas share, with what a real one does for them:
// leases with tokens, trees with owners, claims. All of it in one thread, and as slow as the
// scheduler likes.
//
//   SimulatedDatabase database(scheduler);
//   SimulatedReplica& one = database.AddReplica();
//   Executor executor(options, scheduler, one, workers, ids);
//   executor.Join("one");
//   database.EndLease(one);                    // it was silent for too long
#ifndef REHEARSE_TESTS_SIMULATION_SIMULATED_DATABASE_H_
#define REHEARSE_TESTS_SIMULATION_SIMULATED_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "service/clock/seeded_scheduler.h"
#include "service/store/memory/memory_store.h"
#include "service/store/replica_group.h"

namespace rehearse {

class SimulatedDatabase;

// The store as one replica has it. Once its lease has ended, writes are refused or never answered.
class SimulatedReplica final : public ExecutionStore, public ReplicaGroup {
 public:
  SimulatedReplica(SimulatedDatabase& database, int64_t token)
      : database_(database), token_(token) {}

  int64_t token() const { return token_; }
  const std::string& address() const { return address_; }
  bool ended() const { return ended_; }
  std::vector<Replica::Place> Places() { return member_->Places(); }

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
  ReplicaGroup* replicas() override { return this; }

  absl::Status Join(absl::string_view address, Replica& replica) override;
  void Leave() override { member_ = nullptr; }
  bool HoldsLease() const override { return !ended_; }
  absl::StatusOr<TreeClaim> ClaimTree(absl::string_view execution_id) override;
  void ReleaseTree(TreeRelease release, Committed released) override;
  absl::Status WakeAwaiting(const FunctionKey& function) override;
  absl::StatusOr<std::string> FindPlace(const FunctionKey& function) override;
  absl::Status TouchSessions(const std::vector<std::string>& names) override;
  absl::StatusOr<absl::Duration> SessionIdleTime(absl::string_view session) override;
  void LookForWork() override;
  absl::StatusOr<ExecutionCounts> CountExecutions(absl::string_view session) override;
  absl::StatusOr<std::vector<Progress>> ReadProgress(const std::vector<std::string>& arns) override;

 private:
  friend class SimulatedDatabase;

  // Claims what there is, tells of it, and comes again.
  void Round();
  void WriteLater(absl::AnyInvocable<absl::Status()> write, Committed written);

  SimulatedDatabase& database_;
  const int64_t token_;
  std::string address_;
  Replica* member_ = nullptr;
  bool ended_ = false;
  bool round_is_coming_ = false;
  Scheduler::TimerId next_round_ = 0;
};

class SimulatedDatabase {
 public:
  explicit SimulatedDatabase(SeededScheduler& scheduler)
      : scheduler_(scheduler), lane_(scheduler.AddLane()) {}

  // Lives as long as the database.
  SimulatedReplica& AddReplica();
  // What it owned is everybody's.
  void EndLease(SimulatedReplica& replica);
  // Percent of the writes that fail.
  void set_write_failures(int percent) { write_failures_ = percent; }

  ExecutionStore& store() { return memory_; }
  // What must never be.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  friend class SimulatedReplica;

  struct Tree {
    // 0: nobody.
    int64_t owner = 0;
    absl::Time wake;
    std::vector<FunctionKey> awaited;
  };

  absl::Status Write(const SimulatedReplica& replica,
                     const std::vector<const ExecutionDelta*>& deltas);
  std::vector<std::string> Claim(SimulatedReplica& replica);

  SeededScheduler& scheduler_;
  const int lane_;
  MemoryStore memory_;
  int write_failures_ = 0;
  std::vector<std::unique_ptr<SimulatedReplica>> replicas_;
  // By the id of the execution at the top; and of each execution that id.
  absl::btree_map<std::string, Tree> trees_;
  absl::btree_map<std::string, std::string> roots_;
  std::vector<std::string> violations_;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_SIMULATION_SIMULATED_DATABASE_H_
