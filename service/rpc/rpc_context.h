// RpcContext: what the gRPC services share. Outlives them and their calls.
#ifndef REHEARSE_SERVICE_RPC_RPC_CONTEXT_H_
#define REHEARSE_SERVICE_RPC_RPC_CONTEXT_H_

#include <string>

#include "grpcpp/grpcpp.h"
#include "service/base/errors.h"
#include "service/executor/executor.h"
#include "service/invoker/stream/stream_invoker.h"
#include "service/rpc/open_streams.h"

namespace rehearse {

struct RpcContext {
  Executor& executor;
  StreamInvoker& invoker;
  OpenStreams streams;
  // Where the AWS face listens, as HOST:PORT; empty: nowhere. Set before the first call.
  std::string http_address;
};

// The spelling that suits the caller's user agent.
StaleTokenSpelling StaleTokenSpellingOf(const grpc::CallbackServerContext& call);

// Deletes the session and ends what hangs on it: its worker streams and holds end with
// SessionNotFound.
void DeleteSession(RpcContext& context, v1::DeleteSessionRequest request,
                   Executor::Done<v1::DeleteSessionResponse> done);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_RPC_CONTEXT_H_
