#include "service/store/sqlite/delta_writer.h"

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/store/event_bytes.h"

namespace rehearse::sqlite {
namespace {

constexpr size_t kMaxKnownIds = 100000;

constexpr char kInsertExecution[] =
    "INSERT INTO executions (arn, session, function_name, version, name, start_time, record) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr char kFindExecution[] = "SELECT id FROM executions WHERE arn = ?";
constexpr char kPutProgress[] =
    "INSERT INTO progress (execution, status, progress) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET status = excluded.status, progress = excluded.progress";
constexpr char kPutOperation[] =
    "INSERT INTO operations (execution, position, pending, record) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET pending = excluded.pending, record = excluded.record";
constexpr char kInsertEvents[] =
    "INSERT INTO events (execution, first_id, events) VALUES (?, ?, ?)";
constexpr char kLastReply[] = "SELECT max(number) FROM replies WHERE execution = ?";
constexpr char kInsertReply[] = "INSERT INTO replies (execution, number, reply) VALUES (?, ?, ?)";
constexpr char kDeleteReplies[] = "DELETE FROM replies WHERE execution = ? AND number <= ?";

constexpr const char* kDeleteExecution[] = {
    "DELETE FROM replies WHERE execution = ?",    "DELETE FROM events WHERE execution = ?",
    "DELETE FROM operations WHERE execution = ?", "DELETE FROM progress WHERE execution = ?",
    "DELETE FROM executions WHERE id = ?",
};
constexpr const char* kDeleteSession[] = {
    "DELETE FROM replies WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
    "DELETE FROM events WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
    "DELETE FROM operations WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
    "DELETE FROM progress WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
    "DELETE FROM executions WHERE session = ?",
    "DELETE FROM sessions WHERE name = ?",
};

template <typename... Values>
absl::Status Run(Connection& connection, const char* sql, const Values&... values) {
  Statement& statement = connection.Prepared(sql);
  statement.Bind(values...);
  return statement.Run();
}

}  // namespace

Write::Write(const ExecutionDelta& delta)
    : arn(delta.arn),
      status(delta.progress.status()),
      progress(delta.progress.SerializeAsString()) {
  if (delta.created.has_value()) {
    record::ExecutionRecord record = *delta.created;
    record.clear_arn();
    created = {record.session(),
               record.function_name(),
               record.version(),
               record.name(),
               absl::ToUnixNanos(ToAbsl(record.start_time())),
               record.SerializeAsString()};
  }
  operations.reserve(delta.operations.size());
  for (const record::OperationRecord& operation : delta.operations) {
    operations.push_back(
        {operation.index(), IsPending(operation.operation()), operation.SerializeAsString()});
  }
  if (!delta.events.empty()) {
    first_event_id = delta.events.front().event_id();
    events = SerializeEvents(delta.events);
  }
  if (delta.reply.has_value()) reply = delta.reply->SerializeAsString();
}

absl::Status DeltaWriter::Apply(Connection& connection, const Write& write) {
  const absl::StatusOr<int64_t> id =
      write.created.has_value() ? Create(connection, write) : IdOf(connection, write.arn);
  if (!id.ok()) return id.status();
  absl::Status status = Run(connection, kPutProgress, *id, write.status, Blob{write.progress});
  for (const Write::Operation& operation : write.operations) {
    if (!status.ok()) return status;
    status = Run(connection, kPutOperation, *id, operation.position,
                 static_cast<int64_t>(operation.pending), Blob{operation.record});
  }
  if (status.ok() && !write.events.empty()) {
    status = Run(connection, kInsertEvents, *id, write.first_event_id, Blob{write.events});
  }
  if (!status.ok() || !write.reply.has_value()) return status;
  return AddReply(connection, *id, *write.reply);
}

absl::StatusOr<int64_t> DeltaWriter::Create(Connection& connection, const Write& write) {
  const Write::Created& created = *write.created;
  Statement& insert = connection.Prepared(kInsertExecution);
  insert.Bind(write.arn, created.session, created.function_name, created.version, created.name,
              created.start_time_nanos, Blob{created.record});
  absl::Status status = insert.Run();
  if (insert.code() == SQLITE_CONSTRAINT_UNIQUE) {
    return IdOf(connection, write.arn).ok()
               ? errors::Internal(absl::StrCat("Execution is stored already: ", write.arn))
               : errors::ExecutionAlreadyStarted(created.name);
  }
  if (!status.ok()) return status;
  return sqlite3_last_insert_rowid(connection.database());
}

absl::StatusOr<int64_t> DeltaWriter::IdOf(Connection& connection, absl::string_view arn) {
  const auto known = ids_.find(arn);
  if (known != ids_.end()) return known->second;
  Statement& find = connection.Prepared(kFindExecution);
  find.Bind(arn);
  const absl::StatusOr<bool> found = find.Step();
  if (!found.ok()) return found.status();
  if (!*found) return errors::ExecutionNotFound(arn);
  const int64_t id = find.Int(0);
  find.Reset();
  if (ids_.size() >= kMaxKnownIds) ids_.clear();
  ids_.emplace(arn, id);
  return id;
}

absl::Status DeltaWriter::AddReply(Connection& connection, int64_t execution,
                                   absl::string_view reply) {
  Statement& last = connection.Prepared(kLastReply);
  last.Bind(execution);
  const absl::StatusOr<bool> row = last.Step();
  if (!row.ok()) return row.status();
  // NULL, of an execution without any, reads as 0.
  const int64_t number = last.Int(0) + 1;
  last.Reset();
  absl::Status status = Run(connection, kInsertReply, execution, number, Blob{reply});
  if (!status.ok() || number <= kMaxCheckpointReplies) return status;
  return Run(connection, kDeleteReplies, execution, number - kMaxCheckpointReplies);
}

absl::Status DeltaWriter::Delete(Connection& connection, absl::string_view arn) {
  const absl::StatusOr<int64_t> id = IdOf(connection, arn);
  if (absl::IsNotFound(id.status())) return absl::OkStatus();
  if (!id.ok()) return id.status();
  ids_.erase(arn);
  for (const char* sql : kDeleteExecution) {
    absl::Status status = Run(connection, sql, *id);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DeltaWriter::DeleteSession(Connection& connection, absl::string_view session) {
  ids_.clear();
  for (const char* sql : kDeleteSession) {
    absl::Status status = Run(connection, sql, session);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rehearse::sqlite
