// TestSessionsService: the executor's methods as rehearse.v1.TestSessions.
//
//   grpc::ServerBuilder().RegisterService(&service);
#ifndef REHEARSE_SERVICE_RPC_TEST_SESSIONS_SERVICE_H_
#define REHEARSE_SERVICE_RPC_TEST_SESSIONS_SERVICE_H_

#include "grpcpp/grpcpp.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class TestSessionsService final : public v1::TestSessions::CallbackService {
 public:
  explicit TestSessionsService(RpcContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* call,
                                          const v1::CreateSessionRequest* request,
                                          v1::CreateSessionResponse* response) override;
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* call,
                                       const v1::GetSessionRequest* request,
                                       v1::GetSessionResponse* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* call,
                                         const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteSession(grpc::CallbackServerContext* call,
                                          const v1::DeleteSessionRequest* request,
                                          v1::DeleteSessionResponse* response) override;
  grpc::ServerUnaryReactor* AdvanceTime(grpc::CallbackServerContext* call,
                                        const v1::AdvanceTimeRequest* request,
                                        v1::AdvanceTimeResponse* response) override;
  grpc::ServerUnaryReactor* WaitForExecution(grpc::CallbackServerContext* call,
                                             const v1::WaitForExecutionRequest* request,
                                             v1::WaitForExecutionResponse* response) override;
  grpc::ServerUnaryReactor* WaitForOperation(grpc::CallbackServerContext* call,
                                             const v1::WaitForOperationRequest* request,
                                             v1::WaitForOperationResponse* response) override;
  grpc::ServerUnaryReactor* InvokeNext(grpc::CallbackServerContext* call,
                                       const v1::InvokeNextRequest* request,
                                       v1::InvokeNextResponse* response) override;
  grpc::ServerUnaryReactor* InspectExecution(grpc::CallbackServerContext* call,
                                             const v1::InspectExecutionRequest* request,
                                             v1::InspectExecutionResponse* response) override;
  grpc::ServerWriteReactor<v1::HoldSessionResponse>* HoldSession(
      grpc::CallbackServerContext* call, const v1::HoldSessionRequest* request) override;

 private:
  RpcContext& context_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_TEST_SESSIONS_SERVICE_H_
