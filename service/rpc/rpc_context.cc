#include "service/rpc/rpc_context.h"

#include <string>
#include <utility>

namespace rehearse {

StaleTokenSpelling StaleTokenSpellingOf(const grpc::CallbackServerContext& call) {
  const auto& metadata = call.client_metadata();
  const auto user_agent = metadata.find("user-agent");
  if (user_agent == metadata.end()) return StaleTokenSpelling::kReal;
  return StaleTokenSpellingFor({user_agent->second.data(), user_agent->second.size()});
}

void DeleteSession(RpcContext& context, v1::DeleteSessionRequest request,
                   Executor::Done<v1::DeleteSessionResponse> done) {
  std::string session = request.name();
  context.executor.DeleteSession(
      std::move(request), [&context, session = std::move(session), done = std::move(done)](
                              absl::StatusOr<v1::DeleteSessionResponse> response) mutable {
        if (response.ok()) {
          context.invoker.RemoveSession(session);
          context.streams.EndSession(session, errors::SessionNotFound(session));
        }
        done(std::move(response));
      });
}

}  // namespace rehearse
