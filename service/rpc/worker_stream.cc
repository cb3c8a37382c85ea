#include "service/rpc/worker_stream.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution.h"
#include "service/rpc/status.h"

namespace rehearse {
namespace {

absl::Status ValidateRegistration(const v1::ServeRequest::Register& registration) {
  if (registration.functions_size() < 1 || registration.functions_size() > kMaxFunctionsPerWorker) {
    return errors::InvalidParameter(absl::StrCat("register must name 1-", kMaxFunctionsPerWorker,
                                                 " functions, got ", registration.functions_size(),
                                                 "."));
  }
  if (registration.worker().size() > kMaxWorkerNameLength) {
    return errors::InvalidParameter(
        absl::StrCat("worker of register must be at most ", kMaxWorkerNameLength, " characters."));
  }
  return absl::OkStatus();
}

}  // namespace

WorkerStream* WorkerStream::Open(RpcContext& context, const grpc::CallbackServerContext& call) {
  std::shared_ptr<WorkerStream> stream(new WorkerStream(context, StaleTokenSpellingOf(call)));
  stream->self_ = stream;
  // Under no session yet: the stream ends with the service.
  context.streams.Add("", stream);
  stream->StartRead(&stream->request_);
  return stream.get();
}

void WorkerStream::StartInvocation(v1::ServeResponse::Invocation invocation) {
  absl::MutexLock lock(&mutex_);
  phase_ = Phase::kRunning;
  request_id_ = invocation.request_id();
  arn_ = invocation.durable().durable_execution_arn();
  v1::ServeResponse response;
  *response.mutable_invocation() = std::move(invocation);
  Write(std::move(response));
}

void WorkerStream::AbortInvocation(v1::ServeResponse::Abort::Reason reason) {
  absl::MutexLock lock(&mutex_);
  if (phase_ == Phase::kFree) return;
  v1::ServeResponse response;
  response.mutable_abort()->set_reason(reason);
  Write(std::move(response));
}

void WorkerStream::End(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  end_ = std::move(status);
  FinishIfWritten();
}

void WorkerStream::OnReadDone(bool ok) {
  absl::Status violation = ok ? Handle(request_) : EndOfRequests();
  if (!ok || !violation.ok()) {
    // Before the worker hears of the end, so that nothing is given to one that has left.
    RemoveSlot();
    End(std::move(violation));
    return;
  }
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&request_);
}

void WorkerStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  // After a failed write the stream is broken, which the read finds out, too.
  if (!ok) queue_.clear();
  if (!queue_.empty()) {
    response_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    StartWrite(&response_);
  }
  FinishIfWritten();
}

void WorkerStream::OnDone() {
  RemoveSlot();
  context_.streams.Remove("", self_);
  context_.streams.Remove(session_, self_);
  if (holds_session_) context_.executor.ReleaseSession(session_);
  self_.reset();
}

absl::Status WorkerStream::Handle(v1::ServeRequest& request) {
  absl::StatusOr<bool> kept = KeepWhileIdle(request);
  if (!kept.ok()) return kept.status();
  if (*kept) return absl::OkStatus();
  switch (request.message_case()) {
    case v1::ServeRequest::kRegister:
      return Register(*request.mutable_register_());
    case v1::ServeRequest::kCheckpoint:
      return Checkpoint(*request.mutable_checkpoint());
    case v1::ServeRequest::kGetExecutionState:
      return GetExecutionState(*request.mutable_get_execution_state());
    case v1::ServeRequest::kIdle:
      return Idle(request.idle());
    case v1::ServeRequest::kOutcome:
      return Outcome(*request.mutable_outcome());
    case v1::ServeRequest::MESSAGE_NOT_SET:
      break;
  }
  return errors::InvalidParameter(
      "Expected register, checkpoint, get_execution_state, idle or outcome, got a message without "
      "any of them.");
}

absl::Status WorkerStream::Register(v1::ServeRequest::Register& registration) {
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kUnregistered) {
      return errors::Conflict(
          "Got register again; a stream registers once, with its first message.");
    }
  }
  absl::Status valid = ValidateRegistration(registration);
  if (!valid.ok()) return valid;

  absl::StatusOr<std::string> session = context_.executor.HoldSession(registration.session());
  if (!session.ok()) return session.status();
  holds_session_ = true;
  session_ = *std::move(session);
  context_.streams.Add(session_, self_);
  context_.streams.Remove("", self_);

  std::vector<std::string> names;
  for (const v1::FunctionSpec& function : registration.functions()) {
    names.push_back(function.function_name());
  }
  absl::Status registered = context_.executor.RegisterFunctions(
      session_, {registration.functions().begin(), registration.functions().end()});
  if (!registered.ok()) return registered;

  {
    absl::MutexLock lock(&mutex_);
    phase_ = Phase::kFree;
    v1::ServeResponse response;
    response.mutable_registered()->set_session(session_);
    Write(std::move(response));
  }
  slot_ = context_.invoker.AddSlot(session_, names, self_);
  return absl::OkStatus();
}

absl::Status WorkerStream::Checkpoint(v1::CheckpointRequest& request) {
  absl::Status turn = TakeTurn("checkpoint", Phase::kAsking);
  if (!turn.ok()) return turn;
  context_.executor.Checkpoint(
      std::move(request), spelling_,
      [self = shared_from_this()](absl::StatusOr<v1::CheckpointResponse> result) {
        v1::ServeResponse response;
        if (result.ok()) {
          *response.mutable_checkpoint() = *std::move(result);
        } else {
          *response.mutable_error() = ToStatusMessage(result.status());
        }
        self->Answer(std::move(response));
      });
  return absl::OkStatus();
}

