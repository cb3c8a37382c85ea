#include "service/server/server.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/base/limits.h"
#include "service/checkpoint/failure_policy.h"
#include "service/store/open/open_store.h"

namespace rehearse {
namespace {

constexpr int kMaxLanes = 8;

int LaneCount(int lanes) {
  if (lanes > 0) return lanes;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxLanes);
}

struct HostPort {
  std::string host;
  int port;
};

absl::optional<HostPort> ParseAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return absl::nullopt;
  absl::string_view host = address.substr(0, colon);
  const absl::string_view port_text = address.substr(colon + 1);
  const bool in_brackets = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  const bool host_is_valid = std::all_of(host.begin(), host.end(), [in_brackets](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' ||
           (in_brackets && c == ':');
  });
  int port = 0;
  if (host.empty() || !host_is_valid || !absl::SimpleAtoi(port_text, &port) || port < 0 ||
      port > 65535) {
    return absl::nullopt;
  }
  return HostPort{std::string(host), port};
}

absl::Status ValidateSessionDefaults(const v1::SessionConfig& config) {
  if (!config.limits_profile().empty()) {
    absl::StatusOr<Limits> limits = LimitsProfile(config.limits_profile());
    if (!limits.ok()) return limits.status();
  }
  absl::StatusOr<Limits> limits = ApplyOverrides(Limits(), config.limits());
  if (!limits.ok()) return limits.status();
  if (config.failure_policy().empty()) return absl::OkStatus();
  return FailurePolicyPreset(config.failure_policy()).status();
}

// Why gRPC, which does not say, could not listen on `address`.
absl::Status ListenError(absl::string_view address) {
  const HostPort parsed = *ParseAddress(address);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int unresolved =
      getaddrinfo(parsed.host.c_str(), absl::StrCat(parsed.port).c_str(), &hints, &found);
  if (unresolved != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": ", gai_strerror(unresolved)));
  }
  const int probe = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  const int error = bind(probe, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  close(probe);
  freeaddrinfo(found);
  if (error == EADDRINUSE) {
    return absl::AlreadyExistsError(absl::StrCat("address already in use: ", address));
  }
  return absl::UnavailableError(absl::StrCat(
      "cannot listen on ", address, error == 0 ? "" : absl::StrCat(": ", strerror(error))));
}

// gRPC's health service is switched on for the process, once: the switch is not thread-safe.
void EnableHealthService() {
  static std::once_flag once;
  std::call_once(once, [] { grpc::EnableDefaultHealthCheckService(true); });
}

// Where other replicas reach what listens on `address`, at `port`.
std::string AdvertisedAddress(const Server::Options& options, int port) {
  const bool given = !options.advertise_address.empty();
  const HostPort address = *ParseAddress(given ? options.advertise_address : options.grpc_address);
  std::string host = address.host;
  if (!given && (host == "0.0.0.0" || host == "::")) {
    char name[256] = "localhost";
    gethostname(name, sizeof(name) - 1);
    host = name;
  }
  const bool colons = absl::StrContains(host, ':');
  return absl::StrCat(colons ? "[" : "", host, colons ? "]" : "", ":",
                      given && address.port != 0 ? address.port : port);
}

