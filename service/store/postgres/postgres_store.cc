#include "service/store/postgres/postgres_store.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/base/check.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/store/postgres/commit_group.h"
#include "service/store/postgres/schema.h"

namespace rehearse {
namespace {

using postgres::Call;
using postgres::Column;
using postgres::Connection;
using postgres::IntParameter;
using postgres::Notice;
using postgres::ReplicaLease;
using postgres::Result;
using postgres::RowIdOf;
using postgres::Statement;
using postgres::TextParameter;

constexpr Statement kFindExecution = {
    "find_execution",
    "SELECT record, progress FROM rehearse.execution WHERE id = $1::text AND arn = $2::text"};
constexpr Statement kFindOperations = {
    "find_operations",
    "SELECT record FROM rehearse.operation WHERE id = $1::text ORDER BY position"};
constexpr Statement kFindReplies = {"find_replies",
                                    "SELECT reply FROM rehearse.reply WHERE id = $1::text"
                                    " ORDER BY sequence DESC LIMIT $2::bigint"};
constexpr Statement kFindHeader = {
    "find_header",
    "SELECT e.record, e.progress, o.record FROM rehearse.execution e"
    " LEFT JOIN rehearse.operation o ON o.id = e.id AND o.position = 0"
    " WHERE e.id = $1::text AND e.arn = $2::text"};
constexpr Statement kExists = {
    "exists", "SELECT 1 FROM rehearse.execution WHERE id = $1::text AND arn = $2::text"};
constexpr Statement kReadEvents = {
    "read_events",
    "SELECT event FROM rehearse.event"
    " WHERE id = $1::text AND event_id BETWEEN $2::bigint AND $3::bigint ORDER BY event_id"};
constexpr Statement kFindByName = {
    "find_by_name",
    "SELECT arn FROM rehearse.execution"
    " WHERE session = $1::text AND function_name = $2::text AND name = $3::text"};

// Executions are visited by so many at a time, in order of id.
constexpr int kVisitPageSize = 2000;
constexpr Statement kVisitExecutions = {
    "visit_executions",
    "SELECT id, record, progress FROM rehearse.execution WHERE id > $1::text"
    " ORDER BY id LIMIT $2::bigint"};
constexpr Statement kVisitPending = {
    "visit_pending",
    "SELECT id, record FROM rehearse.operation"
    " WHERE pending AND id > $1::text AND id <= $2::text ORDER BY id, position"};

constexpr Statement kFindTree = {
    "find_tree",
    "SELECT t.id, t.owner, COALESCE(r.address, '') FROM rehearse.execution e"
    " JOIN rehearse.tree t ON t.id = e.root LEFT JOIN rehearse.replica r ON r.token = t.owner"
    " WHERE e.id = $1::text"};
constexpr Statement kClaimTree = {
    "claim_tree",
    "UPDATE rehearse.tree SET owner = $2::bigint WHERE id = $1::text AND owner IS NULL"};
constexpr Statement kRemovePendingOf = {
    "remove_pending_of",
    "DELETE FROM rehearse.pending_invocation WHERE id ="
    " (SELECT id FROM rehearse.tree WHERE id = $1::text AND owner = $2::bigint)"};
constexpr Statement kReadTree = {
    "read_tree",
    "SELECT id, record, progress FROM rehearse.execution WHERE root = $1::text ORDER BY id"};
constexpr Statement kReadTreePending = {
    "read_tree_pending",
    "SELECT o.id, o.record FROM rehearse.execution e JOIN rehearse.operation o ON o.id = e.id"
    " WHERE e.root = $1::text AND o.pending ORDER BY o.id, o.position"};
constexpr Statement kWakeAwaiting = {
    "wake_awaiting",
    "UPDATE rehearse.tree SET wake_at = 0 WHERE owner IS NULL AND id IN"
    " (SELECT id FROM rehearse.pending_invocation"
    "  WHERE session = $1::text AND function_name = $2::text)"};
constexpr Statement kSetAddress = {
    "set_address", "UPDATE rehearse.replica SET address = $2::text WHERE token = $1::bigint"};
constexpr Statement kFindPlace = {
    "find_place",
    "SELECT r.address FROM rehearse.place p JOIN rehearse.replica r ON r.token = p.token"
    " WHERE p.session = $1::text AND p.function_name = $2::text AND p.token <> $3::bigint"
    " AND r.lease_until >= now() ORDER BY random() LIMIT 1"};
constexpr Statement kReadProgress = {
    "read_progress",
    "SELECT arn, progress FROM rehearse.execution WHERE id = ANY ($1::text[])"
    " AND arn = ANY ($2::text[])"};

constexpr Statement kCountExecutions = {
    "count_executions",
    "SELECT status, count(*) FROM rehearse.execution WHERE session = $1::text GROUP BY status"};

// A claim that others overtake is tried again so often.
constexpr int kMaxClaimAttempts = 5;

// Which executions are deleted.
constexpr char kGivenExecutions[] = "id = ANY ($1::text[]) AND arn = ANY ($2::text[])";
constexpr char kExecutionsOfSession[] = "session = $1::text";

constexpr Statement kAddSession = {
    "add_session",
    "INSERT INTO rehearse.session (name, revision, last_use, record)"
    " VALUES ($1::text, $2::bigint, now(), $3::bytea) ON CONFLICT DO NOTHING RETURNING name"};
constexpr Statement kChangeSession = {
    "change_session",
    "UPDATE rehearse.session SET revision = $2::bigint, record = $3::bytea"
    " WHERE name = $1::text AND revision = $2::bigint - 1 RETURNING name"};
constexpr Statement kTouchSessions = {
    "touch_sessions", "UPDATE rehearse.session SET last_use = now() WHERE name = ANY ($1::text[])"};
constexpr Statement kSessionIdleTime = {
    "session_idle_time",
    "SELECT (extract(epoch FROM now() - last_use) * 1000)::bigint FROM rehearse.session"
    " WHERE name = $1::text"};
constexpr Statement kSessions = {"sessions", "SELECT record FROM rehearse.session ORDER BY name"};
constexpr Statement kDeleteSession = {"delete_session",
                                      "DELETE FROM rehearse.session WHERE name = $1::text"};

absl::Status ToStoreError(const absl::Status& status) {
  return errors::StoreUnavailable(status.message());
}

template <typename Message>
Message Parse(absl::string_view bytes) {
  Message message;
  REHEARSE_CHECK(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

// Rows of id, record and progress, in order of id, with the pending operations of open ones: rows
// of id and record, in order of id and position.
std::vector<RecoveredExecution> Recovered(const Result& executions, const Result& pending) {
  std::vector<RecoveredExecution> recovered;
  int next = 0;
  for (int row = 0; row < executions.rows(); ++row) {
    RecoveredExecution& execution = recovered.emplace_back();
    execution.record = Parse<record::ExecutionRecord>(executions.Bytes(row, 1));
    execution.progress = Parse<record::ExecutionProgress>(executions.Bytes(row, 2));
    const bool open = !IsTerminal(execution.progress.status());
    for (; next < pending.rows() && pending.Bytes(next, 0) <= executions.Bytes(row, 0); ++next) {
      if (!open || pending.Bytes(next, 0) != executions.Bytes(row, 0)) continue;
      execution.pending.push_back(Parse<record::OperationRecord>(pending.Bytes(next, 1)));
    }
  }
  return recovered;
}

// Arrays of the ids and of the ARNs.
std::vector<std::string> KeysOf(const std::vector<std::string>& arns) {
  Column ids(Column::Type::kText);
  Column full(Column::Type::kText);
  for (const std::string& arn : arns) {
    ids.Add(RowIdOf(arn));
    full.Add(absl::string_view(arn));
  }
  return {ids.Take(), full.Take()};
}

std::vector<std::string> KeyOf(absl::string_view arn) {
  return {TextParameter(RowIdOf(arn)), TextParameter(arn)};
}

// The statement of a list, with its parameters.
class ListStatement {
 public:
  explicit ListStatement(const ExecutionQuery& query) {
    sql_ = absl::StrCat("SELECT record, progress FROM rehearse.execution WHERE session = ",
                        Text(query.session));
    if (!query.function_name.empty()) And("function_name = ", Text(query.function_name));
    if (query.version.has_value()) And("version = ", Text(*query.version));
    if (query.name.has_value()) And("name = ", Text(*query.name));
    if (query.started_after.has_value()) And("start_time >= ", Time(*query.started_after));
    if (query.started_before.has_value()) And("start_time <= ", Time(*query.started_before));
    if (!query.statuses.empty()) And("status IN ", InList(query.statuses));
    if (query.after.has_value()) {
      And(query.oldest_first ? "(start_time, arn) > " : "(start_time, arn) < ",
          absl::StrCat("(", Time(query.after->start_time), ", ", Text(query.after->arn), ")"));
    }
    const char* order = query.oldest_first ? "" : " DESC";
    absl::StrAppend(&sql_, " ORDER BY start_time", order, ", arn", order, " LIMIT ",
                    std::max(query.max_items, 0));
    statement_ = {nullptr, sql_};
  }
  // The call points into it.
  ListStatement(const ListStatement&) = delete;

  Call call() const { return {&statement_, parameters_}; }

 private:
  void And(absl::string_view left, absl::string_view right) {
    absl::StrAppend(&sql_, " AND ", left, right);
  }
  std::string Text(absl::string_view value) {
    parameters_.push_back(TextParameter(value));
    return absl::StrCat("$", parameters_.size(), "::text");
  }
  std::string Time(absl::Time value) {
    parameters_.push_back(IntParameter(absl::ToUnixNanos(value)));
    return absl::StrCat("$", parameters_.size(), "::bigint");
  }
  static std::string InList(const std::vector<v1::ExecutionStatus>& statuses) {
    return absl::StrCat("(",
                        absl::StrJoin(statuses, ", ",
                                      [](std::string* out, v1::ExecutionStatus status) {
                                        absl::StrAppend(out, static_cast<int>(status));
                                      }),
                        ")");
  }

  std::string sql_;
  std::vector<std::string> parameters_;
  Statement statement_;
};

}  // namespace

absl::StatusOr<PostgresStore::Options> ParsePostgresAddress(absl::string_view address) {
  if (!absl::StartsWith(address, "postgres://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad store '", address, "': expected postgres://HOST/DATABASE"));
  }
  PostgresStore::Options options;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(address, absl::MaxSplits('?', 1));
  std::vector<absl::string_view> kept;
  for (absl::string_view parameter : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    absl::string_view value = parameter;
    if (!absl::ConsumePrefix(&value, "lease_seconds=")) {
      kept.push_back(parameter);
      continue;
    }
    int seconds = 0;
    if (!absl::SimpleAtoi(value, &seconds) || seconds < 1 || seconds > 3600) {
      return absl::InvalidArgumentError(
          absl::StrCat("bad lease_seconds '", value, "': expected 1 to 3600"));
    }
    options.lease = absl::Seconds(seconds);
  }
  options.url = absl::StrCat(parts.first, kept.empty() ? "" : "?", absl::StrJoin(kept, "&"));
  return options;
}

absl::StatusOr<std::unique_ptr<PostgresStore>> PostgresStore::Open(Options options) {
  absl::Status status = postgres::ValidatePostgresUrl(options.url);
  if (!status.ok()) return status;
  std::unique_ptr<PostgresStore> store(new PostgresStore(options.url, options));
  absl::StatusOr<std::unique_ptr<Connection>> connection = store->database_.Connect();
  if (!connection.ok()) return connection.status();
  status = postgres::MigrateSchema(**connection);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<ReplicaLease>> lease =
      ReplicaLease::Acquire(store->database_, options.lease, std::move(options.lost));
  if (!lease.ok()) return lease.status();
  store->lease_ = *std::move(lease);
  store->writer_ = std::make_unique<postgres::CommitWriter>(store->database_, *store->lease_,
                                                            options.write_connections);
  return store;
}

PostgresStore::PostgresStore(std::string url, const Options& options)
    : database_(std::move(url), options.stall_limit),
      readers_(database_, options.read_connections) {}

void PostgresStore::Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) {
  writer_->Add(std::move(deltas), std::move(committed));
}

absl::StatusOr<std::unique_ptr<Execution>> PostgresStore::Load(absl::string_view arn) {
  const std::string id = TextParameter(RowIdOf(arn));
  const absl::StatusOr<std::vector<Result>> found =
      readers_.Read({{&kFindExecution, KeyOf(arn)},
                     {&kFindOperations, {id}},
                     {&kFindReplies, {id, IntParameter(kMaxCheckpointReplies)}}});
  if (!found.ok()) return ToStoreError(found.status());
  const Result& header = (*found)[0];
  if (header.rows() == 0) return errors::ExecutionNotFound(arn);
  std::vector<record::OperationRecord> operations;
  for (int row = 0; row < (*found)[1].rows(); ++row) {
    operations.push_back(Parse<record::OperationRecord>((*found)[1].Bytes(row, 0)));
  }
  std::deque<record::CheckpointReply> replies;
  for (int row = 0; row < (*found)[2].rows(); ++row) {
    replies.push_front(Parse<record::CheckpointReply>((*found)[2].Bytes(row, 0)));
  }
  return std::make_unique<Execution>(Parse<record::ExecutionRecord>(header.Bytes(0, 0)),
                                     Parse<record::ExecutionProgress>(header.Bytes(0, 1)),
                                     std::move(operations), std::move(replies));
}

absl::StatusOr<StoredExecution> PostgresStore::LoadHeader(absl::string_view arn) {
  const absl::StatusOr<std::vector<Result>> found = readers_.Read({{&kFindHeader, KeyOf(arn)}});
  if (!found.ok()) return ToStoreError(found.status());
  const Result& header = (*found)[0];
  if (header.rows() == 0) return errors::ExecutionNotFound(arn);
  StoredExecution stored;
  stored.record = Parse<record::ExecutionRecord>(header.Bytes(0, 0));
  stored.progress = Parse<record::ExecutionProgress>(header.Bytes(0, 1));
  if (header.IsNull(0, 2)) return stored;
  const auto operation = Parse<record::OperationRecord>(header.Bytes(0, 2)).operation();
  if (operation.execution_details().has_input_payload()) {
    stored.input = operation.execution_details().input_payload();
  }
  return stored;
}

absl::StatusOr<std::vector<v1::Event>> PostgresStore::ReadEvents(absl::string_view arn,
                                                                 int64_t first_id,
                                                                 int64_t last_id) {
  const absl::StatusOr<std::vector<Result>> found = readers_.Read(
      {{&kExists, KeyOf(arn)},
       {&kReadEvents,
        {TextParameter(RowIdOf(arn)), IntParameter(first_id), IntParameter(last_id)}}});
  if (!found.ok()) return ToStoreError(found.status());
  if ((*found)[0].rows() == 0) return errors::ExecutionNotFound(arn);
  std::vector<v1::Event> events;
  for (int row = 0; row < (*found)[1].rows(); ++row) {
    events.push_back(Parse<v1::Event>((*found)[1].Bytes(row, 0)));
  }
  return events;
}

absl::StatusOr<std::vector<StoredExecution>> PostgresStore::List(const ExecutionQuery& query) {
  const ListStatement statement(query);
  const absl::StatusOr<std::vector<Result>> found = readers_.Read({statement.call()});
  if (!found.ok()) return ToStoreError(found.status());
  std::vector<StoredExecution> page;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    StoredExecution& stored = page.emplace_back();
    stored.record = Parse<record::ExecutionRecord>((*found)[0].Bytes(row, 0));
    stored.progress = Parse<record::ExecutionProgress>((*found)[0].Bytes(row, 1));
  }
  return page;
}

