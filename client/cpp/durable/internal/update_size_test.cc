#include "client/cpp/durable/internal/update_size.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

// Bytes are counted with a comma behind every member and the longest type and action.
TEST(UpdateSizeTest, IsTheSizeOfTheUpdateAsJson) {
  OperationUpdate update;
  update.id = "1";
  update.type = OperationType::kChainedInvoke;
  update.action = OperationAction::kSucceed;
  EXPECT_EQ(UpdateBytes(update),
            absl::string_view(R"({"Id":"1","Type":"CHAINED_INVOKE","Action":"SUCCEED",})").size());
  update.parent_id = "p";
  update.name = "n";
  update.sub_type = "s";
  update.payload = "\"\\\n\x01x";
  update.wait_seconds = 12;
  EXPECT_EQ(
      UpdateBytes(update),
      absl::string_view(
          R"({"Id":"1","ParentId":"p","Name":"n","SubType":"s","Type":"CHAINED_INVOKE",)"
          R"("Action":"SUCCEED","Payload":"\"\\\n\u0001x","WaitOptions":{"WaitSeconds":12,},})")
          .size());
}

TEST(UpdateSizeTest, CountsOptionsAndErrors) {
  OperationUpdate update;
  const size_t empty = UpdateBytes(update);
  update.error = ErrorObject{"T", "m", "d", {"f"}};
  update.replay_children = true;
  update.next_attempt_delay_seconds = 3;
  update.timeout_seconds = 4;
  update.heartbeat_timeout_seconds = 5;
  update.function_name = "f";
  update.tenant_id = "t";
  EXPECT_EQ(
      UpdateBytes(update) - empty,
      absl::string_view(
          R"("Error":{"ErrorType":"T","ErrorMessage":"m","ErrorData":"d","StackTrace":["f",],},)"
          R"("ContextOptions":{"ReplayChildren":true,},"StepOptions":{"NextAttemptDelaySeconds":3,},)"
          R"("CallbackOptions":{"TimeoutSeconds":4,"HeartbeatTimeoutSeconds":5,},)"
          R"("ChainedInvokeOptions":{"FunctionName":"f","TenantId":"t",},)")
          .size());
}

}  // namespace
}  // namespace internal
}  // namespace durable
