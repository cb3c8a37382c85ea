#include "service/worker/worker_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "service/worker/serve_stream.h"

namespace rehearse::worker {
namespace {

constexpr absl::Duration kMinPause = absl::Milliseconds(50);
constexpr absl::Duration kMaxPause = absl::Seconds(2);

// Whether registering again may succeed.
bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return false;
    default:
      return true;
  }
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const timespec spec = absl::ToTimespec(time);
  proto.set_seconds(spec.tv_sec);
  proto.set_nanos(static_cast<int>(spec.tv_nsec));
  return proto;
}

absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

}  // namespace

absl::StatusOr<v1::CheckpointResponse> InvocationChannel::Checkpoint(
    v1::CheckpointRequest request) {
  v1::ServeRequest message;
  *message.mutable_checkpoint() = std::move(request);
  absl::StatusOr<v1::ServeResponse> answer = stream_.Call(std::move(message));
  if (!answer.ok()) return std::move(answer).status();
  return std::move(*answer->mutable_checkpoint());
}

absl::StatusOr<v1::GetExecutionStateResponse> InvocationChannel::GetExecutionState(
    v1::GetExecutionStateRequest request) {
  v1::ServeRequest message;
  *message.mutable_get_execution_state() = std::move(request);
  absl::StatusOr<v1::ServeResponse> answer = stream_.Call(std::move(message));
  if (!answer.ok()) return std::move(answer).status();
  return std::move(*answer->mutable_get_execution_state());
}

absl::StatusOr<absl::Time> InvocationChannel::Idle(absl::Time until) {
  v1::ServeRequest message;
  *message.mutable_idle()->mutable_until() = ToProto(until);
  absl::StatusOr<v1::ServeResponse> answer = stream_.Call(std::move(message));
  if (!answer.ok()) return std::move(answer).status();
  return FromProto(answer->idle().now());
}

absl::Status InvocationChannel::abort_status() const { return stream_.abort_status(); }

void InvocationChannel::OnAbort(absl::AnyInvocable<void(absl::Status)> aborted) {
  stream_.OnAbort(std::move(aborted));
}

void InvocationChannel::Break() { stream_.Cancel(); }

// What the slots share.
class WorkerPool::State {
 public:
  State(std::shared_ptr<grpc::Channel> channel, WorkerOptions options, Function function);
  ~State();

  absl::Status WaitUntilServing(absl::Duration timeout);
  absl::Status Wait();
  void Shutdown(absl::Duration grace);

  v1::FunctionHost::Stub& stub() { return *stub_; }
  v1::ServeRequest::Register Registration() const;
  v1::ServeRequest::Outcome Run(InvocationChannel& channel) { return function_(channel); }

  bool stopping() const;
  // Returns early, with false, when the pool stops.
  bool Pause(absl::Duration duration);
  void SlotIsServing(bool first_time);
  // A slot lost its stream or could not get one; with `for_good` it does not try again.
  void SlotFailed(const absl::Status& why, bool for_good);
  void SlotEnded();

 private:
  const WorkerOptions options_;
  const Function function_;
  const std::unique_ptr<v1::FunctionHost::Stub> stub_;

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Slots that have served at least once.
  int serving_ ABSL_GUARDED_BY(mutex_) = 0;
  int refused_ ABSL_GUARDED_BY(mutex_) = 0;
  int running_threads_ ABSL_GUARDED_BY(mutex_) = 0;
  // A slot has lost its stream, and none has got one since.
  bool connection_lost_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_failure_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::unique_ptr<Slot>> slots_;
};

// One slot: a thread that keeps a stream open and runs what arrives on it.
class WorkerPool::Slot {
 public:
  explicit Slot(State& state) : state_(state), thread_([this] { Run(); }) {}

  // Ends the stream as soon as it is idle.
  void Leave() {
    absl::MutexLock lock(&mutex_);
    if (stream_ != nullptr) stream_->StopWaiting();
  }

  void Break() {
    absl::MutexLock lock(&mutex_);
    if (stream_ != nullptr) stream_->Cancel();
  }

  void Join() { thread_.join(); }

 private:
  // How far one stream got.
  struct Course {
    bool registered = false;
    bool invoked = false;
    absl::Status end;
  };

  void Run() {
    absl::Duration pause = kMinPause;
    while (!state_.stopping()) {
      const Course course = ServeOneStream();
      if (state_.stopping()) break;
      const bool for_good = !course.registered && !IsTransient(course.end);
      if (!course.invoked) state_.SlotFailed(course.end, for_good);
      if (for_good) break;
      if (course.registered) pause = kMinPause;
      if (course.invoked) continue;
      if (!state_.Pause(pause * absl::Uniform(random_, 0.5, 1.0))) break;
      pause = std::min(pause * 2, kMaxPause);
    }
    state_.SlotEnded();
  }

