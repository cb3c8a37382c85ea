// ReplicaLease: what makes a server the one that may write to a database.
//
// A lease has a number, its fencing token, that no other lease ever gets, and a time until which
// the server has to renew it; a thread does. Every transaction that writes executions asks for the
// lease by its token: once another server has taken the lease away, which it may when it was not
// renewed in time, nothing of the former owner is written any more, however late it wakes up. Times
// are the database's.
//
//   auto lease = ReplicaLease::Acquire(database, absl::Seconds(10), [](absl::Status lost) { ... });
//   if (!lease.ok()) return lease.status();           // says who holds it
//   connection.Run({{&kBegin, {}}, (*lease)->Check(), ...});
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/store/postgres/database.h"

namespace rehearse::postgres {

class ReplicaLease {
 public:
  // Called at most once, on a thread of the lease, with the reason.
  using Lost = absl::AnyInvocable<void(absl::Status)>;

  // Takes the lease of `database`, which outlives it. A lease that is not renewed is waited for
  // until it ends; FailedPrecondition when another server renews it.
  static absl::StatusOr<std::unique_ptr<ReplicaLease>> Acquire(Database& database,
                                                               absl::Duration duration, Lost lost);
  // Gives it back, so that the next server need not wait.
  ~ReplicaLease();

  int64_t token() const { return token_; }
  // To be called first in a transaction that writes. One row: the lease is held until the
  // transaction ends. None: it is lost.
  Call Check() const;
  // Another server has it. Not an error of the store's: trying again does not help.
  bool lost() const;
  void NoteLost();

 private:
  ReplicaLease(Database& database, absl::Duration duration, int64_t token, Lost lost);
  void Renew();

  Database& database_;
  const absl::Duration duration_;
  const int64_t token_;
  mutable absl::Mutex mutex_;
  bool lost_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Lost on_lost_ ABSL_GUARDED_BY(mutex_);
  std::thread renewing_;
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_REPLICA_LEASE_H_
