// The service that runners talk to.
#ifndef REHEARSE_CLIENT_CPP_TESTING_BACKEND_H_
#define REHEARSE_CLIENT_CPP_TESTING_BACKEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"

namespace durable::testing::internal {

// A channel to `service`, "host:port"; to the service in this process when it is empty. That one is
// started when it is first asked for, serves all runners of the process, each with a session of its
// own, and listens on no port.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const std::string& service);

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_BACKEND_H_
