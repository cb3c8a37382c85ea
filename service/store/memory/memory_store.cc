#include "service/store/memory/memory_store.h"

#include <algorithm>
#include <cstdint>
#include <deque>

#include "absl/strings/str_cat.h"
#include "service/base/check.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/store/event_bytes.h"

namespace rehearse {
namespace {

// Events of one commit (event_bytes.h).
struct EventChunk {
  int64_t first_id;
  std::string bytes;
};

// An execution's bytes without its events, copied out of a row to be parsed outside the lock.
struct Header {
  std::string arn;
  std::string record;
  std::string progress;
  // Empty: left out.
  std::string first_operation;
};

template <typename Message>
Message Parse(const std::string& bytes) {
  Message message;
  REHEARSE_CHECK(message.ParseFromString(bytes));
  return message;
}

// The ARN is kept once, in the row.
record::ExecutionRecord ParseRecord(absl::string_view arn, const std::string& bytes) {
  auto record = Parse<record::ExecutionRecord>(bytes);
  record.set_arn(std::string(arn));
  return record;
}

// The places that a list shows: first inclusive, last exclusive. Start times are whole nanoseconds.
struct PlaceRange {
  std::pair<absl::Time, std::string> first = {absl::InfinitePast(), ""};
  std::pair<absl::Time, std::string> last = {absl::InfiniteFuture(), ""};
};

PlaceRange PlaceRangeOf(const ExecutionQuery& query) {
  PlaceRange range;
  if (query.started_after.has_value()) range.first.first = *query.started_after;
  if (query.started_before.has_value()) {
    range.last.first = *query.started_before + absl::Nanoseconds(1);
  }
  if (!query.after.has_value()) return range;
  std::pair<absl::Time, std::string> after = {query.after->start_time, query.after->arn};
  if (query.oldest_first) {
    after.second.push_back('\0');  // The place behind.
    range.first = std::max(range.first, after);
  } else {
    range.last = std::min(range.last, after);
  }
  return range;
}

StoredExecution ParseHeader(const Header& header) {
  StoredExecution stored;
  stored.record = ParseRecord(header.arn, header.record);
  stored.progress = Parse<record::ExecutionProgress>(header.progress);
  if (header.first_operation.empty()) return stored;
  const auto operation = Parse<record::OperationRecord>(header.first_operation).operation();
  if (operation.execution_details().has_input_payload()) {
    stored.input = operation.execution_details().input_payload();
  }
  return stored;
}

}  // namespace

struct MemoryStore::Row {
  std::string arn;
  Session* session;
  Function* function;
  absl::Time start_time;
  v1::ExecutionStatus status;
  std::string record;
  std::string progress;
  // By index.
  std::vector<std::string> operations;
  // In order of id.
  std::vector<EventChunk> events;
  // Oldest first.
  std::vector<std::string> replies;
};

struct MemoryStore::Write {
  std::string record;
  std::string progress;
  std::vector<std::string> operations;
  std::string events;
  std::string reply;
};

MemoryStore::Place MemoryStore::ByPlace::PlaceOf(const Row* row) {
  return {row->start_time, row->arn};
}

MemoryStore::MemoryStore() = default;
MemoryStore::~MemoryStore() = default;

void MemoryStore::Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) {
  std::vector<Write> writes;
  writes.reserve(deltas.size());
  for (const ExecutionDelta* delta : deltas) writes.push_back(Serialize(*delta));
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    status = Check(deltas);
    if (status.ok()) {
      for (size_t i = 0; i < deltas.size(); ++i) Apply(*deltas[i], std::move(writes[i]));
    }
  }
  committed(status);
}

absl::StatusOr<std::unique_ptr<Execution>> MemoryStore::Load(absl::string_view arn) {
  Header header;
  std::vector<std::string> operation_bytes;
  std::vector<std::string> reply_bytes;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const Row* row = FindRow(arn);
    if (row == nullptr) return errors::ExecutionNotFound(arn);
    header = {row->arn, row->record, row->progress, ""};
    operation_bytes = row->operations;
    reply_bytes = row->replies;
  }
  std::vector<record::OperationRecord> operations;
  operations.reserve(operation_bytes.size());
  for (const std::string& bytes : operation_bytes) {
    operations.push_back(Parse<record::OperationRecord>(bytes));
  }
  std::deque<record::CheckpointReply> replies;
  for (const std::string& bytes : reply_bytes) {
    replies.push_back(Parse<record::CheckpointReply>(bytes));
  }
  StoredExecution stored = ParseHeader(header);
  return std::make_unique<Execution>(std::move(stored.record), std::move(stored.progress),
                                     std::move(operations), std::move(replies));
}

absl::StatusOr<StoredExecution> MemoryStore::LoadHeader(absl::string_view arn) {
  Header header;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const Row* row = FindRow(arn);
    if (row == nullptr) return errors::ExecutionNotFound(arn);
    header = {row->arn, row->record, row->progress,
              row->operations.empty() ? "" : row->operations.front()};
  }
  return ParseHeader(header);
}

