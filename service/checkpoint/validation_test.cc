#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;

// ---- What an update may carry, and what may not change ----

struct Refusal {
  std::string name;
  // Applied beforehand, in one checkpoint.
  TestExecution::Updates before;
  TestExecution::Updates updates;
  std::string message;
};

std::vector<Refusal> Refusals() {
  const auto options = [](const std::string& members) {
    return Parse("CHAINED_INVOKE", "START", "op", "chained_invoke_options { " + members + " }");
  };
  const std::string kTwice =
      "Operation 'op': occurs again in the same checkpoint; only the START of a STEP or CONTEXT "
      "may be followed by one update that ends it.";
  const std::string kTwoExecutions = "A checkpoint may hold only one EXECUTION update.";
  const std::string kExecutionLast =
      "The EXECUTION update must be the last update of a checkpoint.";
  const std::string kMalformedTarget =
      "': give a name, name:qualifier, account:function:name, region:account:function:name or a "
      "full ARN.";
  return {
      {"B1",
       {},
       {Valid("EXECUTION", "FAIL", "a"), Valid("EXECUTION", "FAIL", "b")},
       kTwoExecutions},
      {"B2", {}, {Valid("EXECUTION", "FAIL", "a"), Valid("STEP", "START")}, kExecutionLast},
      {"B3_StartTwice", {}, {Valid("STEP", "START"), Valid("STEP", "START")}, kTwice},
      {"B3_EndTwice", {}, {Valid("STEP", "SUCCEED"), Valid("STEP", "FAIL")}, kTwice},
      {"B3_ThreeTimes",
       {},
       {Valid("STEP", "START"), Valid("STEP", "RETRY"), Valid("STEP", "SUCCEED")},
       kTwice},
      {"B3_ContextThreeTimes",
       {},
       {Valid("CONTEXT", "START"), Valid("CONTEXT", "SUCCEED"), Valid("CONTEXT", "FAIL")},
       kTwice},
      {"B3_Wait", {}, {Valid("WAIT", "START"), Valid("WAIT", "CANCEL")}, kTwice},
      {"B3_InterleavedWithOthers",
       {},
       {Valid("STEP", "START"), Valid("STEP", "START", "a"), Valid("STEP", "START", "b"),
        Valid("STEP", "START", "c"), Valid("STEP", "START", "d"), Valid("STEP", "START", "e"),
        Valid("STEP", "START", "f"), Valid("STEP", "START", "g"), Valid("STEP", "START", "h"),
        Valid("STEP", "START")},
       kTwice},
      {"B4_Unknown",
       {},
       {Parse("STEP", "START", "op", "parent_id: 'p'")},
       "Operation 'op': parent 'p' is not a CONTEXT of this execution; start it before, or earlier "
       "in the same checkpoint."},
      {"B4_NotAContext",
       {Valid("STEP", "START", "p")},
       {Parse("STEP", "START", "op", "parent_id: 'p'")},
       "Operation 'op': parent 'p' is not a CONTEXT of this execution; start it before, or earlier "
       "in the same checkpoint."},
      {"B4_StartedLater",
       {},
       {Parse("STEP", "START", "op", "parent_id: 'p'"), Valid("CONTEXT", "START", "p")},
       "Operation 'op': parent 'p' is not a CONTEXT of this execution; start it before, or earlier "
       "in the same checkpoint."},
      {"B4_Itself",
       {},
       {Parse("CONTEXT", "START", "op", "parent_id: 'op'")},
       "Operation 'op': parent 'op' is not a CONTEXT of this execution; start it before, or "
       "earlier "
       "in the same checkpoint."},
      {"U1",
       {Valid("STEP", "START")},
       {Valid("CONTEXT", "SUCCEED")},
       "Operation 'op': Type cannot change from 'STEP' to 'CONTEXT'."},
      {"U1_Execution",
       {},
       {Valid("STEP", "START", "5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002a")},
       "Operation '5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002a': Type cannot change from 'EXECUTION' to "
       "'STEP'."},
      {"U2",
       {Parse("STEP", "START", "op", "sub_type: 'Step'")},
       {Parse("STEP", "SUCCEED", "op", "sub_type: 'Other'")},
       "Operation 'op': SubType cannot change from 'Step' to 'Other'."},
      {"U3",
       {Parse("STEP", "START", "op", "name: 'a'")},
       {Parse("STEP", "SUCCEED", "op", "name: 'b'")},
       "Operation 'op': Name cannot change from 'a' to 'b'."},
      {"U4",
       {Valid("CONTEXT", "START", "p"), Valid("CONTEXT", "START", "q"),
        Parse("STEP", "START", "op", "parent_id: 'p'")},
       {Parse("STEP", "SUCCEED", "op", "parent_id: 'q'")},
       "Operation 'op': ParentId cannot change from 'p' to 'q'."},
      {"S2_Error",
       {},
       {Parse("STEP", "SUCCEED", "op", "error {}")},
       "Operation 'op': an Error is not allowed on STEP SUCCEED; give a Payload."},
      {"S3_Payload",
       {},
       {Parse("STEP", "FAIL", "op", "payload: ''")},
       "Operation 'op': a Payload is not allowed on STEP FAIL; give an Error."},
      {"S4_NoOptions",
       {},
       {Update("STEP", "RETRY", "op")},
       "Operation 'op': STEP RETRY needs StepOptions with NextAttemptDelaySeconds."},
      {"S4_NoDelay",
       {},
       {Parse("STEP", "RETRY", "op", "step_options {}")},
       "Operation 'op': STEP RETRY needs StepOptions with NextAttemptDelaySeconds."},
      {"S4_Both",
       {},
       {Parse("STEP", "RETRY", "op",
              "step_options { next_attempt_delay_seconds: 1 } error {} payload: ''")},
       "Operation 'op': STEP RETRY takes either an Error or a Payload, not both."},
      {"S6_Error",
       {},
       {Parse("CONTEXT", "SUCCEED", "op", "error {}")},
       "Operation 'op': an Error is not allowed on CONTEXT SUCCEED; give a Payload."},
      {"S7_Payload",
       {},
       {Parse("CONTEXT", "FAIL", "op", "payload: ''")},
       "Operation 'op': a Payload is not allowed on CONTEXT FAIL; give an Error."},
      {"S8_NoOptions",
       {},
       {Update("WAIT", "START", "op")},
       "Operation 'op': WAIT START needs WaitOptions with WaitSeconds."},
      {"S11_NoOptions",
       {},
       {Update("CHAINED_INVOKE", "START", "op")},
       "Operation 'op': CHAINED_INVOKE START needs ChainedInvokeOptions with FunctionName."},
      {"S11_NoName", {}, {options("")}, "FunctionName must have 1 to 256 characters."},
      {"S11_Malformed",
       {},
       {options("function_name: 'a b'")},
       "Invalid function ARN 'a b" + kMalformedTarget},
      {"S11_ArnWithoutAccount",
       {},
       {options("function_name: 'arn:aws:lambda:function:pay'")},
       "Invalid function ARN 'arn:aws:lambda:function:pay" + kMalformedTarget},
      {"S11_OtherAccount",
       {},
       {options("function_name: '999999999999:function:pay'")},
       "Cannot start a CHAINED_INVOKE on a function in another account."},
      {"S11_OtherRegion",
       {},
       {options("function_name: 'arn:aws:lambda:eu-west-1:123456789012:function:pay'")},
       "Cannot start a CHAINED_INVOKE on a function in another region."},
      {"S13_Error",
       {},
       {Parse("EXECUTION", "SUCCEED", "op", "error {}")},
       "Operation 'op': an Error is not allowed on EXECUTION SUCCEED; give a Payload."},
      {"S14_Payload",
       {},
       {Parse("EXECUTION", "FAIL", "op", "payload: ''")},
       "Operation 'op': a Payload is not allowed on EXECUTION FAIL; give an Error."},
      // Syntax.
      {"Id_Empty",
       {},
       {Valid("STEP", "START", "")},
       "Updates[0].Id must have 1 to 64 characters of A-Z a-z 0-9 - _."},
      {"Id_Alphabet",
       {},
       {Valid("STEP", "START"), Valid("STEP", "START", "a.b")},
       "Updates[1].Id must have 1 to 64 characters of A-Z a-z 0-9 - _."},
      {"ParentId_Empty",
       {},
       {Parse("STEP", "START", "op", "parent_id: ''")},
       "Updates[0].ParentId must have 1 to 64 characters of A-Z a-z 0-9 - _."},
      {"Name_Empty",
       {},
       {Parse("STEP", "START", "op", "name: ''")},
       "Updates[0].Name must have 1 to 256 characters of printable ASCII."},
      {"Name_Alphabet",
       {},
       {Parse("STEP", "START", "op", "name: 'caf\\303\\251'")},
       "Updates[0].Name must have 1 to 256 characters of printable ASCII."},
      {"SubType_Alphabet",
       {},
       {Parse("STEP", "START", "op", "sub_type: 'a b'")},
       "Updates[0].SubType must have 1 to 32 characters of A-Z a-z 0-9 - _."},
      {"Type",
       {},
       {Parse("STEP", "START", "op", "")},
       "Updates[0].Type must be EXECUTION, CONTEXT, STEP, WAIT, CALLBACK or CHAINED_INVOKE."},
      {"Action",
       {},
       {Parse("STEP", "START", "op", "")},
       "Updates[0].Action must be START, SUCCEED, FAIL, RETRY or CANCEL."},
      {"TenantId",
       {},
       {options("function_name: 'pay' tenant_id: '#'")},
       "Updates[0].ChainedInvokeOptions.TenantId must have 1 to 256 characters of A-Z a-z 0-9 . _ "
       ": / = + - @ space."},
  };
}

class RefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, ChangesNothing) {
  const Refusal& row = GetParam();
  TestExecution test;
  test.targets["pay"] = {absl::nullopt, "pay", "$LATEST", true};
  if (!row.before.empty()) {
    ASSERT_TRUE(test.Checkpoint(row.before).ok());
  }
  v1::CheckpointRequest request = test.Request(row.updates);
  if (row.name == "Type") request.mutable_updates(0)->set_type(static_cast<v1::OperationType>(7));
  if (row.name == "Action") {
    request.mutable_updates(0)->set_action(static_cast<v1::OperationAction>(0));
  }
  ExpectRefused(test, request, row.message);
  // Behind a good update as well: a batch is applied whole or not at all.
  if (request.updates_size() == 1 && absl::StartsWith(row.message, "Operation")) {
    *request.add_updates() = request.updates(0);
    *request.mutable_updates(0) = Valid("STEP", "START", "good");
    ExpectRefused(test, request, row.message);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryRule, RefusalTest, ::testing::ValuesIn(Refusals()),
                         [](const auto& info) { return info.param.name; });

TEST(BatchTest, AcceptsWhatTheRulesAllow) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Valid("CONTEXT", "START", "c"), Parse("STEP", "START", "s", "parent_id: 'c'"),
       Parse("STEP", "SUCCEED", "s", "parent_id: 'c' payload: '1'"),
       Parse("STEP", "START", "t", "parent_id: 'c'"),
       Parse("STEP", "RETRY", "t", "step_options { next_attempt_delay_seconds: 1 }"),
       Valid("CONTEXT", "SUCCEED", "c"),
       Parse("WAIT", "START", "w",
             "parent_id: 'c' "
             "wait_options { wait_seconds: 1 }")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(test.EventTypes(),
            "EXECUTION_STARTED CONTEXT_STARTED STEP_STARTED STEP_SUCCEEDED STEP_STARTED "
            "STEP_SUCCEEDED CONTEXT_SUCCEEDED WAIT_STARTED");
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("c", "s", "t", "w"));
}

