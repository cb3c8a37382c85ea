#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/test_updates.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;

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

}  // namespace
}  // namespace rehearse
