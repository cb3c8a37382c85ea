// Starts, the gate, the ends of invocations and what follows from them.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

v1::StartExecutionRequest Named(const std::string& name, const std::string& input) {
  v1::StartExecutionRequest request;
  request.set_function_name("main");
  request.set_durable_execution_name(name);
  request.set_input(input);
  return request;
}

TEST(StartTest, ANameInUseIsTheSameExecutionForTheSameInputOnly) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Hold(), Succeed("done")}});
  const auto first = service.Start(Named("n", "1"));
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->already_started());
  const std::string& arn = first->durable_execution_arn();

  // Running, paused, closed: always the one that is there.
  for (const char* const state : {"running", "paused", "closed"}) {
    SCOPED_TRACE(state);
    const auto again = service.Start(Named("n", "1"));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->already_started());
    EXPECT_EQ(again->durable_execution_arn(), arn);
    const auto other = service.Start(Named("n", "2"));
    EXPECT_EQ(ErrorNameOf(other.status()), "DurableExecutionAlreadyStartedException");
    EXPECT_EQ(other.status().message(), "Durable Execution already started with another input: n");
    if (state == std::string("running")) {
      service.Run();
      EXPECT_EQ(service.Pause(arn), absl::OkStatus());
    } else if (state == std::string("paused")) {
      EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_PAUSING);
      service.workers.Release();
      service.End(arn);
    }
  }
  // Deleted, the name is free.
  v1::DeleteExecutionRequest request;
  request.set_durable_execution_arn(arn);
  ASSERT_TRUE(service.Call(&Executor::DeleteExecution, request).ok());
  const auto anew = service.Start(Named("n", "2"));
  ASSERT_TRUE(anew.ok());
  EXPECT_FALSE(anew->already_started());
  EXPECT_NE(anew->durable_execution_arn(), arn);
}

struct BadStart {
  std::string name;
  v1::StartExecutionRequest request;
  std::string error;
  std::string message;
};

v1::StartExecutionRequest StartOf(const std::string& function) {
  v1::StartExecutionRequest request;
  request.set_function_name(function);
  return request;
}

TEST(StartTest, WhatCannotStartSaysWhyAndLeavesNothing) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Succeed("done")}});
  service.AddPlainFunction("plain", Program());
  std::vector<BadStart> rows = {
      {"unknown", StartOf("missing"), "ResourceNotFoundException",
       "Function not found: missing; no worker has registered it"},
      {"other region", StartOf("eu-west-1:123456789012:function:main"), "ResourceNotFoundException",
       "Function not found: eu-west-1:123456789012:function:main; no worker has registered it"},
      {"plain", StartOf("plain"), "InvalidParameterValueException",
       "Function 'plain' is not durable; only a durable function has executions."},
      {"bad name", Named("a/b", ""), "InvalidParameterValueException",
       "DurableExecutionName 'a/b' must be 1-64 characters of A-Z a-z 0-9 - _."},
      {"long name", Named(std::string(65, 'n'), ""), "InvalidParameterValueException",
       absl::StrCat("DurableExecutionName '", std::string(65, 'n'),
                    "' must be 1-64 characters of A-Z a-z 0-9 - _.")},
      {"large input", Named("n", std::string(1048577, 'x')), "RequestTooLargeException",
       "Execution input payload size must be less than or equal to 1048576 bytes."},
      {"unknown session", StartOf("main"), "ResourceNotFoundException",
       "Session does not exist: nobody; create it with CreateSession"},
      {"timeout", StartOf("main"), "InvalidParameterValueException",
       "ExecutionTimeout is 31622401; it must be between 1 and 31622400."},
      {"qualifier", StartOf("main:1"), "InvalidParameterValueException",
       "The qualifier in FunctionName 'main:1' differs from Qualifier '2'."},
  };
  rows[6].request.set_session("nobody");
  rows[7].request.mutable_durable_config()->set_execution_timeout(31622401);
  rows[8].request.set_qualifier("2");
  for (const BadStart& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = service.Start(row.request);
    EXPECT_EQ(ErrorNameOf(response.status()), row.error);
    EXPECT_EQ(response.status().message(), row.message);
  }
  ExecutionQuery query;
  query.session = "default";
  EXPECT_THAT(*service.memory.List(query), IsEmpty());

  // At the bounds.
  EXPECT_TRUE(service.Start(Named(std::string(64, 'n'), std::string(1048576, 'x'))).ok());
  v1::StartExecutionRequest sync = Named("sync", std::string(6291456, 'x'));
  sync.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  sync.mutable_durable_config()->set_execution_timeout(31622400);
  EXPECT_TRUE(service.Start(sync).ok());
}