absl::StatusOr<absl::optional<std::string>> PostgresStore::FindByName(
    absl::string_view session, absl::string_view function_name, absl::string_view name) {
  const absl::StatusOr<std::vector<Result>> found = readers_.Read(
      {{&kFindByName,
        {TextParameter(session), TextParameter(function_name), TextParameter(name)}}});
  if (!found.ok()) return ToStoreError(found.status());
  if ((*found)[0].rows() == 0) return absl::optional<std::string>();
  return absl::optional<std::string>(std::string((*found)[0].Bytes(0, 0)));
}

absl::Status PostgresStore::VisitExecutions(Visit visit) {
  std::string after;
  while (true) {
    const absl::StatusOr<std::vector<Result>> found =
        readers_.Read({{&kVisitExecutions, {TextParameter(after), IntParameter(kVisitPageSize)}}});
    if (!found.ok()) return ToStoreError(found.status());
    const Result& executions = (*found)[0];
    if (executions.rows() == 0) return absl::OkStatus();
    const std::string last(executions.Bytes(executions.rows() - 1, 0));
    const absl::StatusOr<std::vector<Result>> found_pending =
        readers_.Read({{&kVisitPending, {TextParameter(after), TextParameter(last)}}});
    if (!found_pending.ok()) return ToStoreError(found_pending.status());
    for (RecoveredExecution& execution : Recovered(executions, (*found_pending)[0])) {
      visit(std::move(execution));
    }
    after = last;
  }
}

