#include "service/store/postgres/commit_group.h"

#include <atomic>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "service/base/limits.h"

namespace rehearse::postgres {
namespace {

constexpr Statement kCreateExecutions = {
    "create_executions",
    "INSERT INTO rehearse.execution"
    " (id, root, arn, session, function_name, version, name, start_time, status, record, progress)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    "  $7::text[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[])"
    " ON CONFLICT DO NOTHING RETURNING id"};
constexpr Statement kCreateTrees = {
    "create_trees",
    "INSERT INTO rehearse.tree (id, owner, wake_at)"
    " SELECT id, $2::bigint, 0 FROM unnest($1::text[]) AS t (id) ON CONFLICT DO NOTHING"};
constexpr Statement kReleaseTrees = {"release_trees",
                                     "UPDATE rehearse.tree t SET owner = NULL, wake_at = r.wake_at"
                                     " FROM unnest($1::text[], $2::bigint[]) AS r (id, wake_at)"
                                     " WHERE t.id = r.id AND t.owner = $3::bigint"};
// Released in the same transaction, and not claimed by anybody since: nobody sees it yet.
constexpr Statement kAddPending = {
    "add_pending",
    "INSERT INTO rehearse.pending_invocation (session, function_name, id)"
    " SELECT p.session, p.function_name, p.id"
    " FROM unnest($1::text[], $2::text[], $3::text[]) AS p (session, function_name, id)"
    " JOIN rehearse.tree t ON t.id = p.id WHERE t.owner IS NULL ON CONFLICT DO NOTHING"};
constexpr Statement kUpdateExecutions = {
    "update_executions",
    "UPDATE rehearse.execution e SET status = u.status, progress = u.progress"
    " FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS u (id, status, progress)"
    " WHERE e.id = u.id RETURNING e.id"};
constexpr Statement kPutOperations = {
    "put_operations",
    "INSERT INTO rehearse.operation (id, position, pending, record)"
    " SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[], $4::bytea[])"
    " ON CONFLICT (id, position) DO UPDATE"
    " SET pending = excluded.pending, record = excluded.record"};
constexpr Statement kAddEvents = {"add_events",
                                  "INSERT INTO rehearse.event (id, event_id, event)"
                                  " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])"};
constexpr Statement kAddMissingEvents = {
    "add_missing_events",
    "INSERT INTO rehearse.event (id, event_id, event)"
    " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) ON CONFLICT DO NOTHING"};
constexpr Statement kAddReplies = {"add_replies",
                                   "INSERT INTO rehearse.reply (id, sequence, reply)"
                                   " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])"};
constexpr Statement kAddMissingReplies = {
    "add_missing_replies",
    "INSERT INTO rehearse.reply (id, sequence, reply)"
    " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) ON CONFLICT DO NOTHING"};
// Of each execution the newest $2 stay.
constexpr Statement kPruneReplies = {
    "prune_replies",
    "DELETE FROM rehearse.reply r USING unnest($1::text[]) AS p (id), LATERAL"
    " (SELECT sequence FROM rehearse.reply WHERE id = p.id"
    "  ORDER BY sequence DESC OFFSET $2::bigint LIMIT 1) AS newest"
    " WHERE r.id = p.id AND r.sequence <= newest.sequence"};

// Replies that are not read any more are deleted now and then: about each so many-th time one is
// added.
constexpr int kRepliesPerPruning = 8;

using Type = Column::Type;

}  // namespace

absl::string_view RowIdOf(absl::string_view arn) { return arn.substr(arn.rfind('/') + 1); }

CommitGroupPlan::CommitGroupPlan(const std::vector<PendingCommit>& group, int64_t owner, Rows rows)
    : owner_(owner), rows_(rows) {
  PlanExecutions(group);
  PlanTrees(group);
  PlanOperations(group);
  PlanEvents(group);
  PlanReplies(group);
}

int CommitGroupPlan::Add(const Statement& statement, std::vector<Column*> columns) {
  if (columns[0]->rows() == 0) return -1;
  Call call{&statement, {}};
  for (Column* column : columns) call.parameters.push_back(column->Take());
  calls_.push_back(std::move(call));
  return static_cast<int>(calls_.size()) - 1;
}

void CommitGroupPlan::PlanExecutions(const std::vector<PendingCommit>& group) {
  struct Row {
    const record::ExecutionRecord* created = nullptr;
    const record::ExecutionProgress* progress = nullptr;
  };
  absl::flat_hash_map<absl::string_view, Row> rows;
  for (const PendingCommit& commit : group) {
    for (const ExecutionDelta* delta : commit.deltas) {
      Row& row = rows[delta->arn];
      if (delta->created.has_value()) row.created = &*delta->created;
      row.progress = &delta->progress;
    }
  }
  Column id(Type::kText), root(Type::kText), arn(Type::kText);
  Column session(Type::kText), function(Type::kText);
  Column version(Type::kText), name(Type::kText), start(Type::kInt), status(Type::kInt);
  Column record(Type::kBytes), progress(Type::kBytes);
  Column changed_id(Type::kText), changed_status(Type::kInt), changed_progress(Type::kBytes);
  for (const auto& [row_arn, row] : rows) {
    if (row.created == nullptr) {
      changed_id.Add(RowIdOf(row_arn));
      changed_status.Add(static_cast<int64_t>(row.progress->status()));
      changed_progress.Add(*row.progress);
      continue;
    }
    id.Add(RowIdOf(row_arn));
    root.Add(RowIdOf(row.created->root_arn().empty() ? row_arn : row.created->root_arn()));
    arn.Add(row_arn);
    session.Add(absl::string_view(row.created->session()));
    function.Add(absl::string_view(row.created->function_name()));
    version.Add(absl::string_view(row.created->version()));
    name.Add(absl::string_view(row.created->name()));
    start.Add(absl::ToUnixNanos(ToAbsl(row.created->start_time())));
    status.Add(static_cast<int64_t>(row.progress->status()));
    record.Add(*row.created);
    progress.Add(*row.progress);
  }
  create_call_ = Add(kCreateExecutions, {&id, &root, &arn, &session, &function, &version, &name,
                                         &start, &status, &record, &progress});
  update_call_ = Add(kUpdateExecutions, {&changed_id, &changed_status, &changed_progress});
}

void CommitGroupPlan::PlanTrees(const std::vector<PendingCommit>& group) {
  Column created(Type::kText);
  Column released(Type::kText), wake_at(Type::kInt);
  Column session(Type::kText), function(Type::kText), id(Type::kText);
  for (const PendingCommit& commit : group) {
    for (const ExecutionDelta* delta : commit.deltas) {
      if (delta->created.has_value() && delta->created->root_arn().empty()) {
        created.Add(RowIdOf(delta->arn));
      }
      ends_execution_ = ends_execution_ || delta->progress.has_end_time();
    }
    if (!commit.release.has_value()) continue;
    released.Add(absl::string_view(commit.release->root_id));
    wake_at.Add(absl::ToUnixNanos(commit.release->wake));
    for (const FunctionKey& awaited : commit.release->awaited) {
      session.Add(absl::string_view(awaited.session));
      function.Add(absl::string_view(awaited.function_name));
      id.Add(absl::string_view(commit.release->root_id));
    }
  }
  const std::string owner = IntParameter(owner_);
  const int create_call = Add(kCreateTrees, {&created});
  if (create_call >= 0) calls_[create_call].parameters.push_back(owner);
  const int release_call = Add(kReleaseTrees, {&released, &wake_at});
  if (release_call >= 0) calls_[release_call].parameters.push_back(owner);
  leaves_work_ = Add(kAddPending, {&session, &function, &id}) >= 0;
}

void CommitGroupPlan::PlanOperations(const std::vector<PendingCommit>& group) {
  absl::flat_hash_map<std::pair<absl::string_view, int64_t>, const record::OperationRecord*> rows;
  for (const PendingCommit& commit : group) {
    for (const ExecutionDelta* delta : commit.deltas) {
      for (const record::OperationRecord& operation : delta->operations) {
        rows[{RowIdOf(delta->arn), operation.index()}] = &operation;
      }
    }
  }
  Column id(Type::kText), position(Type::kInt), pending(Type::kBool), record(Type::kBytes);
  for (const auto& [key, operation] : rows) {
    id.Add(key.first);
    position.Add(key.second);
    pending.Add(IsPending(operation->operation()));
    record.Add(*operation);
  }
  Add(kPutOperations, {&id, &position, &pending, &record});
}

void CommitGroupPlan::PlanEvents(const std::vector<PendingCommit>& group) {
  Column id(Type::kText), event_id(Type::kInt), event_bytes(Type::kBytes);
  for (const PendingCommit& commit : group) {
    for (const ExecutionDelta* delta : commit.deltas) {
      for (const v1::Event& event : delta->events) {
        id.Add(RowIdOf(delta->arn));
        event_id.Add(int64_t{event.event_id()});
        event_bytes.Add(event);
      }
    }
  }
  event_count_ = id.rows();
  event_call_ =
      Add(rows_ == Rows::kNew ? kAddEvents : kAddMissingEvents, {&id, &event_id, &event_bytes});
}

void CommitGroupPlan::PlanReplies(const std::vector<PendingCommit>& group) {
  static std::atomic<int> replies{0};
  Column id(Type::kText), sequence(Type::kInt), reply(Type::kBytes);
  Column pruned(Type::kText);
  for (const PendingCommit& commit : group) {
    for (const ExecutionDelta* delta : commit.deltas) {
      if (!delta->reply.has_value()) continue;
      id.Add(RowIdOf(delta->arn));
      sequence.Add(delta->progress.token_sequence());
      reply.Add(*delta->reply);
      if (++replies % kRepliesPerPruning == 0) pruned.Add(RowIdOf(delta->arn));
    }
  }
  Add(rows_ == Rows::kNew ? kAddReplies : kAddMissingReplies, {&id, &sequence, &reply});
  const int prune_call = Add(kPruneReplies, {&pruned});
  if (prune_call >= 0) {
    calls_[prune_call].parameters.push_back(IntParameter(kMaxCheckpointReplies));
  }
}

}  // namespace rehearse::postgres
