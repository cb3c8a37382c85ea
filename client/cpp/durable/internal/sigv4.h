// AWS Signature Version 4: signs a request with a caller's credentials.
//
//   internal::SignRequest(request, "lambda.us-east-1.amazonaws.com",
//                         {credentials, "us-east-1", "lambda"}, absl::Now());
//
// The rules are AWS's "Signature Version 4 signing process", for services other than S3: each
// segment of the path is percent-encoded once more than on the wire. Sees no clock and no network.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SIGV4_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SIGV4_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/message.h"

namespace durable {
namespace internal {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  // Empty for permanent credentials.
  std::string session_token;
};

struct SigningScope {
  AwsCredentials credentials;
  std::string region;
  std::string service;
};

// Adds X-Amz-Date, with temporary credentials X-Amz-Security-Token, and Authorization. `host` is
// what the request will have as its Host header. Signs Content-Type if it is there, and the body.
void SignRequest(rehearse::HttpRequest& request, absl::string_view host, const SigningScope& scope,
                 absl::Time now);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_SIGV4_H_
