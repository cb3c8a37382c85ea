#include "service/cli/function_flag.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "service/base/limits.h"
#include "service/http/url.h"

namespace rehearse {
namespace {

constexpr int kDefaultExecutionTimeoutSeconds = 300;

// Of AWS's local Python runner, for functions of --function-configs.
constexpr int kDefaultConfiguredTimeoutSeconds = 120;
constexpr int kDefaultConfiguredRetentionDays = 1;

absl::StatusOr<std::string> ReadFunctionConfigs(absl::string_view value) {
  if (!absl::ConsumePrefix(&value, "file://")) return std::string(value);
  std::ifstream file{std::string(value)};
  if (!file.is_open()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", value));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<int> ReadSetting(const nlohmann::json& config, const char* name, int default_value,
                                int max) {
  const auto setting = config.find(name);
  if (setting == config.end()) return default_value;
  if (setting->is_number_integer() && *setting >= 1 && *setting <= max) return setting->get<int>();
  return absl::InvalidArgumentError(
      absl::StrCat("DurableConfig.", name, " must be a whole number from 1 to ", max));
}

absl::StatusOr<v1::FunctionSpec> ReadFunctionConfig(const std::string& name,
                                                    const nlohmann::json& entry) {
  v1::FunctionSpec spec;
  spec.set_function_name(name);
  if (!entry.is_object() && !entry.is_null()) {
    return absl::InvalidArgumentError("expected {}, null or {\"DurableConfig\": {...}}");
  }
  const nlohmann::json config =
      entry.is_object() ? entry.value("DurableConfig", nlohmann::json()) : nlohmann::json();
  if (config.is_null()) return spec;
  if (!config.is_object()) {
    return absl::InvalidArgumentError("DurableConfig must be a JSON object");
  }
  const absl::StatusOr<int> timeout =
      ReadSetting(config, "ExecutionTimeout", kDefaultConfiguredTimeoutSeconds, kMaxDelaySeconds);
  if (!timeout.ok()) return timeout.status();
  const absl::StatusOr<int> retention = ReadSetting(
      config, "RetentionPeriodInDays", kDefaultConfiguredRetentionDays, kMaxRetentionDays);
  if (!retention.ok()) return retention.status();
  spec.set_durable(true);
  spec.mutable_durable_config()->set_execution_timeout(*timeout);
  spec.mutable_durable_config()->set_retention_period_in_days(*retention);
  return spec;
}

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

absl::StatusOr<std::vector<HttpFunction>> ParseFunctionConfigs(absl::string_view value,
                                                               const HttpUrl& lambda_endpoint) {
  const absl::StatusOr<std::string> text = ReadFunctionConfigs(value);
  if (!text.ok()) return text.status();
  const nlohmann::json configs = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!configs.is_object()) {
    return absl::InvalidArgumentError(
        "expected a JSON object from function names to configurations, or file://PATH of one");
  }
  std::vector<HttpFunction> functions;
  for (const auto& [name, entry] : configs.items()) {
    absl::StatusOr<v1::FunctionSpec> spec = ReadFunctionConfig(name, entry);
    if (!spec.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("function '", name, "': ", spec.status().message()));
    }
    HttpFunction function{*std::move(spec), lambda_endpoint};
    absl::StrAppend(&function.endpoint.path, "/2015-03-31/functions/", PercentEncode(name),
                    "/invocations");
    functions.push_back(std::move(function));
  }
  return functions;
}

}  // namespace rehearse