// What replicas that share a store cannot do.
absl::Status ValidateForReplicas(const Server::Options& options) {
  if (options.session_defaults.clock_mode() != v1::CLOCK_MODE_REAL &&
      options.session_defaults.clock_mode() != v1::CLOCK_MODE_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        "a PostgreSQL store keeps real time, since several services may share it: leave --time "
        "out, "
        "or take --store=sqlite:PATH");
  }
  if (options.grpc_address.empty()) {
    return absl::InvalidArgumentError(
        "a PostgreSQL store needs a gRPC address, at which other services that share it ask");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateAddress(absl::string_view address) {
  if (ParseAddress(address).has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("bad address '", address, "': expected HOST:PORT, for example 127.0.0.1:9013"));
}

absl::Status Server::ValidateStore(absl::string_view store) { return ValidateStoreAddress(store); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options) {
  absl::Status valid = ValidateSessionDefaults(options.session_defaults);
  for (const std::string& address :
       {options.grpc_address, options.http_address, options.advertise_address}) {
    if (valid.ok() && !address.empty()) valid = ValidateAddress(address);
  }
  if (!valid.ok()) return valid;
  absl::StatusOr<std::unique_ptr<ExecutionStore>> store = OpenStore(options.store);
  if (!store.ok()) return store.status();
  if ((*store)->replicas() != nullptr) valid = ValidateForReplicas(options);
  if (!valid.ok()) return valid;
  std::unique_ptr<Server> server(new Server(std::move(options), *std::move(store)));
  absl::Status listening = server->executor_.Recover();
  if (listening.ok()) listening = server->AddHttpFunctions();
  // First, since gRPC tells of it.
  if (listening.ok()) listening = server->ListenHttp();
  if (listening.ok()) listening = server->Listen();
  if (listening.ok()) listening = server->Join();
  if (!listening.ok()) return listening;
  return server;
}

Server::Server(Options options, std::unique_ptr<ExecutionStore> store)
    : options_(std::move(options)),
      store_(std::move(store)),
      scheduler_(LaneCount(options_.lanes)),
      executor_(OptionsOfExecutor(), scheduler_, *store_, invoker_, RandomIdSource()),
      context_{executor_, invoker_, {}, ""},
      durable_executions_(context_),
      function_host_(context_),
      test_sessions_(context_),
      gateway_(executor_, http_functions_, options_.gateway) {}

Server::~Server() { Shutdown(); }

ExecutorOptions Server::OptionsOfExecutor() {
  ExecutorOptions options;
  options.location = options_.location;
  options.session_defaults = options_.session_defaults;
  options.session_idle_limit = options_.session_idle_limit;
  options.peers = &peers_;
  options.session_deleted = [this](const std::string& session) {
    context_.streams.EndSession(session, errors::SessionNotFound(session));
  };
  return options;
}

absl::Status Server::Join() {
  if (store_->replicas() == nullptr) return absl::OkStatus();
  advertised_address_ = AdvertisedAddress(options_, port_);
  return executor_.Join(advertised_address_);
}

absl::Status Server::Listen() {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxReceiveMessageBytes);
  builder.RegisterService(&durable_executions_);
  builder.RegisterService(&function_host_);
  builder.RegisterService(&test_sessions_);
  if (!options_.grpc_address.empty()) {
    EnableHealthService();
    // Harmless when the library has done so by itself, which it does for all servers of the
    // process.
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Without this a second server on the port would get every other connection.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Workers ping every 30 s, so that a connection that has died is noticed while nothing runs.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddListeningPort(options_.grpc_address, grpc::InsecureServerCredentials(), &port_);
  }
  grpc_server_ = builder.BuildAndStart();
  if (grpc_server_ == nullptr) return ListenError(options_.grpc_address);
  if (grpc::HealthCheckServiceInterface* health = grpc_server_->GetHealthCheckService()) {
    for (const char* service :
         {v1::DurableExecutions::service_full_name(), v1::FunctionHost::service_full_name(),
          v1::TestSessions::service_full_name()}) {
      health->SetServingStatus(service, true);
    }
  }
  return absl::OkStatus();
}

absl::Status Server::AddHttpFunctions() {
  for (const HttpFunction& function : options_.http_functions) {
    absl::Status registered = executor_.RegisterFunctions(kDefaultSession, {function.spec});
    if (!registered.ok()) return registered;
    http_functions_.Set(kDefaultSession, function.spec.function_name(), function.endpoint);
  }
  return absl::OkStatus();
}

absl::Status Server::ListenHttp() {
  if (options_.http_address.empty()) return absl::OkStatus();
  const HostPort address = *ParseAddress(options_.http_address);
  HttpServer::Options http_options;
  http_options.host = address.host;
  http_options.port = address.port;
  http_options.refuse = [this](int status, absl::string_view message) {
    return gateway_.Refuse(status, message);
  };
  absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      std::move(http_options), [this](HttpRequest request, HttpServer::Responder respond) {
        gateway_.Handle(std::move(request), std::move(respond));
      });
  if (!server.ok()) return server.status();
  http_server_ = *std::move(server);
  context_.http_address = absl::StrCat(
      options_.http_address.substr(0, options_.http_address.rfind(':')), ":", http_server_->port());
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel(const grpc::ChannelArguments& arguments) {
  return grpc_server_->InProcessChannel(arguments);
}

void Server::Shutdown() {
  if (shut_down_.exchange(true)) return;
  executor_.Shutdown();
  context_.streams.EndAll(errors::ShuttingDown());
  if (http_server_ != nullptr) http_server_->Shutdown(options_.shutdown_limit);
  if (grpc_server_ != nullptr) {
    if (grpc::HealthCheckServiceInterface* health = grpc_server_->GetHealthCheckService()) {
      health->Shutdown();
    }
    grpc_server_->Shutdown(absl::ToChronoTime(absl::Now() + options_.shutdown_limit));
  }
  http_functions_.Shutdown();
  scheduler_.Shutdown();
  // What it still answers is told to the executor, which comes to nothing, but has to be there.
  store_.reset();
}

}  // namespace rehearse
