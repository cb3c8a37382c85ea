#include "service/store/sqlite/reader.h"

#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/store/event_bytes.h"
#include "service/store/sqlite/operation_bytes.h"

namespace rehearse::sqlite {
namespace {

constexpr char kFindHeader[] =
    "SELECT id, record, progress FROM executions JOIN progress ON execution = id WHERE arn = ?";
// Of an execution that is open.
constexpr char kFirstOperation[] =
    "SELECT record FROM open_operations WHERE execution = ? AND position = 0";
constexpr char kOpenOperations[] = "SELECT record FROM open_operations WHERE execution = ?";
// In order of their commits, which is that of the index.
constexpr char kChanges[] =
    "SELECT operations, reply FROM changes WHERE execution = ? ORDER BY first_event, id";
constexpr char kNewestChanges[] =
    "SELECT operations FROM changes WHERE execution = ? ORDER BY first_event DESC, id DESC";
constexpr char kFindId[] = "SELECT id FROM executions WHERE arn = ?";
// From the chunk that holds the first event.
constexpr char kEvents[] =
    "SELECT first_event, events FROM changes WHERE execution = ?1 AND first_event <= ?3 AND "
    "first_event >= ifnull((SELECT max(first_event) FROM changes WHERE execution = ?1 AND "
    "first_event <= ?2), 0) ORDER BY first_event, id";
constexpr char kFindByName[] =
    "SELECT arn FROM executions WHERE session = ? AND function_name = ? AND name = ?";
constexpr char kAllExecutions[] =
    "SELECT id, arn, record, progress FROM executions JOIN progress ON execution = id ORDER BY id";
constexpr char kPendingOperations[] =
    "SELECT execution, record FROM open_operations WHERE pending ORDER BY execution, position";
constexpr char kSessions[] = "SELECT record FROM sessions ORDER BY name";

absl::Status Damaged(absl::string_view what) {
  return errors::Internal(absl::StrCat("The store is damaged: ", what, " cannot be read."));
}

template <typename Message>
bool Parse(absl::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Calls `take` with the statement at each row, until there is none or it fails.
template <typename Take>
absl::Status ForEachRow(Statement& statement, Take take) {
  while (true) {
    const absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    absl::Status taken = take(statement);
    if (!taken.ok()) {
      statement.Reset();
      return taken;
    }
  }
}

// Of operations in order of their commits, with those that are open at the end: puts the newest
// version of each at its position. False when one is missing.
bool KeepNewest(std::vector<record::OperationRecord>& operations) {
  std::stable_sort(operations.begin(), operations.end(),
                   [](const auto& a, const auto& b) { return a.index() < b.index(); });
  size_t count = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    if (i + 1 < operations.size() && operations[i + 1].index() == operations[i].index()) continue;
    if (operations[i].index() != static_cast<int64_t>(count)) return false;
    if (i != count) operations[count] = std::move(operations[i]);
    ++count;
  }
  operations.resize(count);
  return true;
}

// A SELECT with its parameters.
class Query {
 public:
  explicit Query(std::string sql) : sql_(std::move(sql)) {}
  void AddText(absl::string_view condition, std::string value) {
    Add(condition);
    values_.push_back({0, std::move(value), false});
  }
  void AddInt(absl::string_view condition, int64_t value) {
    Add(condition);
    values_.push_back({value, "", true});
  }
  void Add(absl::string_view condition) { absl::StrAppend(&sql_, " AND ", condition); }
  // A further parameter of the last condition.
  void AndText(std::string value) { values_.push_back({0, std::move(value), false}); }
  void End(absl::string_view tail) { absl::StrAppend(&sql_, " ", tail); }

  const std::string& sql() const { return sql_; }
  void BindTo(Statement& statement) const {
    int index = 0;
    for (const Value& value : values_) {
      ++index;
      if (value.is_int) {
        statement.BindAt(index, value.integer);
      } else {
        statement.BindAt(index, value.text);
      }
    }
  }

