// DurableExecutionsService: the executor's methods as rehearse.v1.DurableExecutions.
//
//   grpc::ServerBuilder().RegisterService(&service);
#ifndef REHEARSE_SERVICE_RPC_DURABLE_EXECUTIONS_SERVICE_H_
#define REHEARSE_SERVICE_RPC_DURABLE_EXECUTIONS_SERVICE_H_

#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class DurableExecutionsService final : public v1::DurableExecutions::CallbackService {
 public:
  explicit DurableExecutionsService(RpcContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* StartExecution(grpc::CallbackServerContext* call,
                                           const v1::StartExecutionRequest* request,
                                           v1::StartExecutionResponse* response) override;
  grpc::ServerUnaryReactor* InvokeFunction(grpc::CallbackServerContext* call,
                                           const v1::InvokeFunctionRequest* request,
                                           v1::InvokeFunctionResponse* response) override;
  grpc::ServerUnaryReactor* Checkpoint(grpc::CallbackServerContext* call,
                                       const v1::CheckpointRequest* request,
                                       v1::CheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetExecutionState(grpc::CallbackServerContext* call,
                                              const v1::GetExecutionStateRequest* request,
                                              v1::GetExecutionStateResponse* response) override;
  grpc::ServerUnaryReactor* GetExecution(grpc::CallbackServerContext* call,
                                         const v1::GetExecutionRequest* request,
                                         v1::GetExecutionResponse* response) override;
  grpc::ServerUnaryReactor* GetExecutionHistory(grpc::CallbackServerContext* call,
                                                const v1::GetExecutionHistoryRequest* request,
                                                v1::GetExecutionHistoryResponse* response) override;
  grpc::ServerUnaryReactor* ListExecutions(grpc::CallbackServerContext* call,
                                           const v1::ListExecutionsRequest* request,
                                           v1::ListExecutionsResponse* response) override;
  grpc::ServerUnaryReactor* StopExecution(grpc::CallbackServerContext* call,
                                          const v1::StopExecutionRequest* request,
                                          v1::StopExecutionResponse* response) override;
  grpc::ServerUnaryReactor* PauseExecution(grpc::CallbackServerContext* call,
                                           const v1::PauseExecutionRequest* request,
                                           v1::PauseExecutionResponse* response) override;
  grpc::ServerUnaryReactor* ResumeExecution(grpc::CallbackServerContext* call,
                                            const v1::ResumeExecutionRequest* request,
                                            v1::ResumeExecutionResponse* response) override;
  grpc::ServerUnaryReactor* DeleteExecution(grpc::CallbackServerContext* call,
                                            const v1::DeleteExecutionRequest* request,
                                            v1::DeleteExecutionResponse* response) override;
  grpc::ServerUnaryReactor* SendCallbackSuccess(grpc::CallbackServerContext* call,
                                                const v1::SendCallbackSuccessRequest* request,
                                                v1::SendCallbackSuccessResponse* response) override;
  grpc::ServerUnaryReactor* SendCallbackFailure(grpc::CallbackServerContext* call,
                                                const v1::SendCallbackFailureRequest* request,
                                                v1::SendCallbackFailureResponse* response) override;
  grpc::ServerUnaryReactor* SendCallbackHeartbeat(
      grpc::CallbackServerContext* call, const v1::SendCallbackHeartbeatRequest* request,
      v1::SendCallbackHeartbeatResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchExecutionResponse>* WatchExecution(
      grpc::CallbackServerContext* call, const v1::WatchExecutionRequest* request) override;

 private:
  RpcContext& context_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_DURABLE_EXECUTIONS_SERVICE_H_
