#include "service/store/postgres/commit_writer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "service/base/check.h"
#include "service/base/errors.h"

namespace rehearse::postgres {
namespace {

// Bounds what is lost when a group has to be written again, and the memory of one.
constexpr size_t kMaxGroupSize = 256;

constexpr Statement kFindRecords = {
    nullptr, "SELECT id, record FROM rehearse.execution WHERE id = ANY ($1::text[])"};

absl::flat_hash_set<std::string> IdsOf(const std::vector<Result>& results, int call) {
  absl::flat_hash_set<std::string> ids;
  if (call < 0) return ids;
  for (int row = 0; row < results[call].rows(); ++row) {
    ids.insert(std::string(results[call].Bytes(row, 0)));
  }
  return ids;
}

// Two starts of one execution in one group: the statements could not tell which is refused.
const ExecutionDelta* FindSecondStart(const PendingCommit& commit,
                                      absl::flat_hash_set<std::string>& started) {
  for (const ExecutionDelta* delta : commit.deltas) {
    if (delta->created.has_value() && !started.insert(delta->arn).second) return delta;
  }
  return nullptr;
}

bool WrittenMaybe(const std::vector<PendingCommit>& group) {
  return std::any_of(group.begin(), group.end(),
                     [](const PendingCommit& commit) { return commit.maybe_written; });
}

absl::Status StoredAlready(const ExecutionDelta& delta) {
  return errors::Internal(absl::StrCat("Execution is stored already: ", delta.arn));
}

}  // namespace

CommitWriter::CommitWriter(Database& database, ReplicaLease& lease, int connections)
    : database_(database), lease_(lease) {
  for (int i = 0; i < connections; ++i) threads_.emplace_back([this] { Work(); });
}

CommitWriter::~CommitWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void CommitWriter::Add(std::vector<const ExecutionDelta*> deltas,
                       ExecutionStore::Committed committed) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back({std::move(deltas), absl::nullopt, std::move(committed)});
}

void CommitWriter::Add(TreeRelease release, ExecutionStore::Committed released) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back({{}, std::move(release), std::move(released)});
}

