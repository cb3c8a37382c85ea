#include "client/cpp/testing/service_session.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/cpp/durable/status_macros.h"
#include "client/cpp/testing/backend.h"
#include "client/cpp/testing/conversion.h"
#include "client/cpp/testing/history_printer.h"
#include "grpcpp/client_context.h"
#include "service/worker/status.h"

namespace durable::testing::internal {
namespace {

namespace worker = ::rehearse::worker;

// Calls that the service answers at once.
constexpr absl::Duration kCallTimeout = absl::Seconds(30);
// How much longer than asked for a waiting call may take before it counts as lost.
constexpr absl::Duration kWaitMargin = absl::Seconds(10);
constexpr int kPageItems = 1000;
// DurableContext::WaitForCallback puts this behind its own name to name the callback.
constexpr absl::string_view kCallbackSuffix = "-callback";

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

v1::SessionConfig ToSessionConfig(const RunnerOptions& options) {
  v1::SessionConfig config;
  config.set_clock_mode(options.manual_time() ? v1::CLOCK_MODE_MANUAL
                        : options.skip_time() ? v1::CLOCK_MODE_SKIP
                                              : v1::CLOCK_MODE_REAL);
  config.set_skip_deadlines(options.skip_deadlines());
  config.set_stepped(options.stepped());
  config.set_limits_profile(options.limits_profile());
  config.set_failure_policy(options.failure_policy());
  return config;
}

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

// gRPC's own texts do not say who is unavailable, and a service that stops cancels its calls.
absl::Status Named(absl::Status status) {
  if (!absl::IsUnavailable(status) && !absl::IsCancelled(status)) return status;
  return absl::UnavailableError(absl::StrCat("the service cannot be reached: ", status.message()));
}

// A unary call.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request, absl::Duration timeout = kCallTimeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  Response response;
  const absl::Status status =
      Named(worker::FromGrpcStatus((stub.*method)(&context, request, &response)));
  if (!status.ok()) return status;
  return response;
}

// WaitForOperation for several conditions at once: the operation that meets one first.
class AnyOperation {
 public:
  // `requests` outlive this object.
  AnyOperation(v1::TestSessions::Stub& stub,
               const std::vector<v1::WaitForOperationRequest>& requests, absl::Duration timeout)
      : calls_(requests.size()) {
    for (size_t i = 0; i < requests.size(); ++i) {
      SetDeadline(calls_[i].context, timeout);
      stub.async()->WaitForOperation(
          &calls_[i].context, &requests[i], &calls_[i].response,
          [this, i](const grpc::Status& status) { Finished(calls_[i], status); });
    }
  }

  absl::StatusOr<v1::Operation> Await() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &AnyOperation::Decided));
    for (Pending& call : calls_) call.context.TryCancel();
    mutex_.Await(absl::Condition(this, &AnyOperation::AllFinished));
    if (met_ == nullptr) return failure_;
    return met_->response.operation();
  }

 private:
  struct Pending {
    grpc::ClientContext context;
    v1::WaitForOperationResponse response;
  };

  bool AllFinished() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return finished_ == calls_.size(); }
  bool Decided() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return met_ != nullptr || AllFinished();
  }

  void Finished(const Pending& call, const grpc::Status& status) {
    absl::MutexLock lock(&mutex_);
    ++finished_;
    if (!status.ok()) {
      failure_.Update(Named(worker::FromGrpcStatus(status)));
    } else if (met_ == nullptr) {
      met_ = &call;
    }
  }

  std::vector<Pending> calls_;
  absl::Mutex mutex_;
  size_t finished_ ABSL_GUARDED_BY(mutex_) = 0;
  const Pending* met_ ABSL_GUARDED_BY(mutex_) = nullptr;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

// The history of an execution, page by page. The first page is under way once this is constructed,
// so that the caller can read something else meanwhile.
class HistoryPages {
 public:
  // `stub` outlives this object.
  HistoryPages(v1::DurableExecutions::Stub& stub, const std::string& session,
               const std::string& arn)
      : stub_(stub) {
    request_.set_session(session);
    request_.set_durable_execution_arn(arn);
    request_.set_max_items(kPageItems);
    call_ = std::make_unique<PageCall>(stub_, request_);
  }