TEST(StartTest, OpenExecutionsAreBounded) {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_SKIP);
  config.mutable_limits()->set_open_executions(2);
  SimulatedService service(config);
  service.AddFunction("main", Script{{Hold(), Succeed("done")}});
  const std::string first = service.Start("main");
  service.Start("main");
  const auto third = service.Start(StartOf("main"));
  EXPECT_EQ(ErrorNameOf(third.status()), "TooManyRequestsException");
  EXPECT_EQ(third.status().message(),
            "The session has 2 open executions, its limit; stop some or wait.");
  EXPECT_EQ(service.Stop(first), absl::OkStatus());
  EXPECT_TRUE(service.Start(StartOf("main")).ok());
}

// What an answer of the function makes of its execution.
struct Output {
  std::string payload;
  v1::ExecutionStatus status;
  // "type: message".
  std::string error;
  // The invocation has the error, too.
  bool refused = false;
};

std::string TextOf(const v1::ErrorObject& error) {
  return absl::StrCat(error.error_type(), ": ", error.error_message());
}

Output Refused(const std::string& payload, const std::string& message) {
  return {payload, v1::EXECUTION_STATUS_FAILED,
          absl::StrCat("InvalidParameterValueException: ", message), true};
}

TEST(OutputTest, IsValidated) {
  const std::vector<Output> rows = {
      {R"({"Status":"SUCCEEDED","Result":"1"})", v1::EXECUTION_STATUS_SUCCEEDED, ": "},
      {R"({"Status":"SUCCEEDED"})", v1::EXECUTION_STATUS_SUCCEEDED, ": "},
      {R"({"Status":"SUCCEEDED","Result":"","Error":null})", v1::EXECUTION_STATUS_SUCCEEDED, ": "},
      {R"({"Status":"FAILED"})", v1::EXECUTION_STATUS_FAILED, ": "},
      {R"({"Status":"FAILED","Error":{}})", v1::EXECUTION_STATUS_FAILED, ": "},
      {R"({"Status":"FAILED","Error":{"ErrorMessage":"m","ErrorType":"T"}})",
       v1::EXECUTION_STATUS_FAILED, "T: m"},
      Refused("", "The function's answer is not JSON."),
      Refused("\xff", "The function's answer is not JSON."),
      Refused("[1]", "The function's answer must be a JSON object."),
      Refused("{}", "The function's answer must have a Status; is the handler durable?"),
      Refused(R"({"Status":1})",
              "The function's answer must have a Status; is the handler durable?"),
      Refused(R"({"Status":"DONE"})", "Unknown Status 'DONE' of the function's answer."),
      Refused(R"({"Status":"SUCCEEDED","Result":1})",
              "Result of the function's answer must be a string."),
      Refused(R"({"Status":"SUCCEEDED","Error":{}})",
              "The function answered SUCCEEDED with an Error."),
      Refused(R"({"Status":"FAILED","Result":"1"})", "The function answered FAILED with a Result."),
  };
  for (const Output& row : rows) {
    SCOPED_TRACE(row.payload);
    SimulatedService service(v1::CLOCK_MODE_SKIP);
    service.AddFunction("main", Script{{Answer(row.payload)}});
    const std::string arn = service.Start("main");
    const v1::Execution execution = service.End(arn);
    EXPECT_EQ(execution.status(), row.status);
    EXPECT_EQ(TextOf(execution.error()), row.error);
    const auto events = service.memory.ReadEvents(arn, 2, 2);
    ASSERT_THAT(*events, SizeIs(1));
    const auto& details = events->front().invocation_completed_details();
    EXPECT_EQ(details.has_error(), row.refused);
    EXPECT_EQ(TextOf(details.error().payload()), row.refused ? row.error : ": ");
  }
}

