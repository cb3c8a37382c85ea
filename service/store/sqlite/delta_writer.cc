#include "service/store/sqlite/delta_writer.h"

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/store/event_bytes.h"
#include "service/store/sqlite/operation_bytes.h"

namespace rehearse::sqlite {
namespace {

constexpr size_t kMaxKnown = 100000;

constexpr char kInsertExecution[] =
    "INSERT INTO executions (arn, session, function_name, version, name, start_time, record) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr char kFindExecution[] = "SELECT id FROM executions WHERE arn = ?";
constexpr char kPutProgress[] =
    "INSERT INTO progress (execution, status, progress) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET status = excluded.status, progress = excluded.progress";
constexpr char kPutOpenOperation[] =
    "INSERT INTO open_operations (execution, position, pending, record) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET pending = excluded.pending, record = excluded.record";
constexpr char kDeleteOpenOperation[] =
    "DELETE FROM open_operations WHERE execution = ? AND position = ?";
constexpr char kInsertChange[] =
    "INSERT INTO changes (execution, first_event, operations, events, reply) "
    "VALUES (?, ?, ?, ?, ?)";
constexpr char kInsertChangeWithoutReply[] =
    "INSERT INTO changes (execution, first_event, operations, events) VALUES (?, ?, ?, ?)";
constexpr char kDropReplies[] =
    "UPDATE changes SET reply = NULL WHERE execution = ? AND first_event >= ? AND first_event < ? "
    "AND reply IS NOT NULL";

constexpr const char* kDeleteExecution[] = {
    "DELETE FROM changes WHERE execution = ?",
    "DELETE FROM open_operations WHERE execution = ?",
    "DELETE FROM progress WHERE execution = ?",
    "DELETE FROM executions WHERE id = ?",
};
constexpr const char* kDeleteSession[] = {
    "DELETE FROM changes WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
    "DELETE FROM open_operations WHERE execution IN (SELECT id FROM executions WHERE session = ?)",
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
      progress(delta.progress.SerializeAsString()),
      first_event_id(delta.progress.event_count() + 1) {
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
    if (IsTerminal(operation.operation().status())) {
      AppendOperation(operation, closed_operations);
      operations.emplace_back(operation.index(), absl::nullopt);
    } else {
      operations.emplace_back(operation.index(), OpenOperation{IsPending(operation.operation()),
                                                               operation.SerializeAsString()});
    }
  }
  if (!delta.events.empty()) {
    first_event_id = delta.events.front().event_id();
    events = SerializeEvents(delta.events);
  }
  if (delta.reply.has_value()) reply = delta.reply->SerializeAsString();
}

absl::Status DeltaWriter::Apply(Connection& connection, const Write& write) {
  if (write.created.has_value()) {
    absl::Status status = Create(connection, write);
    if (!status.ok()) return status;
  }
  const absl::StatusOr<Known*> execution = Find(connection, write.arn);
  if (!execution.ok()) return execution.status();
  const int64_t id = (*execution)->id;
  absl::Status status = Run(connection, kPutProgress, id, write.status, Blob{write.progress});
  if (status.ok()) status = PutOperations(connection, id, write);
  return status.ok() ? AddChange(connection, **execution, write) : status;
}

absl::Status DeltaWriter::Create(Connection& connection, const Write& write) {
  const Write::Created& created = *write.created;
  Statement& insert = connection.Prepared(kInsertExecution);
  insert.Bind(write.arn, created.session, created.function_name, created.version, created.name,
              created.start_time_nanos, Blob{created.record});
  absl::Status status = insert.Run();
  if (insert.code() != SQLITE_CONSTRAINT_UNIQUE) return status;
  return Find(connection, write.arn).ok()
             ? errors::Internal(absl::StrCat("Execution is stored already: ", write.arn))
             : errors::ExecutionAlreadyStarted(created.name);
}

absl::StatusOr<DeltaWriter::Known*> DeltaWriter::Find(Connection& connection,
                                                      absl::string_view arn) {
  const auto known = known_.find(arn);
  if (known != known_.end()) return &known->second;
  Statement& find = connection.Prepared(kFindExecution);
  find.Bind(arn);
  const absl::StatusOr<bool> found = find.Step();
  if (!found.ok()) return found.status();
  if (!*found) return errors::ExecutionNotFound(arn);
  const int64_t id = find.Int(0);
  find.Reset();
  if (known_.size() >= kMaxKnown) known_.clear();
  return &known_.emplace(arn, Known{id}).first->second;
}

absl::Status DeltaWriter::PutOperations(Connection& connection, int64_t execution,
                                        const Write& write) {
  for (const auto& [position, open] : write.operations) {
    absl::Status status = open.has_value()
                              ? Run(connection, kPutOpenOperation, execution, position,
                                    static_cast<int64_t>(open->pending), Blob{open->record})
                              : Run(connection, kDeleteOpenOperation, execution, position);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DeltaWriter::AddChange(Connection& connection, Known& execution, const Write& write) {
  const Blob operations{write.closed_operations};
  const Blob events{write.events};
  if (!write.reply.has_value()) {
    if (operations.bytes.empty() && events.bytes.empty()) return absl::OkStatus();
    return Run(connection, kInsertChangeWithoutReply, execution.id, write.first_event_id,
               operations, events);
  }
  absl::Status status = Run(connection, kInsertChange, execution.id, write.first_event_id,
                            operations, events, Blob{*write.reply});
  return status.ok() ? DropOldReplies(connection, execution, write.first_event_id) : status;
}

absl::Status DeltaWriter::DropOldReplies(Connection& connection, Known& execution,
                                         int64_t first_event) {
  if (execution.batch_size < kMaxCheckpointReplies) {
    if (execution.batch_size++ == 0) execution.batch_first_event = first_event;
    return absl::OkStatus();
  }
  absl::Status status = Run(connection, kDropReplies, execution.id, execution.kept_first_event,
                            execution.batch_first_event);
  execution.kept_first_event = execution.batch_first_event;
  execution.batch_first_event = first_event;
  execution.batch_size = 1;
  return status;
}

absl::Status DeltaWriter::Delete(Connection& connection, absl::string_view arn) {
  const absl::StatusOr<Known*> execution = Find(connection, arn);
  if (absl::IsNotFound(execution.status())) return absl::OkStatus();
  if (!execution.ok()) return execution.status();
  const int64_t id = (*execution)->id;
  known_.erase(arn);
  for (const char* sql : kDeleteExecution) {
    absl::Status status = Run(connection, sql, id);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DeltaWriter::DeleteSession(Connection& connection, absl::string_view session) {
  known_.clear();
  for (const char* sql : kDeleteSession) {
    absl::Status status = Run(connection, sql, session);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rehearse::sqlite
