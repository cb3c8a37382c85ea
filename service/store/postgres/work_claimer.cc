#include "service/store/postgres/work_claimer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace rehearse::postgres {
namespace {

// Wall time between two looks if nothing calls for one; while executions of others are watched
// here; and between two looks that places which become free call for, which may be often.
constexpr absl::Duration kLookInterval = absl::Seconds(1);
constexpr absl::Duration kWatchInterval = absl::Milliseconds(100);
constexpr absl::Duration kShortestInterval = absl::Milliseconds(10);
// Between two looks at what a notice should have told, and at what is owned: a claim whose answer
// was lost.
constexpr absl::Duration kNetInterval = absl::Seconds(10);
// Trees are claimed so long before their time, so that it finds them in memory. Less than what a
// tree stays awake for (kShortestSleep in the executor): else it would be released at once.
constexpr absl::Duration kClaimAhead = absl::Milliseconds(500);
// In one transaction, of one kind.
constexpr int kMaxClaims = 100;

constexpr Statement kFindOver = {
    "find_over",
    "SELECT token FROM rehearse.replica WHERE lease_until < now() AND token <> $1::bigint"};
constexpr Statement kFindOwn = {"find_own",
                                "SELECT id FROM rehearse.tree WHERE owner = $1::bigint"};
constexpr Statement kClaimDue = {
    "claim_due",
    "UPDATE rehearse.tree SET owner = $1::bigint WHERE id IN"
    " (SELECT id FROM rehearse.tree WHERE owner IS NULL AND wake_at <= $2::bigint"
    "  ORDER BY wake_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED) RETURNING id"};
constexpr Statement kClaimPending = {
    "claim_pending",
    "UPDATE rehearse.tree SET owner = $1::bigint WHERE id IN"
    " (SELECT t.id FROM rehearse.pending_invocation p JOIN rehearse.tree t ON t.id = p.id"
    "  WHERE p.session = $2::text AND p.function_name = $3::text AND t.owner IS NULL"
    "  LIMIT $4::bigint FOR UPDATE OF t SKIP LOCKED) RETURNING id"};
constexpr Statement kRemovePending = {
    "remove_pending",
    "DELETE FROM rehearse.pending_invocation WHERE id IN"
    " (SELECT id FROM rehearse.tree WHERE id = ANY ($1::text[]) AND owner = $2::bigint)"};
constexpr Statement kNextWake = {"next_wake",
                                 "SELECT min(wake_at) FROM rehearse.tree WHERE owner IS NULL"};
constexpr Statement kRemoveOwnPlaces = {"remove_own_places",
                                        "DELETE FROM rehearse.place WHERE token = $1::bigint"};
constexpr Statement kAddPlaces = {
    "add_places",
    "INSERT INTO rehearse.place SELECT session, function_name, $3::bigint"
    " FROM unnest($1::text[], $2::text[]) AS p (session, function_name) ON CONFLICT DO NOTHING"};

void Signal(int fd) {
  const uint64_t one = 1;
  (void)!write(fd, &one, sizeof(one));
}

}  // namespace

WorkClaimer::WorkClaimer(Database& database, ReplicaLease& lease, Replica& replica)
    : lease_(lease),
      replica_(replica),
      pool_(database, 1),
      database_(database),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  thread_ = std::thread([this] { Work(); });
}

WorkClaimer::~WorkClaimer() {
  stopping_ = true;
  Signal(wake_fd_);
  thread_.join();
  close(wake_fd_);
}

void WorkClaimer::LookForWork() { Signal(wake_fd_); }

void WorkClaimer::Work() {
  std::unique_ptr<Connection> listener;
  while (!stopping_ && !lease_.lost()) {
    absl::Status status;
    if (listener == nullptr) {
      // The others could not renew their leases either, while the database was away: they get the
      // time that they would have had.
      may_end_leases_ = absl::Now() + lease_.duration();
      next_look_ = absl::InfinitePast();
      next_net_ = absl::InfinitePast();
      absl::StatusOr<std::unique_ptr<Connection>> opened = database_.Connect();
      status = opened.status();
      if (opened.ok()) {
        listener = *std::move(opened);
        // An engine without it is asked every second.
        (void)listener->Execute("LISTEN rehearse");
      }
    }
    if (status.ok()) status = Await(*listener);
    if (status.ok() && !stopping_) status = Look();
    if (status.ok()) continue;
    listener.reset();
    pollfd wake = {wake_fd_, POLLIN, 0};
    poll(&wake, 1,
         static_cast<int>(absl::ToInt64Milliseconds(std::max(database_.Backoff(), RepeatDelay(1)) +
                                                    absl::Milliseconds(1))));
  }
}

absl::Status WorkClaimer::Await(Connection& connection) {
  absl::Time earliest = absl::Now() + kShortestInterval;
  bool looking = false;
  while (!stopping_) {
    const absl::Time until = looking ? std::min(earliest, next_look_) : next_look_;
    const absl::Duration left = until - absl::Now();
    if (left <= absl::ZeroDuration()) return absl::OkStatus();
    const absl::StatusOr<std::vector<std::string>> notices =
        connection.AwaitNotices(looking ? -1 : wake_fd_, left + absl::Milliseconds(1));
    if (!notices.ok()) return notices.status();
    for (const std::string& notice : *notices) {
      if (notice[0] == static_cast<char>(Notice::kSession)) sessions_changed_ = true;
    }
    if (!notices->empty()) return absl::OkStatus();
    uint64_t signals = 0;
    if (read(wake_fd_, &signals, sizeof(signals)) > 0) looking = true;
  }
  return absl::OkStatus();
}