TEST(OutputTest, AResultMayBeAsLargeAsTheLimitAndNoLarger) {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_SKIP);
  config.mutable_limits()->set_async_payload_bytes(10);
  config.mutable_limits()->set_sync_payload_bytes(20);
  struct Row {
    v1::InvocationType type;
    int bytes;
    v1::ExecutionStatus status;
  };
  for (const Row& row :
       std::vector<Row>{{v1::INVOCATION_TYPE_EVENT, 10, v1::EXECUTION_STATUS_SUCCEEDED},
                        {v1::INVOCATION_TYPE_EVENT, 11, v1::EXECUTION_STATUS_FAILED},
                        {v1::INVOCATION_TYPE_REQUEST_RESPONSE, 20, v1::EXECUTION_STATUS_SUCCEEDED},
                        {v1::INVOCATION_TYPE_REQUEST_RESPONSE, 21, v1::EXECUTION_STATUS_FAILED}}) {
    SimulatedService service(config);
    service.AddFunction("main", Script{{Succeed(std::string(row.bytes, 'r'))}});
    v1::StartExecutionRequest request = StartOf("main");
    request.set_invocation_type(row.type);
    const v1::Execution execution = service.End(service.Start(request)->durable_execution_arn());
    EXPECT_EQ(execution.status(), row.status) << row.bytes;
    if (row.status == v1::EXECUTION_STATUS_FAILED) {
      EXPECT_EQ(execution.error().ShortDebugString(),
                absl::StrCat("error_message: \"Execution output payload size must be less than or "
                             "equal to ",
                             row.bytes - 1, " bytes.\""));
    }
  }
}

TEST(OutputTest, PendingWithNothingPendingIsTriedThreeTimesMore) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Pending()}, {Pending()}, {Pending()}, {Pending()}});
  const std::string arn = service.Start("main");
  const v1::Execution execution = service.End(arn);
  EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_EQ(execution.error().error_type(), "InvalidParameterValueException");
  EXPECT_EQ(execution.error().error_message(),
            "The function answered PENDING, but no operation of the execution is pending.");
  EXPECT_THAT(service.workers.runs(), SizeIs(4));
  EXPECT_THAT(service.workers.violations(), IsEmpty());
  // 1, 2 and 4 seconds apart.
  const std::string refused =
      " INVOCATION_COMPLETED error { payload { error_message: \"The function answered PENDING, but "
      "no operation of the execution is pending.\" error_type: "
      "\"InvalidParameterValueException\" } }";
  const std::vector<std::string> history = service.History(arn);
  ASSERT_THAT(history, SizeIs(6));
  EXPECT_EQ(history[1], "+0 2" + refused);
  EXPECT_EQ(history[2], "+1s 3" + refused);
  EXPECT_EQ(history[3], "+3s 4" + refused);
  EXPECT_EQ(history[4], "+7s 5" + refused);
}

TEST(OutputTest, ACleanInvocationForgetsEmptyPendingsAndFailures) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  const std::vector<Action> wait = {Checkpoint({StartWait("w", 1)}), Pending()};
  const std::vector<Action> wait_again = {Checkpoint({StartWait("x", 1)}), Pending()};
  service.AddFunction("main", Script{{Pending()},
                                     {Pending()},
                                     {Pending()},
                                     wait,
                                     {Crash()},
                                     {Crash()},
                                     {Crash()},
                                     {Crash()},
                                     wait_again,
                                     {Pending()},
                                     {Crash()},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  EXPECT_EQ(service.End(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(service.workers.runs(), SizeIs(12));
}

// The handler suspends on what it last saw; what has happened since then is news for it.
TEST(OutputTest, PendingThatWasOvertakenIsAcceptedAndInvokedAgainAtOnce) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("approval")}), Hold(), Pending()},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.SendSuccess(service.CallbackId(arn, "approval")), absl::OkStatus());
  service.workers.Release();
  service.Run();
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED CALLBACK_STARTED CALLBACK_SUCCEEDED INVOCATION_COMPLETED "
            "INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  EXPECT_THAT(service.workers.runs()[1]->invocation.durable().updated_operation_ids(),
              ElementsAre("approval"));
}

