#include "service/store/postgres/database.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rehearse::postgres {

absl::Duration RepeatDelay(int failed_attempts) {
  // Some randomness, so that two that met do not meet again.
  thread_local std::minstd_rand random(std::random_device{}());
  const int64_t longest = int64_t{1} << std::min(failed_attempts, 8);
  return absl::Milliseconds(std::uniform_int_distribution<int64_t>(0, longest)(random));
}

absl::StatusOr<std::unique_ptr<Connection>> Database::Connect() {
  {
    absl::MutexLock lock(&mutex_);
    if (absl::Now() < next_attempt_) return last_error_;
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(url_);
  if (connection.ok()) {
    // A server that does not know the setting has a limit of its own.
    (void)(*connection)
        ->Execute(absl::StrCat("SET idle_in_transaction_session_timeout = ",
                               absl::ToInt64Milliseconds(stall_limit_)));
  }
  absl::MutexLock lock(&mutex_);
  if (connection.ok()) {
    backoff_ = absl::ZeroDuration();
    next_attempt_ = absl::InfinitePast();
    return connection;
  }
  last_error_ = connection.status();
  backoff_ = std::clamp(backoff_ * 2, kShortestBackoff, kLongestBackoff);
  next_attempt_ = absl::Now() + backoff_;
  return last_error_;
}

absl::Duration Database::Backoff() {
  absl::MutexLock lock(&mutex_);
  return std::max(next_attempt_ - absl::Now(), absl::ZeroDuration());
}

absl::StatusOr<std::unique_ptr<Connection>> ConnectionPool::Acquire() {
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* free) { return *free > 0; }, &free_));
    --free_;
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = database_.Connect();
  if (!connection.ok()) {
    absl::MutexLock lock(&mutex_);
    ++free_;
  }
  return connection;
}

void ConnectionPool::Release(std::unique_ptr<Connection> connection) {
  std::vector<std::unique_ptr<Connection>> lost;
  absl::MutexLock lock(&mutex_);
  ++free_;
  if (!connection->lost()) {
    idle_.push_back(std::move(connection));
    return;
  }
  // The others most likely ended with it.
  lost.swap(idle_);
}

absl::StatusOr<std::vector<Result>> ConnectionPool::Run(Work work) {
  absl::Status status;
  bool was_lost = false;
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = Acquire();
    if (!connection.ok()) return connection.status();
    absl::StatusOr<std::vector<Result>> results = work(**connection);
    Release(*std::move(connection));
    if (results.ok()) return results;
    status = results.status();
    if (absl::IsUnavailable(status) && !was_lost) {
      was_lost = true;
    } else if (absl::IsAborted(status)) {
      absl::SleepFor(RepeatDelay(attempt));
    } else {
      break;
    }
  }
  return status;
}

absl::StatusOr<std::vector<Result>> ConnectionPool::Read(const std::vector<Call>& calls) {
  return Run([&](Connection& connection) {
    return calls.size() == 1 ? connection.Run(calls) : connection.ReadSnapshot(calls);
  });
}

}  // namespace rehearse::postgres
