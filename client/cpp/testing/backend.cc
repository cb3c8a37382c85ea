#include "client/cpp/testing/backend.h"

#include "service/server/server.h"
#include "service/worker/channel.h"

namespace durable::testing::internal {
namespace {

// Runs until the process ends: there is no moment at which the last runner is known to be the last.
const absl::StatusOr<rehearse::Server*>& EmbeddedServer() {
  static const auto* const server =
      new absl::StatusOr<rehearse::Server*>([]() -> absl::StatusOr<rehearse::Server*> {
        absl::StatusOr<std::unique_ptr<rehearse::Server>> started = rehearse::Server::Start({});
        if (!started.ok()) return started.status();
        return started->release();
      }());
  return *server;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const std::string& service) {
  if (!service.empty()) return rehearse::worker::CreateChannel(service);
  const absl::StatusOr<rehearse::Server*>& server = EmbeddedServer();
  if (!server.ok()) return server.status();
  return (*server)->InProcessChannel(rehearse::worker::DefaultChannelArguments());
}

}  // namespace durable::testing::internal
