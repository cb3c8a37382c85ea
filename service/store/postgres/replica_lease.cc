#include "service/store/postgres/replica_lease.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rehearse::postgres {
namespace {

// A lease is renewed three times before it ends.
constexpr int kRenewalsPerLease = 3;
// Between two looks at a lease that somebody else holds.
constexpr absl::Duration kLookInterval = absl::Milliseconds(200);

// Servers that start at once come one after the other: the row is everybody's.
constexpr Statement kLockLeases = {nullptr,
                                   "SELECT version FROM rehearse.schema_version FOR UPDATE"};
constexpr Statement kDeleteEnded = {nullptr,
                                    "DELETE FROM rehearse.replica WHERE lease_until < now()"};
constexpr Statement kFindHolder = {
    nullptr,
    "SELECT token, holder, (extract(epoch FROM lease_until) * 1000)::bigint FROM rehearse.replica"};
constexpr Statement kInsert = {
    nullptr,
    "INSERT INTO rehearse.replica"
    " SELECT nextval('rehearse.replica_token'), $1::text,"
    "  now() + $2::bigint * INTERVAL '1 millisecond'"
    " WHERE NOT EXISTS (SELECT 1 FROM rehearse.replica) RETURNING token"};
constexpr Statement kRenew = {
    "lease_renew",
    "UPDATE rehearse.replica SET lease_until = now() + $2::bigint * INTERVAL '1 millisecond'"
    " WHERE token = $1::bigint"};
constexpr Statement kGiveBack = {nullptr, "DELETE FROM rehearse.replica WHERE token = $1::bigint"};
// Whoever wants to take the lease away waits for the end of the transaction; others that check do
// not.
constexpr Statement kCheck = {
    "lease_check", "SELECT token FROM rehearse.replica WHERE token = $1::bigint FOR KEY SHARE"};

std::string HolderName() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat("process ", getpid(), " on ", host);
}

absl::Status TakenError(absl::string_view holder) {
  return absl::FailedPreconditionError(absl::StrCat("the database is in use by another server (",
                                                    holder,
                                                    "); stop that one, or use another database"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaLease>> ReplicaLease::Acquire(Database& database,
                                                                    absl::Duration duration,
                                                                    Lost lost) {
  ConnectionPool pool(database, 1);
  const std::string holder = HolderName();
  const std::string milliseconds = IntParameter(absl::ToInt64Milliseconds(duration));
  int64_t seen_token = 0;
  int64_t seen_until = 0;
  while (true) {
    const absl::StatusOr<std::vector<Result>> results = pool.Run([&](Connection& connection) {
      return connection.Transact({{&kLockLeases, {}},
                                  {&kDeleteEnded, {}},
                                  {&kFindHolder, {}},
                                  {&kInsert, {TextParameter(holder), milliseconds}}});
    });
    if (!results.ok()) return results.status();
    const Result& found = (*results)[2];
    const Result& inserted = (*results)[3];
    if (inserted.rows() == 1) {
      return std::unique_ptr<ReplicaLease>(
          new ReplicaLease(database, duration, inserted.Int(0, 0), std::move(lost)));
    }
    const int64_t token = found.Int(0, 0);
    const int64_t until = found.Int(0, 2);
    if (token == seen_token && until != seen_until) return TakenError(found.Bytes(0, 1));
    seen_token = token;
    seen_until = until;
    absl::SleepFor(kLookInterval);
  }
}

ReplicaLease::ReplicaLease(Database& database, absl::Duration duration, int64_t token, Lost lost)
    : database_(database), duration_(duration), token_(token), on_lost_(std::move(lost)) {
  renewing_ = std::thread([this] { Renew(); });
}

ReplicaLease::~ReplicaLease() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  renewing_.join();
}

Call ReplicaLease::Check() const { return {&kCheck, {IntParameter(token_)}}; }

bool ReplicaLease::lost() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

void ReplicaLease::NoteLost() {
  Lost on_lost;
  {
    absl::MutexLock lock(&mutex_);
    if (lost_) return;
    lost_ = true;
    on_lost = std::move(on_lost_);
  }
  if (on_lost) {
    on_lost(absl::FailedPreconditionError(
        "another server has taken over the database: this one was silent for longer than its "
        "lease"));
  }
}

void ReplicaLease::Renew() {
  ConnectionPool pool(database_, 1);
  const std::string token = IntParameter(token_);
  const std::string milliseconds = IntParameter(absl::ToInt64Milliseconds(duration_));
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || lost_; };
  while (!mutex_.AwaitWithTimeout(absl::Condition(&ended), duration_ / kRenewalsPerLease)) {
    mutex_.Unlock();
    // While the database is away nobody takes the lease: it is asked again next time.
    const absl::StatusOr<std::vector<Result>> renewed = pool.Run([&](Connection& connection) {
      return connection.Run({{&kRenew, {token, milliseconds}}});
    });
    if (renewed.ok() && (*renewed)[0].written() == 0) NoteLost();
    mutex_.Lock();
  }
  if (lost_) return;
  mutex_.Unlock();
  (void)pool.Run([&](Connection& connection) { return connection.Run({{&kGiveBack, {token}}}); });
  mutex_.Lock();
}

}  // namespace rehearse::postgres
