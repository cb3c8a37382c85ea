#include "client/cpp/durable/internal/rest_service_client.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/durable/internal/call_with_retries.h"
#include "client/cpp/durable/internal/proto_conversion.h"
#include "client/cpp/durable/internal/user_agent.h"
#include "nlohmann/json.hpp"
#include "rehearse/v1/durable_executions.pb.h"
#include "service/aws_json/aws_json.h"
#include "service/http/url.h"

namespace durable {
namespace internal {
namespace {

namespace v1 = ::rehearse::v1;

std::string ExecutionPath(const std::string& arn, absl::string_view suffix) {
  return absl::StrCat("/2025-12-01/durable-executions/", rehearse::PercentEncode(arn), suffix);
}

std::string HostOf(const rehearse::HttpUrl& url) {
  const bool standard_port = url.port == (url.tls ? 443 : 80);
  return standard_port ? url.host : absl::StrCat(url.host, ":", url.port);
}

std::string MessageOf(absl::string_view body) {
  const nlohmann::json json =
      nlohmann::json::parse(body.begin(), body.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::string(body);
  for (const char* member : {"message", "Message", "errorMessage"}) {
    const auto text = json.find(member);
    if (text != json.end() && text->is_string()) return text->get<std::string>();
  }
  return std::string(body);
}

template <typename Message>
absl::StatusOr<Message> Parse(const std::string& body) {
  Message message;
  const absl::Status read = rehearse::FromAwsJson(body, message);
  if (read.ok()) return message;
  return absl::UnavailableError(
      absl::StrCat("the service's answer is unreadable: ", read.message()));
}

}  // namespace

absl::Status FromAwsError(int http_status, absl::string_view name, absl::string_view body) {
  const std::string text = MessageOf(body);
  // Permanent although it comes as 502.
  if (absl::StartsWith(name, "KMS")) return absl::FailedPreconditionError(text);
  if (http_status == 429) return absl::ResourceExhaustedError(text);
  if (http_status >= 500) return absl::UnavailableError(text);
  if (http_status == 401 || http_status == 403) return absl::PermissionDeniedError(text);
  if (http_status == 404) return absl::NotFoundError(text);
  return absl::InvalidArgumentError(text);
}

template <typename Message>
absl::StatusOr<Message> RestServiceClient::Call(const std::string& method, const std::string& path,
                                                const std::string& body) {
  return CallWithRetries(options_.calls, [&]() -> absl::StatusOr<Message> {
    rehearse::HttpRequest request;
    request.method = method;
    request.target = absl::StrCat(options_.endpoint.path, path);
    request.headers = {{"User-Agent", kUserAgent}};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    rehearse::SignRequest(request, HostOf(options_.endpoint), options_.scope, absl::Now());
    absl::StatusOr<rehearse::HttpResponse> response =
        client_.Send(options_.endpoint, std::move(request), options_.calls.deadline);
    if (!response.ok()) return response.status();
    if (response->status == 200) return Parse<Message>(response->body);
    const absl::string_view name =
        rehearse::FindHeader(response->headers, "x-amzn-ErrorType").value_or("");
    return FromAwsError(response->status, name.substr(0, name.find(':')), response->body);
  });
}

absl::StatusOr<CheckpointResponse> RestServiceClient::Checkpoint(const CheckpointRequest& request) {
  auto response = Call<v1::CheckpointResponse>(
      "POST", ExecutionPath(request.durable_execution_arn, "/checkpoint"),
      rehearse::ToAwsJson(ToProto(request)));
  if (!response.ok()) return std::move(response).status();
  return FromProto(*std::move(response));
}

absl::StatusOr<StatePage> RestServiceClient::GetState(const GetStateRequest& request) {
  const std::string query = absl::StrCat(
      "?CheckpointToken=", rehearse::PercentEncode(request.checkpoint_token),
      "&Marker=", rehearse::PercentEncode(request.marker), "&MaxItems=", request.max_items);
  auto response = Call<v1::GetExecutionStateResponse>(
      "GET", ExecutionPath(request.durable_execution_arn, absl::StrCat("/state", query)), "");
  if (!response.ok()) return std::move(response).status();
  return FromProto(*std::move(response));
}

}  // namespace internal
}  // namespace durable
