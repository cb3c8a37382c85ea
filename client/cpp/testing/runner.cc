#include "client/cpp/testing/runner.h"

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/callback.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/status_macros.h"
#include "client/cpp/testing/function_host.h"
#include "client/cpp/testing/replay_check.h"
#include "client/cpp/testing/service_session.h"

namespace durable::testing {

class DurableFunctionTestRunner::Impl {
 public:
  Impl(Handler handler, RunnerOptions options)
      : options_(std::move(options)), handler_(std::move(handler)), functions_(options_) {
    functions_.Register(options_.function_name(), handler_, options_.execution_timeout());
  }

  const RunnerOptions& options() const { return options_; }
  internal::FunctionHost& functions() { return functions_; }

  void Register(absl::string_view name, internal::FunctionHost::Function function,
                absl::Duration execution_timeout) {
    functions_.Register(name, std::move(function), execution_timeout);
    absl::MutexLock lock(&mutex_);
    // Executions that run may invoke it. A failure is met again by the next call.
    if (session_ != nullptr) functions_.Serve(session_->channel(), session_->name()).IgnoreError();
  }

  // The session, with every registered function served.
  absl::StatusOr<std::shared_ptr<internal::ServiceSession>> Connect() {
    absl::MutexLock lock(&mutex_);
    if (closed_) return absl::FailedPreconditionError("the runner is closed");
    if (session_ == nullptr) {
      DURABLE_ASSIGN_OR_RETURN(session_, internal::ServiceSession::Create(options_));
    }
    DURABLE_RETURN_IF_ERROR(functions_.Serve(session_->channel(), session_->name()));
    return session_;
  }

  // `result`, unless its replay differs.
  absl::StatusOr<RunResult> CheckReplay(RunResult result) const {
    // Only the function of the runner itself is known to be what ran.
    const bool is_known = absl::StrContains(
        result.durable_execution_arn(), absl::StrCat(":function:", options_.function_name(), ":"));
    if (options_.replay_check() && is_known) {
      DURABLE_RETURN_IF_ERROR(internal::CheckReplay(handler_, result));
    }
    return result;
  }

  void Close() {
    std::shared_ptr<internal::ServiceSession> session;
    {
      absl::MutexLock lock(&mutex_);
      closed_ = true;
      session = std::move(session_);
    }
    // Aborts what runs, so that the handlers end, and answers whoever waits.
    if (session != nullptr) session->End();
    functions_.Shutdown();
  }

 private:
  const RunnerOptions options_;
  const Handler handler_;
  internal::FunctionHost functions_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<internal::ServiceSession> session_ ABSL_GUARDED_BY(mutex_);
};

DurableFunctionTestRunner::DurableFunctionTestRunner(Handler handler, RunnerOptions options)
    : impl_(std::make_unique<Impl>(std::move(handler), std::move(options))) {}

DurableFunctionTestRunner::~DurableFunctionTestRunner() { Close(); }

void DurableFunctionTestRunner::Close() { impl_->Close(); }

absl::StatusOr<RunResult> DurableFunctionTestRunner::Run(const Json& input,
                                                         absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const std::string arn, RunAsync(input));
  return WaitForResult(arn, timeout);
}

absl::StatusOr<std::string> DurableFunctionTestRunner::RunAsync(const Json& input) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  DURABLE_ASSIGN_OR_RETURN(const std::string text, durable::internal::DumpJson(input));
  return session->Start(impl_->options().function_name(), impl_->options().execution_name(), text);
}

absl::StatusOr<RunResult> DurableFunctionTestRunner::WaitForResult(
    absl::string_view durable_execution_arn, absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  DURABLE_ASSIGN_OR_RETURN(RunResult result,
                           session->WaitForEnd(std::string(durable_execution_arn), timeout));
  return impl_->CheckReplay(std::move(result));
}

absl::StatusOr<OperationView> DurableFunctionTestRunner::WaitForOperation(
    absl::string_view durable_execution_arn, absl::string_view name,
    const std::vector<OperationStatus>& statuses, absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->WaitForOperation(std::string(durable_execution_arn), name, statuses, timeout);
}

absl::Status DurableFunctionTestRunner::Watch(absl::string_view durable_execution_arn,
                                              absl::FunctionRef<bool(const Event& event)> on_event,
                                              absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->Watch(std::string(durable_execution_arn), on_event, timeout);
}

