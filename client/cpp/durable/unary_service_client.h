// A ServiceClient over the unary calls of a service, for hosts that no worker stream reaches.
//
//   durable::UnaryServiceClient client("127.0.0.1:9013", durable::UnaryOptions());
//   durable::InvocationOutput output =
//       durable::RunInvocation(handler, input, client, durable::RuntimeOptions());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_UNARY_SERVICE_CLIENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_UNARY_SERVICE_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"
#include "client/cpp/durable/unary_options.h"

namespace durable {

// Thread-safe. One serves any number of invocations.
class UnaryServiceClient final : public ServiceClient {
 public:
  // `server` is "host:port".
  UnaryServiceClient(const std::string& server, UnaryOptions options);
  ~UnaryServiceClient() override;

  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override;
  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_UNARY_SERVICE_CLIENT_H_
