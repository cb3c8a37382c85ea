#include "service/worker/serve_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "service/worker/status.h"

namespace rehearse::worker {
namespace {

// How long the service may take to answer the close of an idle stream.
constexpr absl::Duration kLeaveTimeout = absl::Seconds(1);

}  // namespace

ServeStream::ServeStream(v1::FunctionHost::Stub& stub) {
  stub.async()->Serve(&context_, this);
  // Writes are started outside of gRPC's calls into this object: until reading has ended, the
  // stream must not.
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

ServeStream::~ServeStream() {
  bool leave = false;
  {
    absl::MutexLock lock(&mutex_);
    while (open_ && writing_) written_.Wait(&mutex_);
    leave = open_ && !running_;
    if (leave) AddHold();
  }
  if (leave) {
    StartWritesDone();
    RemoveHold();
  } else {
    Cancel();
  }
  absl::MutexLock lock(&mutex_);
  const absl::Time deadline = absl::Now() + kLeaveTimeout;
  while (!end_.has_value()) {
    if (changed_.WaitWithDeadline(&mutex_, deadline)) break;
  }
  if (!end_.has_value()) Cancel();
  while (!end_.has_value()) changed_.Wait(&mutex_);
}

absl::Status ServeStream::Register(v1::ServeRequest::Register message) {
  v1::ServeRequest request;
  *request.mutable_register_() = std::move(message);
  PendingCall call;
  Send(std::move(request), &call);
  return Await(call).status();
}

absl::StatusOr<v1::ServeResponse::Invocation> ServeStream::NextInvocation() {
  absl::MutexLock lock(&mutex_);
  while (!invocation_.has_value() && !end_.has_value() && !stop_waiting_) changed_.Wait(&mutex_);
  if (!invocation_.has_value()) {
    return end_.has_value() ? EndStatus() : absl::CancelledError("the worker stops");
  }
  v1::ServeResponse::Invocation invocation = *std::move(invocation_);
  invocation_.reset();
  return invocation;
}

void ServeStream::StopWaiting() {
  absl::MutexLock lock(&mutex_);
  stop_waiting_ = true;
  changed_.SignalAll();
}

absl::StatusOr<v1::ServeResponse> ServeStream::Call(v1::ServeRequest request) {
  absl::Status useless = abort_status();
  if (!useless.ok()) return useless;
  PendingCall call;
  Send(std::move(request), &call);
  absl::StatusOr<v1::ServeResponse> answer = Await(call);
  useless = abort_status();
  if (!useless.ok()) return useless;
  return answer;
}

void ServeStream::EndInvocation(v1::ServeRequest::Outcome outcome) {
  {
    absl::MutexLock abort_lock(&abort_mutex_);
    on_abort_ = nullptr;
    absl::MutexLock lock(&mutex_);
    running_ = false;
    abort_status_ = absl::OkStatus();
  }
  v1::ServeRequest request;
  *request.mutable_outcome() = std::move(outcome);
  Send(std::move(request), nullptr);
}

absl::Status ServeStream::abort_status() const {
  absl::MutexLock lock(&mutex_);
  return abort_status_;
}

void ServeStream::OnAbort(absl::AnyInvocable<void(absl::Status)> aborted) {
  {
    absl::MutexLock lock(&abort_mutex_);
    on_abort_ = std::move(aborted);
  }
  TellAbort();
}

void ServeStream::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    open_ = false;
    written_.SignalAll();
  }
  context_.TryCancel();
}

void ServeStream::Send(v1::ServeRequest request, PendingCall* call) {
  {
    absl::MutexLock lock(&mutex_);
    while (open_ && writing_) written_.Wait(&mutex_);
    if (call != nullptr) {
      calls_.push_back(call);
      if (end_.has_value()) AnswerOldest(EndStatus());
    }
    if (!open_) return;
    writing_ = true;
    outgoing_.Swap(&request);
    AddHold();
  }
  StartWrite(&outgoing_);
  RemoveHold();
}

absl::StatusOr<v1::ServeResponse> ServeStream::Await(PendingCall& call) {
  absl::MutexLock lock(&mutex_);
  while (!call.answer.has_value()) call.answered.Wait(&mutex_);
  return *std::move(call.answer);
}

void ServeStream::Dispatch(v1::ServeResponse response) {
  switch (response.message_case()) {
    case v1::ServeResponse::kInvocation:
      running_ = true;
      invocation_ = std::move(*response.mutable_invocation());
      changed_.SignalAll();
      return;
    case v1::ServeResponse::kAbort:
      if (running_ && abort_status_.ok()) abort_status_ = FromAbort(response.abort());
      return;
    case v1::ServeResponse::kError:
      return AnswerOldest(FromProtoStatus(response.error()));
    default:
      return AnswerOldest(std::move(response));
  }
}

void ServeStream::AnswerOldest(absl::StatusOr<v1::ServeResponse> answer) {
  if (calls_.empty()) return;
  PendingCall* call = calls_.front();
  calls_.pop_front();
  call->answer = std::move(answer);
  call->answered.Signal();
}

void ServeStream::TellAbort() {
  absl::MutexLock abort_lock(&abort_mutex_);
  absl::Status status = abort_status();
  if (status.ok() || on_abort_ == nullptr) return;
  std::exchange(on_abort_, nullptr)(std::move(status));
}

absl::Status ServeStream::EndStatus() const {
  return end_->ok() ? absl::UnavailableError("the service closed the stream") : *end_;
}

void ServeStream::OnReadDone(bool ok) {
  bool aborted = false;
  {
    absl::MutexLock lock(&mutex_);
    if (ok) {
      aborted = incoming_.has_abort();
      Dispatch(std::move(incoming_));
    } else {
      open_ = false;
      written_.SignalAll();
    }
  }
  if (!ok) return RemoveHold();
  if (aborted) TellAbort();
  incoming_.Clear();
  StartRead(&incoming_);
}

void ServeStream::OnWriteDone(bool) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  written_.Signal();
}

void ServeStream::OnDone(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (running_ && abort_status_.ok()) {
      abort_status_ = absl::UnavailableError(
          absl::StrCat("the stream to the service broke: ", status.error_message()));
    }
  }
  TellAbort();
  absl::MutexLock lock(&mutex_);
  end_ = FromGrpcStatus(status);
  while (!calls_.empty()) AnswerOldest(EndStatus());
  changed_.SignalAll();
}

}  // namespace rehearse::worker
