#include "service/rpc/durable_executions_service.h"

#include <utility>

#include "service/rpc/unary.h"
#include "service/rpc/watch_stream.h"

namespace rehearse {

grpc::ServerUnaryReactor* DurableExecutionsService::StartExecution(
    grpc::CallbackServerContext* call, const v1::StartExecutionRequest* request,
    v1::StartExecutionResponse* response) {
  return Answer(call, request, response, &Executor::StartExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::InvokeFunction(
    grpc::CallbackServerContext* call, const v1::InvokeFunctionRequest* request,
    v1::InvokeFunctionResponse* response) {
  return Answer(call, request, response, &Executor::InvokeFunction, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::Checkpoint(grpc::CallbackServerContext* call,
                                                               const v1::CheckpointRequest* request,
                                                               v1::CheckpointResponse* response) {
  return Answer(call, request, response,
                [this, call](v1::CheckpointRequest own_request, auto done) {
                  context_.executor.Checkpoint(std::move(own_request), StaleTokenSpellingOf(*call),
                                               std::move(done));
                });
}

grpc::ServerUnaryReactor* DurableExecutionsService::GetExecutionState(
    grpc::CallbackServerContext* call, const v1::GetExecutionStateRequest* request,
    v1::GetExecutionStateResponse* response) {
  return Answer(call, request, response,
                [this, call](v1::GetExecutionStateRequest own_request, auto done) {
                  context_.executor.GetExecutionState(std::move(own_request),
                                                      StaleTokenSpellingOf(*call), std::move(done));
                });
}

grpc::ServerUnaryReactor* DurableExecutionsService::GetExecution(
    grpc::CallbackServerContext* call, const v1::GetExecutionRequest* request,
    v1::GetExecutionResponse* response) {
  return Answer(call, request, response, &Executor::GetExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::GetExecutionHistory(
    grpc::CallbackServerContext* call, const v1::GetExecutionHistoryRequest* request,
    v1::GetExecutionHistoryResponse* response) {
  return Answer(call, request, response, &Executor::GetExecutionHistory, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::ListExecutions(
    grpc::CallbackServerContext* call, const v1::ListExecutionsRequest* request,
    v1::ListExecutionsResponse* response) {
  return Answer(call, request, response, &Executor::ListExecutions, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::StopExecution(
    grpc::CallbackServerContext* call, const v1::StopExecutionRequest* request,
    v1::StopExecutionResponse* response) {
  return Answer(call, request, response, &Executor::StopExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::PauseExecution(
    grpc::CallbackServerContext* call, const v1::PauseExecutionRequest* request,
    v1::PauseExecutionResponse* response) {
  return Answer(call, request, response, &Executor::PauseExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::ResumeExecution(
    grpc::CallbackServerContext* call, const v1::ResumeExecutionRequest* request,
    v1::ResumeExecutionResponse* response) {
  return Answer(call, request, response, &Executor::ResumeExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::DeleteExecution(
    grpc::CallbackServerContext* call, const v1::DeleteExecutionRequest* request,
    v1::DeleteExecutionResponse* response) {
  return Answer(call, request, response, &Executor::DeleteExecution, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::SendCallbackSuccess(
    grpc::CallbackServerContext* call, const v1::SendCallbackSuccessRequest* request,
    v1::SendCallbackSuccessResponse* response) {
  return Answer(call, request, response, &Executor::SendCallbackSuccess, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::SendCallbackFailure(
    grpc::CallbackServerContext* call, const v1::SendCallbackFailureRequest* request,
    v1::SendCallbackFailureResponse* response) {
  return Answer(call, request, response, &Executor::SendCallbackFailure, context_.executor);
}

grpc::ServerUnaryReactor* DurableExecutionsService::SendCallbackHeartbeat(
    grpc::CallbackServerContext* call, const v1::SendCallbackHeartbeatRequest* request,
    v1::SendCallbackHeartbeatResponse* response) {
  return Answer(call, request, response, &Executor::SendCallbackHeartbeat, context_.executor);
}

grpc::ServerWriteReactor<v1::WatchExecutionResponse>* DurableExecutionsService::WatchExecution(
    grpc::CallbackServerContext* /*call*/, const v1::WatchExecutionRequest* request) {
  return WatchStream::Open(context_, *request);
}

}  // namespace rehearse
