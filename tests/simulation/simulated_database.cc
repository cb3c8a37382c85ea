#include "tests/simulation/simulated_database.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

// Far apart, so that days pass quickly.
constexpr absl::Duration kRound = absl::Hours(1);
constexpr absl::Duration kWatchRound = absl::Seconds(10);
constexpr absl::Duration kClaimAhead = absl::Milliseconds(500);

std::string IdOf(absl::string_view arn) { return std::string(arn.substr(arn.rfind('/') + 1)); }

absl::Status Fenced() { return errors::StoreUnavailable("another server has taken over"); }

}  // namespace

void SimulatedReplica::Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) {
  WriteLater([this, deltas = std::move(deltas)] { return database_.Write(*this, deltas); },
             std::move(committed));
}

void SimulatedReplica::WriteLater(absl::AnyInvocable<absl::Status()> write, Committed written) {
  SeededScheduler& scheduler = database_.scheduler_;
  // A process that goes on after its end is not answered for ever.
  if (ended_) return;
  auto now = [this, write = std::move(write), written = std::move(written)]() mutable {
    if (ended_) return written(Fenced());
    const bool fails =
        static_cast<int>(database_.scheduler_.Random(100)) < database_.write_failures_;
    written(fails ? errors::StoreUnavailable("no luck") : write());
  };
  if (scheduler.Random(2) == 0) return now();
  scheduler.PostAt(database_.lane_, scheduler.Now() + absl::Milliseconds(scheduler.Random(20)),
                   std::move(now));
}

absl::StatusOr<std::unique_ptr<Execution>> SimulatedReplica::Load(absl::string_view arn) {
  return database_.memory_.Load(arn);
}
absl::StatusOr<StoredExecution> SimulatedReplica::LoadHeader(absl::string_view arn) {
  return database_.memory_.LoadHeader(arn);
}
absl::StatusOr<std::vector<v1::Event>> SimulatedReplica::ReadEvents(absl::string_view arn,
                                                                    int64_t first_id,
                                                                    int64_t last_id) {
  return database_.memory_.ReadEvents(arn, first_id, last_id);
}
absl::StatusOr<std::vector<StoredExecution>> SimulatedReplica::List(const ExecutionQuery& query) {
  return database_.memory_.List(query);
}
absl::StatusOr<absl::optional<std::string>> SimulatedReplica::FindByName(
    absl::string_view session, absl::string_view function_name, absl::string_view name) {
  return database_.memory_.FindByName(session, function_name, name);
}
absl::Status SimulatedReplica::VisitExecutions(Visit visit) {
  return database_.memory_.VisitExecutions(visit);
}

absl::Status SimulatedReplica::Delete(const std::vector<std::string>& arns) {
  if (ended_) return Fenced();
  for (const std::string& arn : arns) {
    const std::string root = database_.roots_[IdOf(arn)];
    database_.roots_.erase(IdOf(arn));
    const bool last = std::none_of(database_.roots_.begin(), database_.roots_.end(),
                                   [&](const auto& other) { return other.second == root; });
    if (last) database_.trees_.erase(root);
  }
  return database_.memory_.Delete(arns);
}

absl::Status SimulatedReplica::PutSession(const record::SessionRecord& session) {
  if (ended_) return Fenced();
  const auto sessions = database_.memory_.Sessions();
  int64_t revision = 0;
  for (const record::SessionRecord& stored : *sessions) {
    if (stored.name() == session.name()) revision = stored.revision();
  }
  if (session.revision() != revision + 1) return absl::AbortedError("changed");
  return database_.memory_.PutSession(session);
}
absl::StatusOr<std::vector<record::SessionRecord>> SimulatedReplica::Sessions() {
  return database_.memory_.Sessions();
}
absl::Status SimulatedReplica::DeleteSession(absl::string_view session) {
  if (ended_) return Fenced();
  return database_.memory_.DeleteSession(session);
}

absl::Status SimulatedReplica::Join(absl::string_view address, Replica& replica) {
  address_ = std::string(address);
  member_ = &replica;
  LookForWork();
  return absl::OkStatus();
}

absl::StatusOr<TreeClaim> SimulatedReplica::ClaimTree(absl::string_view execution_id) {
  if (ended_) return Fenced();
  const auto root = database_.roots_.find(execution_id);
  if (root == database_.roots_.end()) return errors::ExecutionNotFound(execution_id);
  SimulatedDatabase::Tree& tree = database_.trees_[root->second];
  if (tree.owner == 0) tree.owner = token_;
  TreeClaim claim;
  if (tree.owner != token_) {
    for (const auto& replica : database_.replicas_) {
      if (replica->token_ == tree.owner) claim.owner = replica->address_;
    }
    return claim;
  }
  tree.awaited.clear();
  const absl::Status visited = database_.memory_.VisitExecutions([&](RecoveredExecution execution) {
    const auto other = database_.roots_.find(execution.record.execution_id());
    if (other != database_.roots_.end() && other->second == root->second) {
      claim.executions.push_back(std::move(execution));
    }
  });
  if (!visited.ok()) return visited;
  return claim;
}

