// The value of `rehearse up --credentials-file`.
//
//   absl::StatusOr<std::vector<AwsCredentials>> credentials =
//       ReadCredentialsFile("/home/ada/.aws/credentials");
#ifndef REHEARSE_SERVICE_CLI_CREDENTIALS_FLAG_H_
#define REHEARSE_SERVICE_CLI_CREDENTIALS_FLAG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/sigv4/credentials.h"

namespace rehearse {

// InvalidArgument names the file and what is wrong with it.
absl::StatusOr<std::vector<AwsCredentials>> ReadCredentialsFile(const std::string& path);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_CREDENTIALS_FLAG_H_
