#include "service/lambda_host/environment.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rehearse::lambda_host {
namespace {

constexpr char kDefaultRegion[] = "us-east-1";

// Each is a way to come by credentials.
constexpr const char* kCredentialVariables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
};

void CompleteRegion(Environment& environment) {
  const auto region = environment.find("AWS_REGION");
  const auto default_region = environment.find("AWS_DEFAULT_REGION");
  const std::string chosen = region != environment.end()           ? region->second
                             : default_region != environment.end() ? default_region->second
                                                                   : kDefaultRegion;
  environment.emplace("AWS_REGION", chosen);
  environment.emplace("AWS_DEFAULT_REGION", chosen);
}

void CompleteCredentials(Environment& environment) {
  const bool has_some =
      std::any_of(std::begin(kCredentialVariables), std::end(kCredentialVariables),
                  [&environment](const char* name) { return environment.count(name) > 0; });
  if (has_some) return;
  environment["AWS_ACCESS_KEY_ID"] = "rehearse";
  environment["AWS_SECRET_ACCESS_KEY"] = "rehearse";
  environment["AWS_SESSION_TOKEN"] = "rehearse";
}

std::string WorkingDirectory() {
  char* folder = getcwd(nullptr, 0);
  std::string path = folder == nullptr ? "." : folder;
  free(folder);
  return path;
}

}  // namespace

Environment CurrentEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.insert(
        std::pair<std::string, std::string>(absl::StrSplit(*entry, absl::MaxSplits('=', 1))));
  }
  return environment;
}

Environment RuntimeEnvironment(Environment inherited, const LambdaFunction& function,
                               absl::string_view endpoint_url) {
  Environment environment = std::move(inherited);
  for (const auto& [name, value] : function.environment) environment[name] = value;
  CompleteRegion(environment);
  CompleteCredentials(environment);
  environment.emplace("TZ", ":UTC");

  const std::string& name = function.spec.function_name();
  const std::string version = function.spec.version().empty() ? "$LATEST" : function.spec.version();
  environment["AWS_LAMBDA_FUNCTION_NAME"] = name.substr(0, name.find(':'));
  environment["AWS_LAMBDA_FUNCTION_VERSION"] = version;
  environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = absl::StrCat(function.memory_mb);
  environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand";
  environment["AWS_LAMBDA_LOG_GROUP_NAME"] = absl::StrCat("/aws/lambda/", name);
  environment["AWS_LAMBDA_LOG_STREAM_NAME"] = absl::StrCat("rehearse/[", version, "]");
  environment["LAMBDA_TASK_ROOT"] = function.folder.empty() ? WorkingDirectory() : function.folder;
  if (!function.handler.empty()) environment["_HANDLER"] = function.handler;
  if (!endpoint_url.empty()) environment["AWS_ENDPOINT_URL_LAMBDA"] = std::string(endpoint_url);
  return environment;
}

std::vector<std::string> ToStrings(const Environment& environment) {
  std::vector<std::string> strings;
  for (const auto& [name, value] : environment) strings.push_back(absl::StrCat(name, "=", value));
  return strings;
}

}  // namespace rehearse::lambda_host
