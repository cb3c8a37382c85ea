// Gateway: the routes of AWS's local Python runner that are not the Lambda API.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/aws_json/aws_query.h"
#include "service/base/errors.h"
#include "service/gateway/gateway.h"
#include "service/gateway/local_routes.pb.h"
#include "service/http/http_client.h"
#include "service/http/url.h"

namespace rehearse {
namespace {

using ::google::protobuf::FieldDescriptor;

// Everything up to ExecutionRetentionPeriodDays.
constexpr int kLastRequiredField = 6;

absl::Status CheckRequired(const gateway::StartDurableExecution& body) {
  for (int number = 1; number <= kLastRequiredField; ++number) {
    const FieldDescriptor& field = *body.GetDescriptor()->FindFieldByNumber(number);
    if (!body.GetReflection()->HasField(body, &field)) {
      return errors::InvalidParameter(absl::StrCat(field.json_name(), " is missing."));
    }
  }
  return absl::OkStatus();
}

std::string InputOf(const gateway::StartDurableExecution& body) {
  if (!body.has_input()) return "null";
  if (nlohmann::json::accept(body.input())) return body.input();
  return nlohmann::json(body.input()).dump();
}

}  // namespace

void Gateway::Health(Call call) { call.Reply(200, R"({"status":"healthy"})"); }

void Gateway::Metrics(Call call) { call.Reply(200, R"({"metrics":{}})"); }

void Gateway::StartExecution(Call call) {
  gateway::StartDurableExecution body;
  absl::Status valid = call.ReadBody(body);
  if (valid.ok()) valid = CheckRequired(body);
  if (valid.ok()) {
    valid = ReachFunction(call.session(), body.function_name(), body.lambda_endpoint());
  }
  if (!valid.ok()) return call.Fail(valid);
  v1::StartExecutionRequest request;
  request.set_session(call.session());
  request.set_function_name(body.function_name());
  request.set_qualifier(body.function_qualifier());
  request.set_durable_execution_name(body.execution_name());
  request.set_input(InputOf(body));
  request.set_invocation_type(v1::INVOCATION_TYPE_EVENT);
  if (body.has_tenant_id()) request.set_tenant_id(body.tenant_id());
  if (body.execution_timeout_seconds() != 0) {
    request.mutable_durable_config()->set_execution_timeout(body.execution_timeout_seconds());
  }
  if (body.execution_retention_period_days() != 0) {
    request.mutable_durable_config()->set_retention_period_in_days(
        body.execution_retention_period_days());
  }
  executor_.StartExecution(
      std::move(request),
      [call = std::move(call)](absl::StatusOr<v1::StartExecutionResponse> started) mutable {
        if (!started.ok()) return call.Fail(started.status());
        gateway::StartDurableExecutionAnswer answer;
        answer.set_execution_arn(started->durable_execution_arn());
        call.Reply(201, ToAwsJson(answer));
      });
}

absl::Status Gateway::ReachFunction(const std::string& session, const std::string& function_name,
                                    std::string endpoint) {
  absl::MutexLock lock(&mutex_);
  if (endpoint.empty()) endpoint = lambda_endpoint_;
  if (endpoint.empty()) return absl::OkStatus();
  const bool reached = reached_.count({session, function_name}) > 0;
  const absl::StatusOr<ResolvedFunction> known =
      executor_.ResolveFunction(session, function_name, absl::nullopt);
  // A function of before a restart is known, but the endpoint that it was reached through is not.
  if (!reached && known.ok() && http_functions_.IsServed(session, known->spec.function_name())) {
    return absl::OkStatus();
  }
  absl::StatusOr<HttpUrl> url = ParseHttpUrl(endpoint);
  if (!url.ok()) return errors::InvalidParameter(url.status().message());
  v1::FunctionSpec spec;
  spec.set_function_name(function_name);
  spec.set_durable(true);
  absl::Status registered = executor_.RegisterFunctions(session, {spec});
  if (!registered.ok()) return registered;
  absl::StrAppend(&url->path, "/2015-03-31/functions/", PercentEncode(function_name),
                  "/invocations");
  http_functions_.Set(session, function_name, *url);
  reached_.insert({session, function_name});
  return absl::OkStatus();
}

void Gateway::SetLambdaEndpoint(Call call) {
  gateway::LambdaEndpoint body;
  absl::Status valid = call.ReadBody(body);
  if (valid.ok() && body.endpoint_url().empty()) {
    valid = errors::InvalidParameter("EndpointUrl is missing.");
  }
  if (valid.ok() && body.has_region_name() && body.region_name() != options_.region) {
    valid = errors::InvalidParameter(absl::StrCat("RegionName is '", body.region_name(),
                                                  "'; this service is in ", options_.region, "."));
  }
  if (valid.ok()) {
    const absl::Status url = ParseHttpUrl(body.endpoint_url()).status();
    if (!url.ok()) valid = errors::InvalidParameter(url.message());
  }
  if (!valid.ok()) return call.Fail(valid);
  {
    absl::MutexLock lock(&mutex_);
    lambda_endpoint_ = body.endpoint_url();
  }
  call.Reply(
      200,
      nlohmann::json{{"message", "Functions are reached through " + body.endpoint_url()}}.dump());
}

// The runner filters with StatusFilter, by one status.
void Gateway::ListAll(Call call) {
  v1::ListExecutionsRequest request;
  absl::Status read = call.ReadQuery(request);
  if (read.ok()) {
    if (absl::optional<std::string> status = call.Query("StatusFilter")) {
      read = FromAwsQuery({{"Statuses", *std::move(status)}}, request);
      if (!read.ok()) read = errors::InvalidParameter(read.message());
    }
  }
  if (!read.ok()) return call.Fail(read);
  request.set_session(call.session());
  executor_.ListExecutions(std::move(request),
                           std::move(call).Answer<v1::ListExecutionsResponse>(200));
}

}  // namespace rehearse