  absl::Status ReadInto(std::vector<Event>& history) {
    while (true) {
      DURABLE_ASSIGN_OR_RETURN(const v1::GetExecutionHistoryResponse page, call_->Await());
      for (const v1::Event& event : page.events()) history.push_back(ToEvent(event));
      if (!page.has_next_marker()) return absl::OkStatus();
      request_.set_marker(page.next_marker());
      call_ = std::make_unique<PageCall>(stub_, request_);
    }
  }

 private:
  class PageCall {
   public:
    // `request` stays as it is until this object is gone.
    PageCall(v1::DurableExecutions::Stub& stub, const v1::GetExecutionHistoryRequest& request) {
      SetDeadline(context_, kCallTimeout);
      stub.async()->GetExecutionHistory(&context_, &request, &page_,
                                        [this](const grpc::Status& status) {
                                          status_ = Named(worker::FromGrpcStatus(status));
                                          ended_.Notify();
                                        });
    }
    ~PageCall() { ended_.WaitForNotification(); }

    absl::StatusOr<v1::GetExecutionHistoryResponse> Await() {
      ended_.WaitForNotification();
      if (!status_.ok()) return status_;
      return std::move(page_);
    }

   private:
    grpc::ClientContext context_;
    v1::GetExecutionHistoryResponse page_;
    absl::Status status_;
    absl::Notification ended_;
  };

  v1::DurableExecutions::Stub& stub_;
  v1::GetExecutionHistoryRequest request_;
  std::unique_ptr<PageCall> call_;
};

std::vector<v1::WaitForOperationRequest> CallbackRequests(const std::string& session,
                                                          const std::string& arn,
                                                          absl::string_view name,
                                                          absl::Duration timeout) {
  v1::WaitForOperationRequest request;
  request.set_session(session);
  request.set_durable_execution_arn(arn);
  request.set_type(v1::OPERATION_TYPE_CALLBACK);
  request.add_statuses(v1::OPERATION_STATUS_STARTED);
  request.set_invocation_ended(true);
  *request.mutable_timeout() = ToProto(timeout);
  request.set_latest(name.empty());
  if (name.empty()) return {request};
  std::vector<v1::WaitForOperationRequest> requests(2, request);
  requests[0].set_name(std::string(name));
  requests[1].set_name(absl::StrCat(name, kCallbackSuffix));
  return requests;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceSession>> ServiceSession::Create(
    const RunnerOptions& options) {
  DURABLE_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, ConnectTo(options.service()));
  std::unique_ptr<v1::TestSessions::Stub> sessions = v1::TestSessions::NewStub(channel);
  v1::CreateSessionRequest request;
  *request.mutable_config() = ToSessionConfig(options);
  DURABLE_ASSIGN_OR_RETURN(const v1::CreateSessionResponse response,
                           Call(*sessions, &v1::TestSessions::Stub::CreateSession, request));
  return std::unique_ptr<ServiceSession>(
      new ServiceSession(std::move(channel), std::move(sessions), response.session().name()));
}

ServiceSession::ServiceSession(std::shared_ptr<grpc::Channel> channel,
                               std::unique_ptr<v1::TestSessions::Stub> sessions, std::string name)
    : channel_(std::move(channel)),
      executions_(v1::DurableExecutions::NewStub(channel_)),
      sessions_(std::move(sessions)),
      name_(std::move(name)),
      hold_(*sessions_, name_) {}

void ServiceSession::End() {
  v1::DeleteSessionRequest request;
  request.set_name(name_);
  // A service that is gone has no session left.
  Call(*sessions_, &v1::TestSessions::Stub::DeleteSession, request).status().IgnoreError();
  hold_.End();
}

absl::StatusOr<std::string> ServiceSession::Start(const std::string& function_name,
                                                  const std::string& execution_name,
                                                  const std::string& input) {
  v1::StartExecutionRequest request;
  request.set_session(name_);
  request.set_function_name(function_name);
  if (!execution_name.empty()) request.set_durable_execution_name(execution_name);
  request.set_input(input);
  request.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  DURABLE_ASSIGN_OR_RETURN(
      const v1::StartExecutionResponse response,
      Call(*executions_, &v1::DurableExecutions::Stub::StartExecution, request));
  return response.durable_execution_arn();
}

absl::StatusOr<v1::ExecutionStatus> ServiceSession::WaitForExecution(
    const std::string& arn, const std::vector<v1::ExecutionStatus>& statuses,
    absl::Duration timeout) {
  v1::WaitForExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  *request.mutable_statuses() = {statuses.begin(), statuses.end()};
  request.set_invocation_ended(true);
  *request.mutable_timeout() = ToProto(timeout);
  const absl::StatusOr<v1::WaitForExecutionResponse> response =
      Call(*sessions_, &v1::TestSessions::Stub::WaitForExecution, request, timeout + kWaitMargin);
  if (!response.ok()) return Explain(response.status(), arn);
  return response->execution().status();
}

