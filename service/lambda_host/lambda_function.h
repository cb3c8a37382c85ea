// LambdaFunction: a function and the command that is its runtime.
//
//   LambdaFunction function;
//   function.spec.set_function_name("orders");
//   function.spec.set_durable(true);
//   function.command = {"python3", "-m", "awslambdaric", "app.handler"};
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_FUNCTION_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_FUNCTION_H_

#include <map>
#include <string>
#include <vector>

#include "rehearse/v1/function_host.pb.h"

namespace rehearse::lambda_host {

using Environment = std::map<std::string, std::string>;

struct LambdaFunction {
  v1::FunctionSpec spec;
  // The program, looked up in PATH, and its arguments.
  std::vector<std::string> command;
  // `_HANDLER`; empty: none.
  std::string handler;
  // Where the command runs, `LAMBDA_TASK_ROOT`; empty: our working directory.
  std::string folder;
  Environment environment;
  int memory_mb = 128;
  // Invocations at a time, each in a process of its own. At least 1.
  int concurrency = 1;
  // A process serves one tenant only.
  bool per_tenant = false;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_LAMBDA_FUNCTION_H_
