// A ServiceClient over the unary calls of a service, for hosts that no worker stream reaches.
//
//   durable::UnaryServiceClient client("127.0.0.1:9013", durable::UnaryOptions());
//   durable::InvocationOutput output =
//       durable::RunInvocation(handler, input, client, durable::RuntimeOptions());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_UNARY_SERVICE_CLIENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_UNARY_SERVICE_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"

namespace durable {

struct UnaryOptions {
  // A call that fails for now is made again with the same tokens, so that a lost answer is
  // harmless: at least 1.
  int max_attempts = 3;
  // The pause before the second attempt; it doubles with each further one, up to `max_pause`.
  absl::Duration first_pause = absl::Milliseconds(100);
  absl::Duration max_pause = absl::Seconds(2);
  // Of each attempt.
  absl::Duration deadline = absl::Seconds(50);
  // Blocks for the length of a pause.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

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
