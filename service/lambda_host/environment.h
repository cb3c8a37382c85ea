// The environment in which Lambda runs a function's runtime.
//
//   Environment environment = RuntimeEnvironment(CurrentEnvironment(), function, endpoint_url);
//   std::vector<std::string> strings = ToStrings(environment);      // for exec
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_ENVIRONMENT_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_ENVIRONMENT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/lambda_host/lambda_function.h"

namespace rehearse::lambda_host {

Environment CurrentEnvironment();

// `inherited`, overridden by the function's own variables, completed - region, dummy credentials,
// time zone, folder - and overridden by what Lambda itself sets. `endpoint_url` is that of the AWS
// face; empty: there is none, and what is inherited stays.
Environment RuntimeEnvironment(Environment inherited, const LambdaFunction& function,
                               absl::string_view endpoint_url);

// NAME=VALUE.
std::vector<std::string> ToStrings(const Environment& environment);

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_ENVIRONMENT_H_
