#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;

// ---- Action by type, and the state rules: every row, valid and invalid ----

struct Transition {
  std::string type;
  std::string from;
  std::string action;
  // A status and the event it leaves; or the error's text behind "Operation 'op': ".
  std::string outcome;
};

// In every state, the actions that the type does not have.
void AddActionsOfOtherTypes(std::vector<Transition>& rows) {
  struct Type {
    std::string name;
    std::vector<std::string> states;
    std::vector<std::string> others;
    std::string own;
  };
  const std::vector<Type> types = {
      {"STEP",
       {"none", "STARTED", "PENDING", "READY", "SUCCEEDED", "FAILED"},
       {"CANCEL"},
       "START or SUCCEED or FAIL or RETRY"},
      {"CONTEXT",
       {"none", "STARTED", "SUCCEEDED", "FAILED"},
       {"RETRY", "CANCEL"},
       "START or SUCCEED or FAIL"},
      {"WAIT",
       {"none", "STARTED", "SUCCEEDED", "CANCELLED"},
       {"SUCCEED", "FAIL", "RETRY"},
       "START or CANCEL"},
      {"CALLBACK",
       {"none", "STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT"},
       {"SUCCEED", "FAIL", "RETRY", "CANCEL"},
       "START"},
      {"CHAINED_INVOKE",
       {"none", "STARTED", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"},
       {"SUCCEED", "FAIL", "RETRY", "CANCEL"},
       "START"},
  };
  for (const Type& type : types) {
    for (const std::string& state : type.states) {
      for (const std::string& action : type.others) {
        rows.push_back({type.name, state, action,
                        absl::StrCat("action ", action, " is not valid for ", type.name, "; use ",
                                     type.own, ".")});
      }
    }
  }
}

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
      {"CONTEXT", "none", "START", "STARTED CONTEXT_STARTED"},
      {"CONTEXT", "none", "SUCCEED", "SUCCEEDED CONTEXT_SUCCEEDED"},
      {"CONTEXT", "none", "FAIL", "FAILED CONTEXT_FAILED"},
      {"CONTEXT", "STARTED", "SUCCEED", "SUCCEEDED CONTEXT_SUCCEEDED"},
      {"CONTEXT", "STARTED", "FAIL", "FAILED CONTEXT_FAILED"},
      {"WAIT", "none", "START", "STARTED WAIT_STARTED"},
      {"WAIT", "STARTED", "CANCEL", "CANCELLED WAIT_CANCELLED"},
      {"WAIT", "none", "CANCEL", "cannot CANCEL a WAIT that does not exist; it must be STARTED."},
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
  for (const char* action : {"START", "RETRY", "CANCEL"}) {
    rows.push_back(
        {"EXECUTION", "none", action,
         absl::StrCat("action ", action, " is not valid for EXECUTION; use SUCCEED or FAIL.")});
  }
  AddActionsOfOtherTypes(rows);
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

}  // namespace
}  // namespace rehearse
