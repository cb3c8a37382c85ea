// ReplicaLease: what makes a server one of those that may write to a database.
//
// A lease has a number, its fencing token, that no other lease ever gets, and a time until which
// the server has to renew it; a thread does. Every transaction that writes asks for the lease by
// its token: once another server has ended a lease that was not renewed in time, nothing of the
// former holder is written any more, however late it wakes up. Times are the database's.
//
//   auto lease = ReplicaLease::Acquire(database, absl::Seconds(10), [](absl::Status lost) { ... });
//   if (!lease.ok()) return lease.status();
//   connection.Run({{&kBegin, {}}, (*lease)->Check(), ...});
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/store/postgres/database.h"

namespace rehearse::postgres {

// What replicas tell each other, by NOTIFY on the channel `rehearse`: the letter is the payload.
enum class Notice : char {
  // A tree that nobody owns awaits a place, or wants to be worked on.
  kWork = 'w',
  // A session has changed.
  kSession = 's',
  // An execution has ended.
  kEnded = 'e',
};

class ReplicaLease {
 public:
  // Called at most once, on a thread of the lease, with the reason.
  using Lost = absl::AnyInvocable<void(absl::Status)>;

  // A new lease of `database`, which outlives it.
  static absl::StatusOr<std::unique_ptr<ReplicaLease>> Acquire(Database& database,
                                                               absl::Duration duration, Lost lost);
  // Gives it back: what it owned is everybody's at once.
  ~ReplicaLease();

  int64_t token() const { return token_; }
  absl::Duration duration() const { return duration_; }
  // To be called first in a transaction that writes. One row: the lease is held until the
  // transaction ends. None: it is lost.
  Call Check() const;
  // `calls` as a transaction, if the lease is still held: FailedPrecondition when it is not. The
  // results of the calls.
  absl::StatusOr<std::vector<Result>> Write(ConnectionPool& pool, std::vector<Call> calls);
  // Tells all replicas when the transaction that it is part of commits; nobody, on an engine
  // without NOTIFY.
  Call NotifyCall(Notice notice) const;

  // Another server has ended it. Not an error of the store's: trying again does not help.
  bool lost() const;
  void NoteLost();
  // Whether it runs for certain, by this machine's clock: nobody else may have ended it.
  bool runs() const;
  // Whether there are other replicas, as of the last renewal.
  bool has_peers() const { return has_peers_; }

 private:
  ReplicaLease(Database& database, absl::Duration duration, int64_t token, Lost lost);
  void Renew();
  void NoteRenewed(absl::Time asked);

  Database& database_;
  const absl::Duration duration_;
  const int64_t token_;
  std::atomic<bool> can_notify_{true};
  std::atomic<bool> has_peers_{false};
  // By ClockNow.
  std::atomic<int64_t> runs_until_nanos_;
  mutable absl::Mutex mutex_;
  bool lost_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Lost on_lost_ ABSL_GUARDED_BY(mutex_);
  std::thread renewing_;
};

// The statements that end the lease of this token - unless `only_if_over` and it still runs - and
// give what it owned to everybody.
std::vector<Call> EndLeaseCalls(int64_t token, bool only_if_over);

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_