CommitWriter::Group CommitWriter::Take() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !waiting_.empty();
  };
  mutex_.Await(absl::Condition(&ready));
  Group group;
  while (!waiting_.empty() && group.size() < kMaxGroupSize) {
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void CommitWriter::Work() {
  std::unique_ptr<Connection> connection;
  while (true) {
    Group group = Take();
    if (group.empty()) return;
    absl::flat_hash_set<std::string> started;
    Group accepted;
    for (PendingCommit& commit : group) {
      const ExecutionDelta* second = FindSecondStart(commit, started);
      if (second == nullptr) {
        accepted.push_back(std::move(commit));
      } else {
        commit.committed(StoredAlready(*second));
      }
    }
    Write(connection, std::move(accepted));
  }
}

void CommitWriter::Write(std::unique_ptr<Connection>& connection, Group group) {
  int failed_attempts = 0;
  while (!group.empty()) {
    absl::Status status;
    if (connection == nullptr || connection->lost()) {
      absl::StatusOr<std::unique_ptr<Connection>> opened = database_.Connect();
      status = opened.status();
      connection = opened.ok() ? *std::move(opened) : nullptr;
      // The server is away: who waits for a commit is to know.
      if (!status.ok()) Fail(status, group);
    }
    if (status.ok()) status = Attempt(*connection, group);
    if (status.ok()) {
      for (PendingCommit& commit : group) commit.committed(absl::OkStatus());
      return;
    }
    if (absl::IsFailedPrecondition(status)) {
      lease_.NoteLost();
      for (PendingCommit& commit : group) {
        commit.committed(errors::StoreUnavailable(status.message()));
      }
      return;
    }
    if (absl::IsInternal(status) && group.size() > 1) {
      // One of them may be the cause: each for itself.
      for (PendingCommit& commit : group) {
        Group single;
        single.push_back(std::move(commit));
        Write(connection, std::move(single));
      }
      return;
    }
    ++failed_attempts;
    // A lost connection is no reason to fail before a new one was tried.
    const int attempts = absl::IsAborted(status)       ? kMaxAttempts
                         : absl::IsUnavailable(status) ? 2
                                                       : 1;
    if (failed_attempts >= attempts) Fail(status, group);
    if (group.empty()) return;
    if (!WaitToRepeat(std::max(RepeatDelay(failed_attempts), database_.Backoff()))) {
      for (PendingCommit& commit : group) {
        commit.committed(errors::StoreUnavailable(status.message()));
      }
      return;
    }
  }
}

absl::Status CommitWriter::Attempt(Connection& connection, Group& group) {
  bool maybe_there = WrittenMaybe(group);
  while (!group.empty()) {
    CommitGroupPlan plan(
        group, lease_.token(),
        maybe_there ? CommitGroupPlan::Rows::kMaybeThere : CommitGroupPlan::Rows::kNew);
    std::vector<Call> calls = plan.TakeCalls();
    const Call before[] = {{&kBegin, {}}, lease_.Check()};
    calls.insert(calls.begin(), std::begin(before), std::end(before));
    absl::StatusOr<std::vector<Result>> results = connection.Run(calls);
    if (!results.ok()) {
      if (!connection.lost()) (void)connection.Run({{&kRollback, {}}});
      if (maybe_there || !absl::IsAlreadyExists(results.status())) return results.status();
      // A start of what is stored already, most likely: to be found among the others.
      maybe_there = true;
      continue;
    }
    const bool owned = (*results)[1].rows() == 1;
    results->erase(results->begin(), results->begin() + 2);
    if (!owned) {
      (void)connection.Run({{&kRollback, {}}});
      return absl::FailedPreconditionError("another server has taken over");
    }
    const absl::StatusOr<bool> refused = AnswerRefused(connection, plan, *results, group);
    if (!refused.ok()) return refused.status();
    if (*refused) continue;
    std::vector<Call> end;
    if (plan.leaves_work()) end.push_back(lease_.NotifyCall(Notice::kWork));
    if (plan.ends_execution() && lease_.has_peers()) {
      end.push_back(lease_.NotifyCall(Notice::kEnded));
    }
    end.push_back({&kCommit, {}});
    const absl::Status committed = connection.Run(end).status();
    if (absl::IsUnavailable(committed)) {
      for (PendingCommit& commit : group) commit.maybe_written = true;
    }
    return committed;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CommitWriter::AnswerRefused(Connection& connection,
                                                 const CommitGroupPlan& plan,
                                                 const std::vector<Result>& results, Group& group) {
  const absl::flat_hash_set<std::string> created = IdsOf(results, plan.create_call());
  const absl::flat_hash_set<std::string> updated = IdsOf(results, plan.update_call());
  // Of each refused commit a delta that is: a start rather than a change, which may be one of the
  // same execution.
  std::vector<const ExecutionDelta*> culprits;
  Column ids(Column::Type::kText);
  for (const PendingCommit& commit : group) {
    const ExecutionDelta* culprit = nullptr;
    for (const ExecutionDelta* delta : commit.deltas) {
      const absl::string_view id = RowIdOf(delta->arn);
      if (created.contains(id)) continue;
      if (delta->created.has_value() || (culprit == nullptr && !updated.contains(id))) {
        culprit = delta;
        if (delta->created.has_value()) break;
      }
    }
    culprits.push_back(culprit);
    if (culprit != nullptr) ids.Add(RowIdOf(culprit->arn));
  }
  if (ids.rows() == 0) {
    // Only what may have been written before may find its events there.
    REHEARSE_CHECK(WrittenMaybe(group) || plan.event_call() < 0 ||
                   results[plan.event_call()].written() == plan.event_count());
    return false;
  }
  absl::Status rolled_back = connection.Run({{&kRollback, {}}}).status();
  if (!rolled_back.ok()) return rolled_back;
  const absl::StatusOr<std::vector<Result>> found = connection.Run({{&kFindRecords, {ids.Take()}}});
  if (!found.ok()) return found.status();
  absl::flat_hash_map<std::string, std::string> records;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    records[std::string((*found)[0].Bytes(row, 0))] = std::string((*found)[0].Bytes(row, 1));
  }
  Group accepted;
  for (size_t i = 0; i < group.size(); ++i) {
    PendingCommit& commit = group[i];
    if (culprits[i] == nullptr) {
      accepted.push_back(std::move(commit));
      continue;
    }
    const ExecutionDelta& culprit = *culprits[i];
    const auto record = records.find(RowIdOf(culprit.arn));
    if (!culprit.created.has_value()) {
      commit.committed(errors::ExecutionNotFound(culprit.arn));
    } else if (record == records.end()) {
      commit.committed(errors::ExecutionAlreadyStarted(culprit.created->name()));
    } else if (commit.maybe_written && record->second == culprit.created->SerializeAsString()) {
      // It was.
      commit.committed(absl::OkStatus());
    } else {
      commit.committed(StoredAlready(culprit));
    }
  }
  group = std::move(accepted);
  return true;
}

void CommitWriter::Fail(const absl::Status& status, Group& group) {
  Group unknown;
  for (PendingCommit& commit : group) {
    if (commit.maybe_written) {
      unknown.push_back(std::move(commit));
    } else {
      commit.committed(errors::StoreUnavailable(status.message()));
    }
  }
  group = std::move(unknown);
}

bool CommitWriter::WaitToRepeat(absl::Duration delay) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), delay);
}

}  // namespace rehearse::postgres