absl::Status WorkerStream::GetExecutionState(v1::GetExecutionStateRequest& request) {
  absl::Status turn = TakeTurn("get_execution_state", Phase::kAsking);
  if (!turn.ok()) return turn;
  context_.executor.GetExecutionState(
      std::move(request), spelling_,
      [self = shared_from_this()](absl::StatusOr<v1::GetExecutionStateResponse> result) {
        v1::ServeResponse response;
        if (result.ok()) {
          *response.mutable_get_execution_state() = *std::move(result);
        } else {
          *response.mutable_error() = ToStatusMessage(result.status());
        }
        self->Answer(std::move(response));
      });
  return absl::OkStatus();
}

absl::Status WorkerStream::Idle(const v1::ServeRequest::Idle& request) {
  absl::Status turn = TakeTurn("idle", Phase::kIdle);
  if (!turn.ok()) return turn;
  std::string arn;
  std::string request_id;
  {
    absl::MutexLock lock(&mutex_);
    arn = arn_;
    request_id = request_id_;
  }
  if (arn.empty())
    return errors::InvalidParameter("Got idle in an invocation of a plain function.");
  if (!request.has_until()) return errors::InvalidParameter("idle must say until when.");
  context_.executor.Idle(
      arn, request_id, ToAbsl(request.until()),
      [self = shared_from_this()](absl::StatusOr<v1::ServeResponse::IdleEnded> ended) {
        self->IdleEnded(std::move(ended));
      });
  return absl::OkStatus();
}

absl::Status WorkerStream::Outcome(v1::ServeRequest::Outcome& outcome) {
  absl::Status turn = TakeTurn("outcome", Phase::kFree);
  if (!turn.ok()) return turn;
  InvocationEnd end;
  switch (outcome.result_case()) {
    case v1::ServeRequest::Outcome::kPayload:
      end.kind = InvocationEnd::Kind::kAnswered;
      end.payload = std::move(*outcome.mutable_payload());
      break;
    case v1::ServeRequest::Outcome::kError:
      end.kind = InvocationEnd::Kind::kFunctionError;
      end.error = std::move(*outcome.mutable_error());
      break;
    case v1::ServeRequest::Outcome::RESULT_NOT_SET:
      return errors::InvalidParameter("outcome must carry a payload or an error.");
  }
  context_.invoker.EndInvocation(*slot_, std::move(end));
  return absl::OkStatus();
}

void WorkerStream::RemoveSlot() {
  if (slot_.has_value()) context_.invoker.RemoveSlot(*slot_);
}

absl::Status WorkerStream::EndOfRequests() {
  absl::MutexLock lock(&mutex_);
  if (phase_ == Phase::kUnregistered || phase_ == Phase::kFree) return absl::OkStatus();
  return errors::Conflict(
      "The stream was closed while an invocation ran, which has crashed; send its outcome first.");
}

absl::Status WorkerStream::TakeTurn(absl::string_view message, Phase next) {
  absl::MutexLock lock(&mutex_);
  switch (phase_) {
    case Phase::kUnregistered:
      return errors::Conflict(
          absl::StrCat("Expected register as the first message, got ", message, "."));
    case Phase::kFree:
      return errors::Conflict(
          absl::StrCat("Got ", message, " while no invocation runs; wait for the next one."));
    case Phase::kAsking:
    case Phase::kIdle:
      return errors::Conflict(absl::StrCat("Got ", message,
                                           " before the answer to the request that went before; "
                                           "send one request at a time."));
    case Phase::kRunning:
      break;
  }
  phase_ = next;
  return absl::OkStatus();
}

absl::StatusOr<bool> WorkerStream::KeepWhileIdle(v1::ServeRequest& request) {
  std::string arn;
  std::string request_id;
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kIdle) return false;
    if (kept_.has_value()) {
      return errors::Conflict(
          "Got two messages before the answer to idle; send one and wait for the answer.");
    }
    kept_ = std::move(request);
    arn = arn_;
    request_id = request_id_;
  }
  context_.executor.EndIdle(arn, request_id);
  return true;
}

void WorkerStream::IdleEnded(absl::StatusOr<v1::ServeResponse::IdleEnded> ended) {
  v1::ServeResponse response;
  if (ended.ok()) {
    *response.mutable_idle() = *std::move(ended);
  } else {
    *response.mutable_error() = ToStatusMessage(ended.status());
  }
  absl::optional<v1::ServeRequest> kept;
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    phase_ = Phase::kRunning;
    Write(std::move(response));
    kept.swap(kept_);
  }
  if (!kept.has_value()) return;
  absl::Status violation = Handle(*kept);
  if (!violation.ok()) End(std::move(violation));
}

void WorkerStream::Answer(v1::ServeResponse response) {
  absl::MutexLock lock(&mutex_);
  phase_ = Phase::kRunning;
  Write(std::move(response));
}

void WorkerStream::Write(v1::ServeResponse response) {
  if (end_.has_value()) return;
  if (writing_) {
    queue_.push_back(std::move(response));
    return;
  }
  response_ = std::move(response);
  writing_ = true;
  StartWrite(&response_);
}

void WorkerStream::FinishIfWritten() {
  if (!end_.has_value() || writing_ || finished_) return;
  finished_ = true;
  Finish(ToGrpcStatus(*end_));
}

}  // namespace rehearse
