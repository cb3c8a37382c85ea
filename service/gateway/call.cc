#include "service/gateway/call.h"

#include "service/aws_json/aws_query.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

absl::optional<std::string> Copy(absl::optional<absl::string_view> text) {
  if (!text.has_value()) return absl::nullopt;
  return std::string(*text);
}

absl::Status AsInvalidParameter(const absl::Status& status) {
  return status.ok() ? status : errors::InvalidParameter(status.message());
}

}  // namespace

absl::optional<std::string> Call::Header(absl::string_view name) const {
  return Copy(FindHeader(headers_, name));
}

absl::optional<std::string> Call::Query(absl::string_view key) const {
  return Copy(FindQuery(query_, key));
}

absl::Status Call::ReadBody(google::protobuf::Message& message) const {
  if (body_.empty()) return absl::OkStatus();
  return AsInvalidParameter(FromAwsJson(body_, message));
}

absl::Status Call::ReadQuery(google::protobuf::Message& message) const {
  return AsInvalidParameter(FromAwsQuery(query_, message));
}

void Call::Fail(const absl::Status& status) { respond_(ErrorResponse(status, type_member_)); }

void Call::Reply(int http_status, std::string json) {
  HttpResponse response(http_status);
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(json);
  respond_(std::move(response));
}

}  // namespace rehearse
