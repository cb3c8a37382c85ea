#include "service/lambda_host/runtime.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace rehearse::lambda_host {
namespace {

// Lambda's shutdown phase.
constexpr absl::Duration kEndGrace = absl::Seconds(2);
// The service gives up first, and says so.
constexpr absl::Duration kDeadlineGrace = absl::Seconds(5);

absl::Time DeadlineOf(const v1::ServeResponse::Invocation& invocation) {
  return absl::FromUnixSeconds(invocation.deadline().seconds()) +
         absl::Nanoseconds(invocation.deadline().nanos());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Start(const Options& options) {
  std::unique_ptr<Runtime> runtime(new Runtime(options.log));
  HttpServer::Options server_options;
  // One process asks one question at a time.
  server_options.threads = 1;
  // Between two questions runs an invocation.
  server_options.idle_limit = absl::Hours(24);
  absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      server_options, [self = runtime.get()](HttpRequest request, HttpServer::Responder respond) {
        self->api_.Handle(std::move(request), std::move(respond));
      });
  if (!server.ok()) return server.status();
  runtime->server_ = *std::move(server);

  RuntimeProcess::Options process_options = options.process;
  process_options.environment.push_back(
      absl::StrCat("AWS_LAMBDA_RUNTIME_API=127.0.0.1:", runtime->server_->port()));
  absl::StatusOr<std::unique_ptr<RuntimeProcess>> process = RuntimeProcess::Start(
      process_options, [self = runtime.get()](absl::string_view how) { self->OnExit(how); });
  if (!process.ok()) return process.status();
  runtime->process_ = *std::move(process);
  return runtime;
}

Runtime::~Runtime() {
  if (process_ != nullptr) {
    Terminate();
    process_->AwaitEnd(kEndGrace);
    process_.reset();
  }
  if (server_ != nullptr) server_->Shutdown();
}

v1::ServeRequest::Outcome Runtime::Invoke(const v1::ServeResponse::Invocation& invocation) {
  {
    absl::MutexLock lock(&mutex_);
    request_id_ = invocation.request_id();
  }
  v1::ServeRequest::Outcome outcome;
  absl::Notification answered;
  api_.Invoke(invocation, [&outcome, &answered](v1::ServeRequest::Outcome result) {
    outcome = std::move(result);
    answered.Notify();
  });
  if (!answered.WaitForNotificationWithDeadline(DeadlineOf(invocation) + kDeadlineGrace)) {
    Kill();
    answered.WaitForNotification();
  }
  return outcome;
}

void Runtime::Kill() { process_->Signal(SIGKILL); }

void Runtime::Terminate() {
  {
    absl::MutexLock lock(&mutex_);
    asked_to_end_ = true;
  }
  process_->Signal(SIGTERM);
}

void Runtime::OnExit(absl::string_view how) {
  const std::string text = how.empty() ? "Runtime exited without providing a reason"
                                       : absl::StrCat("Runtime exited with error: ", how);
  std::string request_id;
  bool asked_to_end = false;
  {
    absl::MutexLock lock(&mutex_);
    request_id = request_id_;
    asked_to_end = asked_to_end_;
  }
  v1::ErrorObject error;
  error.set_error_type("Runtime.ExitError");
  error.set_error_message(absl::StrCat("RequestId: ", request_id, " Error: ", text));
  api_.End(std::move(error));
  if (!asked_to_end) log_(text);
}

}  // namespace rehearse::lambda_host
