#include "service/executor/invocation_output.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "service/base/text.h"

namespace rehearse {
namespace {

using Json = nlohmann::json;
using Outcome = InvocationResult::Outcome;

v1::ErrorObject MakeErrorObject(absl::string_view type, absl::string_view message) {
  v1::ErrorObject error;
  error.set_error_type(std::string(type));
  error.set_error_message(std::string(message));
  return error;
}

InvocationResult Invalid(absl::string_view message) {
  return {Outcome::kInvalidOutput, absl::nullopt,
          MakeErrorObject("InvalidParameterValueException", message)};
}

// The string member `name`, absent when it is missing or null. False when it is of another type.
bool ReadString(const Json& object, const char* name, absl::optional<std::string>& value) {
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) return true;
  if (!member->is_string()) return false;
  value = member->get<std::string>();
  return true;
}

// nullopt when a member has the wrong type.
absl::optional<v1::ErrorObject> ReadError(const Json& object) {
  absl::optional<std::string> message, type, data;
  if (!ReadString(object, "ErrorMessage", message) || !ReadString(object, "ErrorType", type) ||
      !ReadString(object, "ErrorData", data)) {
    return absl::nullopt;
  }
  v1::ErrorObject error;
  if (message.has_value()) error.set_error_message(*std::move(message));
  if (type.has_value()) error.set_error_type(*std::move(type));
  if (data.has_value()) error.set_error_data(*std::move(data));
  const auto stack = object.find("StackTrace");
  if (stack == object.end() || stack->is_null()) return error;
  if (!stack->is_array()) return absl::nullopt;
  for (const Json& line : *stack) {
    if (!line.is_string()) return absl::nullopt;
    error.add_stack_trace(line.get<std::string>());
  }
  return error;
}

InvocationResult ReadFailed(const Json& output, const absl::optional<std::string>& result) {
  if (result.has_value()) return Invalid("The function answered FAILED with a Result.");
  const auto error = output.find("Error");
  if (error == output.end() || error->is_null())
    return {Outcome::kFailed, absl::nullopt, absl::nullopt};
  if (!error->is_object()) return Invalid("Error of the function's answer must be an object.");
  absl::optional<v1::ErrorObject> object = ReadError(*error);
  if (!object.has_value()) {
    return Invalid("Error of the function's answer has a member of the wrong type.");
  }
  return {Outcome::kFailed, absl::nullopt, *std::move(object)};
}

}  // namespace

InvocationResult ParseInvocationOutput(absl::string_view payload) {
  const Json output =
      Json::parse(payload.begin(), payload.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (output.is_discarded()) return Invalid("The function's answer is not JSON.");
  if (!output.is_object()) return Invalid("The function's answer must be a JSON object.");
  absl::optional<std::string> status, result;
  if (!ReadString(output, "Status", status) || !status.has_value()) {
    return Invalid("The function's answer must have a Status; is the handler durable?");
  }
  if (!ReadString(output, "Result", result)) {
    return Invalid("Result of the function's answer must be a string.");
  }
  if (*status == "PENDING") return {Outcome::kPending, absl::nullopt, absl::nullopt};
  if (*status == "FAILED") return ReadFailed(output, result);
  if (*status != "SUCCEEDED") {
    return Invalid(absl::StrCat("Unknown Status '", *status, "' of the function's answer."));
  }
  const auto error = output.find("Error");
  if (error != output.end() && !error->is_null()) {
    return Invalid("The function answered SUCCEEDED with an Error.");
  }
  return {Outcome::kSucceeded, std::move(result), absl::nullopt};
}

InvocationResult ToInvocationResult(InvocationEnd end) {
  if (end.kind == InvocationEnd::Kind::kAnswered) return ParseInvocationOutput(end.payload);
  return {Outcome::kBroken, absl::nullopt, std::move(end.error)};
}

v1::ErrorObject InvocationTimedOut(absl::Time now, absl::string_view request_id,
                                   absl::Duration timeout) {
  return MakeErrorObject(
      "Sandbox.Timedout",
      absl::StrFormat("%s %s Task timed out after %.2f seconds",
                      absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", now, absl::UTCTimeZone()),
                      request_id, absl::ToDoubleSeconds(timeout)));
}

PlainResult ToPlainResult(InvocationEnd end, int64_t max_result_bytes) {
  if (end.kind != InvocationEnd::Kind::kAnswered) return {absl::nullopt, std::move(end.error)};
  if (static_cast<int64_t>(end.payload.size()) > max_result_bytes) {
    v1::ErrorObject error;
    error.set_error_message(
        absl::StrCat("CHAINED_INVOKE output payload size must be less than or equal to ",
                     max_result_bytes, " bytes."));
    return {absl::nullopt, std::move(error)};
  }
  if (!IsUtf8(end.payload)) {
    v1::ErrorObject error;
    error.set_error_message("The output of a CHAINED_INVOKE must be UTF-8 text.");
    return {absl::nullopt, std::move(error)};
  }
  // No payload at all is success without a result.
  if (end.payload.empty()) return {};
  return {std::move(end.payload), absl::nullopt};
}

}  // namespace rehearse