  Course ServeOneStream() {
    ServeStream stream(state_.stub());
    SetStream(&stream);
    Course course;
    course.end = stream.Register(state_.Registration());
    course.registered = course.end.ok();
    if (course.registered) state_.SlotIsServing(!std::exchange(registered_before_, true));
    while (course.end.ok() && !state_.stopping()) {
      course.end = RunNextInvocation(stream);
      course.invoked |= course.end.ok();
    }
    SetStream(nullptr);
    return course;
  }

  absl::Status RunNextInvocation(ServeStream& stream) {
    const absl::StatusOr<v1::ServeResponse::Invocation> invocation = stream.NextInvocation();
    if (!invocation.ok()) return invocation.status();
    InvocationChannel channel(stream, *invocation);
    stream.EndInvocation(state_.Run(channel));
    return absl::OkStatus();
  }

  void SetStream(ServeStream* stream) {
    absl::MutexLock lock(&mutex_);
    stream_ = stream;
    // The pool may have asked every slot to leave before this stream was there.
    if (stream != nullptr && state_.stopping()) stream->StopWaiting();
  }

  State& state_;
  absl::BitGen random_;
  bool registered_before_ = false;
  absl::Mutex mutex_;
  ServeStream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
};

WorkerPool::State::State(std::shared_ptr<grpc::Channel> channel, WorkerOptions options,
                         Function function)
    : options_(std::move(options)),
      function_(std::move(function)),
      stub_(v1::FunctionHost::NewStub(std::move(channel))),
      running_threads_(options_.slots) {
  for (int i = 0; i < options_.slots; ++i) slots_.push_back(std::make_unique<Slot>(*this));
}

WorkerPool::State::~State() {
  Shutdown(absl::ZeroDuration());
  for (const auto& slot : slots_) slot->Join();
}

absl::Status WorkerPool::State::WaitUntilServing(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto settled = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return serving_ == options_.slots || refused_ > 0 || stopping_;
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&settled), timeout)) {
    return absl::DeadlineExceededError(absl::StrCat("the worker is not connected after ",
                                                    absl::FormatDuration(timeout), ": ",
                                                    last_failure_.ToString()));
  }
  if (refused_ > 0) return refusal_;
  return stopping_ ? absl::CancelledError("the worker stops") : absl::OkStatus();
}

absl::Status WorkerPool::State::Wait() {
  absl::MutexLock lock(&mutex_);
  const auto over = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return refused_ == options_.slots || stopping_;
  };
  mutex_.Await(absl::Condition(&over));
  return stopping_ ? absl::OkStatus() : refusal_;
}

void WorkerPool::State::Shutdown(absl::Duration grace) {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (const auto& slot : slots_) slot->Leave();
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return running_threads_ == 0; };
  if (mutex_.AwaitWithTimeout(absl::Condition(&idle), grace)) return;
  mutex_.Unlock();
  for (const auto& slot : slots_) slot->Break();
  mutex_.Lock();
  mutex_.Await(absl::Condition(&idle));
}

v1::ServeRequest::Register WorkerPool::State::Registration() const {
  v1::ServeRequest::Register message;
  message.set_session(options_.session);
  message.set_worker(options_.worker_name);
  *message.mutable_functions() = {options_.functions.begin(), options_.functions.end()};
  return message;
}

bool WorkerPool::State::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

bool WorkerPool::State::Pause(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), duration);
}

void WorkerPool::State::SlotIsServing(bool first_time) {
  absl::MutexLock lock(&mutex_);
  if (first_time) ++serving_;
  if (std::exchange(connection_lost_, false)) options_.log("connected to the service again");
}

void WorkerPool::State::SlotFailed(const absl::Status& why, bool for_good) {
  absl::MutexLock lock(&mutex_);
  last_failure_ = why;
  if (!for_good) {
    // Once, for all slots and all attempts.
    if (std::exchange(connection_lost_, true)) return;
    return options_.log(
        absl::StrCat("not connected to the service, trying again: ", why.ToString()));
  }
  options_.log(absl::StrCat("refused by the service: ", why.ToString()));
  ++refused_;
  refusal_ = why;
}

void WorkerPool::State::SlotEnded() {
  absl::MutexLock lock(&mutex_);
  --running_threads_;
}

WorkerPool::WorkerPool(std::shared_ptr<grpc::Channel> channel, WorkerOptions options,
                       Function function)
    : state_(std::make_unique<State>(std::move(channel), std::move(options), std::move(function))) {
}

WorkerPool::~WorkerPool() = default;

absl::Status WorkerPool::WaitUntilServing(absl::Duration timeout) {
  return state_->WaitUntilServing(timeout);
}

absl::Status WorkerPool::Wait() { return state_->Wait(); }

void WorkerPool::Shutdown(absl::Duration grace) { state_->Shutdown(grace); }

}  // namespace rehearse::worker
