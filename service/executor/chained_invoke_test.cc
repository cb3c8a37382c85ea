// Chained invokes: children, plain functions, and how their ends reach the parent.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

const Script& Caller() {
  static const Script* const script =
      new Script{{Checkpoint({StartInvoke("i", "target")}), Pending()}, {Succeed("done")}};
  return *script;
}

std::string ChildOf(SimulatedService& service, const std::string& arn) {
  const auto events = service.memory.ReadEvents(arn, 2, 2);
  return events->front().chained_invoke_started_details().durable_execution_arn();
}

// How a target ends, and what its caller sees.
struct Row {
  std::string name;
  bool durable;
  Script target;
  v1::OperationStatus status;
  std::string details;
  std::function<void(SimulatedService&, const std::string& child)> outside = nullptr;
};

TEST(ChainedInvokeTest, EveryOutcomeReachesTheCaller) {
  const std::string bytes_10(10, 'r');
  const std::vector<Row> rows = {
      {"durable succeeds", true, {{Succeed("1")}}, v1::OPERATION_STATUS_SUCCEEDED, "result: \"1\""},
      {"durable succeeds without a result",
       true,
       {{Answer(R"({"Status":"SUCCEEDED"})")}},
       v1::OPERATION_STATUS_SUCCEEDED,
       ""},
      {"durable fails",
       true,
       {{Fail("T", "m")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"m\" error_type: \"T\" }"},
      {"durable fails without an error",
       true,
       {{Answer(R"({"Status":"FAILED"})")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"Chained invoke failed.\" }"},
      {"durable with the largest result",
       true,
       {{Succeed(bytes_10)}},
       v1::OPERATION_STATUS_SUCCEEDED,
       absl::StrCat("result: \"", bytes_10, "\"")},
      {"durable with too large a result",
       true,
       {{Succeed(bytes_10 + "r")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"Execution output payload size must be less than or equal to 10 "
       "bytes.\" }"},
      {"durable times out",
       true,
       {{Checkpoint({StartCallback("c")}), Pending()}},
       v1::OPERATION_STATUS_TIMED_OUT,
       "error { error_message: \"CHAINED_INVOKE timed out after 60 seconds.\" error_type: "
       "\"ChainedInvoke.Timeout\" }"},
      {"durable is stopped",
       true,
       {{Checkpoint({StartCallback("c")}), Pending()}},
       v1::OPERATION_STATUS_STOPPED,
       "error { error_message: \"enough\" error_type: \"Mine\" }",
       [](SimulatedService& service, const std::string& child) {
         v1::StopExecutionRequest request;
         request.set_durable_execution_arn(child);
         request.mutable_error()->set_error_message("enough");
         request.mutable_error()->set_error_type("Mine");
         EXPECT_TRUE(service.Call(&Executor::StopExecution, request).ok());
       }},
      {"plain answers", false, {{Answer("17")}}, v1::OPERATION_STATUS_SUCCEEDED, "result: \"17\""},
      {"plain answers nothing", false, {{Answer("")}}, v1::OPERATION_STATUS_SUCCEEDED, ""},
      {"plain with the largest answer",
       false,
       {{Answer("1234567890")}},
       v1::OPERATION_STATUS_SUCCEEDED,
       "result: \"1234567890\""},
      {"plain with too large an answer",
       false,
       {{Answer("12345678901")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"CHAINED_INVOKE output payload size must be less than or equal to "
       "10 bytes.\" }"},
      {"plain throws",
       false,
       {{Throw("T", "m")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"m\" error_type: \"T\" }"},
      {"plain answers what is not UTF-8",
       false,
       {{Answer("\"\xff\"")}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_message: \"The output of a CHAINED_INVOKE must be UTF-8 text.\" }"},
      {"plain crashes",
       false,
       {{Crash()}},
       v1::OPERATION_STATUS_FAILED,
       "error { error_type: \"Runtime.ExitError\" }"},
  };
  for (const v1::ClockMode mode : {v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_REAL}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      v1::SessionConfig config;
      config.set_clock_mode(mode);
      config.mutable_limits()->set_async_payload_bytes(10);
      config.mutable_limits()->set_chained_invoke_payload_bytes(10);
      SimulatedService service(config);
      service.AddFunction("main", Caller());
      v1::FunctionSpec spec;
      if (row.durable) {
        spec.mutable_durable_config()->set_execution_timeout(60);
        service.AddFunction("target", row.target, spec);
      } else {
        service.AddPlainFunction("target", row.target, spec);
      }
      const std::string arn = service.Start("main");
      service.Run();
      if (row.outside != nullptr) row.outside(service, ChildOf(service, arn));
      EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
      const v1::Operation operation = service.Inspect(arn).operations(1);
      EXPECT_EQ(operation.status(), row.status);
      EXPECT_EQ(operation.chained_invoke_details().ShortDebugString(), row.details);
      EXPECT_THAT(service.EventTypes(arn),
                  testing::MatchesRegex("EXECUTION_STARTED CHAINED_INVOKE_STARTED "
                                        "INVOCATION_COMPLETED CHAINED_INVOKE_[A-Z_]* "
                                        "INVOCATION_COMPLETED EXECUTION_SUCCEEDED"));
      for (const auto& run : service.workers.runs()) {
        if (run->invocation.function_name() == "target" && !row.durable) {
          EXPECT_EQ(run->invocation.payload(), "{}");
        }
      }
      service.Run();
      EXPECT_EQ(service.workers.free_slots(), 100);
    }
  }
}

TEST(ChainedInvokeTest, APlainFunctionThatTakesTooLongHasFailed) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  v1::FunctionSpec spec;
  spec.mutable_timeout()->set_seconds(3);
  service.AddFunction("main", Caller());
  service.AddPlainFunction("target", Script{{Hold()}}, spec);
  const std::string arn = service.Start("main");
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  const v1::Operation operation = service.Inspect(arn).operations(1);
  EXPECT_EQ(operation.status(), v1::OPERATION_STATUS_FAILED);
  const v1::ErrorObject& error = operation.chained_invoke_details().error();
  EXPECT_EQ(error.error_type(), "Sandbox.Timedout");
  const auto& target = *service.workers.runs()[1];
  EXPECT_THAT(error.error_message(),
              testing::EndsWith(absl::StrCat("Z ", target.invocation.request_id(),
                                             " Task timed out after 3.00 seconds")));
  EXPECT_THAT(target.aborts, ElementsAre(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT));
}

struct NameForm {
  std::string name;
  std::string registered;
  std::string version;
};

TEST(ChainedInvokeTest, TargetsAreNamedInEveryForm) {
  for (const NameForm& row : std::vector<NameForm>{
           {"target", "target", "$LATEST"},
           {"target:live", "target:live", "9"},
           {"target:4", "target", "4"},
           {"target:$LATEST", "target", "$LATEST"},
           {"123456789012:function:target", "target", "$LATEST"},
           {"us-east-1:123456789012:function:target:live", "target:live", "9"},
           {"arn:aws:lambda:us-east-1:123456789012:function:target:4", "target", "4"}}) {
    SCOPED_TRACE(row.name);
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    service.AddFunction(
        "main", Script{{Checkpoint({StartInvoke("i", row.name)}), Pending()}, {Succeed("done")}});
    service.AddFunction("target", Script{{Succeed("1")}});
    v1::FunctionSpec live;
    live.set_version("9");
    service.AddFunction("target:live", Script{{Succeed("1")}}, live);
    const std::string arn = service.Start("main");
    service.End(arn);
    ASSERT_THAT(service.workers.runs(), SizeIs(3));
    const auto& invocation = service.workers.runs()[1]->invocation;
    EXPECT_EQ(invocation.function_name(), row.registered);
    EXPECT_EQ(invocation.version(), row.version);
    EXPECT_EQ(invocation.invoked_function_arn(),
              absl::StrCat("arn:aws:lambda:us-east-1:123456789012:function:target:", row.version));
    EXPECT_THAT(service.Inspect(ChildOf(service, arn)).parent_durable_execution_arn(), arn);
  }
}

TEST(ChainedInvokeTest, ANameThatIsNoTargetIsARefusedCheckpoint) {
  for (const std::string name :
       {"a b", "eu-west-1:123456789012:function:target", "999999999999:function:target"}) {
    SCOPED_TRACE(name);
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    service.AddFunction("main", Script{{Checkpoint({StartInvoke("i", name)}), Succeed("done")}});
    service.AddFunction("target", Script{{Succeed("1")}});
    const std::string arn = service.Start("main");
    service.End(arn);
    EXPECT_EQ(ErrorNameOf(service.workers.runs()[0]->answers[0].status()),
              "InvalidParameterValueException");
    EXPECT_EQ(service.EventTypes(arn),
              "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  }
}

// Names may have dots; versions may be as long as an ARN can bear.
TEST(ChainedInvokeTest, EveryFunctionThatCanBeRegisteredCanBeInvoked) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  v1::FunctionSpec spec;
  spec.set_durable(true);
  spec.set_function_name("my.function");
  spec.set_version(std::string(129, '1'));
  EXPECT_EQ(service.executor().RegisterFunctions("", {spec}).message(),
            absl::StrCat("Version '", spec.version(),
                         "' of function 'my.function' must be 1-128 digits, $LATEST or "
                         "$LATEST.PUBLISHED."));
  spec.set_version(std::string(128, '1'));
  service.AddFunction("my.function", Script{{Succeed("1")}}, spec);
  service.AddFunction("main", Script{{Checkpoint({StartInvoke("i", "my.function")}), Pending()},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_SUCCEEDED);
}

TEST(ChainedInvokeTest, ARepeatedCheckpointStartsNoSecondChild) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Hold()}});
  service.AddFunction("target", Script{{Hold()}});
  const std::string arn = service.Start("main");
  service.Run();
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(arn);
  request.set_checkpoint_token(service.workers.runs()[0]->token);
  request.set_client_token("c");
  *request.add_updates() = StartInvoke("i", "target");
  EXPECT_EQ(service.Checkpoint(request), absl::OkStatus());
  EXPECT_EQ(service.Checkpoint(request), absl::OkStatus());
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(2));
}

TEST(ChainedInvokeTest, AChildOutlivesItsParent) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Caller());
  service.AddFunction("target", Script{{Hold(), Succeed("1")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_THAT(service.WaitingFor(arn), ElementsAre("chained invoke \"i\" of target"));
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  service.workers.Release();
  EXPECT_EQ(service.End(ChildOf(service, arn)).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED CHAINED_INVOKE_STARTED INVOCATION_COMPLETED EXECUTION_STOPPED");
}

// A result that comes while the caller runs is held back for its history - until it asks.
TEST(ChainedInvokeTest, APollOrAnIdleWorkerGetsAHeldResult) {
  for (const bool poll : {true, false}) {
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    std::vector<Action> actions = {Checkpoint({StartInvoke("i", "target"), StartWait("w", 3600)}),
                                   Hold()};
    actions.push_back(poll ? Poll() : Idle("w"));
    actions.push_back(Succeed("done"));
    service.AddFunction("main", Script{actions});
    service.AddFunction("target", Script{{Succeed("1")}});
    const std::string arn = service.Start("main");
    service.Run();
    EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_STARTED);
    const absl::Time before = service.scheduler.Now();
    service.workers.Release();
    service.Run();
    EXPECT_EQ(service.scheduler.Now(), before);
    EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
    EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_SUCCEEDED);
    EXPECT_EQ(service.Inspect(arn).operations(2).status(), v1::OPERATION_STATUS_STARTED);
  }
}

TEST(ChainedInvokeTest, AHeldResultIsLetGoAfterTheSettleLimit) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main",
                      Script{{Checkpoint({StartInvoke("i", "target")}), Hold(), Succeed("done")}});
  service.AddFunction("target", Script{{Succeed("1")}});
  const std::string arn = service.Start("main");
  service.scheduler.AdvanceWall(absl::Milliseconds(999));
  EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_STARTED);
  service.scheduler.AdvanceWall(absl::Milliseconds(2));
  EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_SUCCEEDED);
  service.workers.Release();
  service.End(arn);
}

}  // namespace
}  // namespace rehearse
