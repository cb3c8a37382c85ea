// Executions asleep after one wait, in real time, in the shipped binary: what each takes in memory,
// and how late they wake. They are started as fast as they can be; each waits so long that they
// fall due evenly, all of them later. How long that takes is found out beforehand.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/load_client.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr int kSlots = 64;
// By how much falling asleep may turn out slower than it was beforehand.
constexpr double kMargin = 1.5;
// Of a second, that are told apart when executions are spread evenly.
constexpr int kFractions = 100;

// Which execution falls due when, and what has been seen of them. Thread-safe.
//
// Waits are whole seconds: an execution falls due at the fraction of a second at which it has begun
// to wait. The executions of each fraction therefore take turns with the seconds.
class Schedule {
 public:
  // The first of `count` falls due `lead` from now, the last `spread_seconds` later.
  Schedule(int count, absl::Duration lead, int spread_seconds)
      : count_(count),
        first_second_(absl::ToUnixSeconds(absl::Now() + lead) + 1),
        spread_seconds_(spread_seconds) {}

  // Seconds that the next execution is to wait if it begins now.
  int NextWait() {
    absl::MutexLock lock(&mutex_);
    const int64_t now_ms = absl::ToUnixMillis(absl::Now());
    const int turn = turns_[now_ms % 1000 * kFractions / 1000]++;
    return std::max(1, static_cast<int>(first_second_ + turn % spread_seconds_ - now_ms / 1000));
  }

  void FellAsleep() {
    absl::MutexLock lock(&mutex_);
    ++asleep_;
  }
  void Woke(absl::Duration lag) {
    absl::MutexLock lock(&mutex_);
    if (asleep_ < count_) overlapping_ = true;
    lags_ms_.push_back(absl::ToDoubleMilliseconds(lag));
  }

  void AwaitAllAsleep() {
    absl::MutexLock lock(&mutex_);
    auto all = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return asleep_ == count_; };
    mutex_.Await(absl::Condition(&all));
  }
  std::vector<double> AwaitAllAwake() {
    absl::MutexLock lock(&mutex_);
    auto all = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return static_cast<int>(lags_ms_.size()) == count_;
    };
    mutex_.Await(absl::Condition(&all));
    return lags_ms_;
  }
  // Whether one woke before all were asleep: nothing has been measured then.
  bool overlapping() {
    absl::MutexLock lock(&mutex_);
    return overlapping_;
  }

 private:
  const int count_;
  // Since the epoch.
  const int64_t first_second_;
  const int spread_seconds_;
  absl::Mutex mutex_;
  std::array<int, kFractions> turns_ ABSL_GUARDED_BY(mutex_) = {};
  int asleep_ ABSL_GUARDED_BY(mutex_) = 0;
  bool overlapping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<double> lags_ms_ ABSL_GUARDED_BY(mutex_);
};

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

// First invocation: wait. Second: succeed.
WorkerStream::Next SleeperScript(Schedule& schedule) {
  return [&schedule](v1::ServeResponse& response) -> absl::optional<v1::ServeRequest> {
    if (response.has_registered()) return absl::nullopt;
    if (response.has_checkpoint()) {
      schedule.FellAsleep();
      return PendingOutcome();
    }
    Require(response.has_invocation(), response.ShortDebugString());
    const v1::DurableExecutionInvocationInput& invocation = response.invocation().durable();
    const auto& operations = invocation.initial_execution_state().operations();
    if (operations.size() == 1) return WaitCheckpoint(invocation, schedule.NextWait());
    schedule.Woke(absl::Now() - ToTime(operations[1].wait_details().scheduled_end_timestamp()));
    return SucceededOutcome();
  };
}

void StartExecutions(RemoteService& service, int count) {
  std::atomic<int> left{count};
  std::vector<std::unique_ptr<LoadClient>> clients;
  for (int i = 0; i < kSlots; ++i) {
    clients.push_back(
        std::make_unique<LoadClient>(service.executions, service.sessions,
                                     LoadClient::Options{"", "sleeper", /*wait_for_end=*/false},
                                     [&left] { return left-- > 0; }));
  }
}

// What each execution takes to be started and to fall asleep when many do so.
absl::Duration TimeToFallAsleep(const Options& options) {
  const int count = options.Repeat(5000, 200);
  RemoteService service;
  Schedule schedule(count, absl::Hours(1), /*spread_seconds=*/1);
  const Slots slots(service, kSlots, "", "sleeper", [&] { return SleeperScript(schedule); });
  const absl::Time begin = absl::Now();
  StartExecutions(service, count);
  schedule.AwaitAllAsleep();
  return (absl::Now() - begin) / count;
}

}  // namespace

Values MeasureSleeping(const Options& options) {
  const int count = options.Repeat(100000, 200);
  const absl::Duration lead = absl::Seconds(3) + kMargin * TimeToFallAsleep(options) * count;
  RemoteService service;
  Schedule schedule(count, lead, options.Repeat(60, 1));
  const Slots slots(service, kSlots, "", "sleeper", [&] { return SleeperScript(schedule); });
  const int64_t before = service.process.ResidentBytes();
  StartExecutions(service, count);
  schedule.AwaitAllAsleep();
  const int64_t asleep = service.process.ResidentBytes();
  const std::vector<double> lags_ms = schedule.AwaitAllAwake();
  if (schedule.overlapping()) {
    std::cerr << "the first execution woke before the last was asleep: the machine has become "
                 "slower\n";
    return {};
  }
  return {{"sleeping_execution_bytes", static_cast<double>(asleep - before) / count},
          {"wake_lag_p99_ms", Percentile(lags_ms, 0.99)}};
}

}  // namespace rehearse::benchmark
