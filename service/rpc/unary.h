// The glue between a unary method and the function that answers it.
//
//   grpc::ServerUnaryReactor* GetExecution(grpc::CallbackServerContext* context, const
//   v1::GetExecutionRequest* request,
//                                          v1::GetExecutionResponse* response) override {
//     return Answer(context, request, response, &Executor::GetExecution, executor_);
//   }
#ifndef REHEARSE_SERVICE_RPC_UNARY_H_
#define REHEARSE_SERVICE_RPC_UNARY_H_

#include <functional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "service/rpc/status.h"

namespace rehearse {

// Calls `function(arguments..., request)` when that returns a StatusOr of the response, else
// `function(arguments..., request, done)` with a `done` to be called once, on any thread, even
// after the client has gone.
template <typename Request, typename Response, typename Function, typename... Arguments>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const Request* request,
                                 Response* response, Function function, Arguments&&... arguments) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // The request lives until Finish and nobody else reads it: it may be moved from.
  Request& own_request = const_cast<Request&>(*request);
  auto done = [reactor, response](absl::StatusOr<Response> result) {
    if (result.ok()) *response = *std::move(result);
    reactor->Finish(ToGrpcStatus(result.status()));
  };
  if constexpr (std::is_invocable_r_v<absl::StatusOr<Response>, Function, Arguments..., Request&>) {
    done(std::invoke(function, std::forward<Arguments>(arguments)..., own_request));
  } else {
    std::invoke(function, std::forward<Arguments>(arguments)..., std::move(own_request),
                std::move(done));
  }
  return reactor;
}

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_UNARY_H_
