#include "service/rpc/test_client.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

template <typename Response>
Response Answered(absl::StatusOr<Response> response) {
  if (response.ok()) return *std::move(response);
  ADD_FAILURE() << TextOf(response);
  return Response();
}

}  // namespace

std::string TextOf(const absl::Status& status) {
  if (status.ok()) return "OK";
  const std::string reason = worker::ErrorReason(status);
  return absl::StrCat(absl::StatusCodeToString(status.code()), reason.empty() ? "" : " ", reason,
                      ": ", std::string(status.message()));
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kTestTimeout));
}

TestClient::TestClient(std::shared_ptr<grpc::Channel> channel)
    : stubs_(v1::DurableExecutions::NewStub(channel), v1::FunctionHost::NewStub(channel),
             v1::TestSessions::NewStub(channel)) {}

std::string TestClient::CreateSession(const std::string& name) {
  v1::CreateSessionRequest request;
  request.set_name(name);
  request.mutable_config()->set_clock_mode(v1::CLOCK_MODE_SKIP);
  return CreateSession(request);
}

std::string TestClient::CreateSession(const v1::CreateSessionRequest& request) {
  return Answered(Call(&v1::TestSessions::Stub::CreateSession, request)).session().name();
}

std::string TestClient::Start(const std::string& session, const std::string& function) {
  v1::StartExecutionRequest request;
  request.set_session(session);
  request.set_function_name(function);
  return Start(request);
}

std::string TestClient::Start(const v1::StartExecutionRequest& request) {
  return Answered(Call(&v1::DurableExecutions::Stub::StartExecution, request))
      .durable_execution_arn();
}

v1::Execution TestClient::AwaitEnd(const std::string& arn) {
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(arn);
  request.set_invocation_ended(true);
  return Answered(Call(&v1::TestSessions::Stub::WaitForExecution, request)).execution();
}

v1::InspectExecutionResponse TestClient::Inspect(const std::string& arn) {
  v1::InspectExecutionRequest request;
  request.set_durable_execution_arn(arn);
  return Answered(Call(&v1::TestSessions::Stub::InspectExecution, request));
}

v1::GetExecutionHistoryResponse TestClient::History(const std::string& arn) {
  v1::GetExecutionHistoryRequest request;
  request.set_durable_execution_arn(arn);
  request.set_max_items(1000);
  return Answered(Call(&v1::DurableExecutions::Stub::GetExecutionHistory, request));
}

}  // namespace rehearse
