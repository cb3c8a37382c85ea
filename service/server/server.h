// Server: the whole service, wired up. The only place that sees everything.
//
//   Server::Options options;
//   options.grpc_address = "127.0.0.1:0";
//   absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
//   ... (*server)->port() ...
//
// Embedded, without a socket:
//
//   absl::StatusOr<std::unique_ptr<Server>> server = Server::Start({});
//   std::shared_ptr<grpc::Channel> channel = (*server)->InProcessChannel(grpc::ChannelArguments());
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_SERVER_SERVER_H_
#define REHEARSE_SERVICE_SERVER_SERVER_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/base/arn.h"
#include "service/clock/thread_scheduler.h"
#include "service/executor/executor.h"
#include "service/gateway/gateway.h"
#include "service/http/http_client.h"
#include "service/http/http_server.h"
#include "service/invoker/http/http_functions.h"
#include "service/invoker/stream/stream_invoker.h"
#include "service/peers/grpc_peers.h"
#include "service/rpc/durable_executions_service.h"
#include "service/rpc/function_host_service.h"
#include "service/rpc/rpc_context.h"
#include "service/rpc/test_sessions_service.h"
#include "service/store/execution_store.h"

namespace rehearse {

// Ours: ten times the largest message that the limits profiles let through.
inline constexpr int kMaxReceiveMessageBytes = 64 * 1024 * 1024;

// A function of the session `default` that is reached over HTTP.
struct HttpFunction {
  v1::FunctionSpec spec;
  HttpUrl endpoint;
};

class Server {
 public:
  struct Options {
    // HOST:PORT; port 0 takes a free one. Empty: nothing is listened on, and health and reflection
    // are not served.
    std::string grpc_address;
    // HOST:PORT at which other replicas reach this one's gRPC, where the store is shared; port 0 is
    // that of grpc_address. Empty: as grpc_address, with the machine's name for an address that is
    // any.
    std::string advertise_address;
    // HOST:PORT of the AWS face, as above; empty: there is none.
    std::string http_address;
    Gateway::Options gateway;
    std::vector<HttpFunction> http_functions;
    Location location;
    // Of the `default` session, and of sessions whose config leaves a member unset: clock mode,
    // limits, failure policy.
    v1::SessionConfig session_defaults;
    absl::Duration session_idle_limit = absl::Minutes(10);
    // Where executions are kept; see OpenStore. What is there goes on.
    std::string store = "memory";
    // 0: one per processor, at most 8.
    int lanes = 0;
    // How long Shutdown waits for calls to end before it cancels them.
    absl::Duration shutdown_limit = absl::Seconds(2);
  };

  // InvalidArgument says what is wrong with Options::store, as far as its text tells.
  static absl::Status ValidateStore(absl::string_view store);

  // Serves when it returns. InvalidArgument for a bad option, such as a clock that replicas do not
  // have, AlreadyExists for an address in use, Unavailable for one that cannot be listened on for
  // another reason, and what OpenStore says.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options);
  // Shuts down.
  ~Server();

  // 0 without an address.
  int port() const { return port_; }
  int http_port() const { return http_server_ == nullptr ? 0 : http_server_->port(); }

  // Where other replicas reach this one; empty where none share the store.
  const std::string& advertised_address() const { return advertised_address_; }

  std::shared_ptr<grpc::Channel> InProcessChannel(const grpc::ChannelArguments& arguments);

  // Refuses new work, aborts invocations, answers whoever waits, ends streams. Returns when no call
  // is left. Later calls do nothing.
  void Shutdown();

 private:
  Server(Options options, std::unique_ptr<ExecutionStore> store);
  ExecutorOptions OptionsOfExecutor();
  absl::Status AddHttpFunctions();
  absl::Status Listen();
  absl::Status ListenHttp();
  // Takes part in the work of the replicas that share the store, if any do.
  absl::Status Join();

  const Options options_;
  // Null after Shutdown.
  std::unique_ptr<ExecutionStore> store_;
  StreamInvoker invoker_;
  HttpFunctions http_functions_{invoker_};
  GrpcPeers peers_;
  ThreadScheduler scheduler_;
  Executor executor_;
  RpcContext context_;
  DurableExecutionsService durable_executions_;
  FunctionHostService function_host_;
  TestSessionsService test_sessions_;
  Gateway gateway_;
  std::unique_ptr<grpc::Server> grpc_server_;
  // Null without an address.
  std::unique_ptr<HttpServer> http_server_;
  int port_ = 0;
  std::string advertised_address_;
  std::atomic<bool> shut_down_{false};
};

// OK for HOST:PORT with a port in [0, 65535]; a host with colons stands in brackets.
// InvalidArgument says what is expected.
absl::Status ValidateAddress(absl::string_view address);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_SERVER_SERVER_H_