struct Accepted {
  std::string name;
  TestExecution::Updates updates;
  // What the batch leaves behind EXECUTION_STARTED.
  std::string events;
};

class AcceptedTest : public ::testing::TestWithParam<Accepted> {};

TEST_P(AcceptedTest, IsApplied) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(GetParam().updates);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED" + GetParam().events);
}

INSTANTIATE_TEST_SUITE_P(
    EveryRule, AcceptedTest,
    ::testing::ValuesIn(std::vector<Accepted>{
        {"Nothing", {}, ""},
        {"B1_B2_ExecutionLast",
         {Valid("STEP", "START"), Valid("EXECUTION", "SUCCEED", "x")},
         " STEP_STARTED"},
        {"B3_IdOfTheExecutionUpdateDoesNotCount",
         {Valid("STEP", "SUCCEED"), Valid("EXECUTION", "FAIL")},
         " STEP_SUCCEEDED"},
        {"B3_StepFails",
         {Valid("STEP", "START"), Valid("STEP", "FAIL")},
         " STEP_STARTED STEP_FAILED"},
        {"B3_StepRetries",
         {Valid("STEP", "START"), Valid("STEP", "RETRY")},
         " STEP_STARTED STEP_SUCCEEDED"},
        {"B3_ContextSucceeds",
         {Valid("CONTEXT", "START"), Valid("CONTEXT", "SUCCEED")},
         " CONTEXT_STARTED CONTEXT_SUCCEEDED"},
        {"B3_ContextFails",
         {Valid("CONTEXT", "START"), Valid("CONTEXT", "FAIL")},
         " CONTEXT_STARTED CONTEXT_FAILED"},
        {"B4_ParentStartedBefore",
         {Valid("CONTEXT", "START", "p"),
          Parse("WAIT", "START", "op", "parent_id: 'p' wait_options { wait_seconds: 1 }")},
         " CONTEXT_STARTED WAIT_STARTED"},
        {"B4_ParentClosedBefore",
         {Valid("CONTEXT", "SUCCEED", "p"), Parse("STEP", "START", "op", "parent_id: 'p'")},
         " CONTEXT_SUCCEEDED STEP_STARTED"},
    }),
    [](const auto& info) { return info.param.name; });

