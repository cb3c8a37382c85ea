#include "service/checkpoint/checkpoint_processor.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/lifecycle.h"
#include "service/checkpoint/test_execution.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::OperationUpdate Parse(absl::string_view type, absl::string_view action, absl::string_view id,
                          absl::string_view members) {
  v1::OperationUpdate update;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(members), &update));
  update.MergeFrom(Update(type, action, id));
  return update;
}

// A valid update of this kind, with the options it needs.
v1::OperationUpdate Valid(const std::string& type, const std::string& action,
                          absl::string_view id = "op") {
  if (type == "STEP" && action == "RETRY") {
    return Parse(type, action, id, "step_options { next_attempt_delay_seconds: 5 }");
  }
  if (type == "WAIT" && action == "START") {
    return Parse(type, action, id, "wait_options { wait_seconds: 10 }");
  }
  if (type == "CALLBACK") {
    return Parse(type, action, id, "callback_options { timeout_seconds: 60 }");
  }
  if (type == "CHAINED_INVOKE") {
    return Parse(type, action, id, "chained_invoke_options { function_name: 'pay' }");
  }
  return Update(type, action, id);
}

std::string PayloadOf(size_t bytes) { return std::string(bytes, 'x'); }

// Refused with this text, and nothing has changed.
void ExpectRefused(TestExecution& test, const v1::CheckpointRequest& request,
                   absl::string_view message) {
  const std::string before = test.Dump();
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument) << outcome.status();
  EXPECT_EQ(ErrorNameOf(outcome.status()), "InvalidParameterValueException");
  EXPECT_EQ(HttpStatusOf(outcome.status()), 400);
  EXPECT_EQ(outcome.status().message(), message);
  EXPECT_EQ(test.Dump(), before);
}
void ExpectRefused(TestExecution& test, const TestExecution::Updates& updates,
                   absl::string_view message) {
  ExpectRefused(test, test.Request(updates), message);
}

void ExpectStale(TestExecution& test, const v1::CheckpointRequest& request) {
  const std::string before = test.Dump();
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kFailedPrecondition) << outcome.status();
  EXPECT_TRUE(IsStaleCheckpointToken(outcome.status()));
  EXPECT_EQ(ErrorNameOf(outcome.status()), "InvalidParameterValueException");
  EXPECT_EQ(outcome.status().message(), test.spelling == StaleTokenSpelling::kReal
                                            ? "Invalid checkpoint token"
                                            : "Invalid Checkpoint Token");
  EXPECT_EQ(test.Dump(), before);
}

std::vector<std::string> Ids(const v1::ExecutionState& state) {
  std::vector<std::string> ids;
  for (const v1::Operation& operation : state.operations()) ids.push_back(operation.id());
  return ids;
}

v1::OperationStatus StatusNamed(const std::string& name) {
  v1::OperationStatus status = v1::OPERATION_STATUS_UNSPECIFIED;
  EXPECT_TRUE(v1::OperationStatus_Parse("OPERATION_STATUS_" + name, &status)) << name;
  return status;
}

// Brings the operation `op` of this type into a state.
void Enter(TestExecution& test, const std::string& type, const std::string& state) {
  if (state == "none") return;
  ChainedTargetResolution target{absl::nullopt, "pay", "$LATEST", true};
  test.targets["pay"] = target;
  ASSERT_TRUE(test.Checkpoint({Valid(type, "START")}).ok());
  if (state == "STARTED") return;
  if (type == "STEP" && (state == "PENDING" || state == "READY")) {
    ASSERT_TRUE(test.Checkpoint({Valid(type, "RETRY")}).ok());
    if (state == "READY") {
      test.Advance(absl::Seconds(5));
      ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
    }
  } else if (type == "STEP" || type == "CONTEXT") {
    const std::string action = state == "SUCCEEDED" ? "SUCCEED" : "FAIL";
    ASSERT_TRUE(test.Checkpoint({Valid(type, action)}).ok());
  } else if (type == "WAIT") {
    if (state == "CANCELLED") {
      ASSERT_TRUE(test.Checkpoint({Valid(type, "CANCEL")}).ok());
    } else {
      test.Advance(absl::Seconds(10));
      ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
    }
  } else if (type == "CALLBACK") {
    const record::OperationRecord& record = test.RecordOf("op");
    const std::string& id = record.operation().callback_details().callback_id();
    if (state == "TIMED_OUT") test.Advance(absl::Seconds(60));
    test.Change([&](ExecutionChange& change) {
      if (state == "SUCCEEDED") {
        EXPECT_TRUE(CompleteCallback(change, 1, id, std::string("1"), test.limits).ok());
      } else if (state == "FAILED") {
        EXPECT_TRUE(FailCallback(change, 1, id, {}, test.limits).ok());
      } else {
        EXPECT_TRUE(CompleteIfDue(change, "op"));
      }
    });
  } else if (type == "CHAINED_INVOKE") {
    test.Change([&](ExecutionChange& change) {
      CompleteChainedInvoke(change, "op", {StatusNamed(state), absl::nullopt, absl::nullopt});
    });
  }
  ASSERT_EQ(test.Operation("op").status(), StatusNamed(state)) << type;
}

