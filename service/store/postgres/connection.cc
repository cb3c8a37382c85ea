#include "service/store/postgres/connection.h"

#include <poll.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rehearse::postgres {
namespace {

// Object ids of the element types, fixed in PostgreSQL's catalog.
constexpr uint32_t kBoolOid = 16;
constexpr uint32_t kByteaOid = 17;
constexpr uint32_t kInt8Oid = 20;
constexpr uint32_t kTextOid = 25;

constexpr int kBinary = 1;

// Plans are made for the tables as they will be: with their indexes, however few rows there are
// today. A table without a suitable index is read as a whole all the same, at a cost that would
// have the statement compiled, for 100 ms. Servers that know none of these settings plan as they
// do.
constexpr absl::string_view kPlannerSettings[] = {
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",
};

void AppendInt32(uint32_t value, std::string& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
}

void AppendInt64(uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
}

uint32_t OidOf(Column::Type type) {
  switch (type) {
    case Column::Type::kText:
      return kTextOid;
    case Column::Type::kBytes:
      return kByteaOid;
    case Column::Type::kInt:
      return kInt8Oid;
    case Column::Type::kBool:
      break;
  }
  return kBoolOid;
}

// One line.
std::string Tidy(absl::string_view message) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(message), {{"\n", "; "}, {"\t", " "}});
}

constexpr Statement kBeginSnapshot = {"begin_snapshot",
                                      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};

void IgnoreNotice(void*, const char*) {}

// Classes of SQLSTATE (appendix A of PostgreSQL's manual). The server ends the connection behind a
// fatal error.
bool IsConnectionLoss(absl::string_view severity, absl::string_view state) {
  // Connection exceptions; the server shuts down, crashed, or starts; the outcome is not known.
  return severity == "FATAL" || severity == "PANIC" || state.empty() ||
         absl::StartsWith(state, "08") || absl::StartsWith(state, "57P") || state == "40003";
}

bool IsWorthRepeating(absl::string_view state) {
  return state == "40001" || state == "40P01";  // serialization failure, deadlock
}

}  // namespace

std::string IntParameter(int64_t value) {
  std::string bytes;
  AppendInt64(static_cast<uint64_t>(value), bytes);
  return bytes;
}

// The header: number of dimensions, whether there are nulls, element type, number of elements and
// index of the first.
Column::Column(Type type) {
  AppendInt32(1, bytes_);
  AppendInt32(0, bytes_);
  AppendInt32(OidOf(type), bytes_);
  AppendInt32(0, bytes_);  // set by Take
  AppendInt32(1, bytes_);
}

void Column::AddLength(size_t bytes) {
  ++rows_;
  AppendInt32(static_cast<uint32_t>(bytes), bytes_);
}

void Column::Add(absl::string_view value) {
  AddLength(value.size());
  bytes_.append(value.data(), value.size());
}

void Column::Add(int64_t value) {
  AddLength(sizeof(value));
  AppendInt64(static_cast<uint64_t>(value), bytes_);
}

void Column::Add(bool value) {
  AddLength(1);
  bytes_.push_back(value ? 1 : 0);
}

void Column::Add(const google::protobuf::MessageLite& message) {
  AddLength(message.ByteSizeLong());
  message.AppendToString(&bytes_);
}

std::string Column::Take() {
  std::string count;
  AppendInt32(static_cast<uint32_t>(rows_), count);
  bytes_.replace(12, count.size(), count);
  rows_ = 0;
  return std::move(bytes_);
}

int64_t Result::written() const {
  int64_t count = 0;
  return absl::SimpleAtoi(libpq_->PQcmdTuples(result_.get()), &count) ? count : 0;
}

absl::string_view Result::Bytes(int row, int column) const {
  return {libpq_->PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(libpq_->PQgetlength(result_.get(), row, column))};
}

int64_t Result::Int(int row, int column) const {
  uint64_t value = 0;
  for (const char byte : Bytes(row, column)) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& url) {
  const absl::StatusOr<const LibPq*> libpq = LibPq::Load();
  if (!libpq.ok()) return libpq.status();
  // What the URL says, which takes the place of "dbname", comes last and wins.
  const char* const keywords[] = {
      "fallback_application_name", "connect_timeout",  "keepalives_idle",
      "keepalives_interval",       "keepalives_count", "tcp_user_timeout",
      "client_encoding",           "dbname",           nullptr};
  const char* const values[] = {"rehearse", "5",    "5",         "5",    "2",
                                "15000",    "UTF8", url.c_str(), nullptr};
  PGconn* opened = (*libpq)->PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  std::unique_ptr<Connection> connection(new Connection(**libpq, opened));
  if ((*libpq)->PQstatus(opened) != CONNECTION_OK) return connection->Lost();
  (*libpq)->PQsetNoticeProcessor(opened, IgnoreNotice, nullptr);
  if ((*libpq)->PQenterPipelineMode(opened) != 1) return connection->Lost();
  for (const absl::string_view setting : kPlannerSettings) {
    (void)connection->Execute(setting);
    if (connection->lost()) return connection->Lost();
  }
  return connection;
}

Connection::~Connection() { libpq_.PQfinish(connection_); }

absl::Status Connection::Lost() {
  lost_ = true;
  return absl::UnavailableError(
      absl::StrCat("PostgreSQL: ", Tidy(libpq_.PQerrorMessage(connection_))));
}