absl::StatusOr<std::vector<Result>> PostgresStore::Write(std::vector<Call> calls) {
  absl::StatusOr<std::vector<Result>> results = lease_->Write(readers_, std::move(calls));
  if (!results.ok()) return ToStoreError(results.status());
  return results;
}

absl::Status PostgresStore::DeleteExecutions(absl::string_view which,
                                             const std::vector<std::string>& parameters,
                                             std::vector<Call> also) {
  // With the last execution of a tree the tree goes.
  const std::string roots = absl::StrCat("(SELECT root FROM rehearse.execution WHERE ", which, ")");
  std::vector<std::string> sql = {
      absl::StrCat("DELETE FROM rehearse.tree t WHERE id IN ", roots,
                   " AND NOT EXISTS (SELECT 1 FROM rehearse.execution WHERE root = t.id AND NOT (",
                   which, "))"),
      absl::StrCat("DELETE FROM rehearse.pending_invocation p WHERE id IN ", roots,
                   " AND NOT EXISTS (SELECT 1 FROM rehearse.tree t WHERE t.id = p.id)")};
  for (const char* table : {"operation", "event", "reply"}) {
    sql.push_back(absl::StrCat("DELETE FROM rehearse.", table,
                               " WHERE id IN (SELECT id FROM rehearse.execution WHERE ", which,
                               ")"));
  }
  sql.push_back(absl::StrCat("DELETE FROM rehearse.execution WHERE ", which));
  std::vector<Statement> statements;
  for (const std::string& text : sql) statements.push_back({nullptr, text});
  std::vector<Call> calls = std::move(also);
  for (const Statement& statement : statements) calls.push_back({&statement, parameters});
  return Write(std::move(calls)).status();
}