 private:
  struct Value {
    int64_t integer;
    std::string text;
    bool is_int;
  };
  std::string sql_;
  std::vector<Value> values_;
};

Query ListQuery(const ExecutionQuery& query) {
  Query sql("SELECT arn, record, progress FROM executions JOIN progress ON execution = id WHERE 1");
  sql.AddText("session = ?", query.session);
  if (!query.function_name.empty()) sql.AddText("function_name = ?", query.function_name);
  if (query.name.has_value()) sql.AddText("name = ?", *query.name);
  if (query.version.has_value()) sql.AddText("version = ?", *query.version);
  if (!query.statuses.empty()) {
    sql.Add(absl::StrCat("status IN (",
                         absl::StrJoin(query.statuses, ",",
                                       [](std::string* out, v1::ExecutionStatus status) {
                                         absl::StrAppend(out, static_cast<int>(status));
                                       }),
                         ")"));
  }
  if (query.started_after.has_value()) {
    sql.AddInt("start_time >= ?", absl::ToUnixNanos(*query.started_after));
  }
  if (query.started_before.has_value()) {
    sql.AddInt("start_time <= ?", absl::ToUnixNanos(*query.started_before));
  }
  const char* const behind = query.oldest_first ? ">" : "<";
  if (query.after.has_value()) {
    sql.AddInt(absl::StrCat("(start_time, arn) ", behind, " (?, ?)"),
               absl::ToUnixNanos(query.after->start_time));
    sql.AndText(query.after->arn);
  }
  const char* const order = query.oldest_first ? "" : " DESC";
  sql.End(absl::StrCat("ORDER BY start_time", order, ", arn", order, " LIMIT ",
                       std::max(query.max_items, 0)));
  return sql;
}

}  // namespace

absl::StatusOr<Reader::Header> Reader::FindHeader(absl::string_view arn) {
  Statement& find = connection_->Prepared(kFindHeader);
  find.Bind(arn);
  const absl::StatusOr<bool> found = find.Step();
  if (!found.ok()) return found.status();
  if (!*found) return errors::ExecutionNotFound(arn);
  Header header;
  header.id = find.Int(0);
  const bool parsed = Parse(find.Bytes(1), header.record) && Parse(find.Bytes(2), header.progress);
  find.Reset();
  if (!parsed) return Damaged(arn);
  header.record.set_arn(std::string(arn));
  return header;
}

absl::StatusOr<std::unique_ptr<Execution>> Reader::Load(absl::string_view arn) {
  const ReadTransaction transaction(*connection_);
  if (!transaction.status().ok()) return transaction.status();
  absl::StatusOr<Header> header = FindHeader(arn);
  if (!header.ok()) return header.status();

  std::vector<record::OperationRecord> operations;
  std::deque<record::CheckpointReply> replies;
  Statement& changes = connection_->Prepared(kChanges);
  changes.Bind(header->id);
  absl::Status status = ForEachRow(changes, [&](Statement& row) {
    if (!ParseOperations(row.Bytes(0), operations)) return Damaged(arn);
    if (row.IsNull(1)) return absl::OkStatus();
    if (replies.size() == kMaxCheckpointReplies) replies.pop_front();
    return Parse(row.Bytes(1), replies.emplace_back()) ? absl::OkStatus() : Damaged(arn);
  });
  if (!status.ok()) return status;

  Statement& open = connection_->Prepared(kOpenOperations);
  open.Bind(header->id);
  status = ForEachRow(open, [&](Statement& row) {
    return Parse(row.Bytes(0), operations.emplace_back()) ? absl::OkStatus() : Damaged(arn);
  });
  if (!status.ok()) return status;
  if (!KeepNewest(operations)) return Damaged(arn);
  return std::make_unique<Execution>(std::move(header->record), std::move(header->progress),
                                     std::move(operations), std::move(replies));
}

absl::StatusOr<StoredExecution> Reader::LoadHeader(absl::string_view arn) {
  const ReadTransaction transaction(*connection_);
  if (!transaction.status().ok()) return transaction.status();
  absl::StatusOr<Header> header = FindHeader(arn);
  if (!header.ok()) return header.status();
  StoredExecution stored;
  stored.record = std::move(header->record);
  stored.progress = std::move(header->progress);
  const absl::StatusOr<record::OperationRecord> first = FirstOperation(header->id, arn);
  if (!first.ok()) return first.status();
  const v1::ExecutionDetails& details = first->operation().execution_details();
  if (details.has_input_payload()) stored.input = details.input_payload();
  return stored;
}

absl::StatusOr<record::OperationRecord> Reader::FirstOperation(int64_t execution,
                                                               absl::string_view arn) {
  record::OperationRecord first;
  Statement& open = connection_->Prepared(kFirstOperation);
  open.Bind(execution);
  const absl::StatusOr<bool> found = open.Step();
  if (!found.ok()) return found.status();
  if (*found) {
    const bool parsed = Parse(open.Bytes(0), first);
    open.Reset();
    if (!parsed) return Damaged(arn);
    return first;
  }
  // It was closed by one of the last commits.
  Statement& changes = connection_->Prepared(kNewestChanges);
  changes.Bind(execution);
  absl::StatusOr<bool> more = changes.Step();
  for (; more.ok() && *more; more = changes.Step()) {
    std::vector<record::OperationRecord> operations;
    if (!ParseOperations(changes.Bytes(0), operations)) break;
    for (record::OperationRecord& operation : operations) {
      if (operation.index() != 0) continue;
      changes.Reset();
      return std::move(operation);
    }
  }
  changes.Reset();
  return more.ok() ? Damaged(arn) : more.status();
}

absl::StatusOr<std::vector<v1::Event>> Reader::ReadEvents(absl::string_view arn, int64_t first_id,
                                                          int64_t last_id) {
  const ReadTransaction transaction(*connection_);
  if (!transaction.status().ok()) return transaction.status();
  Statement& find = connection_->Prepared(kFindId);
  find.Bind(arn);
  const absl::StatusOr<bool> found = find.Step();
  if (!found.ok()) return found.status();
  if (!*found) return errors::ExecutionNotFound(arn);
  const int64_t id = find.Int(0);
  find.Reset();
  std::vector<v1::Event> events;
  Statement& select = connection_->Prepared(kEvents);
  select.Bind(id, first_id, last_id);
  absl::Status status = ForEachRow(select, [&](Statement& row) {
    return ParseEvents(row.Int(0), row.Bytes(1), first_id, last_id, events) ? absl::OkStatus()
                                                                            : Damaged(arn);
  });
  if (!status.ok()) return status;
  return events;
}

absl::StatusOr<std::vector<StoredExecution>> Reader::List(const ExecutionQuery& query) {
  const Query sql = ListQuery(query);
  Statement select(connection_->database(), sql.sql());
  sql.BindTo(select);
  std::vector<StoredExecution> page;
  absl::Status status = ForEachRow(select, [&](Statement& row) {
    StoredExecution& stored = page.emplace_back();
    const std::string arn(row.Bytes(0));
    if (!Parse(row.Bytes(1), stored.record) || !Parse(row.Bytes(2), stored.progress)) {
      return Damaged(arn);
    }
    stored.record.set_arn(arn);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return page;
}

absl::StatusOr<absl::optional<std::string>> Reader::FindByName(absl::string_view session,
                                                               absl::string_view function_name,
                                                               absl::string_view name) {
  Statement& find = connection_->Prepared(kFindByName);
  find.Bind(session, function_name, name);
  const absl::StatusOr<bool> found = find.Step();
  if (!found.ok()) return found.status();
  if (!*found) return absl::optional<std::string>();
  std::string arn(find.Bytes(0));
  find.Reset();
  return absl::optional<std::string>(std::move(arn));
}

absl::Status Reader::VisitExecutions(ExecutionStore::Visit visit) {
  const ReadTransaction transaction(*connection_);
  if (!transaction.status().ok()) return transaction.status();
  // Both in order of execution: merged.
  Statement& pending = connection_->Prepared(kPendingOperations);
  pending.Bind();
  absl::StatusOr<bool> more = pending.Step();
  Statement& executions = connection_->Prepared(kAllExecutions);
  executions.Bind();
  absl::Status status = ForEachRow(executions, [&](Statement& row) {
    RecoveredExecution execution;
    const std::string arn(row.Bytes(1));
    if (!Parse(row.Bytes(2), execution.record) || !Parse(row.Bytes(3), execution.progress)) {
      return Damaged(arn);
    }
    execution.record.set_arn(arn);
    const bool open = !IsTerminal(execution.progress.status());
    for (; more.ok() && *more && pending.Int(0) <= row.Int(0); more = pending.Step()) {
      if (!open || pending.Int(0) < row.Int(0)) continue;
      if (!Parse(pending.Bytes(1), execution.pending.emplace_back())) return Damaged(arn);
    }
    if (!more.ok()) return more.status();
    visit(std::move(execution));
    return absl::OkStatus();
  });
  pending.Reset();
  return status;
}

absl::StatusOr<std::vector<record::SessionRecord>> Reader::Sessions() {
  Statement& select = connection_->Prepared(kSessions);
  select.Bind();
  std::vector<record::SessionRecord> sessions;
  absl::Status status = ForEachRow(select, [&](Statement& row) {
    return Parse(row.Bytes(0), sessions.emplace_back()) ? absl::OkStatus() : Damaged("a session");
  });
  if (!status.ok()) return status;
  return sessions;
}

absl::StatusOr<ReaderPool::Lease> ReaderPool::Take() {
  {
    absl::MutexLock lock(&mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Reader> reader = std::move(free_.back());
      free_.pop_back();
      return Lease(*this, std::move(reader));
    }
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path_);
  if (!connection.ok()) return errors::StoreUnavailable(connection.status().message());
  absl::Status status = (*connection)->Execute("PRAGMA query_only = 1");
  if (!status.ok()) return status;
  return Lease(*this, std::make_unique<Reader>(*std::move(connection)));
}

void ReaderPool::Return(std::unique_ptr<Reader> reader) {
  absl::MutexLock lock(&mutex_);
  free_.push_back(std::move(reader));
}

}  // namespace rehearse::sqlite