absl::Status Connection::ErrorOf(const PGresult* result) {
  const auto field = [&](int code) {
    const char* text = libpq_.PQresultErrorField(result, code);
    return absl::string_view(text == nullptr ? "" : text);
  };
  const absl::string_view state = field(PG_DIAG_SQLSTATE);
  const std::string message =
      absl::StrCat("PostgreSQL: ", Tidy(libpq_.PQresultErrorMessage(result)));
  if (IsConnectionLoss(field(PG_DIAG_SEVERITY_NONLOCALIZED), state)) {
    lost_ = true;
    return absl::UnavailableError(message);
  }
  if (IsWorthRepeating(state)) return absl::AbortedError(message);
  if (state == "23505") return absl::AlreadyExistsError(message);  // unique violation
  return absl::InternalError(message);
}

bool Connection::Send(const Call& call) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& parameter : call.parameters) {
    values.push_back(parameter.data());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  const std::vector<int> formats(values.size(), kBinary);
  const int count = static_cast<int>(values.size());
  if (call.statement->name == nullptr) {
    return libpq_.PQsendQueryParams(connection_, std::string(call.statement->sql).c_str(), count,
                                    nullptr, values.data(), lengths.data(), formats.data(),
                                    kBinary) == 1;
  }
  return libpq_.PQsendQueryPrepared(connection_, call.statement->name, count, values.data(),
                                    lengths.data(), formats.data(), kBinary) == 1;
}

absl::StatusOr<std::vector<Result>> Connection::Run(const std::vector<Call>& calls) {
  // Of each statement sent, the name that it prepares, or nullptr for a call.
  std::vector<const char*> sent;
  absl::flat_hash_set<absl::string_view> preparing;
  for (const Call& call : calls) {
    const char* name = call.statement->name;
    if (name != nullptr && !prepared_.contains(name) && preparing.insert(name).second) {
      if (libpq_.PQsendPrepare(connection_, name, std::string(call.statement->sql).c_str(), 0,
                               nullptr) != 1) {
        return Lost();
      }
      sent.push_back(name);
    }
    if (!Send(call)) return Lost();
    sent.push_back(nullptr);
  }
  if (libpq_.PQpipelineSync(connection_) != 1) return Lost();
  std::vector<absl::StatusOr<Result>> answers = Receive(sent.size());
  std::vector<Result> results;
  absl::Status status;
  for (size_t i = 0; i < answers.size(); ++i) {
    // Those behind the first error only tell that they were skipped.
    if (status.ok()) status = answers[i].status();
    if (!answers[i].ok()) continue;
    if (sent[i] != nullptr) {
      prepared_.insert(sent[i]);
    } else {
      results.push_back(*std::move(answers[i]));
    }
  }
  if (!status.ok()) return status;
  if (lost()) return Lost();
  return results;
}

std::vector<absl::StatusOr<Result>> Connection::Receive(size_t count) {
  std::vector<absl::StatusOr<Result>> answers;
  // Behind the results of a statement stands a null, behind the last statement the end of the
  // pipeline.
  while (!lost()) {
    PGresult* result = libpq_.PQgetResult(connection_);
    if (result == nullptr) continue;
    Result answer(libpq_, result);
    switch (libpq_.PQresultStatus(result)) {
      case PGRES_PIPELINE_SYNC:
        if (answers.size() != count) lost_ = true;
        return answers;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_EMPTY_QUERY:
        answers.emplace_back(std::move(answer));
        break;
      case PGRES_PIPELINE_ABORTED:
        answers.emplace_back(absl::CancelledError("skipped behind an error"));
        break;
      default:
        answers.emplace_back(ErrorOf(result));
    }
  }
  return answers;
}

absl::StatusOr<std::vector<Result>> Connection::RunBetween(const Statement& begin,
                                                           std::vector<Call> calls) {
  calls.insert(calls.begin(), Call{&begin, {}});
  calls.push_back({&kCommit, {}});
  absl::StatusOr<std::vector<Result>> results = Run(calls);
  if (!results.ok()) {
    if (!lost()) (void)Run({{&kRollback, {}}});
    return results;
  }
  results->erase(results->begin());
  results->pop_back();
  return results;
}

absl::StatusOr<std::vector<Result>> Connection::Transact(std::vector<Call> calls) {
  return RunBetween(kBegin, std::move(calls));
}

absl::StatusOr<std::vector<Result>> Connection::ReadSnapshot(std::vector<Call> calls) {
  return RunBetween(kBeginSnapshot, std::move(calls));
}

absl::Status Connection::Execute(absl::string_view sql) {
  const Statement statement = {nullptr, sql};
  return Run({{&statement, {}}}).status();
}

absl::StatusOr<std::vector<std::string>> Connection::AwaitNotices(int wake_fd,
                                                                  absl::Duration timeout) {
  std::vector<std::string> notices;
  const auto take = [&] {
    while (PGnotify* notice = libpq_.PQnotifies(connection_)) {
      notices.emplace_back(notice->extra);
      libpq_.PQfreemem(notice);
    }
  };
  // Some may have come with answers.
  take();
  if (!notices.empty()) return notices;
  pollfd events[] = {{libpq_.PQsocket(connection_), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  poll(events, 2, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
  if (libpq_.PQconsumeInput(connection_) != 1) return Lost();
  take();
  return notices;
}

absl::Status ValidatePostgresUrl(const std::string& url) {
  const absl::StatusOr<const LibPq*> libpq = LibPq::Load();
  if (!libpq.ok()) return libpq.status();
  char* error = nullptr;
  PQconninfoOption* options = (*libpq)->PQconninfoParse(url.c_str(), &error);
  if (options != nullptr) {
    (*libpq)->PQconninfoFree(options);
    return absl::OkStatus();
  }
  const std::string message = error == nullptr ? "out of memory" : Tidy(error);
  if (error != nullptr) (*libpq)->PQfreemem(error);
  return absl::InvalidArgumentError(absl::StrCat("bad PostgreSQL URL: ", message));
}

}  // namespace rehearse::postgres