absl::Status PostgresStore::Delete(const std::vector<std::string>& arns) {
  if (arns.empty()) return absl::OkStatus();
  return DeleteExecutions(kGivenExecutions, KeysOf(arns), {});
}

absl::Status PostgresStore::PutSession(const record::SessionRecord& session) {
  const absl::StatusOr<std::vector<Result>> written =
      Write({{session.revision() == 1 ? &kAddSession : &kChangeSession,
              {TextParameter(session.name()), IntParameter(session.revision()),
               session.SerializeAsString()}},
             lease_->NotifyCall(Notice::kSession)});
  if (!written.ok()) return written.status();
  if ((*written)[0].rows() == 1) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("Another replica has changed session '", session.name(), "'."));
}

absl::StatusOr<std::vector<record::SessionRecord>> PostgresStore::Sessions() {
  const absl::StatusOr<std::vector<Result>> found = readers_.Read({{&kSessions, {}}});
  if (!found.ok()) return ToStoreError(found.status());
  std::vector<record::SessionRecord> sessions;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    sessions.push_back(Parse<record::SessionRecord>((*found)[0].Bytes(row, 0)));
  }
  return sessions;
}

absl::Status PostgresStore::DeleteSession(absl::string_view session) {
  const std::vector<std::string> parameters = {TextParameter(session)};
  return DeleteExecutions(kExecutionsOfSession, parameters,
                          {{&kDeleteSession, parameters}, lease_->NotifyCall(Notice::kSession)});
}

