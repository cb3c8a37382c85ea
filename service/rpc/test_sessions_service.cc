#include "service/rpc/test_sessions_service.h"

#include "absl/status/statusor.h"
#include "service/rpc/hold_stream.h"
#include "service/rpc/unary.h"

namespace rehearse {

grpc::ServerUnaryReactor* TestSessionsService::CreateSession(
    grpc::CallbackServerContext* call, const v1::CreateSessionRequest* request,
    v1::CreateSessionResponse* response) {
  return Answer(call, request, response, &Executor::CreateSession, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::GetSession(grpc::CallbackServerContext* call,
                                                          const v1::GetSessionRequest* request,
                                                          v1::GetSessionResponse* response) {
  const auto get_session =
      [this](const v1::GetSessionRequest& request) -> absl::StatusOr<v1::GetSessionResponse> {
    absl::StatusOr<v1::GetSessionResponse> session = context_.executor.GetSession(request);
    if (session.ok()) session->set_http_address(context_.http_address);
    return session;
  };
  return Answer(call, request, response, get_session);
}

grpc::ServerUnaryReactor* TestSessionsService::ListSessions(grpc::CallbackServerContext* call,
                                                            const v1::ListSessionsRequest* request,
                                                            v1::ListSessionsResponse* response) {
  return Answer(call, request, response, &Executor::ListSessions, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::DeleteSession(
    grpc::CallbackServerContext* call, const v1::DeleteSessionRequest* request,
    v1::DeleteSessionResponse* response) {
  return Answer(call, request, response, &rehearse::DeleteSession, context_);
}

grpc::ServerUnaryReactor* TestSessionsService::AdvanceTime(grpc::CallbackServerContext* call,
                                                           const v1::AdvanceTimeRequest* request,
                                                           v1::AdvanceTimeResponse* response) {
  return Answer(call, request, response, &Executor::AdvanceTime, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::WaitForExecution(
    grpc::CallbackServerContext* call, const v1::WaitForExecutionRequest* request,
    v1::WaitForExecutionResponse* response) {
  return Answer(call, request, response, &Executor::WaitForExecution, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::WaitForOperation(
    grpc::CallbackServerContext* call, const v1::WaitForOperationRequest* request,
    v1::WaitForOperationResponse* response) {
  return Answer(call, request, response, &Executor::WaitForOperation, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::InvokeNext(grpc::CallbackServerContext* call,
                                                          const v1::InvokeNextRequest* request,
                                                          v1::InvokeNextResponse* response) {
  return Answer(call, request, response, &Executor::InvokeNext, context_.executor);
}

grpc::ServerUnaryReactor* TestSessionsService::InspectExecution(
    grpc::CallbackServerContext* call, const v1::InspectExecutionRequest* request,
    v1::InspectExecutionResponse* response) {
  return Answer(call, request, response, &Executor::InspectExecution, context_.executor);
}

grpc::ServerWriteReactor<v1::HoldSessionResponse>* TestSessionsService::HoldSession(
    grpc::CallbackServerContext* /*call*/, const v1::HoldSessionRequest* request) {
  return HoldStream::Open(context_, request->name());
}

}  // namespace rehearse