// ---- Action by type, and the state rules: every row, valid and invalid ----

struct Transition {
  std::string type;
  std::string from;
  std::string action;
  // A status and the event it leaves; or the error's text behind "Operation 'op': ".
  std::string outcome;
};

std::vector<Transition> Transitions() {
  const std::string kStepStart = "cannot START a STEP in status ";
  const std::string kNewOrReady = "; it must be new or READY.";
  const std::string kNewStartedReady = "; it must be new or STARTED or READY.";
  std::vector<Transition> rows = {
      {"STEP", "none", "START", "STARTED STEP_STARTED"},
      {"STEP", "none", "SUCCEED", "SUCCEEDED STEP_SUCCEEDED"},
      {"STEP", "none", "FAIL", "FAILED STEP_FAILED"},
      {"STEP", "none", "RETRY", "PENDING STEP_SUCCEEDED"},
      {"STEP", "STARTED", "SUCCEED", "SUCCEEDED STEP_SUCCEEDED"},
      {"STEP", "STARTED", "FAIL", "FAILED STEP_FAILED"},
      {"STEP", "STARTED", "RETRY", "PENDING STEP_SUCCEEDED"},
      {"STEP", "READY", "START", "STARTED STEP_STARTED"},
      {"STEP", "READY", "SUCCEED", "SUCCEEDED STEP_SUCCEEDED"},
      {"STEP", "READY", "FAIL", "FAILED STEP_FAILED"},
      {"STEP", "READY", "RETRY", "PENDING STEP_SUCCEEDED"},
      {"STEP", "none", "CANCEL",
       "action CANCEL is not valid for STEP; use START or SUCCEED or FAIL or RETRY."},
      {"CONTEXT", "none", "START", "STARTED CONTEXT_STARTED"},
      {"CONTEXT", "none", "SUCCEED", "SUCCEEDED CONTEXT_SUCCEEDED"},
      {"CONTEXT", "none", "FAIL", "FAILED CONTEXT_FAILED"},
      {"CONTEXT", "STARTED", "SUCCEED", "SUCCEEDED CONTEXT_SUCCEEDED"},
      {"CONTEXT", "STARTED", "FAIL", "FAILED CONTEXT_FAILED"},
      {"CONTEXT", "none", "RETRY",
       "action RETRY is not valid for CONTEXT; use START or SUCCEED or FAIL."},
      {"CONTEXT", "none", "CANCEL",
       "action CANCEL is not valid for CONTEXT; use START or SUCCEED or FAIL."},
      {"WAIT", "none", "START", "STARTED WAIT_STARTED"},
      {"WAIT", "STARTED", "CANCEL", "CANCELLED WAIT_CANCELLED"},
      {"WAIT", "none", "CANCEL", "cannot CANCEL a WAIT that does not exist; it must be STARTED."},
      {"WAIT", "none", "SUCCEED", "action SUCCEED is not valid for WAIT; use START or CANCEL."},
      {"WAIT", "none", "FAIL", "action FAIL is not valid for WAIT; use START or CANCEL."},
      {"WAIT", "none", "RETRY", "action RETRY is not valid for WAIT; use START or CANCEL."},
      {"CALLBACK", "none", "START", "STARTED CALLBACK_STARTED"},
      {"CHAINED_INVOKE", "none", "START", "STARTED CHAINED_INVOKE_STARTED"},
  };
  for (const char* state : {"STARTED", "PENDING", "SUCCEEDED", "FAILED"}) {
    rows.push_back({"STEP", state, "START", kStepStart + state + kNewOrReady});
  }
  for (const char* state : {"PENDING", "SUCCEEDED", "FAILED"}) {
    for (const char* action : {"SUCCEED", "FAIL", "RETRY"}) {
      rows.push_back(
          {"STEP", state, action,
           absl::StrCat("cannot ", action, " a STEP in status ", state, kNewStartedReady)});
    }
  }
  for (const char* state : {"STARTED", "SUCCEEDED", "FAILED"}) {
    rows.push_back({"CONTEXT", state, "START",
                    absl::StrCat("cannot START a CONTEXT in status ", state, "; it must be new.")});
  }
  for (const char* state : {"SUCCEEDED", "FAILED"}) {
    for (const char* action : {"SUCCEED", "FAIL"}) {
      rows.push_back({"CONTEXT", state, action,
                      absl::StrCat("cannot ", action, " a CONTEXT in status ", state,
                                   "; it must be new or STARTED.")});
    }
  }
  for (const char* state : {"STARTED", "SUCCEEDED", "CANCELLED"}) {
    rows.push_back({"WAIT", state, "START",
                    absl::StrCat("cannot START a WAIT in status ", state, "; it must be new.")});
  }
  for (const char* state : {"SUCCEEDED", "CANCELLED"}) {
    rows.push_back(
        {"WAIT", state, "CANCEL",
         absl::StrCat("cannot CANCEL a WAIT in status ", state, "; it must be STARTED.")});
  }
  for (const char* state : {"STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT"}) {
    rows.push_back(
        {"CALLBACK", state, "START",
         absl::StrCat("cannot START a CALLBACK in status ", state, "; it must be new.")});
  }
  for (const char* state : {"STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"}) {
    rows.push_back(
        {"CHAINED_INVOKE", state, "START",
         absl::StrCat("cannot START a CHAINED_INVOKE in status ", state, "; it must be new.")});
  }
  for (const char* type : {"CALLBACK", "CHAINED_INVOKE"}) {
    for (const char* action : {"SUCCEED", "FAIL", "RETRY", "CANCEL"}) {
      rows.push_back({type, "none", action,
                      absl::StrCat("action ", action, " is not valid for ", type, "; use START.")});
    }
  }
  for (const char* action : {"START", "RETRY", "CANCEL"}) {
    rows.push_back(
        {"EXECUTION", "none", action,
         absl::StrCat("action ", action, " is not valid for EXECUTION; use SUCCEED or FAIL.")});
  }
  return rows;
}