absl::Status WorkClaimer::Look() {
  const absl::Time now = absl::Now();
  next_look_ = now + std::min(kLookInterval, lease_.duration() / 2);
  absl::Status status;
  if (now >= next_net_) {
    next_net_ = now + kNetInterval;
    sessions_changed_ = true;
    status = TellOfOwn();
  }
  if (std::exchange(sessions_changed_, false)) replica_.OnSessionsChanged();
  const std::vector<Replica::Place> places = replica_.Places();
  if (status.ok()) status = PublishPlaces(places);
  if (status.ok() && now >= may_end_leases_) {
    // Places that become free call for a look much more often.
    may_end_leases_ = next_look_;
    status = EndLeasesThatAreOver();
  }
  if (status.ok()) status = Claim(places);
  if (status.ok() && replica_.OnRound()) next_look_ = std::min(next_look_, now + kWatchInterval);
  return status;
}

absl::Status WorkClaimer::TellOfOwn() {
  const absl::StatusOr<std::vector<Result>> owned =
      pool_.Read({{&kFindOwn, {IntParameter(lease_.token())}}});
  if (!owned.ok()) return owned.status();
  std::vector<std::string> ids;
  for (int row = 0; row < (*owned)[0].rows(); ++row) ids.emplace_back((*owned)[0].Bytes(row, 0));
  if (!ids.empty()) replica_.OnClaimed(std::move(ids));
  return absl::OkStatus();
}

absl::Status WorkClaimer::EndLeasesThatAreOver() {
  const absl::StatusOr<std::vector<Result>> over =
      pool_.Read({{&kFindOver, {IntParameter(lease_.token())}}});
  if (!over.ok()) return over.status();
  for (int row = 0; row < (*over)[0].rows(); ++row) {
    const absl::Status ended =
        lease_.Write(pool_, EndLeaseCalls((*over)[0].Int(row, 0), /*only_if_over=*/true)).status();
    if (!ended.ok()) return ended;
  }
  return absl::OkStatus();
}

absl::Status WorkClaimer::PublishPlaces(const std::vector<Replica::Place>& places) {
  std::vector<FunctionKey> served;
  for (const Replica::Place& place : places) served.push_back(place.function);
  std::sort(served.begin(), served.end());
  if (served == published_) return absl::OkStatus();
  Column session(Column::Type::kText);
  Column function(Column::Type::kText);
  for (const FunctionKey& key : served) {
    session.Add(absl::string_view(key.session));
    function.Add(absl::string_view(key.function_name));
  }
  const std::string token = IntParameter(lease_.token());
  const absl::Status status =
      lease_
          .Write(pool_, {{&kRemoveOwnPlaces, {token}},
                         {&kAddPlaces, {session.Take(), function.Take(), token}}})
          .status();
  if (status.ok()) published_ = std::move(served);
  return status;
}

absl::Status WorkClaimer::Claim(const std::vector<Replica::Place>& places) {
  const std::string token = IntParameter(lease_.token());
  std::vector<Call> calls = {{&kClaimDue,
                              {token, IntParameter(absl::ToUnixNanos(absl::Now() + kClaimAhead)),
                               IntParameter(kMaxClaims)}}};
  for (const Replica::Place& place : places) {
    if (place.free == 0) continue;
    calls.push_back(
        {&kClaimPending,
         {token, TextParameter(place.function.session), TextParameter(place.function.function_name),
          IntParameter(std::min(place.free, kMaxClaims))}});
  }
  const size_t claims = calls.size();
  calls.push_back({&kNextWake, {}});
  const absl::StatusOr<std::vector<Result>> results = lease_.Write(pool_, std::move(calls));
  if (!results.ok()) return results.status();
  std::vector<std::string> claimed;
  Column ids(Column::Type::kText);
  for (size_t call = 0; call < claims; ++call) {
    const Result& result = (*results)[call];
    // There may be more.
    if (result.rows() == kMaxClaims) next_look_ = absl::InfinitePast();
    for (int row = 0; row < result.rows(); ++row) {
      ids.Add(result.Bytes(row, 0));
      claimed.emplace_back(result.Bytes(row, 0));
    }
  }
  const Result& wake = (*results)[claims];
  if (!wake.IsNull(0, 0)) {
    next_look_ = std::min(next_look_, std::max(absl::FromUnixNanos(wake.Int(0, 0)) - kClaimAhead,
                                               absl::Now() + kShortestInterval));
  }
  if (claimed.empty()) return absl::OkStatus();
  const absl::Status removed =
      lease_.Write(pool_, {{&kRemovePending, {ids.Take(), token}}}).status();
  replica_.OnClaimed(std::move(claimed));
  return removed;
}

}  // namespace rehearse::postgres
