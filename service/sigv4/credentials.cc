#include "service/sigv4/credentials.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rehearse {
namespace {

struct Profile {
  std::string name;
  AwsCredentials credentials;
};

bool IsComment(absl::string_view line) { return line.empty() || line[0] == '#' || line[0] == ';'; }

void Set(absl::string_view key, absl::string_view value, AwsCredentials& credentials) {
  if (key == "aws_access_key_id") credentials.access_key_id = std::string(value);
  if (key == "aws_secret_access_key") credentials.secret_access_key = std::string(value);
  if (key == "aws_session_token") credentials.session_token = std::string(value);
}

absl::Status ReadLine(absl::string_view line, std::vector<Profile>& profiles) {
  if (absl::ConsumePrefix(&line, "[")) {
    if (!absl::ConsumeSuffix(&line, "]")) return absl::InvalidArgumentError("expected [PROFILE]");
    profiles.push_back({std::string(absl::StripAsciiWhitespace(line)), {}});
    return absl::OkStatus();
  }
  if (profiles.empty()) return absl::InvalidArgumentError("expected [PROFILE] first");
  const std::pair<absl::string_view, absl::string_view> setting =
      absl::StrSplit(line, absl::MaxSplits('=', 1));
  Set(absl::StripAsciiWhitespace(setting.first), absl::StripAsciiWhitespace(setting.second),
      profiles.back().credentials);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<AwsCredentials>> ParseCredentialsFile(absl::string_view text) {
  std::vector<Profile> profiles;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (IsComment(line)) continue;
    const absl::Status read = ReadLine(line, profiles);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", read.message()));
    }
  }
  std::vector<AwsCredentials> found;
  for (Profile& profile : profiles) {
    const bool has_id = !profile.credentials.access_key_id.empty();
    if (has_id != !profile.credentials.secret_access_key.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("profile '", profile.name,
                       "' needs aws_access_key_id and aws_secret_access_key together"));
    }
    if (has_id) found.push_back(std::move(profile.credentials));
  }
  if (found.empty()) {
    return absl::InvalidArgumentError("no profile has aws_access_key_id and aws_secret_access_key");
  }
  return found;
}

}  // namespace rehearse