class TransitionTest : public ::testing::TestWithParam<Transition> {};

TEST_P(TransitionTest, KeepsTheTable) {
  const Transition& row = GetParam();
  TestExecution test;
  test.targets["pay"] = {absl::nullopt, "pay", "$LATEST", true};
  Enter(test, row.type, row.from);
  const v1::OperationUpdate update = Valid(row.type, row.action);
  if (row.outcome[0] >= 'a' && row.outcome[0] <= 'z') {
    return ExpectRefused(test, {update}, "Operation 'op': " + row.outcome);
  }
  const std::string history = test.EventTypes();
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint({update});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const std::vector<std::string> expected = absl::StrSplit(row.outcome, ' ');
  const v1::Operation& operation = test.Operation("op");
  EXPECT_EQ(operation.status(), StatusNamed(expected[0]));
  EXPECT_EQ(operation.has_end_timestamp(), IsTerminal(operation.status()));
  EXPECT_EQ(test.EventTypes(), absl::StrCat(history, " ", expected[1]));
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("op"));
  EXPECT_EQ(outcome->response.checkpoint_token(), test.Token());
}

INSTANTIATE_TEST_SUITE_P(EveryRow, TransitionTest, ::testing::ValuesIn(Transitions()),
                         [](const auto& info) {
                           return absl::StrCat(info.param.type, "_", info.param.from, "_",
                                               info.param.action);
                         });

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

// ---- Transitions in detail ----

TEST(StepTest, CountsAttemptsAndKeepsTheLastOutcome) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 0);
  v1::OperationUpdate retry = Valid("STEP", "RETRY");
  retry.mutable_error()->set_error_type("Oops");
  ASSERT_TRUE(test.Checkpoint({retry}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 1);
  EXPECT_EQ(ToAbsl(test.Operation("op").step_details().next_attempt_timestamp()),
            test.moment.time + absl::Seconds(5));
  const v1::StepFailedDetails& failed = test.events().back().step_failed_details();
  EXPECT_EQ(failed.retry_details().current_attempt(), 1);
  EXPECT_EQ(failed.retry_details().next_attempt_delay_seconds(), 5);
  EXPECT_EQ(failed.error().payload().error_type(), "Oops");

  test.Advance(absl::Seconds(5));
  ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
  EXPECT_EQ(test.Operation("op").status(), v1::OPERATION_STATUS_READY);
  EXPECT_FALSE(test.Operation("op").step_details().has_next_attempt_timestamp());
  const auto start_timestamp = test.Operation("op").start_timestamp();
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().error().error_type(), "Oops");
  EXPECT_EQ(test.Operation("op").start_timestamp().seconds(), start_timestamp.seconds());

  retry = Valid("STEP", "RETRY");
  retry.set_payload("state");
  ASSERT_TRUE(test.Checkpoint({retry}).ok());
  EXPECT_FALSE(test.Operation("op").step_details().has_error());
  EXPECT_EQ(test.events().back().step_succeeded_details().result().payload(), "state");
  test.Advance(absl::Seconds(5));
  ASSERT_TRUE(test.Checkpoint(TestExecution::Updates{}).ok());
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().result(), "state");

  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "FAIL")}).ok());
  EXPECT_EQ(test.Operation("op").step_details().attempt(), 3);
  EXPECT_FALSE(test.Operation("op").step_details().has_result());
  EXPECT_FALSE(test.Operation("op").step_details().has_error());
  const v1::StepFailedDetails& last = test.events().back().step_failed_details();
  EXPECT_EQ(last.retry_details().current_attempt(), 3);
  EXPECT_FALSE(last.retry_details().has_next_attempt_delay_seconds());
  EXPECT_TRUE(last.error().has_payload());
}

TEST(ContextTest, KeepsWhetherChildrenAreReplayed) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("CONTEXT", "START", "a"),
                               Parse("CONTEXT", "SUCCEED", "a",
                                     "payload: '' context_options { replay_children: true }"),
                               Valid("CONTEXT", "SUCCEED", "b"),
                               Parse("CONTEXT", "FAIL", "c",
                                     "error { error_message: 'm' } "
                                     "context_options { replay_children: true }")})
                  .ok());
  EXPECT_TRUE(test.Operation("a").context_details().replay_children());
  EXPECT_TRUE(test.Operation("a").context_details().has_result());
  EXPECT_FALSE(test.Operation("b").context_details().replay_children());
  EXPECT_FALSE(test.Operation("b").context_details().has_result());
  EXPECT_FALSE(test.Operation("c").context_details().replay_children());
  EXPECT_EQ(test.Operation("c").context_details().error().error_message(), "m");
}