TEST(BatchTest, KeepsWhatTheFirstUpdateSaid) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CONTEXT", "START", "c"),
                               Parse("STEP", "START", "s",
                                     "parent_id: 'c' name: 'charge' sub_type: 'Step'")})
                  .ok());
  ASSERT_TRUE(test.Checkpoint({Update("STEP", "SUCCEED", "s")}).ok());
  EXPECT_EQ(test.Operation("s").name(), "charge");
  EXPECT_EQ(test.Operation("s").sub_type(), "Step");
  EXPECT_EQ(test.Operation("s").parent_id(), "c");
  EXPECT_EQ(test.events().back().name(), "charge");
  EXPECT_EQ(test.events().back().parent_id(), "c");
  EXPECT_EQ(test.events().back().sub_type(), "Step");
}

// ---- Limits: at the bound, and one past it ----

struct Bound {
  std::string name;
  std::function<void(int64_t excess, TestExecution&, v1::CheckpointRequest&)> fill;
  std::string message;
};

std::vector<Bound> Bounds() {
  const auto only = [](v1::CheckpointRequest& request) -> v1::OperationUpdate& {
    return *request.mutable_updates(0);
  };
  const auto payload = [only](const std::string& type, const std::string& action, int64_t bytes) {
    return [=](int64_t excess, TestExecution&, v1::CheckpointRequest& request) {
      only(request) = Valid(type, action);
      only(request).set_payload(PayloadOf(bytes + excess));
    };
  };
  const auto set = [only](const std::string& type, const std::string& action, auto setter) {
    return [=](int64_t excess, TestExecution&, v1::CheckpointRequest& request) {
      only(request) = Valid(type, action);
      setter(excess, only(request));
    };
  };
  const std::string kOneMiB = " size must be less than or equal to 1048576 bytes.";
  return {
      {"StepOutput", payload("STEP", "SUCCEED", 1048576), "STEP output payload" + kOneMiB},
      {"StepState", payload("STEP", "RETRY", 1048576), "STEP output payload" + kOneMiB},
      {"ContextOutput", payload("CONTEXT", "SUCCEED", 1048576), "CONTEXT output payload" + kOneMiB},
      {"WaitInput", payload("WAIT", "START", 1048576), "WAIT input payload" + kOneMiB},
      {"CallbackInput", payload("CALLBACK", "START", 1048576), "CALLBACK input payload" + kOneMiB},
      {"ChainedInput", payload("CHAINED_INVOKE", "START", 1048576),
       "CHAINED_INVOKE input payload" + kOneMiB},
      {"ExecutionOutput", payload("EXECUTION", "SUCCEED", 1048576),
       "Execution output payload" + kOneMiB},
      {"Error",
       set("STEP", "FAIL",
           [](int64_t excess, v1::OperationUpdate& update) {
             update.mutable_error()->set_error_message(PayloadOf(1048573 + excess));
             update.mutable_error()->set_error_type("a");
             update.mutable_error()->set_error_data("b");
             update.mutable_error()->add_stack_trace("c");
           }),
       "STEP error" + kOneMiB},
      {"ExecutionError",
       set("EXECUTION", "FAIL",
           [](int64_t excess, v1::OperationUpdate& update) {
             update.mutable_error()->set_error_message(PayloadOf(1048576 + excess));
           }),
       "Execution error" + kOneMiB},
      {"AnyPayload",
       [only](int64_t excess, TestExecution& test, v1::CheckpointRequest& request) {
         test.limits.operation_payload_bytes = 10000000;
         test.limits.checkpoint_request_bytes = 10000000;
         only(request) = Valid("STEP", "SUCCEED");
         only(request).set_payload(PayloadOf(6291456 + excess));
       },
       "Updates[0].Payload must have 0 to 6291456 characters."},
      {"ParentId",
       [](int64_t excess, TestExecution&, v1::CheckpointRequest& request) {
         request.clear_updates();
         *request.add_updates() = Valid("CONTEXT", "START", PayloadOf(64));
         *request.add_updates() = Valid("STEP", "START");
         request.mutable_updates(1)->set_parent_id(PayloadOf(64 + excess));
       },
       "Updates[1].ParentId must have 1 to 64 characters of A-Z a-z 0-9 - _."},
      {"Id",
       set("STEP", "START",
           [](int64_t excess, v1::OperationUpdate& u) { u.set_id(PayloadOf(64 + excess)); }),
       "Updates[0].Id must have 1 to 64 characters of A-Z a-z 0-9 - _."},
      {"Name",
       set("STEP", "START",
           [](int64_t excess, v1::OperationUpdate& u) { u.set_name(PayloadOf(256 + excess)); }),
       "Updates[0].Name must have 1 to 256 characters of printable ASCII."},
      {"SubType",
       set("STEP", "START",
           [](int64_t excess, v1::OperationUpdate& u) { u.set_sub_type(PayloadOf(32 + excess)); }),
       "Updates[0].SubType must have 1 to 32 characters of A-Z a-z 0-9 - _."},
      {"RetryDelayMax",
       set("STEP", "RETRY",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_step_options()->set_next_attempt_delay_seconds(31622400 + excess);
           }),
       "Updates[0].StepOptions.NextAttemptDelaySeconds must be 1 to 31622400."},
      {"RetryDelayMin",
       set("STEP", "RETRY",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_step_options()->set_next_attempt_delay_seconds(1 - excess);
           }),
       "Updates[0].StepOptions.NextAttemptDelaySeconds must be 1 to 31622400."},
      {"WaitMax",
       set("WAIT", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_wait_options()->set_wait_seconds(31622400 + excess);
           }),
       "Updates[0].WaitOptions.WaitSeconds must be 1 to 31622400."},
      {"WaitMin",
       set("WAIT", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_wait_options()->set_wait_seconds(1 - excess);
           }),
       "Updates[0].WaitOptions.WaitSeconds must be 1 to 31622400."},
      {"CallbackTimeoutMax",
       set("CALLBACK", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_callback_options()->set_timeout_seconds(99999999 + excess);
           }),
       "Updates[0].CallbackOptions.TimeoutSeconds must be 0 to 99999999."},
      {"CallbackTimeoutMin",
       set("CALLBACK", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_callback_options()->set_timeout_seconds(-excess);
           }),
       "Updates[0].CallbackOptions.TimeoutSeconds must be 0 to 99999999."},
      {"CallbackHeartbeatMax",
       set("CALLBACK", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_callback_options()->set_heartbeat_timeout_seconds(99999999 + excess);
           }),
       "Updates[0].CallbackOptions.HeartbeatTimeoutSeconds must be 0 to 99999999."},
      {"CallbackHeartbeatMin",
       set("CALLBACK", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_callback_options()->set_heartbeat_timeout_seconds(-excess);
           }),
       "Updates[0].CallbackOptions.HeartbeatTimeoutSeconds must be 0 to 99999999."},
      {"FunctionName",
       [only](int64_t excess, TestExecution& test, v1::CheckpointRequest& request) {
         const std::string name = PayloadOf(256 + excess);
         test.targets[name] = {absl::nullopt, "pay", "$LATEST", false};
         only(request) = Valid("CHAINED_INVOKE", "START");
         only(request).mutable_chained_invoke_options()->set_function_name(name);
       },
       "FunctionName must have 1 to 256 characters."},
      {"TenantId",
       set("CHAINED_INVOKE", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_chained_invoke_options()->set_tenant_id(PayloadOf(256 + excess));
           }),
       "Updates[0].ChainedInvokeOptions.TenantId must have 1 to 256 characters of A-Z a-z 0-9 . _ "
       ": / = + - @ space."},
      {"TraceHeader",
       set("CHAINED_INVOKE", "START",
           [](int64_t excess, v1::OperationUpdate& u) {
             u.mutable_chained_invoke_options()->set_x_amzn_trace_id(PayloadOf(8192 + excess));
           }),
       "Updates[0].ChainedInvokeOptions.XAmznTraceId must have 0 to 8192 characters."},
      {"ClientToken",
       [](int64_t excess, TestExecution&, v1::CheckpointRequest& request) {
         request.set_client_token(PayloadOf(64 + excess));
       },
       "ClientToken must have 1 to 64 characters of visible ASCII."},
      {"Updates",
       [](int64_t excess, TestExecution&, v1::CheckpointRequest& request) {
         request.clear_updates();
         for (int i = 0; i < 1000 + excess; ++i) {
           *request.add_updates() = Valid("STEP", "START", absl::StrCat("s", i));
         }
       },
       "A checkpoint may hold at most 1000 updates."},
      {"RequestBytes",
       [](int64_t excess, TestExecution& test, v1::CheckpointRequest& request) {
         test.limits.checkpoint_request_bytes =
             static_cast<int64_t>(request.ByteSizeLong()) - excess;
       },
       ""},
  };
}