TEST(OutputTest, WhatAHandlerWasToldOfEarnsNoFurtherInvocation) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartCallback("approval"), StartWait("w", 3600)}),
                                      Hold(), Poll(), Pending()},
                                     {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.SendSuccess(service.CallbackId(arn, "approval")), absl::OkStatus());
  service.workers.Release();
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(1));
  EXPECT_THAT(service.WaitingFor(arn), ElementsAre("wait \"w\" (1h left)"));
  service.End(arn);
  EXPECT_THAT(service.workers.runs()[1]->invocation.durable().updated_operation_ids(),
              ElementsAre("w"));
}

struct Policy {
  std::string name;
  // When each of the invocations ends.
  std::vector<std::string> history;
};

TEST(FailurePolicyTest, FiveFailuresInARowFailTheExecution) {
  for (const Policy& policy :
       std::vector<Policy>{{"aws", {"+0", "+1s", "+3s", "+7s", "+15s"}},
                           {"python-testing", {"+0", "+5s", "+10s", "+15s", "+20s"}}}) {
    for (const v1::ClockMode mode : {v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_REAL}) {
      SCOPED_TRACE(absl::StrCat(policy.name, " ", mode));
      v1::SessionConfig config;
      config.set_clock_mode(mode);
      config.set_failure_policy(policy.name);
      SimulatedService service(config);
      service.AddFunction(
          "main",
          Script{
              {Crash()}, {Throw("A", "a")}, {Throw("B", "b")}, {Crash()}, {Throw("Last", "seen")}});
      const std::string arn = service.Start("main");
      const v1::Execution execution = service.End(arn);
      EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_FAILED);
      EXPECT_EQ(execution.error().error_type(), "Last");
      EXPECT_EQ(execution.error().error_message(), "seen");
      const std::vector<std::string> history = service.History(arn);
      ASSERT_THAT(history, SizeIs(7));
      for (size_t i = 0; i < policy.history.size(); ++i) {
        EXPECT_THAT(history[i + 1],
                    testing::StartsWith(absl::StrCat(policy.history[i], " ", i + 2,
                                                     " INVOCATION_COMPLETED error")));
      }
    }
  }
}

TEST(FailurePolicyTest, AFunctionThatIsGoneFailsTheExecutionAtOnce) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 5)}), Pending()}});
  const std::string arn = service.Start("main");
  service.Run();
  ASSERT_TRUE(service.executor().DeregisterFunction("", "main").ok());
  const v1::Execution execution = service.End(arn);
  EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_EQ(execution.error().ShortDebugString(),
            "error_message: \"Function not found: main\" error_type: "
            "\"ResourceNotFoundException\"");
  EXPECT_EQ(service.EventTypes(arn),
            "EXECUTION_STARTED WAIT_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED EXECUTION_FAILED");
}