absl::StatusOr<RunResult> ServiceSession::WaitForEnd(const std::string& arn,
                                                     absl::Duration timeout) {
  DURABLE_RETURN_IF_ERROR(WaitForExecution(arn, {}, timeout).status());
  return Read(arn);
}

absl::StatusOr<RunResult> ServiceSession::Read(const std::string& arn) {
  RunRecord record;
  HistoryPages history(*executions_, name_, arn);
  DURABLE_RETURN_IF_ERROR(ReadOperations(arn, record));
  DURABLE_RETURN_IF_ERROR(history.ReadInto(record.history));
  return RunResult(std::move(record));
}

absl::Status ServiceSession::ReadOperations(const std::string& arn, RunRecord& record) {
  v1::InspectExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  request.set_max_items(kPageItems);
  while (true) {
    DURABLE_ASSIGN_OR_RETURN(const v1::InspectExecutionResponse page,
                             Call(*sessions_, &v1::TestSessions::Stub::InspectExecution, request));
    for (const v1::Operation& operation : page.operations()) {
      if (operation.type() != v1::OPERATION_TYPE_EXECUTION)
        record.operations.push_back(ToRecordedOperation(operation));
    }
    if (page.has_next_marker()) {
      request.set_marker(page.next_marker());
      continue;
    }
    const v1::Execution& execution = page.execution();
    record.durable_execution_arn = execution.durable_execution_arn();
    record.status = ToExecutionStatus(execution.status());
    if (execution.has_result()) record.result = execution.result();
    if (execution.has_error()) record.error = ToErrorObject(execution.error());
    record.invocation_count = page.invocation_count();
    record.start_time = ToTime(execution.start_timestamp());
    if (execution.has_end_timestamp()) record.end_time = ToTime(execution.end_timestamp());
    return absl::OkStatus();
  }
}

absl::Status ServiceSession::Explain(absl::Status status, const std::string& arn) {
  if (!absl::IsDeadlineExceeded(status)) return status;
  std::vector<Event> history;
  if (!HistoryPages(*executions_, name_, arn).ReadInto(history).ok()) return status;
  return absl::DeadlineExceededError(absl::StrCat(status.message(), "\n", FormatHistory(history)));
}

absl::StatusOr<int> ServiceSession::InvocationCount(const std::string& arn) {
  v1::InspectExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  request.set_max_items(1);
  DURABLE_ASSIGN_OR_RETURN(const v1::InspectExecutionResponse response,
                           Call(*sessions_, &v1::TestSessions::Stub::InspectExecution, request));
  return response.invocation_count();
}

absl::StatusOr<bool> ServiceSession::InvokeNext(const std::string& arn, absl::Duration timeout) {
  v1::InvokeNextRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  *request.mutable_timeout() = ToProto(timeout);
  const absl::StatusOr<v1::InvokeNextResponse> response =
      Call(*sessions_, &v1::TestSessions::Stub::InvokeNext, request, timeout + kWaitMargin);
  if (!response.ok()) return Explain(response.status(), arn);
  return response->invoked();
}

absl::StatusOr<OperationView> ServiceSession::WaitForOperation(
    const std::string& arn, absl::string_view name, const std::vector<OperationStatus>& statuses,
    absl::Duration timeout) {
  v1::WaitForOperationRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  request.set_name(std::string(name));
  for (const OperationStatus status : statuses) request.add_statuses(FromOperationStatus(status));
  *request.mutable_timeout() = ToProto(timeout);
  const absl::StatusOr<v1::WaitForOperationResponse> response =
      Call(*sessions_, &v1::TestSessions::Stub::WaitForOperation, request, timeout + kWaitMargin);
  if (!response.ok()) return Explain(response.status(), arn);
  DURABLE_ASSIGN_OR_RETURN(const RunResult result, Read(arn));
  return result.GetOperationById(response->operation().id());
}

