// FunctionHostService: worker streams and the functions behind them, as rehearse.v1.FunctionHost.
//
//   grpc::ServerBuilder().RegisterService(&service);
#ifndef REHEARSE_SERVICE_RPC_FUNCTION_HOST_SERVICE_H_
#define REHEARSE_SERVICE_RPC_FUNCTION_HOST_SERVICE_H_

#include "grpcpp/grpcpp.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class FunctionHostService final : public v1::FunctionHost::CallbackService {
 public:
  explicit FunctionHostService(RpcContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* DeregisterFunction(grpc::CallbackServerContext* call,
                                               const v1::DeregisterFunctionRequest* request,
                                               v1::DeregisterFunctionResponse* response) override;
  grpc::ServerUnaryReactor* ListFunctions(grpc::CallbackServerContext* call,
                                          const v1::ListFunctionsRequest* request,
                                          v1::ListFunctionsResponse* response) override;
  grpc::ServerBidiReactor<v1::ServeRequest, v1::ServeResponse>* Serve(
      grpc::CallbackServerContext* call) override;

 private:
  RpcContext& context_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_FUNCTION_HOST_SERVICE_H_
