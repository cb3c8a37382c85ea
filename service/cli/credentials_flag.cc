#include "service/cli/credentials_flag.h"

#include <fstream>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace rehearse {

absl::StatusOr<std::vector<AwsCredentials>> ReadCredentialsFile(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  absl::StatusOr<std::vector<AwsCredentials>> credentials =
      ParseCredentialsFile(std::string(std::istreambuf_iterator<char>(file), {}));
  if (credentials.ok()) return credentials;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", credentials.status().message()));
}

}  // namespace rehearse