absl::StatusOr<std::vector<v1::Event>> MemoryStore::ReadEvents(absl::string_view arn,
                                                               int64_t first_id, int64_t last_id) {
  std::vector<EventChunk> chunks;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const Row* row = FindRow(arn);
    if (row == nullptr) return errors::ExecutionNotFound(arn);
    const auto starts_behind = [](int64_t id, const EventChunk& chunk) {
      return id < chunk.first_id;
    };
    auto begin = std::upper_bound(row->events.begin(), row->events.end(), first_id, starts_behind);
    if (begin != row->events.begin()) --begin;
    const auto end = std::upper_bound(begin, row->events.end(), last_id, starts_behind);
    chunks.assign(begin, end);
  }
  std::vector<v1::Event> events;
  for (const EventChunk& chunk : chunks) {
    REHEARSE_CHECK(ParseEvents(chunk.first_id, chunk.bytes, first_id, last_id, events));
  }
  return events;
}

absl::StatusOr<std::vector<StoredExecution>> MemoryStore::List(const ExecutionQuery& query) {
  const PlaceRange range = PlaceRangeOf(query);
  std::vector<StoredExecution> page;
  if (range.first >= range.last) return page;
  std::vector<Header> headers;
  {
    absl::ReaderMutexLock lock(&mutex_);
    Index named;
    const Index* index = IndexFor(query, named);
    if (index == nullptr) return page;
    const auto add = [&](const Row& row) {
      if (Matches(row, query)) headers.push_back({row.arn, row.record, row.progress, ""});
    };
    const auto full = [&] { return static_cast<int>(headers.size()) >= query.max_items; };
    const auto begin = index->lower_bound(Place(range.first.first, range.first.second));
    const auto end = index->lower_bound(Place(range.last.first, range.last.second));
    if (query.oldest_first) {
      for (auto it = begin; it != end && !full(); ++it) add(**it);
    } else {
      for (auto it = end; it != begin && !full();) add(**--it);
    }
  }
  page.reserve(headers.size());
  for (const Header& header : headers) page.push_back(ParseHeader(header));
  return page;
}

absl::StatusOr<absl::optional<std::string>> MemoryStore::FindByName(absl::string_view session,
                                                                    absl::string_view function_name,
                                                                    absl::string_view name) {
  absl::ReaderMutexLock lock(&mutex_);
  const Function* function = FindFunction(session, function_name);
  if (function == nullptr) return absl::optional<std::string>();
  const auto found = function->by_name.find(name);
  if (found == function->by_name.end()) return absl::optional<std::string>();
  return absl::optional<std::string>(found->second->arn);
}