class BoundTest : public ::testing::TestWithParam<Bound> {};

TEST_P(BoundTest, HoldsAtTheBoundAndRefusesOnePast) {
  const Bound& bound = GetParam();
  TestExecution test;
  test.targets["pay"] = {absl::nullopt, "pay", "$LATEST", false};
  v1::CheckpointRequest request = test.Request({Valid("STEP", "START")});
  bound.fill(1, test, request);
  const std::string message =
      bound.message.empty() ? absl::StrCat("Checkpoint request size must be less than or equal to ",
                                           test.limits.checkpoint_request_bytes, " bytes.")
                            : bound.message;
  ExpectRefused(test, request, message);
  bound.fill(0, test, request);
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
}

INSTANTIATE_TEST_SUITE_P(EveryLimit, BoundTest, ::testing::ValuesIn(Bounds()),
                         [](const auto& info) { return info.param.name; });

TEST(LimitTest, PayloadsWereSmallerBeforeAutumn2026) {
  const std::vector<std::pair<v1::OperationUpdate, int64_t>> rows = {
      {Valid("STEP", "SUCCEED"), 262144},
      {Valid("CONTEXT", "SUCCEED"), 262144},
      {Valid("WAIT", "START"), 262144},
      {Valid("CALLBACK", "START"), 262144},
      {Valid("CHAINED_INVOKE", "START"), 1048576},
      {Valid("EXECUTION", "SUCCEED"), 1048576},
  };
  for (auto [update, bound] : rows) {
    TestExecution test;
    test.limits = *LimitsProfile("aws-2025");
    test.targets["pay"] = {absl::nullopt, "pay", "$LATEST", false};
    update.set_payload(PayloadOf(bound + 1));
    EXPECT_EQ(ErrorNameOf(test.Checkpoint({update}).status()), "InvalidParameterValueException");
    update.mutable_payload()->pop_back();
    EXPECT_TRUE(test.Checkpoint({update}).ok()) << update.type();
  }
  TestExecution test;
  test.limits = *LimitsProfile("aws-2025");
  v1::OperationUpdate failed = Valid("STEP", "FAIL");
  failed.mutable_error()->set_error_data(PayloadOf(262145));
  ExpectRefused(test, {failed}, "STEP error size must be less than or equal to 262144 bytes.");
  failed.mutable_error()->mutable_error_data()->pop_back();
  EXPECT_TRUE(test.Checkpoint({failed}).ok());
}

