// TestClient: calls a service over a channel, for tests.
//
//   TestClient client(worker::CreateChannel("127.0.0.1:9013"));
//   absl::StatusOr<v1::GetSessionResponse> session =
//       client.Call(&v1::TestSessions::Stub::GetSession, v1::GetSessionRequest());
//   EXPECT_EQ(TextOf(client.Call(...)), "NOT_FOUND ResourceNotFoundException: Session does not
//   ...");
//
// A call that is not answered fails after a minute.
#ifndef REHEARSE_SERVICE_RPC_TEST_CLIENT_H_
#define REHEARSE_SERVICE_RPC_TEST_CLIENT_H_

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/worker/status.h"

namespace rehearse {

// Only there to fail: far beyond what any call needs.
inline constexpr absl::Duration kTestTimeout = absl::Seconds(60);

// "OK", or "CODE AwsErrorName: message", without the name for what gRPC itself says.
std::string TextOf(const absl::Status& status);

template <typename Response>
std::string TextOf(const absl::StatusOr<Response>& result) {
  return TextOf(result.status());
}

void SetDeadline(grpc::ClientContext& context);

class TestClient {
 public:
  explicit TestClient(std::shared_ptr<grpc::Channel> channel);

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    grpc::ClientContext context;
    SetDeadline(context);
    Response response;
    const grpc::Status status =
        (std::get<std::unique_ptr<Stub>>(stubs_).get()->*method)(&context, request, &response);
    if (!status.ok()) return worker::FromGrpcStatus(status);
    return response;
  }

  v1::DurableExecutions::Stub& executions() { return Get<v1::DurableExecutions::Stub>(); }
  v1::FunctionHost::Stub& functions() { return Get<v1::FunctionHost::Stub>(); }
  v1::TestSessions::Stub& sessions() { return Get<v1::TestSessions::Stub>(); }

  // The following fail the test when the service refuses.
  // Creates a session in which waits take no time; empty: with a name of the service's.
  std::string CreateSession(const std::string& name = "");
  std::string CreateSession(const v1::CreateSessionRequest& request);
  // Starts an execution and returns its ARN.
  std::string Start(const std::string& session, const std::string& function);
  std::string Start(const v1::StartExecutionRequest& request);
  // Waits for the end of the execution and of its last invocation.
  v1::Execution AwaitEnd(const std::string& arn);
  v1::InspectExecutionResponse Inspect(const std::string& arn);
  v1::GetExecutionHistoryResponse History(const std::string& arn);

 private:
  template <typename Stub>
  Stub& Get() {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }

  std::tuple<std::unique_ptr<v1::DurableExecutions::Stub>, std::unique_ptr<v1::FunctionHost::Stub>,
             std::unique_ptr<v1::TestSessions::Stub>>
      stubs_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_TEST_CLIENT_H_
