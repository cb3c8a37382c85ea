// Executions asleep after one wait, in real time, in the shipped binary: what each takes in memory,
// and how late they wake. They are started as fast as they can be; each waits so long that they
// fall due evenly, all of them later.
#include <atomic>
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
// A floor for the pace at which executions are put to sleep; below it the first would fall due
// before all sleep.
constexpr int kSleepersPerSecond = 1500;

// Which execution falls due when, and what has been seen of them. Thread-safe.
class Schedule {
 public:
  Schedule(int count, absl::Duration spread)
      : count_(count),
        spread_(spread),
        first_due_(absl::Now() + absl::Seconds(3) + absl::Seconds(1) * count / kSleepersPerSecond) {
  }

  // Seconds that the next execution is to wait if it begins now.
  int NextWait() {
    absl::MutexLock lock(&mutex_);
    const absl::Time due = first_due_ + spread_ * (next_++) / count_;
    return static_cast<int>(absl::ToDoubleSeconds(due - absl::Now())) + 1;
  }

  void FellAsleep() {
    absl::MutexLock lock(&mutex_);
    ++asleep_;
  }
  void Woke(absl::Duration lag) {
    absl::MutexLock lock(&mutex_);
    Require(asleep_ == count_, "the first execution woke before the last was asleep");
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

 private:
  const int count_;
  const absl::Duration spread_;
  const absl::Time first_due_;
  absl::Mutex mutex_;
  int next_ ABSL_GUARDED_BY(mutex_) = 0;
  int asleep_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<double> lags_ms_ ABSL_GUARDED_BY(mutex_);
};

v1::ServeRequest WaitCheckpoint(const v1::DurableExecutionInvocationInput& invocation,
                                int seconds) {
  v1::ServeRequest request;
  v1::CheckpointRequest& checkpoint = *request.mutable_checkpoint();
  checkpoint.set_durable_execution_arn(invocation.durable_execution_arn());
  checkpoint.set_checkpoint_token(invocation.checkpoint_token());
  checkpoint.set_client_token("0c6f8a1e-1");
  v1::OperationUpdate& update = *checkpoint.add_updates();
  update.set_id("6b86b273ff34fce19d6b804eff5a3f57");
  update.set_type(v1::OPERATION_TYPE_WAIT);
  update.set_sub_type("Wait");
  update.set_name("pause");
  update.set_action(v1::OPERATION_ACTION_START);
  update.mutable_wait_options()->set_wait_seconds(seconds);
  return request;
}

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

}  // namespace

Values MeasureSleeping(const Options& options) {
  const int count = options.Repeat(100000, 200);
  RemoteService service;
  Schedule schedule(count, absl::Seconds(options.Repeat(60, 1)));
  const Slots slots(service, kSlots, "", "sleeper", [&] { return SleeperScript(schedule); });
  const int64_t before = service.process.ResidentBytes();
  StartExecutions(service, count);
  schedule.AwaitAllAsleep();
  const int64_t asleep = service.process.ResidentBytes();
  return {{"sleeping_execution_bytes", static_cast<double>(asleep - before) / count},
          {"wake_lag_p99_ms", Percentile(schedule.AwaitAllAwake(), 0.99)}};
}

}  // namespace rehearse::benchmark
