// Authenticator: whether a request comes from somebody whose credentials we know.
//
//   Authenticator authenticator(credentials, "us-east-1");
//   absl::Status known = authenticator.Check(request, absl::Now());
#ifndef REHEARSE_SERVICE_GATEWAY_AUTHENTICATOR_H_
#define REHEARSE_SERVICE_GATEWAY_AUTHENTICATOR_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/message.h"
#include "service/sigv4/credentials.h"
#include "service/sigv4/sigv4.h"

namespace rehearse {

// Immutable.
class Authenticator {
 public:
  // Without credentials everybody is welcome.
  Authenticator(std::vector<AwsCredentials> credentials, std::string region)
      : credentials_(std::move(credentials)), region_(std::move(region)) {}

  // MissingSignature, IncompleteSignature, UnknownCredentials, InvalidSignature. The signature must
  // not be more than five minutes away from `now`, as on AWS.
  absl::Status Check(const HttpRequest& request, absl::Time now) const;

 private:
  const AwsCredentials* Find(absl::string_view access_key_id,
                             absl::string_view session_token) const;
  absl::Status CheckScope(const Signature& signature, absl::string_view timestamp) const;

  const std::vector<AwsCredentials> credentials_;
  const std::string region_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_GATEWAY_AUTHENTICATOR_H_
