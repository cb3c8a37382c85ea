#include "service/worker/channel.h"

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace rehearse::worker {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;
constexpr int kKeepaliveMs = 30'000;
constexpr int kMinReconnectMs = 50;
constexpr int kMaxReconnectMs = 2'000;

}  // namespace

grpc::ChannelArguments DefaultChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  return arguments;
}

std::shared_ptr<grpc::Channel> CreateChannel(const std::string& target,
                                             const std::string& user_agent) {
  grpc::ChannelArguments arguments = DefaultChannelArguments();
  if (!user_agent.empty()) arguments.SetUserAgentPrefix(user_agent);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace rehearse::worker
