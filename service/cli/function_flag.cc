#include "service/cli/function_flag.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/base/limits.h"

namespace rehearse {
namespace {

constexpr int kDefaultExecutionTimeoutSeconds = 300;

}  // namespace

absl::StatusOr<HttpFunction> ParseHttpFunction(absl::string_view text) {
  const absl::Status bad = absl::InvalidArgumentError(absl::StrCat(
      "bad function '", text, "': expected NAME[,plain][,execution-timeout=SECONDS]=http://..."));
  const size_t equals = text.find("=http");
  if (equals == absl::string_view::npos) return bad;
  absl::StatusOr<HttpUrl> endpoint = ParseHttpUrl(text.substr(equals + 1));
  if (!endpoint.ok()) return endpoint.status();
  const std::vector<absl::string_view> parts = absl::StrSplit(text.substr(0, equals), ',');
  if (parts[0].empty() || absl::StrContains(parts[0], '=')) return bad;

  HttpFunction function;
  function.endpoint = *std::move(endpoint);
  function.spec.set_function_name(std::string(parts[0]));
  function.spec.set_durable(true);
  int timeout_seconds = kDefaultExecutionTimeoutSeconds;
  for (size_t i = 1; i < parts.size(); ++i) {
    absl::string_view value = parts[i];
    if (value == "plain") {
      function.spec.set_durable(false);
    } else if (!absl::ConsumePrefix(&value, "execution-timeout=") ||
               !absl::SimpleAtoi(value, &timeout_seconds) || timeout_seconds < 1 ||
               timeout_seconds > kMaxDelaySeconds) {
      return bad;
    }
  }
  if (function.spec.durable()) {
    function.spec.mutable_durable_config()->set_execution_timeout(timeout_seconds);
  }
  return function;
}

}  // namespace rehearse
