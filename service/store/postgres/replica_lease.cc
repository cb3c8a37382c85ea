#include "service/store/postgres/replica_lease.h"

#include <unistd.h>

#include <ctime>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rehearse::postgres {
namespace {

// A lease is renewed three times before it ends.
constexpr int kRenewalsPerLease = 3;

constexpr Statement kInsert = {nullptr,
                               "INSERT INTO rehearse.replica"
                               " SELECT nextval('rehearse.replica_token'), $1::text, '',"
                               "  now() + $2::bigint * INTERVAL '1 millisecond' RETURNING token"};
constexpr Statement kRenew = {
    "lease_renew",
    "UPDATE rehearse.replica SET lease_until = now() + $2::bigint * INTERVAL '1 millisecond'"
    " WHERE token = $1::bigint"};
constexpr Statement kCountReplicas = {"count_replicas", "SELECT count(*) FROM rehearse.replica"};
constexpr Statement kEnd = {"lease_end",
                            "DELETE FROM rehearse.replica WHERE token = $1::bigint"
                            " AND (lease_until < now() OR NOT $2::bigint = 1)"};
constexpr Statement kDisown = {
    "lease_disown",
    "UPDATE rehearse.tree SET owner = NULL, wake_at = 0 WHERE owner = $1::bigint"
    " AND NOT EXISTS (SELECT 1 FROM rehearse.replica WHERE token = $1::bigint)"};
constexpr Statement kRemovePlaces = {
    "lease_remove_places",
    "DELETE FROM rehearse.place WHERE token = $1::bigint"
    " AND NOT EXISTS (SELECT 1 FROM rehearse.replica WHERE token = $1::bigint)"};
// Whoever wants to end the lease waits for the end of the transaction; others that check do not.
constexpr Statement kCheck = {
    "lease_check", "SELECT token FROM rehearse.replica WHERE token = $1::bigint FOR KEY SHARE"};
constexpr Statement kNotify = {"notify", "SELECT pg_notify('rehearse', $1::text)"};
constexpr Statement kNotifyNobody = {"notify_nobody", "SELECT $1::text"};

std::string HolderName() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat("process ", getpid(), " on ", host);
}

// Goes on while the machine sleeps and the process is stopped, and is never set.
absl::Time ClockNow() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace

std::vector<Call> EndLeaseCalls(int64_t token, bool only_if_over) {
  const std::string parameter = IntParameter(token);
  return {{&kEnd, {parameter, IntParameter(only_if_over ? 1 : 0)}},
          {&kDisown, {parameter}},
          {&kRemovePlaces, {parameter}}};
}

absl::StatusOr<std::unique_ptr<ReplicaLease>> ReplicaLease::Acquire(Database& database,
                                                                    absl::Duration duration,
                                                                    Lost lost) {
  ConnectionPool pool(database, 1);
  const absl::Time asked = ClockNow();
  const absl::StatusOr<std::vector<Result>> results = pool.Run([&](Connection& connection) {
    return connection.Run(
        {{&kInsert,
          {TextParameter(HolderName()), IntParameter(absl::ToInt64Milliseconds(duration))}}});
  });
  if (!results.ok()) return results.status();
  std::unique_ptr<ReplicaLease> lease(
      new ReplicaLease(database, duration, (*results)[0].Int(0, 0), std::move(lost)));
  lease->NoteRenewed(asked);
  const absl::Status notified = pool.Run([&](Connection& connection) {
                                      return connection.Run({lease->NotifyCall(Notice::kWork)});
                                    })
                                    .status();
  lease->can_notify_ = !absl::IsInternal(notified);
  return lease;
}

ReplicaLease::ReplicaLease(Database& database, absl::Duration duration, int64_t token, Lost lost)
    : database_(database),
      duration_(duration),
      token_(token),
      runs_until_nanos_(0),
      on_lost_(std::move(lost)) {
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

absl::StatusOr<std::vector<Result>> ReplicaLease::Write(ConnectionPool& pool,
                                                        std::vector<Call> calls) {
  const Call before[] = {{&kBegin, {}}, Check()};
  calls.insert(calls.begin(), std::begin(before), std::end(before));
  absl::StatusOr<std::vector<Result>> results =
      pool.Run([&](Connection& connection) -> absl::StatusOr<std::vector<Result>> {
        absl::StatusOr<std::vector<Result>> written = connection.Run(calls);
        if (written.ok() && (*written)[1].rows() == 0) {
          written = absl::FailedPreconditionError("another server has taken over");
        }
        if (connection.lost()) return written;
        const absl::Status ended =
            connection.Run({{written.ok() ? &kCommit : &kRollback, {}}}).status();
        if (written.ok() && !ended.ok()) return ended;
        return written;
      });
  if (absl::IsFailedPrecondition(results.status())) NoteLost();
  if (results.ok()) results->erase(results->begin(), results->begin() + std::size(before));
  return results;
}

Call ReplicaLease::NotifyCall(Notice notice) const {
  return {can_notify_ ? &kNotify : &kNotifyNobody,
          {TextParameter(absl::string_view(reinterpret_cast<const char*>(&notice), 1))}};
}

bool ReplicaLease::lost() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

bool ReplicaLease::runs() const {
  return absl::ToUnixNanos(ClockNow()) < runs_until_nanos_ && !lost();
}

void ReplicaLease::NoteRenewed(absl::Time asked) {
  runs_until_nanos_ = absl::ToUnixNanos(asked + duration_);
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
        "another server has taken over: this one was silent for longer than its lease"));
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
    // While the database is away nobody ends the lease: it is asked again next time.
    const absl::Time asked = ClockNow();
    const absl::StatusOr<std::vector<Result>> renewed = pool.Run([&](Connection& connection) {
      return connection.Run({{&kRenew, {token, milliseconds}}, {&kCountReplicas, {}}});
    });
    if (renewed.ok()) {
      if ((*renewed)[0].written() == 0) NoteLost();
      NoteRenewed(asked);
      has_peers_ = (*renewed)[1].Int(0, 0) > 1;
    }
    mutex_.Lock();
  }
  if (lost_) return;
  mutex_.Unlock();
  (void)pool.Run([&](Connection& connection) {
    std::vector<Call> calls = EndLeaseCalls(token_, /*only_if_over=*/false);
    calls.push_back(NotifyCall(Notice::kWork));
    return connection.Transact(std::move(calls));
  });
  mutex_.Lock();
}

}  // namespace rehearse::postgres