TEST(CallbackTest, TellsItsIdAndTimeouts) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Parse("CALLBACK", "START", "a",
             "callback_options { timeout_seconds: 60 heartbeat_timeout_seconds: 7 }"),
       Update("CALLBACK", "START", "b")});
  ASSERT_TRUE(outcome.ok());
  const std::string& id =
      outcome->response.new_execution_state().operations(0).callback_details().callback_id();
  const absl::optional<CallbackId> decoded = DecodeCallbackId(id);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->execution_id, test.execution().record().execution_id());
  EXPECT_EQ(decoded->operation_index, 1);
  EXPECT_EQ(test.events()[1].callback_started_details().callback_id(), id);
  EXPECT_EQ(test.events()[1].callback_started_details().timeout(), 60);
  EXPECT_EQ(test.events()[1].callback_started_details().heartbeat_timeout(), 7);
  EXPECT_FALSE(test.events()[2].callback_started_details().has_timeout());
  EXPECT_FALSE(test.events()[2].callback_started_details().has_heartbeat_timeout());
  EXPECT_NE(test.Operation("b").callback_details().callback_id(), id);
}

TEST(ChainedInvokeTest, StartsAResolvedTarget) {
  record::ExecutionRecord record = TestExecution::Record();
  record.set_x_amzn_trace_id("Root=parent");
  TestExecution test(record);
  test.targets["pay:live"] = {absl::nullopt, "pay", "7", true};
  test.targets["plain"] = {absl::nullopt, "plain", "$LATEST", false};
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(
      {Parse("CHAINED_INVOKE", "START", "a",
             "payload: '{\"n\": 1}' "
             "chained_invoke_options { function_name: 'pay:live' tenant_id: 't' }"),
       Parse("CHAINED_INVOKE", "START", "b",
             "chained_invoke_options { function_name: 'plain' x_amzn_trace_id: 'Root=own' }")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->effects.size(), 2u);
  EXPECT_EQ(outcome->effects[0].kind, Effect::Kind::kStartChainedInvoke);
  EXPECT_EQ(outcome->effects[0].operation_id, "a");
  const record::ChainedTarget& target = test.RecordOf("a").chained_target();
  const std::string child_id = ChildExecutionId(record.execution_id(), "a");
  EXPECT_EQ(target.child_arn(),
            absl::StrCat("arn:aws:lambda:us-east-1:123456789012:function:pay:7/durable-execution/",
                         child_id, "/", child_id));
  EXPECT_EQ(target.input(), "{\"n\": 1}");
  EXPECT_EQ(target.x_amzn_trace_id(), "Root=parent");
  EXPECT_EQ(test.RecordOf("b").chained_target().x_amzn_trace_id(), "Root=own");
  const v1::ChainedInvokeStartedDetails& durable =
      test.events()[1].chained_invoke_started_details();
  EXPECT_EQ(durable.function_name(), "pay:live");
  EXPECT_EQ(durable.tenant_id(), "t");
  EXPECT_EQ(durable.input().payload(), "{\"n\": 1}");
  EXPECT_EQ(durable.executed_version(), "7");
  EXPECT_EQ(durable.durable_execution_arn(), target.child_arn());
  const v1::ChainedInvokeStartedDetails& plain = test.events()[2].chained_invoke_started_details();
  EXPECT_FALSE(plain.has_durable_execution_arn());
  EXPECT_TRUE(plain.has_input());
  EXPECT_FALSE(plain.input().has_payload());
}

TEST(ChainedInvokeTest, FailsInItsOwnAnswerWhenTheTargetIsUnknown) {
  TestExecution test;
  v1::ErrorObject error;
  error.set_error_type("ResourceNotFoundException");
  test.targets["pay"] = {error, "", "", false};
  v1::OperationUpdate update = Valid("CHAINED_INVOKE", "START");
  update.set_payload("1");
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint({update});
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(outcome->effects, IsEmpty());
  const v1::Operation& operation = outcome->response.new_execution_state().operations(0);
  EXPECT_EQ(operation.status(), v1::OPERATION_STATUS_FAILED);
  EXPECT_EQ(operation.chained_invoke_details().error().error_type(), "ResourceNotFoundException");
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED CHAINED_INVOKE_STARTED CHAINED_INVOKE_FAILED");
  EXPECT_EQ(test.events()[1].chained_invoke_started_details().ShortDebugString(),
            "function_name: \"pay\"");
  EXPECT_FALSE(test.execution().AnythingPending());
}

TEST(ChainedInvokeTest, NamesOfTargets) {
  TestExecution test;
  EXPECT_THAT(
      ChainedTargetNames(test.Request({Valid("STEP", "START"), Valid("CHAINED_INVOKE", "START"),
                                       Update("CHAINED_INVOKE", "START", "b")})),
      ElementsAre("pay"));
}

TEST(ExecutionUpdateTest, ClosesAtOnceWithoutATokenAndLeavesTheEventToTheEnd) {
  TestExecution test;
  const absl::StatusOr<CheckpointOutcome> outcome =
      test.Checkpoint({Valid("STEP", "SUCCEED", "s"),
                       Parse("EXECUTION", "SUCCEED", "execution-result-17", "payload: '42'")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->response.has_checkpoint_token());
  const record::ExecutionProgress& progress = test.execution().progress();
  EXPECT_EQ(progress.status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(progress.result(), "42");
  EXPECT_EQ(ToAbsl(progress.end_time()), test.moment.time);
  EXPECT_TRUE(progress.terminal_event_pending());
  EXPECT_EQ(test.execution().operation(0).operation().status(), v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(test.execution().operation_count(), 2);
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED STEP_SUCCEEDED");
  ASSERT_EQ(outcome->effects.size(), 1u);
  EXPECT_EQ(outcome->effects[0].kind, Effect::Kind::kExecutionClosed);
  ExpectStale(test, test.Request({}));
}

TEST(ExecutionUpdateTest, FailsWithOrWithoutAnError) {
  TestExecution bare;
  ASSERT_TRUE(bare.Checkpoint({Valid("EXECUTION", "FAIL")}).ok());
  EXPECT_EQ(bare.execution().progress().status(), v1::EXECUTION_STATUS_FAILED);
  EXPECT_FALSE(bare.execution().progress().has_error());
  TestExecution with_error;
  ASSERT_TRUE(
      with_error.Checkpoint({Parse("EXECUTION", "FAIL", "x", "error { error_type: 'E' }")}).ok());
  EXPECT_EQ(with_error.execution().progress().error().error_type(), "E");
}

// ---- Tokens, replies, delta, watermark ----

TEST(TokenTest, EachIsGoodForOneCheckpoint) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  ASSERT_TRUE(test.Checkpoint(first).ok());
  ExpectStale(test, first);
  EXPECT_TRUE(test.Checkpoint(test.Request({})).ok());
}

TEST(TokenTest, StaleTextFollowsTheCaller) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  ASSERT_TRUE(test.Checkpoint(first).ok());
  test.spelling = StaleTokenSpelling::kLegacy;
  ExpectStale(test, first);
}

TEST(TokenTest, OfAnotherInvocationIsStale) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  test.Reinvoke();
  ExpectStale(test, first);
}

TEST(TokenTest, WithoutAnInvocationIsStale) {
  TestExecution test;
  const v1::CheckpointRequest first = test.Request({});
  test.Change([](ExecutionChange& change) { change.progress().clear_invocation(); });
  ExpectStale(test, first);
}

TEST(TokenTest, MalformedIsNotStale) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({});
  const std::string message = "CheckpointToken must have 1 to 2048 characters of base64.";
  for (const std::string& token :
       {std::string(), std::string("!"), std::string("a==="), std::string("=="), PayloadOf(2049)}) {
    request.set_checkpoint_token(token);
    ExpectRefused(test, request, message);
  }
  request.set_checkpoint_token(PayloadOf(2048));
  ExpectStale(test, request);
}

