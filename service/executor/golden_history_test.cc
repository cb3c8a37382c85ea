// The histories that AWS's service records, event by event, in skipped and in real time.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

// Prepares functions; the one under test is "main".
using Prepare = std::function<void(SimulatedService&)>;
// What happens from outside once the first invocation has suspended.
using Outside = std::function<void(SimulatedService&, const std::string& arn)>;

struct Golden {
  std::string name;
  Prepare prepare;
  std::vector<std::string> history;
  Outside outside = nullptr;
};

Prepare Main(Script script) {
  return [script](SimulatedService& service) { service.AddFunction("main", script); };
}

v1::OperationUpdate In(absl::string_view parent, v1::OperationUpdate update) {
  update.set_parent_id(std::string(parent));
  return update;
}

void SucceedApproval(SimulatedService& service, const std::string& arn) {
  EXPECT_EQ(service.SendSuccess(service.CallbackId(arn, "approval")), absl::OkStatus());
}

const std::vector<Golden>& Goldens() {
  static const auto* const goldens = new std::vector<Golden>{
      {"HandlerWithoutOperations",
       Main({{Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 INVOCATION_COMPLETED",
           "+0 3 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"OneStep",
       Main({{Checkpoint({StartStep("a")}), Checkpoint({SucceedStep("a", "1")}), Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 STEP_SUCCEEDED a result { payload: \"1\" } retry_details { current_attempt: 1 }",
           "+0 4 INVOCATION_COMPLETED",
           "+0 5 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"OneWait",
       Main({{Checkpoint({StartWait("w", 1)}), Pending()}, {Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 WAIT_STARTED w duration: 1",
           "+0 3 INVOCATION_COMPLETED",
           "+1s 4 WAIT_SUCCEEDED w duration: 1",
           "+1s 5 INVOCATION_COMPLETED",
           "+1s 6 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"StepRetriedTwice",
       Main({{Checkpoint({StartStep("a")}), Checkpoint({RetryStep("a", 2, "no")}), Pending()},
             {Checkpoint({StartStep("a")}), Checkpoint({RetryStep("a", 6, "no")}), Pending()},
             {Checkpoint({StartStep("a")}), Checkpoint({SucceedStep("a", "1")}),
              Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 STEP_FAILED a error { payload { error_message: \"no\" } } "
           "retry_details { current_attempt: 1 next_attempt_delay_seconds: 2 }",
           "+0 4 INVOCATION_COMPLETED",
           "+2s 5 STEP_STARTED a",
           "+2s 6 STEP_FAILED a error { payload { error_message: \"no\" } } "
           "retry_details { current_attempt: 2 next_attempt_delay_seconds: 6 }",
           "+2s 7 INVOCATION_COMPLETED",
           "+8s 8 STEP_STARTED a",
           "+8s 9 STEP_SUCCEEDED a result { payload: \"1\" } retry_details { current_attempt: 3 }",
           "+8s 10 INVOCATION_COMPLETED",
           "+8s 11 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"StepFailsForGood",
       Main({{Checkpoint({StartStep("a"), RetryStep("a", 2, "no")}), Pending()},
             {Checkpoint({StartStep("a"), FailStep("a", "never")}), Fail("StepError", "never")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 STEP_FAILED a error { payload { error_message: \"no\" } } "
           "retry_details { current_attempt: 1 next_attempt_delay_seconds: 2 }",
           "+0 4 INVOCATION_COMPLETED",
           "+2s 5 STEP_STARTED a",
           "+2s 6 STEP_FAILED a error { payload { error_message: \"never\" } } "
           "retry_details { current_attempt: 2 }",
           "+2s 7 INVOCATION_COMPLETED",
           "+2s 8 EXECUTION_FAILED error { payload { error_message: \"never\" "
           "error_type: \"StepError\" } }",
       }},
      {"CrashInAnAtMostOnceStep",
       Main({{Checkpoint({StartStep("a")}), Crash()},
             {Checkpoint({FailStep("a", "interrupted")}), Fail("StepInterrupted", "a")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 INVOCATION_COMPLETED error { payload { error_type: \"Runtime.ExitError\" } }",
           "+1s 4 STEP_FAILED a error { payload { error_message: \"interrupted\" } } "
           "retry_details { current_attempt: 1 }",
           "+1s 5 INVOCATION_COMPLETED",
           "+1s 6 EXECUTION_FAILED error { payload { error_message: \"a\" "
           "error_type: \"StepInterrupted\" } }",
       }},
      {"CrashInAnAtLeastOnceStep",
       Main({{Checkpoint({StartStep("a")}), Crash()},
             {Checkpoint({SucceedStep("a", "1")}), Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 INVOCATION_COMPLETED error { payload { error_type: \"Runtime.ExitError\" } }",
           "+1s 4 STEP_SUCCEEDED a result { payload: \"1\" } retry_details { current_attempt: 1 }",
           "+1s 5 INVOCATION_COMPLETED",
           "+1s 6 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"WaitForConditionWithTwoPolls",
       Main({{Checkpoint({StartStep("c")}), Checkpoint({RetryStep("c", 3, "")}), Pending()},
             {Checkpoint({StartStep("c")}), Checkpoint({SucceedStep("c", "\"met\"")}),
              Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED c",
           "+0 3 STEP_SUCCEEDED c result { payload: \"\\\"state\\\"\" } "
           "retry_details { current_attempt: 1 next_attempt_delay_seconds: 3 }",
           "+0 4 INVOCATION_COMPLETED",
           "+3s 5 STEP_STARTED c",
           "+3s 6 STEP_SUCCEEDED c result { payload: \"\\\"met\\\"\" } "
           "retry_details { current_attempt: 2 }",
           "+3s 7 INVOCATION_COMPLETED",
           "+3s 8 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"ChildContextWithAStep",
       Main({{Checkpoint({StartContext("x"), In("x", StartStep("a"))}),
              Checkpoint({In("x", SucceedStep("a", "1"))}), Checkpoint({SucceedContext("x", "2")}),
              Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CONTEXT_STARTED x",
           "+0 3 STEP_STARTED a in x",
           "+0 4 STEP_SUCCEEDED a in x result { payload: \"1\" } "
           "retry_details { current_attempt: 1 }",
           "+0 5 CONTEXT_SUCCEEDED x result { payload: \"2\" }",
           "+0 6 INVOCATION_COMPLETED",
           "+0 7 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      // The next invocation sees the step below the closed context; see the state test.
      {"LargeChildResult",
       Main({{Checkpoint({StartContext("x"), In("x", StartStep("a")),
                          In("x", SucceedStep("a", "1")),
                          SucceedContext("x", "", /*replay_children=*/true)}),
              Checkpoint({StartWait("w", 1)}), Pending()},
             {Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CONTEXT_STARTED x",
           "+0 3 STEP_STARTED a in x",
           "+0 4 STEP_SUCCEEDED a in x result { payload: \"1\" } "
           "retry_details { current_attempt: 1 }",
           "+0 5 CONTEXT_SUCCEEDED x result { payload: \"\" }",
           "+0 6 WAIT_STARTED w duration: 1",
           "+0 7 INVOCATION_COMPLETED",
           "+1s 8 WAIT_SUCCEEDED w duration: 1",
           "+1s 9 INVOCATION_COMPLETED",
           "+1s 10 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"Callback",
       Main({{Checkpoint({StartCallback("approval")}), Pending()}, {Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CALLBACK_STARTED approval",
           "+0 3 INVOCATION_COMPLETED",
           "+0 4 CALLBACK_SUCCEEDED approval result { payload: \"\\\"yes\\\"\" }",
           "+0 5 INVOCATION_COMPLETED",
           "+0 6 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       },
       SucceedApproval},
      {"CallbackTimesOut",
       Main({{Checkpoint({StartCallback("approval", 3)}), Pending()},
             {Fail("CallbackError", "late")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CALLBACK_STARTED approval timeout: 3",
           "+0 3 INVOCATION_COMPLETED",
           "+3s 4 CALLBACK_TIMED_OUT approval error { payload { "
           "error_message: \"Callback timed out\" error_type: \"Callback.Timeout\" } }",
           "+3s 5 INVOCATION_COMPLETED",
           "+3s 6 EXECUTION_FAILED error { payload { error_message: \"late\" "
           "error_type: \"CallbackError\" } }",
       }},
      // A heartbeat after two seconds moves the deadline and leaves no trace.
      {"CallbackMissesAHeartbeat",
       Main({{Checkpoint({StartCallback("approval", 60, 3)}), Pending()},
             {Fail("CallbackError", "late")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CALLBACK_STARTED approval heartbeat_timeout: 3 timeout: 60",
           "+0 3 INVOCATION_COMPLETED",
           "+5s 4 CALLBACK_TIMED_OUT approval error { payload { error_message: "
           "\"Callback timed out on heartbeat\" error_type: \"Callback.Heartbeat\" } }",
           "+5s 5 INVOCATION_COMPLETED",
           "+5s 6 EXECUTION_FAILED error { payload { error_message: \"late\" "
           "error_type: \"CallbackError\" } }",
       },
       [](SimulatedService& service, const std::string& arn) {
         service.scheduler.AdvanceWall(absl::Seconds(2));
         v1::SendCallbackHeartbeatRequest request;
         request.set_callback_id(service.CallbackId(arn, "approval"));
         EXPECT_TRUE(service.Call(&Executor::SendCallbackHeartbeat, request).ok());
       }},
      {"ChainedInvokeOfAnUnknownTarget",
       Main({{Checkpoint({StartInvoke("i", "missing")}), Fail("InvokeError", "missing")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CHAINED_INVOKE_STARTED i function_name: \"missing\"",
           "+0 3 CHAINED_INVOKE_FAILED i error { payload { error_message: \"Function not found: "
           "missing; no worker has registered it\" error_type: \"ResourceNotFoundException\" } }",
           "+0 4 INVOCATION_COMPLETED",
           "+0 5 EXECUTION_FAILED error { payload { error_message: \"missing\" "
           "error_type: \"InvokeError\" } }",
       }},
      {"PausedDuringAStepAndResumed",
       Main({{Checkpoint({StartStep("a")}), Hold(), Checkpoint({SucceedStep("a", "1")}), Pending()},
             {Succeed("done")}}),
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 STEP_STARTED a",
           "+0 3 STEP_SUCCEEDED a result { payload: \"1\" } retry_details { current_attempt: 1 }",
           "+0 4 EXECUTION_PAUSED execution_timeout_paused: true",
           "+0 5 INVOCATION_COMPLETED",
           "+0 6 EXECUTION_RESUMED",
           "+0 7 INVOCATION_COMPLETED",
           "+0 8 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       },
       [](SimulatedService& service, const std::string& arn) {
         EXPECT_EQ(service.Pause(arn), absl::OkStatus());
         EXPECT_EQ(service.workers.Release(), 1);
         service.Run();
         EXPECT_EQ(service.Resume(arn), absl::OkStatus());
       }},
      {"ChainedInvokeOfADurableFunction",
       [](SimulatedService& service) {
         service.AddFunction("main", Script{{Checkpoint({StartInvoke("i", "child:7", "\"in\"")}),
                                             Pending()},
                                            {Succeed("done")}});
         service.AddFunction("child", Script{{Succeed("out")}});
       },
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CHAINED_INVOKE_STARTED i function_name: \"child:7\" "
           "input { payload: \"\\\"in\\\"\" } executed_version: \"7\"",
           "+0 3 INVOCATION_COMPLETED",
           "+0 4 CHAINED_INVOKE_SUCCEEDED i result { payload: \"out\" }",
           "+0 5 INVOCATION_COMPLETED",
           "+0 6 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
      {"ChainedInvokeThatFails",
       [](SimulatedService& service) {
         v1::OperationUpdate invoke = StartInvoke("i", "child");
         invoke.mutable_chained_invoke_options()->set_tenant_id("blue");
         service.AddFunction("main", Script{{Checkpoint({invoke}), Pending()}, {Succeed("done")}});
         service.AddFunction("child", Script{{Fail("ChildError", "no")}});
       },
       {
           "+0 1 EXECUTION_STARTED input { payload: \"{}\" }",
           "+0 2 CHAINED_INVOKE_STARTED i function_name: \"child\" tenant_id: \"blue\" "
           "input { payload: \"{}\" } executed_version: \"$LATEST\"",
           "+0 3 INVOCATION_COMPLETED",
           "+0 4 CHAINED_INVOKE_FAILED i error { payload { error_message: \"no\" "
           "error_type: \"ChildError\" } }",
           "+0 5 INVOCATION_COMPLETED",
           "+0 6 EXECUTION_SUCCEEDED result { payload: \"done\" }",
       }},
  };
  return *goldens;
}

// Where somebody outside acts while time would be skipped, time is the test's.
TEST(GoldenHistoryTest, CallbackResolvesDuringAWait) {
  for (const v1::ClockMode mode : {v1::CLOCK_MODE_REAL, v1::CLOCK_MODE_MANUAL}) {
    SimulatedService service(mode);
    service.AddFunction(
        "main", Script{{Checkpoint({StartCallback("approval"), StartWait("w", 5)}), Pending()},
                       {Pending()},
                       {Succeed("done")}});
    const std::string arn = service.Start("main");
    const auto pass = [&](absl::Duration duration) {
      mode == v1::CLOCK_MODE_REAL ? (void)service.scheduler.AdvanceWall(duration)
                                  : (void)service.Advance(duration);
    };
    service.Run();
    pass(absl::Seconds(1));
    SucceedApproval(service, arn);
    service.Run();
    pass(absl::Seconds(4));
    EXPECT_THAT(
        service.History(arn),
        testing::ElementsAre(
            "+0 1 EXECUTION_STARTED input { payload: \"{}\" }", "+0 2 CALLBACK_STARTED approval",
            "+0 3 WAIT_STARTED w duration: 5", "+0 4 INVOCATION_COMPLETED",
            "+1s 5 CALLBACK_SUCCEEDED approval result { payload: \"\\\"yes\\\"\" }",
            "+1s 6 INVOCATION_COMPLETED", "+5s 7 WAIT_SUCCEEDED w duration: 5",
            "+5s 8 INVOCATION_COMPLETED",
            "+5s 9 EXECUTION_SUCCEEDED result { payload: \"done\" }"));
  }
}

class GoldenHistoriesTest : public testing::TestWithParam<std::tuple<v1::ClockMode, Golden>> {};

TEST_P(GoldenHistoriesTest, IsTheRealServices) {
  const auto& [mode, golden] = GetParam();
  SimulatedService service(mode);
  golden.prepare(service);
  const std::string arn = service.Start("main");
  service.Run();
  if (golden.outside != nullptr) golden.outside(service, arn);
  service.End(arn);
  EXPECT_EQ(absl::StrJoin(service.History(arn), "\n"), absl::StrJoin(golden.history, "\n"));
  EXPECT_THAT(service.workers.violations(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(InEveryTime, GoldenHistoriesTest,
                         testing::Combine(testing::Values(v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_REAL),
                                          testing::ValuesIn(Goldens())),
                         [](const auto& info) {
                           const bool real = std::get<0>(info.param) == v1::CLOCK_MODE_REAL;
                           return std::get<1>(info.param).name +
                                  (real ? "InRealTime" : "InSkippedTime");
                         });

}  // namespace
}  // namespace rehearse
