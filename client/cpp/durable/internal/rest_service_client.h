// A ServiceClient over the AWS API, as a function in the cloud has it.
//
//   internal::RestServiceClient client(
//       {*rehearse::ParseHttpUrl("https://lambda.us-east-1.amazonaws.com"),
//        {credentials, "us-east-1", "lambda"}, UnaryOptions()});
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_REST_SERVICE_CLIENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_REST_SERVICE_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"
#include "client/cpp/durable/unary_options.h"
#include "service/http/http_client.h"
#include "service/sigv4/sigv4.h"

namespace durable {
namespace internal {

struct RestOptions {
  rehearse::HttpUrl endpoint;
  rehearse::SigningScope scope;
  UnaryOptions calls;
};

// Thread-safe. One serves any number of invocations.
class RestServiceClient final : public ServiceClient {
 public:
  explicit RestServiceClient(RestOptions options) : options_(std::move(options)) {}

  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override;
  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override;

 private:
  // The answer, read as a Message; an error of the API as the Status of the same meaning.
  template <typename Message>
  absl::StatusOr<Message> Call(const std::string& method, const std::string& path,
                               const std::string& body);

  const RestOptions options_;
  rehearse::HttpClient client_;
};

// What an error of the AWS API means, as ServiceClient's contract has it. `body` is its JSON.
absl::Status FromAwsError(int http_status, absl::string_view name, absl::string_view body);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_REST_SERVICE_CLIENT_H_