// Its worker goes on as if nothing had happened.
TEST(TimeOutTest, AnInvocationThatTookTooLongIsAZombie) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  v1::FunctionSpec spec;
  spec.mutable_timeout()->set_seconds(30);
  service.workers.IgnoreAborts();
  service.AddFunction("main",
                      Script{{Checkpoint({StartStep("a")}), Hold(),
                              Checkpoint({SucceedStep("a", "1")}), Succeed("zombie")},
                             {Hold(), Checkpoint({SucceedStep("a", "2")}), Succeed("done")}},
                      spec);
  const std::string arn = service.Start("main");
  service.Run();
  service.scheduler.AdvanceWall(absl::Seconds(29));
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED STEP_STARTED");
  service.scheduler.AdvanceWall(absl::Seconds(2));
  ASSERT_THAT(service.workers.runs(), SizeIs(2));
  const auto zombie = service.workers.runs()[0];
  EXPECT_THAT(zombie->aborts, ElementsAre(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT));
  EXPECT_EQ(service.workers.Release(), 2);
  EXPECT_EQ(service.End(arn).result(), "done");
  ASSERT_THAT(zombie->answers, SizeIs(2));
  EXPECT_TRUE(IsStaleCheckpointToken(zombie->answers[1].status()));
  const auto events = service.memory.ReadEvents(arn, 3, 3);
  const v1::ErrorObject& error = events->front().invocation_completed_details().error().payload();
  EXPECT_EQ(error.error_type(), "Sandbox.Timedout");
  EXPECT_THAT(error.error_message(),
              testing::MatchesRegex(absl::StrCat("20..-..-..T..:..:..\\....Z ",
                                                 zombie->invocation.request_id(),
                                                 " Task timed out after 30.00 seconds")));
  EXPECT_EQ(service.Inspect(arn).operations(1).step_details().result(), "2");
}

TEST(TimeOutTest, TheExecutionTimeOutClosesWhateverIsUnderWay) {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_SKIP);
  config.set_skip_deadlines(true);
  SimulatedService service(config);
  v1::FunctionSpec spec;
  spec.mutable_durable_config()->set_execution_timeout(60);
  service.AddFunction("main", Script{{Checkpoint({StartWait("w", 3600)}), Pending()}}, spec);
  const std::string arn = service.Start("main");
  const v1::Execution execution = service.End(arn);
  EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(execution.error().ShortDebugString(),
            "error_message: \"Execution timed out after 60 seconds.\"");
  // What is open stays as it is.
  EXPECT_EQ(service.Inspect(arn).operations(1).status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_EQ(service.History(arn).back(),
            "+1m 4 EXECUTION_TIMED_OUT error { payload { error_message: \"Execution timed out "
            "after 60 seconds.\" } }");
}