absl::Status PostgresStore::Join(absl::string_view address, Replica& replica) {
  const absl::Status set =
      Write({{&kSetAddress, {IntParameter(lease_->token()), TextParameter(address)}}}).status();
  if (set.ok()) {
    absl::MutexLock lock(&claimer_mutex_);
    claimer_ = std::make_unique<postgres::WorkClaimer>(database_, *lease_, replica);
  }
  return set;
}

absl::StatusOr<TreeClaim> PostgresStore::ClaimTree(absl::string_view execution_id) {
  const std::string token = IntParameter(lease_->token());
  for (int attempt = 0; attempt < kMaxClaimAttempts; ++attempt) {
    const absl::StatusOr<std::vector<Result>> found =
        readers_.Read({{&kFindTree, {TextParameter(execution_id)}}});
    if (!found.ok()) return ToStoreError(found.status());
    const Result& tree = (*found)[0];
    if (tree.rows() == 0) return errors::ExecutionNotFound(execution_id);
    const std::string root(tree.Bytes(0, 0));
    if (!tree.IsNull(0, 1)) {
      const bool own = tree.Int(0, 1) == lease_->token();
      TreeClaim claim;
      claim.owner = own ? "" : std::string(tree.Bytes(0, 2));
      if (!own && claim.owner.empty()) break;
      if (!own) return claim;
      absl::StatusOr<std::vector<RecoveredExecution>> executions = ReadTree(root);
      if (!executions.ok()) return executions.status();
      claim.executions = *std::move(executions);
      return claim;
    }
    const absl::Status claimed =
        Write({{&kClaimTree, {root, token}}, {&kRemovePendingOf, {root, token}}}).status();
    if (!claimed.ok()) return claimed;
  }
  return errors::StoreUnavailable("the replica that works on the execution is changing");
}

