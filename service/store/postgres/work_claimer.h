// WorkClaimer: the part of a replica that looks for work: trees that nobody owns and whose time has
// come, or that await a place that is free here; and what belonged to replicas that are gone. It
// hears of work by LISTEN, by what is free here, and looks by itself every second.
//
//   WorkClaimer claimer(database, lease, replica);
//   claimer.LookForWork();                       // a place has become free
//
// Several claim at once: each takes what no other is about to take (SKIP LOCKED). Thread-safe.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_WORK_CLAIMER_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_WORK_CLAIMER_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/store/postgres/database.h"
#include "service/store/postgres/replica_lease.h"
#include "service/store/replica_group.h"

namespace rehearse::postgres {

class WorkClaimer {
 public:
  // The arguments outlive it.
  WorkClaimer(Database& database, ReplicaLease& lease, Replica& replica);
  // `replica` is not called any more when it returns.
  ~WorkClaimer();

  void LookForWork();

 private:
  void Work();
  // Waits for a reason to look. An error: the connection is of no use.
  absl::Status Await(Connection& connection);
  // One look at everything.
  absl::Status Look();
  // Tells of all that is owned: some may not be known, and what is known is told in vain.
  absl::Status TellOfOwn();
  absl::Status EndLeasesThatAreOver();
  absl::Status PublishPlaces(const std::vector<Replica::Place>& places);
  absl::Status Claim(const std::vector<Replica::Place>& places);

  ReplicaLease& lease_;
  Replica& replica_;
  ConnectionPool pool_;
  Database& database_;
  // An eventfd.
  const int wake_fd_;
  std::atomic<bool> stopping_{false};

  // Of the thread.
  std::vector<FunctionKey> published_;
  absl::Time may_end_leases_ = absl::InfinitePast();
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time next_net_ = absl::InfinitePast();
  bool sessions_changed_ = false;
  std::thread thread_;
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_WORK_CLAIMER_H_