TEST(GateTest, ACloseByCheckpointCountsAtOnceAndEndsTheHistoryBehindItsInvocation) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction("main", Script{{Checkpoint({SucceedExecution("large")}), Hold(),
                                      Fail("Ignored", "ignored")}});
  const std::string arn = service.Start("main");
  service.Run();
  EXPECT_EQ(service.StatusOf(arn), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED");
  EXPECT_FALSE(service.workers.runs()[0]->answers[0]->has_checkpoint_token());
  EXPECT_EQ(service.Stop(arn), absl::OkStatus());
  service.workers.Release();
  EXPECT_EQ(service.End(arn).result(), "large");
  EXPECT_EQ(service.EventTypes(arn), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST(GateTest, InvocationsShareTheOnlySlotAndQueue) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.workers.set_slots(0);
  service.AddFunction("main", Script{{Hold(), Succeed("done")}});
  const std::string first = service.Start("main");
  const std::string second = service.Start("main");
  service.Run();
  EXPECT_THAT(service.WaitingFor(first), ElementsAre("a worker that serves main; start one"));
  service.workers.set_slots(1);
  service.Run();
  EXPECT_THAT(service.WaitingFor(first), ElementsAre("the running invocation of main"));
  EXPECT_THAT(service.WaitingFor(second),
              ElementsAre("a free slot of the workers that serve main"));
  // Stopped in the queue, it takes no slot.
  EXPECT_EQ(service.Stop(second), absl::OkStatus());
  service.workers.Release();
  EXPECT_EQ(service.End(first).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  service.Run();
  EXPECT_EQ(service.workers.free_slots(), 1);
  EXPECT_EQ(service.EventTypes(second), "EXECUTION_STARTED EXECUTION_STOPPED");
}

TEST(GateTest, CloseTwoWakeUpsAreTwoInvocationsAndOneMomentIsOne) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction(
      "main",
      Script{{Checkpoint({StartWait("b", 2), StartWait("a", 1), StartWait("c", 2)}), Pending()},
             {Pending()},
             {Succeed("done")}});
  const std::string arn = service.Start("main");
  service.End(arn);
  const auto& runs = service.workers.runs();
  ASSERT_THAT(runs, SizeIs(3));
  EXPECT_THAT(runs[1]->invocation.durable().updated_operation_ids(), ElementsAre("a"));
  EXPECT_THAT(runs[2]->invocation.durable().updated_operation_ids(), ElementsAre("b", "c"));
}

TEST(StateTest, IsPagedAndPruned) {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_SKIP);
  config.mutable_limits()->set_state_page_bytes(1);
  SimulatedService service(config);
  v1::OperationUpdate hidden = StartStep("hidden");
  hidden.set_parent_id("x");
  v1::OperationUpdate shown = StartStep("shown");
  shown.set_parent_id("y");
  service.AddFunction("main",
                      Script{{Checkpoint({StartContext("x"), hidden, StartContext("y"), shown,
                                          SucceedContext("x", "1"), SucceedContext("y", "", true)}),
                              Checkpoint({StartWait("w", 1)}), Pending()},
                             {Hold(), Succeed("done")}});
  const std::string arn = service.Start("main");
  service.Run();
  const auto& run = *service.workers.runs().back();
  EXPECT_THAT(run.invocation.durable().initial_execution_state().operations(), SizeIs(1));
  v1::GetExecutionStateRequest request;
  request.set_durable_execution_arn(arn);
  request.set_checkpoint_token(run.token);
  request.set_marker(run.invocation.durable().initial_execution_state().next_marker());
  std::vector<std::string> ids;
  while (request.has_marker()) {
    absl::StatusOr<v1::GetExecutionStateResponse> page = absl::AbortedError("");
    service.executor().GetExecutionState(
        request, StaleTokenSpelling::kReal,
        [&](absl::StatusOr<v1::GetExecutionStateResponse> got) { page = std::move(got); });
    service.Run();
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Operation& operation : page->operations()) ids.push_back(operation.id());
    request.clear_marker();
    if (page->has_next_marker()) request.set_marker(page->next_marker());
  }
  EXPECT_THAT(ids, ElementsAre("x", "y", "shown", "w"));
  service.workers.Release();
  service.End(arn);
}

TEST(HistoryTest, IsPagedInBothDirectionsAndWithoutData) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  service.AddFunction(
      "main", Script{{Checkpoint({StartStep("a"), SucceedStep("a", "1")}), Succeed("done")}});
  const std::string arn = service.Start("main");
  service.End(arn);
  for (const bool reverse : {false, true}) {
    v1::GetExecutionHistoryRequest request;
    request.set_durable_execution_arn(arn);
    request.set_reverse_order(reverse);
    request.set_max_items(2);
    std::string ids;
    do {
      const auto page = service.Call(&Executor::GetExecutionHistory, request);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const v1::Event& event : page->events()) absl::StrAppend(&ids, event.event_id());
      request.clear_marker();
      if (page->has_next_marker()) request.set_marker(page->next_marker());
      absl::StrAppend(&ids, " ");
    } while (request.has_marker());
    EXPECT_EQ(ids, reverse ? "54 32 1 " : "12 34 5 ");
  }
  v1::GetExecutionHistoryRequest request;
  request.set_durable_execution_arn(arn);
  request.set_include_execution_data(false);
  const auto page = service.Call(&Executor::GetExecutionHistory, request);
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->events(2).step_succeeded_details().result().has_payload());
  EXPECT_TRUE(page->events(2).step_succeeded_details().result().truncated());
  request.set_max_items(1001);
  EXPECT_EQ(ErrorNameOf(service.Call(&Executor::GetExecutionHistory, request).status()),
            "InvalidParameterValueException");
}

}  // namespace
}  // namespace rehearse
