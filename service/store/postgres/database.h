// Database: where connections to one PostgreSQL database come from. While the server is away it is
// asked now and then, less and less often, and everybody in between is told at once.
//
//   Database database(url, absl::Seconds(5));
//   absl::StatusOr<std::unique_ptr<Connection>> connection = database.Connect();
//
//   ConnectionPool pool(database, 8);
//   absl::StatusOr<std::vector<Result>> results = pool.Read({{&kFind, {TextParameter(id)}}});
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_DATABASE_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_DATABASE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/store/postgres/connection.h"

namespace rehearse::postgres {

class Database {
 public:
  // Wall time between two attempts to connect: twice as long after each that failed.
  static constexpr absl::Duration kShortestBackoff = absl::Milliseconds(50);
  static constexpr absl::Duration kLongestBackoff = absl::Seconds(5);

  // A transaction in which this process says nothing for `stall_limit` is undone by the server, so
  // that what it has locked is free for whoever takes over.
  Database(std::string url, absl::Duration stall_limit)
      : url_(std::move(url)), stall_limit_(stall_limit) {}

  // The error of the last attempt, without another, while the server is left alone.
  absl::StatusOr<std::unique_ptr<Connection>> Connect();
  // How long the server is left alone from now.
  absl::Duration Backoff();

 private:
  const std::string url_;
  const absl::Duration stall_limit_;
  absl::Mutex mutex_;
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  absl::Duration backoff_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
  absl::Time next_attempt_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// Connections that are used for one thing after the other.
class ConnectionPool {
 public:
  // At most `max_connections` at once; whoever comes then waits. `database` outlives the pool.
  ConnectionPool(Database& database, int max_connections)
      : database_(database), free_(max_connections) {}

  // Runs `work` on a connection; again on a new one when that was found to be lost, so that `work`
  // must be the same when done twice, and again when the server asks for that.
  using Work = absl::FunctionRef<absl::StatusOr<std::vector<Result>>(Connection&)>;
  absl::StatusOr<std::vector<Result>> Run(Work work);
  // Calls that read and see the same moment.
  absl::StatusOr<std::vector<Result>> Read(const std::vector<Call>& calls);

 private:
  absl::StatusOr<std::unique_ptr<Connection>> Acquire();
  void Release(std::unique_ptr<Connection> connection);

  Database& database_;
  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

// How often a transaction is tried that the server undoes in favour of others.
inline constexpr int kMaxAttempts = 10;
// Wall time before the next attempt, by the number of those that failed.
absl::Duration RepeatDelay(int failed_attempts);

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_DATABASE_H_
