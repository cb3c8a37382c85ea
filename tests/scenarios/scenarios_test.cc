// The scenarios of scenarios.json (see README.md) with the C++ SDK and its test runner.
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/testing/testing.h"
#include "service/worker/status.h"
#include "tests/scenarios/expectation.h"
#include "tests/scenarios/interpreter.h"

namespace rehearse::scenarios {
namespace {

using durable::ErrorObject;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::IsOk;
using durable::testing::RunnerOptions;

// Only to fail.
constexpr absl::Duration kFar = absl::Seconds(60);

// Replaces {"$repeat": [text, times]} by the text, that many times.
Json Expanded(const Json& value) {
  if (!value.is_structured()) return value;
  if (value.is_object() && value.contains("$repeat")) {
    const auto [text, times] = value["$repeat"].get<std::pair<std::string, int>>();
    std::string repeated;
    for (int i = 0; i < times; ++i) repeated += text;
    return repeated;
  }
  Json expanded = value;
  for (Json& member : expanded) member = Expanded(member);
  return expanded;
}

ErrorObject ErrorOf(const Json& action) {
  const Json& error = action.at("error");
  return {error.at("type").get<std::string>(), error.at("message").get<std::string>(), "", {}};
}

RunnerOptions OptionsOf(const Json& scenario) {
  return RunnerOptions()
      .set_function_name("main")
      .set_execution_name(scenario.value("execution_name", ""))
      .set_manual_time(scenario.value("time", "skip") == "manual")
      .set_execution_timeout(
          absl::Seconds(scenario["functions"]["main"].value("execution_timeout_seconds", 0)));
}

// One execution of a scenario's main function, in a session of its own.
class ScenarioRun {
 public:
  explicit ScenarioRun(const Json& scenario)
      : runner_(DurableFunction(scenario["functions"]["main"]["body"]), OptionsOf(scenario)) {
    for (const auto& [name, function] : scenario["functions"].items()) {
      for (const std::string& step : CrashingSteps(function["body"])) {
        runner_.CrashNextInvocationAt(step);
      }
      if (name == "main") continue;
      if (function.value("plain", false)) {
        runner_.RegisterFunction(name, PlainFunction(function["body"]));
      } else {
        runner_.RegisterFunction(name, DurableFunction(function["body"]),
                                 absl::Seconds(function.value("execution_timeout_seconds", 0)));
      }
    }
  }

  void Start(const Json& input) {
    const auto arn = runner_.RunAsync(input);
    ASSERT_THAT(arn, IsOk());
    arn_ = *arn;
  }

  void Finish(const Json& actions, const Json& expectation) {
    for (const Json& action : actions) {
      const absl::Status status = Do(action);
      EXPECT_EQ(status.ok() ? "" : worker::ErrorReason(status), action.value("refused", ""))
          << action << ": " << status.message();
    }
    const auto result = runner_.WaitForResult(arn_, kFar);
    ASSERT_THAT(result, IsOk());
    EXPECT_THAT(*result, MeetsExpectation(expectation));
  }

 private:
  absl::Status Do(const Json& action) {
    const auto what = action.at("do").get<std::string>();
    if (what == "advance_time")
      return runner_.AdvanceTime(absl::Seconds(action.at("seconds").get<int>()));
    DURABLE_ASSIGN_OR_RETURN(const std::string arn, ArnOf(action));
    if (what == "wait_for_end") return runner_.WaitForResult(arn, kFar).status();
    if (what == "wait_for_event") return WaitForEvent(arn, action);
    if (what == "pause") return runner_.Pause(arn, kFar);
    if (what == "resume") return runner_.Resume(arn);
    if (what == "stop") return runner_.Stop(arn, ErrorOf(action));
    if (what == "wait_for_callback") {
      const auto name = action.at("name").get<std::string>();
      DURABLE_ASSIGN_OR_RETURN(callback_ids_[name], runner_.WaitForCallback(arn, name, kFar));
      return absl::OkStatus();
    }
    const std::string id = action.contains("id")
                               ? action["id"].get<std::string>()
                               : callback_ids_.at(action.at("name").get<std::string>());
    if (what == "callback_heartbeat") return runner_.SendCallbackHeartbeat(id);
    if (what == "callback_failure") return runner_.SendCallbackFailure(id, ErrorOf(action));
    if (what == "callback_success") {
      return runner_.SendCallbackSuccess(id, action.at("result").get<std::string>());
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown action ", what));
  }

  // Of the run, or of the execution that its invoke `of` has started.
  absl::StatusOr<std::string> ArnOf(const Json& action) {
    if (!action.contains("of")) return arn_;
    DURABLE_ASSIGN_OR_RETURN(
        const auto invoke,
        runner_.WaitForOperation(arn_, action["of"].get<std::string>(), {}, kFar));
    return invoke.invoked_execution_arn();
  }

  absl::Status WaitForEvent(const std::string& arn, const Json& action) {
    int left = action.at("count").get<int>();
    return runner_.Watch(
        arn,
        [&](const durable::testing::Event& event) {
          if (EventTypeName(event.type) == action.at("event")) --left;
          return left > 0;
        },
        kFar);
  }

  DurableFunctionTestRunner runner_;
  std::string arn_;
  std::map<std::string, std::string> callback_ids_;
};

struct Scenario {
  Json members;
};

// For GoogleTest's messages.
void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.members["about"]; }

class ScenariosTest : public ::testing::TestWithParam<Scenario> {};

TEST_P(ScenariosTest, EndsAsExpected) {
  const Json& scenario = GetParam().members;
  const Json sessions = scenario.value("sessions", Json::array({scenario}));
  std::vector<std::unique_ptr<ScenarioRun>> runs;
  for (const Json& session : sessions) {
    runs.push_back(std::make_unique<ScenarioRun>(scenario));
    runs.back()->Start(session.value("input", Json()));
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < runs.size(); ++i) {
    threads.emplace_back([&, i] {
      runs[i]->Finish(sessions[i].value("actions", Json::array()), sessions[i].at("expect"));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<Scenario> ReadScenarios() {
  std::ifstream file("tests/scenarios/scenarios.json");
  const Json content = Json::parse(file);
  std::vector<Scenario> scenarios;
  for (const Json& scenario : content.at("scenarios")) {
    scenarios.push_back({Expanded(scenario)});
  }
  return scenarios;
}

INSTANTIATE_TEST_SUITE_P(File, ScenariosTest, ::testing::ValuesIn(ReadScenarios()),
                         [](const auto& info) {
                           return info.param.members["name"].template get<std::string>();
                         });

}  // namespace
}  // namespace rehearse::scenarios