absl::StatusOr<std::vector<RecoveredExecution>> PostgresStore::ReadTree(absl::string_view root_id) {
  const std::string root = TextParameter(root_id);
  const absl::StatusOr<std::vector<Result>> found =
      readers_.Read({{&kReadTree, {root}}, {&kReadTreePending, {root}}});
  if (!found.ok()) return ToStoreError(found.status());
  return Recovered((*found)[0], (*found)[1]);
}

void PostgresStore::ReleaseTree(TreeRelease release, Committed released) {
  writer_->Add(std::move(release), std::move(released));
}

absl::Status PostgresStore::WakeAwaiting(const FunctionKey& function) {
  return Write({{&kWakeAwaiting,
                 {TextParameter(function.session), TextParameter(function.function_name)}},
                lease_->NotifyCall(Notice::kWork)})
      .status();
}

absl::StatusOr<std::string> PostgresStore::FindPlace(const FunctionKey& function) {
  const absl::StatusOr<std::vector<Result>> found =
      readers_.Read({{&kFindPlace,
                      {TextParameter(function.session), TextParameter(function.function_name),
                       IntParameter(lease_->token())}}});
  if (!found.ok()) return ToStoreError(found.status());
  return (*found)[0].rows() == 0 ? std::string() : std::string((*found)[0].Bytes(0, 0));
}

absl::Status PostgresStore::TouchSessions(const std::vector<std::string>& names) {
  Column column(Column::Type::kText);
  for (const std::string& name : names) column.Add(absl::string_view(name));
  return Write({{&kTouchSessions, {column.Take()}}}).status();
}

absl::StatusOr<absl::Duration> PostgresStore::SessionIdleTime(absl::string_view session) {
  const absl::StatusOr<std::vector<Result>> found =
      readers_.Read({{&kSessionIdleTime, {TextParameter(session)}}});
  if (!found.ok()) return ToStoreError(found.status());
  if ((*found)[0].rows() == 0) return errors::SessionNotFound(session);
  return absl::Milliseconds((*found)[0].Int(0, 0));
}

void PostgresStore::Leave() {
  std::unique_ptr<postgres::WorkClaimer> claimer;
  absl::MutexLock lock(&claimer_mutex_);
  claimer.swap(claimer_);
}

void PostgresStore::LookForWork() {
  absl::MutexLock lock(&claimer_mutex_);
  if (claimer_ != nullptr) claimer_->LookForWork();
}

absl::StatusOr<ReplicaGroup::ExecutionCounts> PostgresStore::CountExecutions(
    absl::string_view session) {
  const absl::StatusOr<std::vector<Result>> found =
      readers_.Read({{&kCountExecutions, {TextParameter(session)}}});
  if (!found.ok()) return ToStoreError(found.status());
  ExecutionCounts counts;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    const auto status = static_cast<v1::ExecutionStatus>((*found)[0].Int(row, 0));
    (IsTerminal(status) ? counts.closed : counts.open) += (*found)[0].Int(row, 1);
  }
  return counts;
}

absl::StatusOr<std::vector<ReplicaGroup::Progress>> PostgresStore::ReadProgress(
    const std::vector<std::string>& arns) {
  const absl::StatusOr<std::vector<Result>> found = readers_.Read({{&kReadProgress, KeysOf(arns)}});
  if (!found.ok()) return ToStoreError(found.status());
  std::vector<Progress> progress;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    progress.emplace_back((*found)[0].Bytes(row, 0),
                          Parse<record::ExecutionProgress>((*found)[0].Bytes(row, 1)));
  }
  return progress;
}

}  // namespace rehearse
