// A ServiceClient over the worker stream that brought the invocation.
//
//   internal::StreamServiceClient client(channel);
//   InvocationOutput output =
//       RunInvocation(handler, internal::FromProto(channel.invocation()), client, options);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STREAM_SERVICE_CLIENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STREAM_SERVICE_CLIENT_H_

#include "client/cpp/durable/internal/proto_conversion.h"
#include "client/cpp/durable/service_client.h"
#include "service/worker/worker_pool.h"

namespace durable {
namespace internal {

class StreamServiceClient final : public ServiceClient {
 public:
  // `channel` outlives the client.
  explicit StreamServiceClient(rehearse::worker::InvocationChannel& channel) : channel_(channel) {}

  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override {
    auto response = channel_.Checkpoint(ToProto(request));
    if (!response.ok()) return std::move(response).status();
    return FromProto(*std::move(response));
  }

  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override {
    auto response = channel_.GetExecutionState(ToProto(request));
    if (!response.ok()) return std::move(response).status();
    return FromProto(*std::move(response));
  }

  bool cancelled() const override { return !channel_.abort_status().ok(); }

 private:
  rehearse::worker::InvocationChannel& channel_;
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STREAM_SERVICE_CLIENT_H_
