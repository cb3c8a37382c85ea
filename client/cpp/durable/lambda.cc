#include "client/cpp/durable/lambda.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/internal/proto_conversion.h"
#include "client/cpp/durable/internal/rest_service_client.h"
#include "client/cpp/durable/internal/user_agent.h"
#include "client/cpp/durable/plugin.h"
#include "client/cpp/durable/status_macros.h"
#include "client/cpp/durable/worker.h"
#include "nlohmann/json.hpp"
#include "rehearse/v1/function_host.pb.h"
#include "service/aws_json/aws_json.h"
#include "service/http/http_client.h"

namespace durable {
namespace {

namespace v1 = ::rehearse::v1;
using rehearse::FindHeader;
using rehearse::HttpRequest;
using rehearse::HttpResponse;
using rehearse::HttpUrl;

constexpr char kRuntimePath[] = "/2018-06-01/runtime";

absl::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return absl::nullopt;
  return value;
}

// The Lambda Runtime API, of which one client takes one invocation after the other.
class RuntimeApi {
 public:
  explicit RuntimeApi(HttpUrl url) : url_(std::move(url)) {}

  // Waits for as long as it takes.
  absl::StatusOr<HttpResponse> Next() { return Send("GET", "/invocation/next", "", {}); }

  absl::Status Respond(const std::string& request_id, const std::string& body) {
    return Send("POST", absl::StrCat("/invocation/", request_id, "/response"), body, {}).status();
  }

  absl::Status ReportError(const std::string& request_id, const ErrorObject& error) {
    return SendError(absl::StrCat("/invocation/", request_id, "/error"), error);
  }

  absl::Status ReportInitError(const ErrorObject& error) { return SendError("/init/error", error); }

 private:
  absl::Status SendError(const std::string& path, const ErrorObject& error) {
    const nlohmann::json body = {{"errorType", error.type},
                                 {"errorMessage", error.message},
                                 {"stackTrace", error.stack_trace}};
    return Send("POST", path, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                {{"Lambda-Runtime-Function-Error-Type", error.type}})
        .status();
  }

  absl::StatusOr<HttpResponse> Send(const std::string& method, const std::string& path,
                                    const std::string& body, rehearse::HttpHeaders headers) {
    headers.emplace_back("User-Agent", internal::kUserAgent);
    headers.emplace_back("Content-Type", "application/json");
    absl::StatusOr<HttpResponse> response =
        client_.Send(url_, {method, absl::StrCat(url_.path, kRuntimePath, path), headers, body},
                     absl::InfiniteDuration());
    if (!response.ok()) {
      return absl::UnavailableError(absl::StrCat(
          "the Lambda Runtime API cannot be reached: ", response.status().message(),
          "; Lambda and `rehearse run` serve one and name it in "
          "AWS_LAMBDA_RUNTIME_API. Without that variable durable::Main runs a worker"));
    }
    if (response->status >= 400) {
      return absl::UnavailableError(absl::StrCat("the Runtime API answered ", path, " with ",
                                                 response->status, ": ", response->body));
    }
    return response;
  }