TEST(ReplyTest, RepeatsByteForByteWithoutASecondEffect) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("CALLBACK", "START")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> first = test.Checkpoint(request);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "s")}).ok());
  const std::string before = test.Dump();
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->delta.has_value());
  EXPECT_THAT(again->effects, IsEmpty());
  EXPECT_EQ(again->response.SerializeAsString(), first->response.SerializeAsString());
  EXPECT_EQ(test.Dump(), before);
}

TEST(ReplyTest, RepeatsAlsoWithoutAnInvocationAndAfterTheEnd) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("EXECUTION", "SUCCEED")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> first = test.Checkpoint(request);
  ASSERT_TRUE(first.ok());
  test.Change([](ExecutionChange& change) { change.progress().clear_invocation(); });
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->response.SerializeAsString(), first->response.SerializeAsString());
}

TEST(ReplyTest, RefusesOtherUpdatesUnderTheSameToken) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({Valid("STEP", "START")});
  request.set_client_token("t");
  ASSERT_TRUE(test.Checkpoint(request).ok());
  request.mutable_updates(0)->set_id("other");
  ExpectRefused(test, request,
                "ClientToken 't' was used for other updates; use a new one for each checkpoint.");
}

TEST(ReplyTest, IsKeptForFifteenMinutes) {
  TestExecution test;
  v1::CheckpointRequest request = test.Request({});
  request.set_client_token("t");
  ASSERT_TRUE(test.Checkpoint(request).ok());
  test.Advance(absl::Minutes(15));
  EXPECT_TRUE(test.Checkpoint(request).ok());
  test.Advance(absl::Nanoseconds(1));
  ExpectStale(test, request);
}

