// Gateway: the AWS face. Each request is matched to a route, read into the contract's message,
// answered by the executor and written back as AWS writes it. It knows nothing of gRPC.
//
//   Gateway gateway(executor, {});
//   HttpServer::Start(options, [&gateway](HttpRequest request, HttpServer::Responder respond) {
//     gateway.Handle(std::move(request), std::move(respond));
//   });
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_GATEWAY_GATEWAY_H_
#define REHEARSE_SERVICE_GATEWAY_GATEWAY_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/executor/executor.h"
#include "service/gateway/authenticator.h"
#include "service/gateway/call.h"
#include "service/gateway/error_response.h"
#include "service/http/http_server.h"
#include "service/http/message.h"
#include "service/invoker/http/http_functions.h"

namespace rehearse {

class Gateway {
 public:
  struct Options {
    ErrorTypeMember error_type_member = ErrorTypeMember::kName;
    // A Lambda-compatible endpoint through which the route /start-durable-execution reaches
    // functions that nobody has registered, for example http://127.0.0.1:3001. Empty: none.
    std::string lambda_endpoint;
    std::string region = "us-east-1";
    // Who may call. Empty: anybody, and signatures are not looked at.
    std::vector<AwsCredentials> credentials;
    // How long a synchronous Invoke waits for the execution's end, on the wall clock. AWS: 15 min.
    absl::Duration sync_invoke_limit = absl::Minutes(15);
  };

  // The references outlive the gateway.
  Gateway(Executor& executor, HttpFunctions& http_functions, Options options)
      : executor_(executor),
        http_functions_(http_functions),
        options_(std::move(options)),
        authenticator_(options_.credentials, options_.region),
        lambda_endpoint_(options_.lambda_endpoint) {}

  // Answers once, on any thread.
  void Handle(HttpRequest request, HttpServer::Responder respond);

  // What a request is answered with that is no HTTP or over a bound of HTTP; see
  // HttpServer::Options::refuse.
  HttpResponse Refuse(int status, absl::string_view message) const;

 private:
  using Method = void (Gateway::*)(Call);

  static Method MethodOf(Route route);

  // Reads the request, and replies with what the executor's method answers.
  template <typename Request, typename Response>
  void Forward(Call call, int http_status,
               void (Executor::*method)(Request, Executor::Done<Response>));
  // The same for requests whose body is an error object.
  template <typename Request, typename Response>
  void ForwardWithError(Call call, void (Executor::*method)(Request, Executor::Done<Response>));

  void Checkpoint(Call call);
  void GetState(Call call);
  void GetExecution(Call call);
  void GetHistory(Call call);
  void ListByFunction(Call call);
  void Stop(Call call);
  void Pause(Call call);
  void Resume(Call call);
  void Delete(Call call);
  void CallbackSuccess(Call call);
  void CallbackFailure(Call call);
  void CallbackHeartbeat(Call call);

  // In invoke.cc.
  void Invoke(Call call);
  void InvokeDurable(Call call);
  void InvokePlain(Call call);
  void AwaitExecution(Call call, v1::StartExecutionResponse started);

  // In local_routes.cc.
  void Health(Call call);
  void Metrics(Call call);
  void StartExecution(Call call);
  void ListAll(Call call);
  void SetLambdaEndpoint(Call call);
  // Registers the function unless somebody else has; `endpoint` empty: the one for all.
  absl::Status ReachFunction(const std::string& session, const std::string& function_name,
                             std::string endpoint);

  Executor& executor_;
  HttpFunctions& http_functions_;
  const Options options_;
  const Authenticator authenticator_;
  absl::Mutex mutex_;
  std::string lambda_endpoint_ ABSL_GUARDED_BY(mutex_);
  // Session and name of what ReachFunction has registered.
  std::set<std::pair<std::string, std::string>> reached_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_GATEWAY_GATEWAY_H_