absl::StatusOr<RunResult> DurableFunctionTestRunner::GetResult(
    absl::string_view durable_execution_arn) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->Read(std::string(durable_execution_arn));
}

absl::StatusOr<std::string> DurableFunctionTestRunner::WaitForCallback(
    absl::string_view durable_execution_arn, absl::string_view name, absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->WaitForCallback(std::string(durable_execution_arn), name, timeout);
}

absl::Status DurableFunctionTestRunner::SendCallbackSuccess(absl::string_view callback_id,
                                                            absl::string_view payload) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->SendCallbackSuccess(callback_id, payload);
}

absl::Status DurableFunctionTestRunner::SendCallbackFailure(absl::string_view callback_id,
                                                            const ErrorObject& error) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->SendCallbackFailure(callback_id, error);
}

absl::Status DurableFunctionTestRunner::SendCallbackHeartbeat(absl::string_view callback_id) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->SendCallbackHeartbeat(callback_id);
}

absl::Status DurableFunctionTestRunner::AdvanceTime(absl::Duration duration) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->AdvanceTime(duration);
}

absl::StatusOr<int64_t> DurableFunctionTestRunner::AdvanceToNextTimer() {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->AdvanceToNextTimer();
}

absl::Status DurableFunctionTestRunner::Pause(absl::string_view durable_execution_arn,
                                              absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->Pause(std::string(durable_execution_arn), timeout);
}

absl::Status DurableFunctionTestRunner::Resume(absl::string_view durable_execution_arn) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->Resume(std::string(durable_execution_arn));
}

absl::Status DurableFunctionTestRunner::Stop(absl::string_view durable_execution_arn,
                                             const ErrorObject& error) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->Stop(std::string(durable_execution_arn), error);
}

absl::StatusOr<bool> DurableFunctionTestRunner::InvokeNext(absl::string_view durable_execution_arn,
                                                           absl::Duration timeout) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->InvokeNext(std::string(durable_execution_arn), timeout);
}

absl::StatusOr<int> DurableFunctionTestRunner::InvocationCount(
    absl::string_view durable_execution_arn) {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->InvocationCount(std::string(durable_execution_arn));
}

void DurableFunctionTestRunner::CrashNextInvocationAt(absl::string_view step_name) {
  impl_->functions().CrashNextInvocationAt(step_name);
}

absl::StatusOr<std::string> DurableFunctionTestRunner::session() {
  DURABLE_ASSIGN_OR_RETURN(const auto session, impl_->Connect());
  return session->name();
}

void DurableFunctionTestRunner::RegisterFunction(absl::string_view name, CannedResult canned) {
  RegisterFunction(name, [result = std::move(canned.result)](const Json&) { return result; });
}

void DurableFunctionTestRunner::RegisterFunction(absl::string_view name, CannedFailure canned) {
  ErrorInfo error;
  error.type = std::move(canned.error.type);
  error.message = std::move(canned.error.message);
  error.data = std::move(canned.error.data);
  error.stack_trace = std::move(canned.error.stack_trace);
  RegisterFunction(name,
                   [failure = durable::internal::ToStatus(error)](const Json&) { return failure; });
}

void DurableFunctionTestRunner::RegisterFunction(absl::string_view name, CannedTimeout) {
  const auto never_end = [](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> unanswered,
                             ctx.CreateCallback("unanswered"));
    return unanswered.Result().status();
  };
  RegisterFunction(name, never_end, absl::Seconds(1));
}

void DurableFunctionTestRunner::RegisterFunction(absl::string_view name, CannedStop canned) {
  RegisterFunction(name,
                   [impl = impl_.get(), error = std::move(canned.error)](
                       DurableContext& ctx, const Json&) -> absl::Status {
                     DURABLE_ASSIGN_OR_RETURN(const auto session, impl->Connect());
                     return session->Stop(ctx.durable_execution_arn(), error);
                   });
}

void DurableFunctionTestRunner::Register(absl::string_view name, Handler handler,
                                         absl::Duration execution_timeout) {
  impl_->Register(name, std::move(handler), execution_timeout);
}

void DurableFunctionTestRunner::Register(absl::string_view name, internal::PlainFunction function) {
  impl_->Register(name, std::move(function), absl::ZeroDuration());
}

}  // namespace durable::testing
