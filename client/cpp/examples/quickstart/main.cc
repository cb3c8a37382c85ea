// Runs the quick start and prints its result and its history. `--service` names a running service;
// without it the program brings its own.
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "client/cpp/examples/quickstart/quickstart.h"
#include "client/cpp/testing/history_printer.h"
#include "client/cpp/testing/runner.h"
#include "grpc/support/log.h"

namespace {

using durable::testing::DurableFunctionTestRunner;
using durable::testing::RunnerOptions;
using durable::testing::RunResult;

int RunOn(const std::string& service) {
  DurableFunctionTestRunner runner(
      QuickStart, RunnerOptions().set_service(service).set_function_name("quick-start"));
  const absl::StatusOr<RunResult> result = runner.Run("input str", absl::Seconds(30));
  if (!result.ok()) {
    std::cerr << "quickstart: " << result.status().message() << "\n";
    return 1;
  }
  std::cout << "Result: " << result->result() << "\n\n"
            << durable::testing::FormatHistory(result->History());
  return result->status() == durable::testing::ExecutionStatus::kSucceeded ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  CLI::App app("Runs the quick start of the C++ SDK and prints its result and its history.",
               "quickstart");
  std::string service;
  app.add_option("--service", service, "A running service, for example 127.0.0.1:9013")
      ->type_name("HOST:PORT");
  CLI11_PARSE(app, argc, argv);
  return RunOn(service);
}
