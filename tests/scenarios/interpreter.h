// The functions of a scenario (see README.md) as functions of the C++ SDK.
//
//   DurableFunctionTestRunner runner(DurableFunction(scenario["functions"]["main"]["body"]));
#ifndef REHEARSE_TESTS_SCENARIOS_INTERPRETER_H_
#define REHEARSE_TESTS_SCENARIOS_INTERPRETER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

namespace rehearse::scenarios {

using Json = nlohmann::json;

durable::Handler DurableFunction(Json body);

std::function<absl::StatusOr<Json>(const Json& input)> PlainFunction(Json body);

// Names of the steps during which the process dies once.
std::vector<std::string> CrashingSteps(const Json& body);

}  // namespace rehearse::scenarios

#endif  // REHEARSE_TESTS_SCENARIOS_INTERPRETER_H_
