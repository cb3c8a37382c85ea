// Functions in a Lambda runtime, under `rehearse run`: what that costs next to a worker of our own,
// and what a whole execution takes with an official SDK.
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr char kMinimalRuntime[] = "tests/benchmark/minimal_runtime";
constexpr char kPythonFunctions[] = "tests/interop/python";
constexpr char kPythonPackages[] = "external/official_python";

// `rehearse run` of one function.
ServerProcess Host(const RemoteService& service, const std::vector<std::string>& flags,
                   const std::vector<std::string>& runtime) {
  std::vector<std::string> command = {kRehearse, "run",
                                      absl::StrCat("--server=", service.process.Address("grpc"))};
  command.insert(command.end(), flags.begin(), flags.end());
  return ServerProcess(std::move(command), runtime, SIGTERM);
}

// A slot of a plain function that answers at once.
absl::optional<v1::ServeRequest> AnswerAtOnce(v1::ServeResponse& response) {
  if (!response.has_invocation()) return absl::nullopt;
  v1::ServeRequest answer;
  answer.mutable_outcome()->set_payload("{}");
  return answer;
}

double InvokeMicroseconds(RemoteService& service, const std::string& function) {
  v1::InvokeFunctionRequest request;
  request.set_function_name(function);
  request.set_payload("{}");
  v1::InvokeFunctionResponse response;
  return Microseconds([&] {
    grpc::ClientContext context;
    Require(service.executions.InvokeFunction(&context, request, &response));
    Require(!response.has_error(), "a plain function failed");
  });
}

// Milliseconds from the start to the answer.
double RunMilliseconds(RemoteService& service, const std::string& function,
                       const std::string& input) {
  return Microseconds([&] {
           v1::StartExecutionRequest start;
           start.set_function_name(function);
           start.set_input(input);
           v1::StartExecutionResponse started;
           grpc::ClientContext start_context;
           Require(service.executions.StartExecution(&start_context, start, &started));
           v1::WaitForExecutionRequest wait;
           wait.set_durable_execution_arn(started.durable_execution_arn());
           wait.mutable_timeout()->set_seconds(60);
           v1::WaitForExecutionResponse ended;
           grpc::ClientContext wait_context;
           Require(service.sessions.WaitForExecution(&wait_context, wait, &ended));
           Require(ended.execution().status() == v1::EXECUTION_STATUS_SUCCEEDED,
                   "an execution failed");
         }) /
         1000;
}

}  // namespace

Values MeasureRuntimeApi(const Options& options) {
  RemoteService service;
  v1::ServeRequest plain = Register("default", "worker");
  plain.mutable_register_()->mutable_functions(0)->set_durable(false);
  Signal registered;
  WorkerStream worker(OpenServe(service.host), plain, [&](v1::ServeResponse& response) {
    if (response.has_registered()) registered.Notify();
    return AnswerAtOnce(response);
  });
  registered.Wait();
  const ServerProcess host =
      Host(service, {"--function=lambda", "--durable=false"}, {kMinimalRuntime});
  InvokeMicroseconds(service, "lambda");
  // Of neighbours, so that noise meets both.
  std::vector<double> differences;
  for (int i = 0; i < options.Repeat(3000, 50); ++i) {
    const double by_worker = InvokeMicroseconds(service, "worker");
    differences.push_back(InvokeMicroseconds(service, "lambda") - by_worker);
  }
  return {{"runtime_api_invocation_overhead_us", Median(differences)}};
}

bool HasOfficialPython() { return access(kPythonPackages, R_OK) == 0; }

Values MeasurePythonLambda(const Options& options) {
  RemoteService service(ServerProcess::RehearseUp("skip"));
  const ServerProcess host =
      Host(service, {"--function=quickstart"},
           {"/usr/bin/env", absl::StrCat("PYTHONPATH=", kPythonPackages, ":", kPythonFunctions),
            "PAUSE_SECONDS=3600", "/usr/bin/python3", "-m", "awslambdaric", "functions.handler"});
  const std::string input = R"({"run": "quick_start"})";
  // The first imports the SDK and opens its connections.
  for (int i = 0; i < 3; ++i) RunMilliseconds(service, "quickstart", input);
  std::vector<double> runs;
  for (int i = 0; i < options.Repeat(200, 3); ++i) {
    runs.push_back(RunMilliseconds(service, "quickstart", input));
  }
  return {{"python_quickstart_ms", Median(runs)}};
}

}  // namespace rehearse::benchmark