TEST(LimitTest, ResultOfASynchronousExecutionMayBeLarger) {
  record::ExecutionRecord record = TestExecution::Record();
  record.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  TestExecution test(record);
  test.limits.sync_payload_bytes = 2000000;
  v1::OperationUpdate update = Valid("EXECUTION", "SUCCEED");
  update.set_payload(PayloadOf(2000001));
  ExpectRefused(test, {update},
                "Execution output payload size must be less than or equal to 2000000 bytes.");
  update.set_payload(PayloadOf(2000000));
  EXPECT_TRUE(test.Checkpoint({update}).ok());
}

TEST(LimitTest, ResultOfAChildIsAsynchronous) {
  record::ExecutionRecord record = TestExecution::Record();
  record.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  record.mutable_parent()->set_arn("arn");
  TestExecution test(record);
  v1::OperationUpdate update = Valid("EXECUTION", "SUCCEED");
  update.set_payload(PayloadOf(1048577));
  ExpectRefused(test, {update},
                "Execution output payload size must be less than or equal to 1048576 bytes.");
}

TEST(LimitTest, TooManyOperationsFailTheExecution) {
  TestExecution test;
  test.limits.operations_per_execution = 2;
  const absl::StatusOr<CheckpointOutcome> at_bound =
      test.Checkpoint({Valid("STEP", "START", "a"), Valid("STEP", "START", "b")});
  ASSERT_TRUE(at_bound.ok());
  EXPECT_TRUE(at_bound->response.has_checkpoint_token());
  const absl::StatusOr<CheckpointOutcome> past = test.Checkpoint({Valid("STEP", "START", "c")});
  ASSERT_TRUE(past.ok());
  EXPECT_FALSE(past->response.has_checkpoint_token());
  ASSERT_EQ(past->effects.size(), 1u);
  EXPECT_EQ(past->effects[0].kind, Effect::Kind::kExecutionClosed);
  EXPECT_EQ(test.execution().progress().status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_EQ(test.execution().progress().error().error_type(), "QuotaExceeded");
  EXPECT_EQ(test.execution().progress().error().error_message(),
            "Execution has more than 2 operations.");
  EXPECT_TRUE(test.execution().progress().terminal_event_pending());
}

TEST(LimitTest, TooManyStoredBytesFailTheExecution) {
  TestExecution test;
  const int64_t before = test.execution().progress().stored_bytes();
  test.limits.stored_bytes_per_execution = before + 10;
  v1::OperationUpdate update = Valid("STEP", "SUCCEED", "a");
  update.set_payload(PayloadOf(10));
  const absl::StatusOr<CheckpointOutcome> at_bound = test.Checkpoint({update});
  ASSERT_TRUE(at_bound.ok());
  EXPECT_TRUE(at_bound->response.has_checkpoint_token());
  v1::OperationUpdate one_more = Parse("STEP", "FAIL", "b", "error { error_type: 'e' }");
  const absl::StatusOr<CheckpointOutcome> past = test.Checkpoint({one_more});
  ASSERT_TRUE(past.ok());
  EXPECT_FALSE(past->response.has_checkpoint_token());
  EXPECT_EQ(test.execution().progress().error().error_message(),
            absl::StrCat("Execution stores more than ", before + 10, " bytes."));
}

}  // namespace
}  // namespace rehearse