  const HttpUrl url_;
  rehearse::HttpClient client_;
};

// What the environment says, once it has been found to say enough.
struct Setup {
  const Handler* handler;
  internal::RestOptions rest;
};

absl::StatusOr<const Handler*> ChooseHandler(const std::map<std::string, Handler>& functions,
                                             const Environment& environment) {
  if (functions.size() == 1) return &functions.begin()->second;
  const std::string name = environment("_HANDLER").value_or("");
  const auto found = functions.find(name);
  if (found != functions.end()) return &found->second;
  return absl::InvalidArgumentError(absl::StrCat(
      "_HANDLER is '", name, "'; set it to one of the functions of this program: ",
      absl::StrJoin(functions, ", ",
                    [](std::string* out, const auto& entry) { *out += entry.first; })));
}

absl::StatusOr<std::string> Required(const Environment& environment, const std::string& name) {
  absl::optional<std::string> value = environment(name);
  if (value.has_value() && !value->empty()) return *std::move(value);
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is not set; Lambda and `rehearse run` set it"));
}

absl::StatusOr<Setup> ReadEnvironment(const std::map<std::string, Handler>& functions,
                                      LambdaOptions& options) {
  const Environment& environment = options.environment;
  Setup setup;
  DURABLE_ASSIGN_OR_RETURN(setup.handler, ChooseHandler(functions, environment));
  rehearse::SigningScope& scope = setup.rest.scope;
  scope.service = "lambda";
  DURABLE_ASSIGN_OR_RETURN(scope.region, Required(environment, "AWS_REGION"));
  DURABLE_ASSIGN_OR_RETURN(scope.credentials.access_key_id,
                           Required(environment, "AWS_ACCESS_KEY_ID"));
  DURABLE_ASSIGN_OR_RETURN(scope.credentials.secret_access_key,
                           Required(environment, "AWS_SECRET_ACCESS_KEY"));
  scope.credentials.session_token = environment("AWS_SESSION_TOKEN").value_or("");
  absl::optional<std::string> endpoint = environment("AWS_ENDPOINT_URL_LAMBDA");
  if (!endpoint.has_value()) endpoint = environment("AWS_ENDPOINT_URL");
  DURABLE_ASSIGN_OR_RETURN(setup.rest.endpoint,
                           rehearse::ParseHttpUrl(endpoint.value_or(
                               absl::StrCat("https://lambda.", scope.region, ".amazonaws.com"))));
  DURABLE_ASSIGN_OR_RETURN(options.runtime.plugins,
                           ResolvePlugins(std::move(options.runtime.plugins),
                                          environment("DURABLE_EXECUTION_PLUGINS").value_or("")));
  return setup;
}

// An invocation without an ARN is none of a durable function.
absl::StatusOr<InvocationInput> ReadInvocation(const HttpResponse& next,
                                               const std::string& request_id) {
  v1::ServeResponse::Invocation invocation;
  invocation.set_request_id(request_id);
  DURABLE_RETURN_IF_ERROR(rehearse::FromAwsJson(next.body, *invocation.mutable_durable(),
                                                rehearse::AwsTime::kMilliseconds));
  return internal::FromProto(invocation);
}

}  // namespace

absl::Status RunLambda(const std::map<std::string, Handler>& functions, LambdaOptions options) {
  if (options.environment == nullptr) options.environment = ProcessEnvironment;
  DURABLE_ASSIGN_OR_RETURN(const std::string address,
                           Required(options.environment, "AWS_LAMBDA_RUNTIME_API"));
  DURABLE_ASSIGN_OR_RETURN(HttpUrl url, rehearse::ParseHttpUrl(absl::StrCat("http://", address)));
  RuntimeApi api(std::move(url));
  const absl::StatusOr<Setup> setup = ReadEnvironment(functions, options);
  if (!setup.ok()) {
    // Whether it can be told or not, this is what is wrong.
    api.ReportInitError(
           {"Runtime.InvalidConfiguration", std::string(setup.status().message()), "", {}})
        .IgnoreError();
    return setup.status();
  }
  internal::RestServiceClient client(setup->rest);
  while (true) {
    DURABLE_ASSIGN_OR_RETURN(const HttpResponse next, api.Next());
    const std::string request_id(
        FindHeader(next.headers, "Lambda-Runtime-Aws-Request-Id").value_or(""));
    absl::StatusOr<InvocationInput> input = ReadInvocation(next, request_id);
    if (!input.ok()) {
      DURABLE_RETURN_IF_ERROR(api.ReportError(
          request_id, {"ExecutionError",
                       absl::StrCat("this is not the invocation of a durable function: ",
                                    input.status().message()),
                       "",
                       {}}));
      continue;
    }
    const v1::ServeRequest::Outcome outcome = internal::ToProto(
        RunInvocation(*setup->handler, *std::move(input), client, options.runtime));
    if (outcome.has_error()) {
      DURABLE_RETURN_IF_ERROR(api.ReportError(
          request_id, {outcome.error().error_type(), outcome.error().error_message(), "", {}}));
    } else {
      DURABLE_RETURN_IF_ERROR(api.Respond(request_id, outcome.payload()));
    }
  }
}

int LambdaMain() {
  // Debian's Abseil looks for lock cycles even in optimized programs, and pays for it at every
  // lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const absl::Status status = RunLambda(RegisteredFunctions(), {});
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int Main(int argc, char** argv) {
  return ProcessEnvironment("AWS_LAMBDA_RUNTIME_API").has_value() ? LambdaMain()
                                                                  : WorkerMain(argc, argv);
}

}  // namespace durable
