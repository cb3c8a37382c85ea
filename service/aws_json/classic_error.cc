#include "service/aws_json/classic_error.h"

#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace rehearse {
namespace {

absl::optional<std::string> TextMember(const nlohmann::json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return absl::nullopt;
  return member->get<std::string>();
}

// Of any bytes: those that are not UTF-8 are replaced.
std::string ToUtf8(absl::string_view text) {
  const std::string quoted =
      nlohmann::json(std::string(text))
          .dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

}  // namespace

v1::ErrorObject FromClassicError(absl::string_view text) {
  v1::ErrorObject error;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    error.set_error_message(ToUtf8(text));
    return error;
  }
  if (auto message = TextMember(json, "errorMessage")) error.set_error_message(*message);
  if (auto type = TextMember(json, "errorType")) error.set_error_type(*type);
  if (auto data = TextMember(json, "errorData")) error.set_error_data(*data);
  for (const char* name : {"stackTrace", "trace"}) {
    const auto stack = json.find(name);
    if (stack == json.end() || !stack->is_array()) continue;
    for (const nlohmann::json& line : *stack) {
      error.add_stack_trace(line.is_string() ? line.get<std::string>() : line.dump());
    }
  }
  return error;
}

}  // namespace rehearse
