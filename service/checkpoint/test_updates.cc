#include "service/checkpoint/test_updates.h"

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "service/checkpoint/completions.h"

namespace rehearse {

v1::OperationUpdate Parse(absl::string_view type, absl::string_view action, absl::string_view id,
                          absl::string_view members) {
  v1::OperationUpdate update;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(members), &update));
  update.MergeFrom(Update(type, action, id));
  return update;
}

v1::OperationUpdate Valid(const std::string& type, const std::string& action,
                          absl::string_view id) {
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

}  // namespace rehearse
