// ScriptedWorker: a FunctionHost.Serve stream that says what a test tells it to, right or wrong.
//
//   ScriptedWorker worker(client.functions());
//   worker.Register("default", {"orders"});
//   const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
//   worker.Send(CheckpointOf(invocation, {StepUpdate("a", v1::OPERATION_ACTION_START)}));
//   const v1::ServeResponse answer = worker.Receive();
//   worker.Send(OutcomeOf(R"({"Status":"PENDING"})"));
//   EXPECT_EQ(TextOf(worker.Close()), "OK");
#ifndef REHEARSE_SERVICE_RPC_SCRIPTED_WORKER_H_
#define REHEARSE_SERVICE_RPC_SCRIPTED_WORKER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/function_host.grpc.pb.h"

namespace rehearse {

v1::ServeRequest RegistrationOf(const std::string& session,
                                const std::vector<std::string>& durable_functions);
v1::ServeRequest CheckpointOf(const std::string& arn, const std::string& token,
                              const std::vector<v1::OperationUpdate>& updates);
// The first checkpoint of an invocation.
v1::ServeRequest CheckpointOf(const v1::ServeResponse::Invocation& invocation,
                              const std::vector<v1::OperationUpdate>& updates);
v1::ServeRequest StateRequestOf(const std::string& arn, const std::string& token);
v1::ServeRequest OutcomeOf(const std::string& payload);

v1::OperationUpdate StepUpdate(const std::string& id, v1::OperationAction action);
v1::OperationUpdate WaitUpdate(const std::string& id, int seconds);
v1::OperationUpdate CallbackUpdate(const std::string& id);

// For one thread. A stream that is left open is cancelled at the end.
class ScriptedWorker {
 public:
  explicit ScriptedWorker(v1::FunctionHost::Stub& stub);
  ~ScriptedWorker();

  // Registers and waits for the answer.
  void Register(const std::string& session, const std::vector<std::string>& durable_functions);

  void Send(const v1::ServeRequest& request);
  // The next message; fails the test, and returns an empty one, at the end of the stream.
  v1::ServeResponse Receive();
  v1::ServeResponse::Invocation ReceiveInvocation();

  // As the death of the process: what was sent last may not arrive.
  void Break();
  // Waits for the end of the stream; what comes before it is dropped.
  absl::Status AwaitEnd();
  // Says that no more requests come, and waits for the end.
  absl::Status Close();

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::ServeRequest, v1::ServeResponse>> stream_;
  bool ended_ = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_SCRIPTED_WORKER_H_
