#include "client/cpp/durable/unary_service_client.h"

#include <utility>

#include "client/cpp/durable/internal/call_with_retries.h"
#include "client/cpp/durable/internal/proto_conversion.h"
#include "client/cpp/durable/internal/user_agent.h"
#include "grpcpp/client_context.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "service/worker/channel.h"
#include "service/worker/status.h"

namespace durable {

namespace v1 = ::rehearse::v1;

class UnaryServiceClient::Impl {
 public:
  Impl(const std::string& server, UnaryOptions options)
      : options_(std::move(options)),
        stub_(v1::DurableExecutions::NewStub(
            rehearse::worker::CreateChannel(server, internal::kUserAgent))) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::DurableExecutions::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    return internal::CallWithRetries(options_, [&]() -> absl::StatusOr<Response> {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + options_.deadline));
      Response response;
      absl::Status status =
          rehearse::worker::FromGrpcStatus((stub_.get()->*method)(&context, request, &response));
      if (!status.ok()) return status;
      return response;
    });
  }

 private:
  const UnaryOptions options_;
  const std::unique_ptr<v1::DurableExecutions::Stub> stub_;
};

UnaryServiceClient::UnaryServiceClient(const std::string& server, UnaryOptions options)
    : impl_(std::make_unique<Impl>(server, std::move(options))) {}

UnaryServiceClient::~UnaryServiceClient() = default;

absl::StatusOr<CheckpointResponse> UnaryServiceClient::Checkpoint(
    const CheckpointRequest& request) {
  auto response = impl_->Call(&v1::DurableExecutions::Stub::Checkpoint, internal::ToProto(request));
  if (!response.ok()) return std::move(response).status();
  return internal::FromProto(*std::move(response));
}

absl::StatusOr<StatePage> UnaryServiceClient::GetState(const GetStateRequest& request) {
  auto response =
      impl_->Call(&v1::DurableExecutions::Stub::GetExecutionState, internal::ToProto(request));
  if (!response.ok()) return std::move(response).status();
  return internal::FromProto(*std::move(response));
}

}  // namespace durable
