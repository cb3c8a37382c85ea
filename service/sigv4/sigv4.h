// AWS Signature Version 4: signs requests with a caller's credentials, and checks signatures.
//
//   SignRequest(request, "lambda.us-east-1.amazonaws.com", {credentials, "us-east-1", "lambda"},
//               absl::Now());
//   ...
//   absl::StatusOr<Signature> signature = ParseSignature(*FindHeader(headers, "Authorization"));
//   if (!IsSignedBy(request, *signature, credentials.secret_access_key)) ...
//
// The rules are AWS's "Signature Version 4 signing process", for services other than S3: each
// segment of the path is percent-encoded once more than on the wire. Sees no clock and no network.
#ifndef REHEARSE_SERVICE_SIGV4_SIGV4_H_
#define REHEARSE_SERVICE_SIGV4_SIGV4_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/message.h"
#include "service/sigv4/credentials.h"

namespace rehearse {

struct SigningScope {
  AwsCredentials credentials;
  std::string region;
  std::string service;
};

// Adds X-Amz-Date, with temporary credentials X-Amz-Security-Token, and Authorization. `host` is
// what the request will have as its Host header. Signs Content-Type if it is there, and the body.
void SignRequest(HttpRequest& request, absl::string_view host, const SigningScope& scope,
                 absl::Time now);

// What the Authorization header of a signed request says.
struct Signature {
  std::string access_key_id;
  // The credential scope; the date as in "20261127".
  std::string date;
  std::string region;
  std::string service;
  // In lower case.
  std::vector<std::string> signed_headers;
  // In hexadecimal digits.
  std::string value;
};

// InvalidArgument says what the header lacks.
absl::StatusOr<Signature> ParseSignature(absl::string_view authorization);

// Whether the one who signed has that key, for the request as it is: method, target, body, and the
// headers that the signature covers. The request has the header X-Amz-Date.
bool IsSignedBy(const HttpRequest& request, const Signature& signature,
                absl::string_view secret_access_key);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_SIGV4_SIGV4_H_
