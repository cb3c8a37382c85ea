// A caller's credentials, and the file that holds several: AWS's shared credentials file.
//
//   [default]
//   aws_access_key_id = AKIAEXAMPLE
//   aws_secret_access_key = ...
//   aws_session_token = ...          # of temporary credentials
//
//   absl::StatusOr<std::vector<AwsCredentials>> credentials = ParseCredentialsFile(text);
#ifndef REHEARSE_SERVICE_SIGV4_CREDENTIALS_H_
#define REHEARSE_SERVICE_SIGV4_CREDENTIALS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rehearse {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  // Empty for permanent credentials.
  std::string session_token;
};

// The keys of all profiles, in order. Profiles that hold none, but name a way to some, are passed
// over. InvalidArgument names the line or profile, and no secret; also if there are no keys at all.
absl::StatusOr<std::vector<AwsCredentials>> ParseCredentialsFile(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_SIGV4_CREDENTIALS_H_
