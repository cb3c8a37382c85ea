#include "service/rpc/function_host_service.h"

#include "service/rpc/unary.h"
#include "service/rpc/worker_stream.h"

namespace rehearse {
namespace {

absl::StatusOr<v1::DeregisterFunctionResponse> Deregister(
    RpcContext& context, const v1::DeregisterFunctionRequest& request) {
  absl::Status status =
      context.executor.DeregisterFunction(request.session(), request.function_name());
  if (!status.ok()) return status;
  return v1::DeregisterFunctionResponse();
}

absl::StatusOr<v1::ListFunctionsResponse> List(RpcContext& context,
                                               const v1::ListFunctionsRequest& request) {
  v1::GetSessionRequest get_session;
  get_session.set_name(request.session());
  absl::StatusOr<v1::GetSessionResponse> session = context.executor.GetSession(get_session);
  if (!session.ok()) return session.status();
  absl::StatusOr<v1::ListFunctionsResponse> response = context.executor.ListFunctions(request);
  if (!response.ok()) return response.status();
  for (v1::FunctionState& function : *response->mutable_functions()) {
    const StreamInvoker::FunctionLoad load =
        context.invoker.Load({session->session().name(), function.function().function_name()});
    function.set_slots(load.slots);
    function.set_queued_invocations(load.queued);
    function.set_running_invocations(load.running);
  }
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* FunctionHostService::DeregisterFunction(
    grpc::CallbackServerContext* call, const v1::DeregisterFunctionRequest* request,
    v1::DeregisterFunctionResponse* response) {
  return Answer(call, request, response, &Deregister, context_);
}

grpc::ServerUnaryReactor* FunctionHostService::ListFunctions(
    grpc::CallbackServerContext* call, const v1::ListFunctionsRequest* request,
    v1::ListFunctionsResponse* response) {
  return Answer(call, request, response, &List, context_);
}

grpc::ServerBidiReactor<v1::ServeRequest, v1::ServeResponse>* FunctionHostService::Serve(
    grpc::CallbackServerContext* call) {
  return WorkerStream::Open(context_, *call);
}

}  // namespace rehearse
