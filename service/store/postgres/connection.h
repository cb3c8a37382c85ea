// Connection: one connection to a PostgreSQL server. Statements are sent together and answered
// together: one round trip, whatever their number.
//
//   const Statement kFind = {"find", "SELECT arn FROM rehearse.execution WHERE id = $1"};
//   absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(url);
//   absl::StatusOr<std::vector<Result>> results =
//       (*connection)->Run({{&kFind, {TextParameter("6b86b273")}}});
//   absl::string_view arn = (*results)[0].Bytes(0, 0);
//
// Not thread-safe. Errors, beside those of loading libpq: Unavailable - the connection is lost, and
// what was sent last may have happened; Aborted - the server has undone the transaction in favour
// of another, which may be tried again; AlreadyExists - a row with such a key is there; Internal -
// everything else, with the server's words.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_CONNECTION_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message_lite.h"
#include "service/store/postgres/libpq.h"

namespace rehearse::postgres {

// SQL with parameters $1, $2, ... A statement with a name is prepared once for each connection.
struct Statement {
  // nullptr: not prepared.
  const char* name;
  absl::string_view sql;
};

// Parameters in PostgreSQL's binary format: text and bytea; bigint; arrays are Columns.
inline std::string TextParameter(absl::string_view text) { return std::string(text); }
std::string IntParameter(int64_t value);

// An array parameter, one element a row: text[], bytea[], bigint[] or boolean[].
class Column {
 public:
  enum class Type { kText, kBytes, kInt, kBool };

  explicit Column(Type type);
  void Add(absl::string_view value);
  void Add(int64_t value);
  void Add(bool value);
  void Add(const google::protobuf::MessageLite& message);

  int64_t rows() const { return rows_; }
  // The parameter. The column is empty afterwards.
  std::string Take();

 private:
  void AddLength(size_t bytes);

  int64_t rows_ = 0;
  std::string bytes_;
};

struct Call {
  const Statement* statement;
  std::vector<std::string> parameters;
};

// The rows that a statement gave back.
class Result {
 public:
  Result(const LibPq& libpq, PGresult* result) : libpq_(&libpq), result_(result, libpq.PQclear) {}

  int rows() const { return libpq_->PQntuples(result_.get()); }
  // Rows written, for a statement that writes.
  int64_t written() const;
  bool IsNull(int row, int column) const {
    return libpq_->PQgetisnull(result_.get(), row, column) != 0;
  }
  // A text or bytea.
  absl::string_view Bytes(int row, int column) const;
  // A bigint.
  int64_t Int(int row, int column) const;

 private:
  const LibPq* libpq_;
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

inline constexpr Statement kBegin = {"begin", "BEGIN"};
inline constexpr Statement kCommit = {"commit", "COMMIT"};
inline constexpr Statement kRollback = {"rollback", "ROLLBACK"};

class Connection {
 public:
  // `url` as libpq takes it: postgres://USER@HOST:PORT/DATABASE?... Unless it says otherwise, 5 s
  // are waited for the server, and a connection on which it is silent for some 15 s is lost.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& url);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The results in the order of the calls, or the first error. Calls behind a failed one are not
  // carried out; a transaction that was begun is open still, and has to be rolled back.
  absl::StatusOr<std::vector<Result>> Run(const std::vector<Call>& calls);
  // As one transaction: BEGIN, the calls, COMMIT; rolled back when one of them fails. The results
  // of the calls.
  absl::StatusOr<std::vector<Result>> Transact(std::vector<Call> calls);
  // As above, for calls that only read: all see the same moment.
  absl::StatusOr<std::vector<Result>> ReadSnapshot(std::vector<Call> calls);
  // One statement that is not prepared.
  absl::Status Execute(absl::string_view sql);

  // What NOTIFY has sent on the channels that this connection listens to. Waits until there is
  // something, `wake_fd` can be read, or the time is over.
  absl::StatusOr<std::vector<std::string>> AwaitNotices(int wake_fd, absl::Duration timeout);

  // The connection is of no use any more.
  bool lost() const { return lost_ || libpq_.PQstatus(connection_) != CONNECTION_OK; }

 private:
  Connection(const LibPq& libpq, PGconn* connection) : libpq_(libpq), connection_(connection) {}

  bool Send(const Call& call);
  absl::StatusOr<std::vector<Result>> RunBetween(const Statement& begin, std::vector<Call> calls);
  // Reads the answers to `count` statements, an error for each that failed or was skipped; fewer
  // when the connection is lost.
  std::vector<absl::StatusOr<Result>> Receive(size_t count);
  absl::Status Lost();
  absl::Status ErrorOf(const PGresult* result);

  const LibPq& libpq_;
  PGconn* const connection_;
  bool lost_ = false;
  absl::flat_hash_set<std::string> prepared_;
};

// OK when libpq understands the URL, InvalidArgument otherwise; Unavailable without libpq.
absl::Status ValidatePostgresUrl(const std::string& url);

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_CONNECTION_H_