void SimulatedReplica::ReleaseTree(TreeRelease release, Committed released) {
  WriteLater(
      [this, release = std::move(release)] {
        SimulatedDatabase::Tree& tree = database_.trees_[release.root_id];
        if (tree.owner != token_) {
          database_.violations_.push_back(
              absl::StrCat(token_, " releases what it does not own: ", release.root_id));
          return absl::OkStatus();
        }
        tree = {0, release.wake, release.awaited};
        for (const auto& replica : database_.replicas_) replica->LookForWork();
        return absl::OkStatus();
      },
      std::move(released));
}

absl::Status SimulatedReplica::WakeAwaiting(const FunctionKey& function) {
  for (auto& [id, tree] : database_.trees_) {
    if (std::count(tree.awaited.begin(), tree.awaited.end(), function) > 0) {
      tree.wake = absl::InfinitePast();
    }
  }
  LookForWork();
  return absl::OkStatus();
}

absl::StatusOr<std::string> SimulatedReplica::FindPlace(const FunctionKey& function) {
  for (const auto& replica : database_.replicas_) {
    if (replica.get() == this || replica->ended_ || replica->member_ == nullptr) continue;
    for (const Replica::Place& place : replica->Places()) {
      if (place.function == function) return replica->address_;
    }
  }
  return std::string();
}

absl::Status SimulatedReplica::TouchSessions(const std::vector<std::string>&) {
  return absl::OkStatus();
}
absl::StatusOr<absl::Duration> SimulatedReplica::SessionIdleTime(absl::string_view) {
  return absl::ZeroDuration();
}
absl::StatusOr<ReplicaGroup::ExecutionCounts> SimulatedReplica::CountExecutions(absl::string_view) {
  return ExecutionCounts();
}

absl::StatusOr<std::vector<ReplicaGroup::Progress>> SimulatedReplica::ReadProgress(
    const std::vector<std::string>& arns) {
  std::vector<Progress> progress;
  for (const std::string& arn : arns) {
    absl::StatusOr<StoredExecution> stored = database_.memory_.LoadHeader(arn);
    if (stored.ok()) progress.emplace_back(arn, std::move(stored->progress));
  }
  return progress;
}

void SimulatedReplica::LookForWork() {
  if (std::exchange(round_is_coming_, true)) return;
  database_.scheduler_.Post(database_.lane_, [this] { Round(); });
}

void SimulatedReplica::Round() {
  round_is_coming_ = false;
  if (ended_ || member_ == nullptr) return;
  std::vector<std::string> claimed = database_.Claim(*this);
  if (!claimed.empty()) member_->OnClaimed(std::move(claimed));
  const bool watched = member_->OnRound();
  absl::Time next = database_.scheduler_.Now() + (watched ? kWatchRound : kRound);
  for (const auto& [id, tree] : database_.trees_) {
    if (tree.owner == 0) next = std::min(next, tree.wake - kClaimAhead);
  }
  database_.scheduler_.Cancel(database_.lane_, next_round_);
  next_round_ = database_.scheduler_.PostAt(database_.lane_, next, [this] { LookForWork(); });
}

SimulatedReplica& SimulatedDatabase::AddReplica() {
  replicas_.push_back(
      std::make_unique<SimulatedReplica>(*this, static_cast<int64_t>(replicas_.size()) + 1));
  return *replicas_.back();
}

void SimulatedDatabase::EndLease(SimulatedReplica& replica) {
  replica.ended_ = true;
  for (auto& [id, tree] : trees_) {
    if (tree.owner == replica.token_) tree = {0, absl::InfinitePast(), {}};
  }
  for (const auto& other : replicas_) other->LookForWork();
}

absl::Status SimulatedDatabase::Write(const SimulatedReplica& replica,
                                      const std::vector<const ExecutionDelta*>& deltas) {
  // The memory store answers at once.
  absl::Status written;
  memory_.Commit(deltas, [&](absl::Status status) { written = std::move(status); });
  if (!written.ok()) return written;
  for (const ExecutionDelta* delta : deltas) {
    const std::string id = IdOf(delta->arn);
    if (delta->created.has_value()) {
      const std::string& root = delta->created->root_arn();
      roots_[id] = root.empty() ? id : IdOf(root);
      if (root.empty()) trees_[id].owner = replica.token_;
    }
    if (trees_[roots_[id]].owner != replica.token_) {
      violations_.push_back(absl::StrCat(replica.token_, " writes what it does not own: ", id));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> SimulatedDatabase::Claim(SimulatedReplica& replica) {
  std::vector<std::string> claimed;
  std::vector<Replica::Place> places = replica.Places();
  const auto take_place = [&](const FunctionKey& awaited) {
    for (Replica::Place& place : places) {
      if (place.function == awaited && place.free > 0) return place.free-- > 0;
    }
    return false;
  };
  for (auto& [id, tree] : trees_) {
    if (tree.owner != 0) continue;
    const bool due = tree.wake <= scheduler_.Now() + kClaimAhead;
    if (!due && std::none_of(tree.awaited.begin(), tree.awaited.end(), take_place)) continue;
    tree.owner = replica.token_;
    tree.awaited.clear();
    claimed.push_back(id);
  }
  return claimed;
}

}  // namespace rehearse
