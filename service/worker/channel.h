// Channels to a service.
//
//   std::shared_ptr<grpc::Channel> channel = rehearse::worker::CreateChannel("127.0.0.1:9013");
#ifndef REHEARSE_SERVICE_WORKER_CHANNEL_H_
#define REHEARSE_SERVICE_WORKER_CHANNEL_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace rehearse::worker {

// What every channel of a client has: messages of up to 64 MiB (a batch of checkpoints and a page
// of state stay far below), a connection that is checked every 30 s and tried again after 50 ms to
// 2 s.
grpc::ChannelArguments DefaultChannelArguments();

// A channel to `target`, "host:port", without transport security: the service listens on a
// developer's machine. `user_agent` goes before gRPC's own; empty: only that.
std::shared_ptr<grpc::Channel> CreateChannel(const std::string& target,
                                             const std::string& user_agent = "");

}  // namespace rehearse::worker

#endif  // REHEARSE_SERVICE_WORKER_CHANNEL_H_