TEST(ReplyTest, SixteenAreKept) {
  TestExecution test;
  std::vector<v1::CheckpointRequest> requests;
  for (int i = 0; i < kMaxCheckpointReplies + 1; ++i) {
    requests.push_back(test.Request({}));
    requests.back().set_client_token("t");
    ASSERT_TRUE(test.Checkpoint(requests.back()).ok());
  }
  ExpectStale(test, requests[0]);
  EXPECT_TRUE(test.Checkpoint(requests[1]).ok());
  EXPECT_TRUE(test.Checkpoint(requests.back()).ok());
}

TEST(DeltaTest, TellsOnlyWhatIsNew) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "a"), Valid("CALLBACK", "START", "b")}).ok());
  EXPECT_THAT(Ids(test.Checkpoint(TestExecution::Updates{})->response.new_execution_state()),
              IsEmpty());
  const std::string id = test.Operation("b").callback_details().callback_id();
  test.Change([&](ExecutionChange& change) {
    ASSERT_TRUE(CompleteCallback(change, 2, id, std::string("1"), test.limits).ok());
  });
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint({Valid("STEP", "FAIL", "a")});
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("a", "b"));
  EXPECT_EQ(test.execution().progress().seen_sequence(),
            test.execution().progress().change_sequence());
}

TEST(DeltaTest, CompletesWhatIsDueBehindTheUpdates) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Parse("WAIT", "START", "late", "wait_options { wait_seconds: 3 }"),
                               Parse("WAIT", "START", "early", "wait_options { wait_seconds: 2 }"),
                               Parse("STEP", "RETRY", "retry",
                                     "step_options { next_attempt_delay_seconds: 2 }"),
                               Parse("WAIT", "START", "future", "wait_options { wait_seconds: 4 }"),
                               Parse("WAIT", "START", "gone", "wait_options { wait_seconds: 1 }")})
                  .ok());
  test.Advance(absl::Seconds(3));
  const absl::StatusOr<CheckpointOutcome> outcome =
      test.Checkpoint({Valid("STEP", "START", "s"), Valid("WAIT", "CANCEL", "gone")});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(test.EventTypes(),
              ::testing::EndsWith("STEP_STARTED WAIT_CANCELLED WAIT_SUCCEEDED WAIT_SUCCEEDED"));
  EXPECT_EQ(test.events()[test.events().size() - 2].id(), "early");
  EXPECT_EQ(test.events().back().id(), "late");
  EXPECT_THAT(Ids(outcome->response.new_execution_state()),
              ElementsAre("late", "early", "retry", "gone", "s"));
  EXPECT_EQ(test.Operation("retry").status(), v1::OPERATION_STATUS_READY);
  EXPECT_EQ(test.Operation("future").status(), v1::OPERATION_STATUS_STARTED);
  EXPECT_FALSE(test.RecordOf("early").touched_outside());
}

TEST(DeltaTest, IsPagedByBytesAndContinuedByMarker) {
  TestExecution test;
  ASSERT_TRUE(test.Checkpoint({Valid("STEP", "START", "before")}).ok());
  test.limits.state_page_bytes = 300;
  TestExecution::Updates updates;
  for (int i = 0; i < 3; ++i) {
    updates.push_back(Valid("STEP", "SUCCEED", absl::StrCat("s", i)));
    updates.back().set_payload(PayloadOf(200));
  }
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(updates);
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), ElementsAre("s0"));
  v1::GetExecutionStateRequest request;
  request.set_checkpoint_token(outcome->response.checkpoint_token());
  request.set_marker(outcome->response.new_execution_state().next_marker());
  std::vector<std::string> rest;
  while (!request.marker().empty()) {
    const absl::StatusOr<v1::GetExecutionStateResponse> page =
        ReadState(test.execution(), request, test.limits, test.spelling);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Operation& operation : page->operations()) rest.push_back(operation.id());
    request.set_marker(page->next_marker());
  }
  EXPECT_THAT(rest, ElementsAre("s1", "s2"));
}

// ---- Pause ----

TEST(PauseTest, KeepsTheUpdatesAndTakesTheToken) {
  TestExecution test;
  ASSERT_TRUE(
      test.Checkpoint({Parse("WAIT", "START", "w", "wait_options { wait_seconds: 1 }")}).ok());
  v1::PauseExecutionRequest pause;
  pause.set_reason("look");
  test.Change([&](ExecutionChange& change) { ASSERT_TRUE(Pause(change, pause).ok()); });
  test.Advance(absl::Seconds(1));
  v1::CheckpointRequest request = test.Request({Valid("STEP", "SUCCEED", "s")});
  request.set_client_token("t");
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->response.has_checkpoint_token());
  EXPECT_TRUE(outcome->response.has_new_execution_state());
  EXPECT_THAT(Ids(outcome->response.new_execution_state()), IsEmpty());
  EXPECT_EQ(test.Operation("s").status(), v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_EQ(test.Operation("w").status(), v1::OPERATION_STATUS_STARTED);
  const record::ExecutionProgress& progress = test.execution().progress();
  EXPECT_EQ(progress.status(), v1::EXECUTION_STATUS_PAUSED);
  EXPECT_TRUE(progress.invocation_owed());
  EXPECT_TRUE(test.execution().invocation_in_flight());
  EXPECT_EQ(test.EventTypes(), "EXECUTION_STARTED WAIT_STARTED STEP_SUCCEEDED EXECUTION_PAUSED");
  ExpectStale(test, test.Request({}));
  const absl::StatusOr<CheckpointOutcome> again = test.Checkpoint(request);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->response.SerializeAsString(), outcome->response.SerializeAsString());
}

