#include "service/store/sqlite/sqlite_store.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "service/store/sqlite/connection.h"
#include "service/store/sqlite/delta_writer.h"
#include "service/store/sqlite/file_lock.h"
#include "service/store/sqlite/group_writer.h"
#include "service/store/sqlite/reader.h"
#include "service/store/sqlite/schema.h"

namespace rehearse {
namespace {

using sqlite::Connection;
using sqlite::DeltaWriter;
using sqlite::FileLock;
using sqlite::GroupWriter;
using sqlite::ReaderPool;
using sqlite::Write;

constexpr char kPutSession[] =
    "INSERT INTO sessions (name, record) VALUES (?, ?) "
    "ON CONFLICT DO UPDATE SET record = excluded.record";

// Pages of the WAL from which on a commit also moves them into the database: each page once for
// some thousand commits. Then the WAL is written from its beginning again.
constexpr int kCheckpointPages = 4000;

// Before the first table: from then on it cannot be changed without rewriting the file.
constexpr char kNewFile[] = "PRAGMA auto_vacuum = INCREMENTAL";

std::string Settings(const SqliteOptions& options) {
  return absl::StrCat("PRAGMA synchronous = ", options.full_sync ? "FULL" : "NORMAL",
                      "; PRAGMA wal_autocheckpoint = ", kCheckpointPages,
                      "; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000");
}

// One file may be known by several names; the lock stands beside the file itself.
std::string RealPath(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string real = resolved;
  free(resolved);
  return real;
}

absl::Status CannotUse(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("cannot use ", path, ": ", why));
}

absl::Status SwitchToWal(Connection& connection, const std::string& path) {
  sqlite::Statement wal(connection.database(), "PRAGMA journal_mode = WAL");
  const absl::StatusOr<bool> row = wal.Step();
  // Of a file that is no database this is the first thing to fail.
  if (!row.ok()) return CannotUse(path, row.status().message());
  if (*row && wal.Bytes(0) == "wal") return absl::OkStatus();
  return CannotUse(path, "its file system has no room for a write-ahead log");
}

absl::StatusOr<std::unique_ptr<Connection>> OpenForWriting(const SqliteOptions& options,
                                                           const std::string& path) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path);
  if (!connection.ok()) return connection.status();
  absl::Status status = (*connection)->Execute(kNewFile);
  if (!status.ok()) return CannotUse(path, status.message());
  status = SwitchToWal(**connection, path);
  if (status.ok()) status = sqlite::MigrateSchema(**connection, path);
  if (status.ok()) status = (*connection)->Execute(Settings(options));
  if (!status.ok()) return status;
  return connection;
}

}  // namespace

class SqliteStore::Impl {
 public:
  Impl(FileLock lock, std::string path, std::unique_ptr<Connection> connection)
      : lock_(std::move(lock)),
        readers_(std::move(path)),
        writer_(std::move(connection), [this] { deltas_.Forget(); }) {}

  ReaderPool& readers() { return readers_; }
  GroupWriter& writer() { return writer_; }
  // For jobs of the writer only.
  DeltaWriter& deltas() { return deltas_; }

 private:
  // Let go of after everything else.
  FileLock lock_;
  ReaderPool readers_;
  DeltaWriter deltas_;
  GroupWriter writer_;
};

absl::StatusOr<SqliteOptions> ParseSqliteAddress(absl::string_view address) {
  const auto bad = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("bad store '", address, "': ", what));
  };
  absl::string_view rest = address;
  if (!absl::ConsumePrefix(&rest, "sqlite:")) return bad("expected sqlite:PATH");
  SqliteOptions options;
  const size_t question = rest.find('?');
  options.path = std::string(rest.substr(0, question));
  if (options.path.empty()) return bad("expected a path behind sqlite:");
  // SQLite would take it as an instruction.
  if (options.path == ":memory:") return bad("for executions in memory, use memory");
  if (question == absl::string_view::npos) return options;
  absl::string_view setting = rest.substr(question + 1);
  if (!absl::ConsumePrefix(&setting, "synchronous=") ||
      (setting != "FULL" && setting != "NORMAL")) {
    return bad("expected synchronous=FULL or synchronous=NORMAL behind the question mark");
  }
  options.full_sync = setting == "FULL";
  return options;
}

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const SqliteOptions& options) {
  const std::string path = RealPath(options.path);
  absl::StatusOr<FileLock> lock = FileLock::Take(absl::StrCat(path, "-lock"));
  if (absl::IsAlreadyExists(lock.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database ", path, " is in use by another service: ", lock.status().message()));
  }
  if (!lock.ok()) return lock.status();
  absl::StatusOr<std::unique_ptr<Connection>> connection = OpenForWriting(options, path);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(std::make_unique<Impl>(*std::move(lock), path, *std::move(connection))));
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteStore::~SqliteStore() = default;

void SqliteStore::Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) {
  std::vector<Write> writes;
  writes.reserve(deltas.size());
  for (const ExecutionDelta* delta : deltas) writes.emplace_back(*delta);
  impl_->writer().Add(
      [impl = impl_.get(), writes = std::move(writes)](Connection& connection) {
        for (const Write& write : writes) {
          absl::Status status = impl->deltas().Apply(connection, write);
          if (!status.ok()) return status;
        }
        return absl::OkStatus();
      },
      std::move(committed));
}

absl::StatusOr<std::unique_ptr<Execution>> SqliteStore::Load(absl::string_view arn) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->Load(arn);
}

absl::StatusOr<StoredExecution> SqliteStore::LoadHeader(absl::string_view arn) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->LoadHeader(arn);
}

absl::StatusOr<std::vector<v1::Event>> SqliteStore::ReadEvents(absl::string_view arn,
                                                               int64_t first_id, int64_t last_id) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadEvents(arn, first_id, last_id);
}

absl::StatusOr<std::vector<StoredExecution>> SqliteStore::List(const ExecutionQuery& query) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->List(query);
}

absl::StatusOr<absl::optional<std::string>> SqliteStore::FindByName(absl::string_view session,
                                                                    absl::string_view function_name,
                                                                    absl::string_view name) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->FindByName(session, function_name, name);
}

absl::Status SqliteStore::VisitExecutions(Visit visit) {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->VisitExecutions(visit);
}

absl::Status SqliteStore::Delete(const std::vector<std::string>& arns) {
  return impl_->writer().Run([&](Connection& connection) {
    for (const std::string& arn : arns) {
      absl::Status status = impl_->deltas().Delete(connection, arn);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::PutSession(const record::SessionRecord& session) {
  const std::string bytes = session.SerializeAsString();
  return impl_->writer().Run([&](Connection& connection) {
    sqlite::Statement& put = connection.Prepared(kPutSession);
    put.Bind(session.name(), sqlite::Blob{bytes});
    return put.Run();
  });
}

absl::StatusOr<std::vector<record::SessionRecord>> SqliteStore::Sessions() {
  absl::StatusOr<ReaderPool::Lease> reader = impl_->readers().Take();
  if (!reader.ok()) return reader.status();
  return (*reader)->Sessions();
}

absl::Status SqliteStore::DeleteSession(absl::string_view session) {
  return impl_->writer().Run(
      [&](Connection& connection) { return impl_->deltas().DeleteSession(connection, session); });
}

}  // namespace rehearse
