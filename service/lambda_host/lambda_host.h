// LambdaHost: a worker that runs functions as Lambda does, in processes that talk to the Runtime
// API.
//
//   LambdaHost::Options options;
//   options.channel = worker::CreateChannel("127.0.0.1:9013");
//   options.functions = {function};                       // LambdaFunction
//   absl::StatusOr<std::unique_ptr<LambdaHost>> host = LambdaHost::Start(std::move(options));
//   absl::Status serving = (*host)->WaitUntilServing(absl::Seconds(5));
//   ...
//   (*host)->Stop(absl::Seconds(2));
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_HOST_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_HOST_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "service/lambda_host/lambda_function.h"

namespace rehearse::lambda_host {

// Ours: how many idle processes a function with a process per tenant keeps.
inline constexpr int kMaxIdleTenants = 100;

class LambdaHost {
 public:
  struct Options {
    std::shared_ptr<grpc::Channel> channel;
    // Empty: `default`.
    std::string session;
    // URL of the AWS face for the session; empty: there is none.
    std::string endpoint_url;
    std::vector<LambdaFunction> functions;
    // Gets what processes write, by line; `stream` is STDOUT_FILENO or STDERR_FILENO. Called on any
    // thread.
    std::function<void(absl::string_view function, int stream, absl::string_view line)> output;
    // Told, in a line, what happens. Called on any thread.
    std::function<void(absl::string_view line)> log;
    // Told why when the service refuses a function for good, as when the session has ended. Called
    // on a thread that it must not join.
    std::function<void(const absl::Status&)> refused;
  };

  // Starts a process of each function and connects. An error when a command cannot be run.
  static absl::StatusOr<std::unique_ptr<LambdaHost>> Start(Options options);
  // Stops, without grace.
  ~LambdaHost();

  // As worker::WorkerPool's, for all functions.
  absl::Status WaitUntilServing(absl::Duration timeout);

  // Takes no more invocations, gives those that run `grace` to end, ends all processes, and
  // deregisters the functions that no other worker serves. Calling it again is harmless.
  void Stop(absl::Duration grace);

 private:
  class Function;

  explicit LambdaHost(Options options);

  const Options options_;
  std::vector<std::unique_ptr<Function>> functions_;
  bool stopped_ = false;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_HOST_H_