absl::Status ServiceSession::Watch(const std::string& arn,
                                   absl::FunctionRef<bool(const Event& event)> on_event,
                                   absl::Duration timeout) {
  v1::WatchExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  const std::unique_ptr<grpc::ClientReader<v1::WatchExecutionResponse>> events =
      executions_->WatchExecution(&context, request);
  v1::WatchExecutionResponse response;
  bool wanted = true;
  while (wanted && events->Read(&response)) wanted = on_event(ToEvent(response.event()));
  if (!wanted) context.TryCancel();
  const absl::Status end = Named(worker::FromGrpcStatus(events->Finish()));
  if (!wanted) return absl::OkStatus();
  if (!absl::IsDeadlineExceeded(end)) return end;
  return absl::DeadlineExceededError(
      absl::StrCat("the execution is still open after ", absl::FormatDuration(timeout)));
}

absl::StatusOr<std::string> ServiceSession::WaitForCallback(const std::string& arn,
                                                            absl::string_view name,
                                                            absl::Duration timeout) {
  const std::vector<v1::WaitForOperationRequest> requests =
      CallbackRequests(name_, arn, name, timeout);
  const absl::StatusOr<v1::Operation> operation =
      AnyOperation(*sessions_, requests, timeout + kWaitMargin).Await();
  if (!operation.ok()) return Explain(operation.status(), arn);
  return operation->callback_details().callback_id();
}

absl::Status ServiceSession::SendCallbackSuccess(absl::string_view callback_id,
                                                 absl::string_view payload) {
  v1::SendCallbackSuccessRequest request;
  request.set_session(name_);
  request.set_callback_id(std::string(callback_id));
  request.set_result(std::string(payload));
  return Call(*executions_, &v1::DurableExecutions::Stub::SendCallbackSuccess, request).status();
}

absl::Status ServiceSession::SendCallbackFailure(absl::string_view callback_id,
                                                 const ErrorObject& error) {
  v1::SendCallbackFailureRequest request;
  request.set_session(name_);
  request.set_callback_id(std::string(callback_id));
  *request.mutable_error() = FromErrorObject(error);
  return Call(*executions_, &v1::DurableExecutions::Stub::SendCallbackFailure, request).status();
}

absl::Status ServiceSession::SendCallbackHeartbeat(absl::string_view callback_id) {
  v1::SendCallbackHeartbeatRequest request;
  request.set_session(name_);
  request.set_callback_id(std::string(callback_id));
  return Call(*executions_, &v1::DurableExecutions::Stub::SendCallbackHeartbeat, request).status();
}

absl::Status ServiceSession::AdvanceTime(absl::Duration duration) {
  v1::AdvanceTimeRequest request;
  request.set_session(name_);
  *request.mutable_duration() = ToProto(duration);
  return Call(*sessions_, &v1::TestSessions::Stub::AdvanceTime, request).status();
}

absl::StatusOr<int64_t> ServiceSession::AdvanceToNextTimer() {
  v1::AdvanceTimeRequest request;
  request.set_session(name_);
  request.set_next_timer(true);
  DURABLE_ASSIGN_OR_RETURN(const v1::AdvanceTimeResponse response,
                           Call(*sessions_, &v1::TestSessions::Stub::AdvanceTime, request));
  return response.fired_count();
}

absl::Status ServiceSession::Pause(const std::string& arn, absl::Duration timeout) {
  v1::PauseExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  DURABLE_RETURN_IF_ERROR(
      Call(*executions_, &v1::DurableExecutions::Stub::PauseExecution, request).status());
  DURABLE_ASSIGN_OR_RETURN(
      const v1::ExecutionStatus status,
      WaitForExecution(
          arn,
          {v1::EXECUTION_STATUS_PAUSED, v1::EXECUTION_STATUS_SUCCEEDED, v1::EXECUTION_STATUS_FAILED,
           v1::EXECUTION_STATUS_TIMED_OUT, v1::EXECUTION_STATUS_STOPPED},
          timeout));
  if (status == v1::EXECUTION_STATUS_PAUSED) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the execution ended before the pause took effect: ",
                   ExecutionStatusName(ToExecutionStatus(status))));
}

absl::Status ServiceSession::Resume(const std::string& arn) {
  v1::ResumeExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  return Call(*executions_, &v1::DurableExecutions::Stub::ResumeExecution, request).status();
}

absl::Status ServiceSession::Stop(const std::string& arn, const ErrorObject& error) {
  v1::StopExecutionRequest request;
  request.set_session(name_);
  request.set_durable_execution_arn(arn);
  *request.mutable_error() = FromErrorObject(error);
  return Call(*executions_, &v1::DurableExecutions::Stub::StopExecution, request).status();
}

}  // namespace durable::testing::internal
