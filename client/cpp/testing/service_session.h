// ServiceSession: a session of the service, with what a runner does in it.
//
//   absl::StatusOr<std::unique_ptr<ServiceSession>> session = ServiceSession::Create(options);
//   absl::StatusOr<std::string> arn = (*session)->Start("test-function", "", "{}");
#ifndef REHEARSE_CLIENT_CPP_TESTING_SERVICE_SESSION_H_
#define REHEARSE_CLIENT_CPP_TESTING_SERVICE_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/testing/run_result.h"
#include "client/cpp/testing/runner.h"
#include "client/cpp/testing/session_hold.h"
#include "grpcpp/channel.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"

namespace durable::testing::internal {

// Thread-safe. Timeouts are wall time. See DurableFunctionTestRunner for what the methods mean.
class ServiceSession {
 public:
  // Connects and creates the session; its end is the end of this object.
  static absl::StatusOr<std::unique_ptr<ServiceSession>> Create(const RunnerOptions& options);

  // Deletes the session; whoever waits in another method gets an error. Later calls fail.
  void End();

  const std::string& name() const { return name_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // `execution_name` empty: generated. Returns the ARN.
  absl::StatusOr<std::string> Start(const std::string& function_name,
                                    const std::string& execution_name, const std::string& input);
  absl::StatusOr<RunResult> WaitForEnd(const std::string& arn, absl::Duration timeout);
  absl::StatusOr<RunResult> Read(const std::string& arn);
  absl::StatusOr<int> InvocationCount(const std::string& arn);
  absl::StatusOr<bool> InvokeNext(const std::string& arn, absl::Duration timeout);

  absl::StatusOr<OperationView> WaitForOperation(const std::string& arn, absl::string_view name,
                                                 const std::vector<OperationStatus>& statuses,
                                                 absl::Duration timeout);
  absl::Status Watch(const std::string& arn, absl::FunctionRef<bool(const Event& event)> on_event,
                     absl::Duration timeout);

  absl::StatusOr<std::string> WaitForCallback(const std::string& arn, absl::string_view name,
                                              absl::Duration timeout);
  absl::Status SendCallbackSuccess(absl::string_view callback_id, absl::string_view payload);
  absl::Status SendCallbackFailure(absl::string_view callback_id, const ErrorObject& error);
  absl::Status SendCallbackHeartbeat(absl::string_view callback_id);

  absl::Status AdvanceTime(absl::Duration duration);
  absl::StatusOr<int64_t> AdvanceToNextTimer();
  absl::Status Pause(const std::string& arn, absl::Duration timeout);
  absl::Status Resume(const std::string& arn);
  absl::Status Stop(const std::string& arn, const ErrorObject& error);

 private:
  ServiceSession(std::shared_ptr<grpc::Channel> channel,
                 std::unique_ptr<rehearse::v1::TestSessions::Stub> sessions, std::string name);

  absl::StatusOr<rehearse::v1::ExecutionStatus> WaitForExecution(
      const std::string& arn, const std::vector<rehearse::v1::ExecutionStatus>& statuses,
      absl::Duration timeout);
  absl::Status ReadOperations(const std::string& arn, RunRecord& record);
  // A time-out, with the history so far.
  absl::Status Explain(absl::Status status, const std::string& arn);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<rehearse::v1::DurableExecutions::Stub> executions_;
  const std::unique_ptr<rehearse::v1::TestSessions::Stub> sessions_;
  const std::string name_;
  SessionHold hold_;
};

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_SERVICE_SESSION_H_
