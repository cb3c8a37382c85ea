#include "service/gateway/error_response.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "service/base/errors.h"

namespace rehearse {
namespace {

// The AWS API model spells the member of an error's text in two ways. These write `message`, all
// others `Message`.
constexpr absl::string_view kLowerCaseMessage[] = {
    "IncompleteSignatureException",        "InvalidParameterValueException",
    "InvalidRequestContentException",      "InvalidSignatureException",
    "MissingAuthenticationTokenException", "RequestTooLargeException",
    "ResourceConflictException",           "TooManyRequestsException",
    "UnrecognizedClientException",
};

const char* MessageMemberOf(absl::string_view error_name) {
  for (absl::string_view name : kLowerCaseMessage) {
    if (name == error_name) return "message";
  }
  return "Message";
}

}  // namespace

HttpResponse ErrorResponse(const absl::Status& status, ErrorTypeMember type_member) {
  HttpResponse response(HttpStatusOf(status));
  const std::string name = ErrorNameOf(status);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("x-amzn-ErrorType", name);
  nlohmann::json body;
  body["Type"] = type_member == ErrorTypeMember::kName ? name
                 : response.status < 500               ? "User"
                                                       : "Server";
  body[MessageMemberOf(name)] = std::string(status.message());
  const absl::optional<std::string> reason = ThrottleReasonOf(status);
  if (reason.has_value()) body["Reason"] = *reason;
  const absl::optional<absl::Duration> delay = RetryDelayOf(status);
  if (delay.has_value()) {
    response.headers.emplace_back(
        "Retry-After", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(*delay, absl::Seconds(1)))));
  }
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

}  // namespace rehearse