TEST(PauseTest, GivesWayToTheEndOfTheExecution) {
  TestExecution test;
  test.Change([&](ExecutionChange& change) { ASSERT_TRUE(Pause(change, {}).ok()); });
  ASSERT_TRUE(test.Checkpoint({Valid("EXECUTION", "SUCCEED")}).ok());
  EXPECT_EQ(test.execution().progress().status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_FALSE(test.execution().progress().has_pause());
  EXPECT_FALSE(test.execution().progress().invocation_owed());
}

// ---- State ----

class StateTest : public ::testing::Test {
 protected:
  StateTest() {
    EXPECT_TRUE(test_
                    .Checkpoint({Valid("CONTEXT", "START", "open"),
                                 Parse("STEP", "START", "in-open", "parent_id: 'open'"),
                                 Valid("CONTEXT", "START", "closed"),
                                 Parse("CONTEXT", "START", "inner", "parent_id: 'closed'"),
                                 Parse("STEP", "START", "in-inner", "parent_id: 'inner'"),
                                 Valid("CONTEXT", "START", "replayed"),
                                 Parse("STEP", "START", "in-replayed", "parent_id: 'replayed'"),
                                 Parse("CONTEXT", "START", "small", "parent_id: 'replayed'"),
                                 Parse("STEP", "START", "in-small", "parent_id: 'small'"),
                                 Parse("CONTEXT", "SUCCEED", "small", ""),
                                 Parse("CONTEXT", "SUCCEED", "replayed",
                                       "context_options { replay_children: true }"),
                                 Valid("CONTEXT", "SUCCEED", "closed")})
                    .ok());
    request_.set_checkpoint_token(test_.Token());
  }

  absl::StatusOr<v1::GetExecutionStateResponse> Read() {
    return ReadState(test_.execution(), request_, test_.limits, test_.spelling);
  }

  TestExecution test_;
  v1::GetExecutionStateRequest request_;
  const std::string kExecution = test_.execution().record().execution_id();
};

TEST_F(StateTest, LeavesOutWhatLiesBelowAClosedContext) {
  EXPECT_THAT(
      Ids(InitialState(test_.execution(), test_.limits)),
      ElementsAre(kExecution, "open", "in-open", "closed", "replayed", "in-replayed", "small"));
}

TEST_F(StateTest, FirstInvocationSeesTheExecutionOnly) {
  TestExecution fresh;
  const v1::ExecutionState state = InitialState(fresh.execution(), fresh.limits);
  EXPECT_THAT(Ids(state), ElementsAre(kExecution));
  EXPECT_EQ(state.operations(0).execution_details().input_payload(), "{\"id\": 17}");
  EXPECT_FALSE(state.has_next_marker());
}

TEST_F(StateTest, PagesByItemsAndKeepsTheToken) {
  request_.set_max_items(3);
  std::vector<std::string> ids;
  int pages = 0;
  do {
    const absl::StatusOr<v1::GetExecutionStateResponse> page = Read();
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->operations_size(), 3);
    for (const v1::Operation& operation : page->operations()) ids.push_back(operation.id());
    request_.set_marker(page->next_marker());
    ++pages;
  } while (!request_.marker().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(ids, ElementsAre(kExecution, "open", "in-open", "closed", "replayed", "in-replayed",
                               "small"));
}

TEST_F(StateTest, PagesByBytesWithAtLeastOneOperation) {
  test_.limits.state_page_bytes = 1;
  const v1::ExecutionState state = InitialState(test_.execution(), test_.limits);
  EXPECT_THAT(Ids(state), ElementsAre(kExecution));
  request_.set_marker(state.next_marker());
  const absl::StatusOr<v1::GetExecutionStateResponse> page = Read();
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->operations_size(), 1);
  EXPECT_EQ(page->operations(0).id(), "open");
}

TEST_F(StateTest, DefaultPageHasHundredItems) {
  TestExecution::Updates updates;
  for (int i = 0; i < 200; ++i) updates.push_back(Valid("STEP", "START", absl::StrCat("s", i)));
  ASSERT_TRUE(test_.Checkpoint(updates).ok());
  request_.set_checkpoint_token(test_.Token());
  EXPECT_EQ(Read()->operations_size(), 100);
  request_.set_max_items(1000);
  EXPECT_EQ(Read()->operations_size(), 207);
}

