#include "client/cpp/testing/runner.h"

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/status_macros.h"
#include "client/cpp/testing/function_host.h"
#include "client/cpp/testing/service_session.h"

namespace durable::testing {

class DurableFunctionTestRunner::Impl {
 public:
  explicit Impl(RunnerOptions options) : options_(std::move(options)), functions_(options_) {}

  const RunnerOptions& options() const { return options_; }
  internal::FunctionHost& functions() { return functions_; }

  void Register(absl::string_view name, internal::FunctionHost::Function function) {
    functions_.Register(name, std::move(function), absl::ZeroDuration());
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

  void Close() {
    std::shared_ptr<internal::ServiceSession> session;
    {
      absl::MutexLock lock(&mutex_);
      closed_ = true;
      session = std::move(session_);
    }
    // The end of the session aborts what runs, so that the handlers end.
    session.reset();
    functions_.Shutdown();
  }

 private:
  const RunnerOptions options_;
  internal::FunctionHost functions_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<internal::ServiceSession> session_ ABSL_GUARDED_BY(mutex_);
};

DurableFunctionTestRunner::DurableFunctionTestRunner(Handler handler, RunnerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->functions().Register(impl_->options().function_name(), std::move(handler),
                              impl_->options().execution_timeout());
}

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
  return session->WaitForEnd(std::string(durable_execution_arn), timeout);
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

void DurableFunctionTestRunner::Register(absl::string_view name, Handler handler) {
  impl_->Register(name, std::move(handler));
}

void DurableFunctionTestRunner::Register(absl::string_view name, internal::PlainFunction function) {
  impl_->Register(name, std::move(function));
}

}  // namespace durable::testing