absl::Status MemoryStore::VisitExecutions(Visit visit) {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [arn, row] : rows_) {
    RecoveredExecution execution;
    execution.record = ParseRecord(arn, row->record);
    execution.progress = Parse<record::ExecutionProgress>(row->progress);
    for (const std::string& bytes : row->operations) {
      if (IsTerminal(row->status)) break;
      auto operation = Parse<record::OperationRecord>(bytes);
      if (IsPending(operation.operation())) execution.pending.push_back(std::move(operation));
    }
    visit(std::move(execution));
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::Delete(const std::vector<std::string>& arns) {
  std::vector<std::unique_ptr<Row>> taken;
  absl::MutexLock lock(&mutex_);
  for (const std::string& arn : arns) {
    if (FindRow(arn) != nullptr) taken.push_back(Take(arn));
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::PutSession(const record::SessionRecord& session) {
  absl::MutexLock lock(&mutex_);
  session_records_[session.name()] = session;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<record::SessionRecord>> MemoryStore::Sessions() {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<record::SessionRecord> sessions;
  for (const auto& [name, session] : session_records_) sessions.push_back(session);
  return sessions;
}

absl::Status MemoryStore::DeleteSession(absl::string_view session) {
  std::vector<std::unique_ptr<Row>> taken;
  absl::MutexLock lock(&mutex_);
  session_records_.erase(session);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return absl::OkStatus();
  for (const Row* row : found->second->index) {
    const auto entry = rows_.find(row->arn);
    taken.push_back(std::move(entry->second));
    rows_.erase(entry);
  }
  sessions_.erase(found);
  return absl::OkStatus();
}

const MemoryStore::Index* MemoryStore::IndexFor(const ExecutionQuery& query, Index& named) {
  if (query.function_name.empty()) {
    const Session* session = FindSession(query.session);
    return session == nullptr ? nullptr : &session->index;
  }
  const Function* function = FindFunction(query.session, query.function_name);
  if (function == nullptr || !query.name.has_value()) {
    return function == nullptr ? nullptr : &function->index;
  }
  const auto found = function->by_name.find(*query.name);
  if (found != function->by_name.end()) named.insert(found->second);
  return &named;
}

bool MemoryStore::Matches(const Row& row, const ExecutionQuery& query) {
  const std::vector<v1::ExecutionStatus>& statuses = query.statuses;
  if (!statuses.empty() &&
      std::find(statuses.begin(), statuses.end(), row.status) == statuses.end()) {
    return false;
  }
  if (!query.version.has_value() && !query.name.has_value()) return true;
  const auto record = Parse<record::ExecutionRecord>(row.record);
  return record.version() == query.version.value_or(record.version()) &&
         record.name() == query.name.value_or(record.name());
}

MemoryStore::Write MemoryStore::Serialize(const ExecutionDelta& delta) {
  Write write;
  if (delta.created.has_value()) {
    record::ExecutionRecord record = *delta.created;
    record.clear_arn();
    write.record = record.SerializeAsString();
  }
  write.progress = delta.progress.SerializeAsString();
  write.operations.reserve(delta.operations.size());
  for (const record::OperationRecord& operation : delta.operations) {
    write.operations.push_back(operation.SerializeAsString());
  }
  write.events = SerializeEvents(delta.events);
  if (delta.reply.has_value()) write.reply = delta.reply->SerializeAsString();
  return write;
}

MemoryStore::Row* MemoryStore::FindRow(absl::string_view arn) {
  const auto found = rows_.find(arn);
  return found == rows_.end() ? nullptr : found->second.get();
}

const MemoryStore::Session* MemoryStore::FindSession(absl::string_view session) {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : found->second.get();
}

const MemoryStore::Function* MemoryStore::FindFunction(absl::string_view session,
                                                       absl::string_view function_name) {
  const Session* state = FindSession(session);
  if (state == nullptr) return nullptr;
  const auto found = state->functions.find(function_name);
  return found == state->functions.end() ? nullptr : found->second.get();
}

absl::Status MemoryStore::Check(const std::vector<const ExecutionDelta*>& deltas) {
  for (size_t i = 0; i < deltas.size(); ++i) {
    const ExecutionDelta& delta = *deltas[i];
    const auto created_before = [&](const auto& matches) {
      return std::any_of(deltas.begin(), deltas.begin() + i, [&](const ExecutionDelta* earlier) {
        return earlier->created.has_value() && matches(*earlier->created);
      });
    };
    const auto same_arn = [&](const record::ExecutionRecord& record) {
      return record.arn() == delta.arn;
    };
    const bool exists = FindRow(delta.arn) != nullptr || created_before(same_arn);
    if (!delta.created.has_value()) {
      if (!exists) return errors::ExecutionNotFound(delta.arn);
      continue;
    }
    if (exists) return errors::Internal(absl::StrCat("Execution is stored already: ", delta.arn));
    const record::ExecutionRecord& record = *delta.created;
    const Function* function = FindFunction(record.session(), record.function_name());
    const auto same_name = [&](const record::ExecutionRecord& other) {
      return other.session() == record.session() &&
             other.function_name() == record.function_name() && other.name() == record.name();
    };
    if ((function != nullptr && function->by_name.contains(record.name())) ||
        created_before(same_name)) {
      return errors::ExecutionAlreadyStarted(record.name());
    }
  }
  return absl::OkStatus();
}

void MemoryStore::Apply(const ExecutionDelta& delta, Write write) {
  Row* row = delta.created.has_value() ? Create(delta, write) : FindRow(delta.arn);
  row->status = delta.progress.status();
  row->progress = std::move(write.progress);
  for (size_t i = 0; i < delta.operations.size(); ++i) {
    const size_t index = delta.operations[i].index();
    if (index >= row->operations.size()) row->operations.resize(index + 1);
    row->operations[index] = std::move(write.operations[i]);
  }
  if (!delta.events.empty()) {
    row->events.push_back({delta.events.front().event_id(), std::move(write.events)});
  }
  if (delta.reply.has_value()) {
    if (row->replies.size() == kMaxCheckpointReplies) row->replies.erase(row->replies.begin());
    row->replies.push_back(std::move(write.reply));
  }
}

MemoryStore::Row* MemoryStore::Create(const ExecutionDelta& delta, Write& write) {
  const record::ExecutionRecord& record = *delta.created;
  std::unique_ptr<Session>& session = sessions_[record.session()];
  if (session == nullptr) session = std::make_unique<Session>();
  std::unique_ptr<Function>& function = session->functions[record.function_name()];
  if (function == nullptr) function = std::make_unique<Function>();

  auto owned = std::make_unique<Row>();
  Row* row = owned.get();
  row->arn = delta.arn;
  row->session = session.get();
  row->function = function.get();
  row->start_time = ToAbsl(record.start_time());
  row->record = std::move(write.record);
  rows_.emplace(row->arn, std::move(owned));
  session->index.insert(row);
  function->index.insert(row);
  function->by_name.emplace(record.name(), row);
  return row;
}

std::unique_ptr<MemoryStore::Row> MemoryStore::Take(absl::string_view arn) {
  const auto found = rows_.find(arn);
  std::unique_ptr<Row> row = std::move(found->second);
  rows_.erase(found);
  row->session->index.erase(row.get());
  row->function->index.erase(row.get());
  row->function->by_name.erase(Parse<record::ExecutionRecord>(row->record).name());
  return row;
}

}  // namespace rehearse