TEST_F(StateTest, RefusesBadRequests) {
  request_.set_max_items(1001);
  EXPECT_EQ(Read().status().message(), "MaxItems must be 0 to 1000.");
  request_.set_max_items(-1);
  EXPECT_EQ(Read().status().message(), "MaxItems must be 0 to 1000.");
  request_.set_max_items(1000);
  request_.set_marker("nonsense");
  EXPECT_EQ(Read().status().message(),
            "Invalid Marker: use the NextMarker of the previous page as it is.");
  EXPECT_EQ(ErrorNameOf(Read().status()), "InvalidParameterValueException");
  request_.clear_marker();
  request_.set_checkpoint_token("abcd");
  EXPECT_TRUE(IsStaleCheckpointToken(Read().status()));
  request_.set_checkpoint_token("?");
  EXPECT_EQ(Read().status().message(), "CheckpointToken must have 1 to 2048 characters of base64.");
}

// ---- Histories of the reference scenarios, with the end of invocations ----

class HistoryTest : public ::testing::Test {
 protected:
  void End(InvocationResult::Outcome outcome) {
    test_.Change([&](ExecutionChange& change) {
      EndInvocation(change, {outcome, absl::nullopt, absl::nullopt}, FailurePolicy(), test_.limits);
    });
  }
  // As a handler that suspends until the earliest timer.
  void SuspendFor(absl::Duration duration, const std::string& id) {
    End(InvocationResult::Outcome::kPending);
    test_.Advance(duration);
    test_.Change([&](ExecutionChange& change) { EXPECT_TRUE(CompleteIfDue(change, id)); });
    test_.Reinvoke();
  }

  TestExecution test_;
};

TEST_F(HistoryTest, Wait) {
  ASSERT_TRUE(
      test_
          .Checkpoint({Parse("WAIT", "START", "w", "name: 'nap' wait_options { wait_seconds: 1 }")})
          .ok());
  SuspendFor(absl::Seconds(1), "w");
  End(InvocationResult::Outcome::kSucceeded);
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED WAIT_STARTED INVOCATION_COMPLETED WAIT_SUCCEEDED "
            "INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
  EXPECT_EQ(test_.events()[3].wait_succeeded_details().duration(), 1);
  EXPECT_EQ(test_.events()[3].name(), "nap");
  for (size_t i = 0; i < test_.events().size(); ++i) {
    EXPECT_EQ(test_.events()[i].event_id(), static_cast<int64_t>(i + 1));
  }
}

TEST_F(HistoryTest, StepRetriedTwice) {
  for (const int delay : {2, 6}) {
    ASSERT_TRUE(test_
                    .Checkpoint({Valid("STEP", "START"),
                                 Parse("STEP", "RETRY", "op",
                                       absl::StrCat("error { error_type: 'E' } step_options { "
                                                    "next_attempt_delay_seconds: ",
                                                    delay, " }"))})
                    .ok());
    SuspendFor(absl::Seconds(delay), "op");
  }
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "START"), Valid("STEP", "SUCCEED")}).ok());
  End(InvocationResult::Outcome::kSucceeded);
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED STEP_STARTED STEP_FAILED INVOCATION_COMPLETED STEP_STARTED "
            "STEP_FAILED INVOCATION_COMPLETED STEP_STARTED STEP_SUCCEEDED INVOCATION_COMPLETED "
            "EXECUTION_SUCCEEDED");
  EXPECT_EQ(test_.events()[5].step_failed_details().retry_details().ShortDebugString(),
            "current_attempt: 2 next_attempt_delay_seconds: 6");
  EXPECT_EQ(test_.events()[8].step_succeeded_details().retry_details().ShortDebugString(),
            "current_attempt: 3");
}

TEST_F(HistoryTest, ChildContext) {
  ASSERT_TRUE(test_
                  .Checkpoint({Valid("CONTEXT", "START", "c"),
                               Parse("STEP", "START", "s", "parent_id: 'c'"),
                               Parse("STEP", "SUCCEED", "s", "parent_id: 'c'"),
                               Valid("CONTEXT", "SUCCEED", "c")})
                  .ok());
  EXPECT_EQ(test_.EventTypes(),
            "EXECUTION_STARTED CONTEXT_STARTED STEP_STARTED STEP_SUCCEEDED CONTEXT_SUCCEEDED");
  EXPECT_EQ(test_.events()[2].parent_id(), "c");
  EXPECT_EQ(test_.events()[3].parent_id(), "c");
  EXPECT_TRUE(test_.events()[4].context_succeeded_details().has_result());
}

TEST_F(HistoryTest, TerminalEventFollowsTheInvocationOfAnExecutionUpdate) {
  ASSERT_TRUE(test_.Checkpoint({Valid("EXECUTION", "SUCCEED")}).ok());
  End(InvocationResult::Outcome::kPending);
  EXPECT_EQ(test_.EventTypes(), "EXECUTION_STARTED INVOCATION_COMPLETED EXECUTION_SUCCEEDED");
}

TEST_F(HistoryTest, TimeNeverRunsBackwards) {
  test_.Advance(absl::Seconds(10));
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "START")}).ok());
  test_.Advance(-absl::Seconds(5));
  ASSERT_TRUE(test_.Checkpoint({Valid("STEP", "SUCCEED")}).ok());
  EXPECT_EQ(ToAbsl(test_.events()[2].event_timestamp()),
            ToAbsl(test_.events()[1].event_timestamp()));
}

}  // namespace
}  // namespace rehearse
