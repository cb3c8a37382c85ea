// Durable functions as a Lambda function: the custom runtime of a program, which speaks the Lambda
// Runtime API and checkpoints over the AWS API. The same program is a worker elsewhere:
//
//   DURABLE_FUNCTION("orders", Orders);
//   int main(int argc, char** argv) { return durable::Main(argc, argv); }
//
// Built as `bootstrap` it deploys to provided.al2023, and runs under `rehearse run -- ./bootstrap`.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_LAMBDA_H_
#define REHEARSE_CLIENT_CPP_DURABLE_LAMBDA_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/invocation.h"

namespace durable {

// A variable of the environment; absent where it is not set.
using Environment = std::function<absl::optional<std::string>(const std::string& name)>;

struct LambdaOptions {
  // AWS_LAMBDA_RUNTIME_API, _HANDLER, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
  // AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_LAMBDA or AWS_ENDPOINT_URL, DURABLE_EXECUTION_PLUGINS.
  // Default: the process's.
  Environment environment;
  RuntimeOptions runtime;
};

// Serves one of `functions`: the only one, or the one that _HANDLER names. One invocation at a
// time. Returns when the Runtime API is not there or gone, UNAVAILABLE; INVALID_ARGUMENT, which the
// Runtime API has been told, when the environment does not say what is needed.
absl::Status RunLambda(const std::map<std::string, Handler>& functions, LambdaOptions options);

// RunLambda for RegisteredFunctions(). Returns the exit status.
int LambdaMain();

// LambdaMain where AWS_LAMBDA_RUNTIME_API is set, as Lambda does; else WorkerMain.
int Main(int argc, char** argv);

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_LAMBDA_H_
