#include "service/checkpoint/execution.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/checkpoint/test_execution.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TimestampTest, RoundsTripsAlsoBeforeTheEpoch) {
  google::protobuf::Timestamp timestamp;
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixNanos(1790000000123456789), absl::FromUnixNanos(-1)}) {
    SetTimestamp(time, &timestamp);
    EXPECT_EQ(ToAbsl(timestamp), time);
    EXPECT_GE(timestamp.nanos(), 0);
  }
}

TEST(StatusTest, TerminalOnes) {
  EXPECT_FALSE(IsTerminal(v1::OPERATION_STATUS_READY));
  EXPECT_TRUE(IsTerminal(v1::OPERATION_STATUS_SUCCEEDED));
  EXPECT_TRUE(IsTerminal(v1::OPERATION_STATUS_STOPPED));
  EXPECT_FALSE(IsTerminal(v1::EXECUTION_STATUS_PAUSED));
  EXPECT_TRUE(IsTerminal(v1::EXECUTION_STATUS_SUCCEEDED));
  EXPECT_TRUE(IsTerminal(v1::EXECUTION_STATUS_DELETING));
}

// An execution with operations 1 to `count`, ids "1", "2", ...
class ExecutionTest : public ::testing::Test {
 protected:
  void Create(int count) {
    test_.Change([&](ExecutionChange& change) {
      for (int i = 1; i <= count; ++i) {
        change.Create(absl::StrCat(i))->mutable_operation()->set_type(v1::OPERATION_TYPE_STEP);
      }
    });
  }
  void Touch(const std::vector<std::string>& ids) {
    test_.Change([&](ExecutionChange& change) {
      for (const std::string& id : ids) change.Touch(id);
    });
  }
  int64_t Now() const { return test_.execution().progress().change_sequence(); }

  TestExecution test_;
  const Execution& execution_ = test_.execution();
};

TEST_F(ExecutionTest, FindsById) {
  Create(20);
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(execution_.Find(absl::StrCat(i))->index(), i);
  EXPECT_EQ(execution_.Find("21"), nullptr);
  Touch({"3"});
  EXPECT_EQ(execution_.Find("3")->index(), 3);
}

TEST_F(ExecutionTest, KnowsWhatWasTouchedAfter) {
  Create(4);
  const int64_t mark = Now();
  EXPECT_FALSE(execution_.AnyTouchedAfter(mark));
  EXPECT_THAT(execution_.TouchedAfter(mark), IsEmpty());
  Touch({"4", "2"});
  EXPECT_TRUE(execution_.AnyTouchedAfter(mark));
  EXPECT_THAT(execution_.TouchedAfter(mark), ElementsAre(2, 4));
  EXPECT_THAT(execution_.TouchedAfter(mark + 1), ElementsAre(2));
  Touch({"2", "2"});
  EXPECT_THAT(execution_.TouchedAfter(mark + 1), ElementsAre(2));
  EXPECT_THAT(execution_.TouchedAfter(mark), ElementsAre(2, 4));
  EXPECT_THAT(execution_.TouchedAfter(0), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(ExecutionTest, QuietTouchesCountForNothing) {
  Create(2);
  const int64_t mark = Now();
  test_.Change([](ExecutionChange& change) { change.TouchQuietly("1")->set_delay_seconds(7); });
  EXPECT_EQ(execution_.Find("1")->delay_seconds(), 7);
  EXPECT_EQ(Now(), mark);
  EXPECT_FALSE(execution_.AnyTouchedAfter(mark));
}

TEST_F(ExecutionTest, IsTheSameBehindAStore) {
  Create(5);
  Touch({"4", "1", "4"});
  v1::CheckpointRequest request = test_.Request({});
  request.set_client_token("t");
  ASSERT_TRUE(test_.Checkpoint(request).ok());
  std::vector<record::OperationRecord> operations;
  for (int64_t i = 0; i < execution_.operation_count(); ++i) {
    operations.push_back(execution_.operation(i));
  }
  const Execution loaded(execution_.record(), execution_.progress(), operations,
                         execution_.replies());
  EXPECT_EQ(loaded.arn(), execution_.arn());
  EXPECT_EQ(loaded.operation_count(), execution_.operation_count());
  for (int64_t sequence = 0; sequence <= Now(); ++sequence) {
    EXPECT_EQ(loaded.TouchedAfter(sequence), execution_.TouchedAfter(sequence));
  }
  EXPECT_EQ(loaded.AnythingPending(), execution_.AnythingPending());
  EXPECT_EQ(loaded.replies().size(), 1u);
  EXPECT_NE(loaded.Find("5"), nullptr);
}

TEST_F(ExecutionTest, DueOnesComeInOrderOfTime) {
  test_.Change([&](ExecutionChange& change) {
    for (const int seconds : {3, 1, 2}) {
      v1::Operation& wait = *change.Create(absl::StrCat("w", seconds))->mutable_operation();
      wait.set_type(v1::OPERATION_TYPE_WAIT);
      SetTimestamp(test_.moment.time + absl::Seconds(seconds),
                   wait.mutable_wait_details()->mutable_scheduled_end_timestamp());
    }
  });
  EXPECT_THAT(execution_.DueAt(test_.moment.time), IsEmpty());
  EXPECT_THAT(execution_.DueAt(test_.moment.time + absl::Seconds(2)), ElementsAre("w1", "w2"));
  test_.Change([](ExecutionChange& change) {
    change.Close(*change.Touch("w1"), v1::OPERATION_STATUS_SUCCEEDED);
  });
  EXPECT_THAT(execution_.DueAt(test_.moment.time + absl::Seconds(3)), ElementsAre("w2", "w3"));
}

TEST_F(ExecutionTest, AChangeIsSeenOnlyWhenApplied) {
  Create(1);
  const std::string before = test_.Dump();
  ExecutionChange change(execution_, test_.moment, ExecutionChange::Origin::kOutside);
  for (int i = 2; i < 30; ++i) change.Create(absl::StrCat(i));
  change.Touch("1")->set_delay_seconds(9);
  EXPECT_EQ(change.operation_count(), 30);
  EXPECT_EQ(change.Find("1")->delay_seconds(), 9);
  EXPECT_EQ(change.Find("29")->index(), 29);
  EXPECT_EQ(change.Find("30"), nullptr);
  EXPECT_EQ(change.TouchedAfter(execution_.progress().change_sequence()).size(), 29u);
  EXPECT_EQ(test_.Dump(), before);
  const ExecutionDelta delta = std::move(change).Finish();
  ASSERT_EQ(delta.operations.size(), 29u);
  EXPECT_EQ(delta.operations.front().operation().id(), "1");
  EXPECT_TRUE(delta.operations.front().touched_outside());
}

TEST_F(ExecutionTest, PruningLooksAtEveryAncestor) {
  test_.Change([](ExecutionChange& change) {
    const auto context = [&change](const char* id, const char* parent) {
      v1::Operation& operation = *change.Create(id)->mutable_operation();
      operation.set_type(v1::OPERATION_TYPE_CONTEXT);
      if (parent != nullptr) operation.set_parent_id(parent);
    };
    context("outer", nullptr);
    context("inner", "outer");
    context("leaf", "inner");
  });
  EXPECT_FALSE(execution_.IsPruned(*execution_.Find("leaf")));
  ExecutionChange change(execution_, test_.moment, ExecutionChange::Origin::kOutside);
  record::OperationRecord& outer = *change.Touch("outer");
  change.Close(outer, v1::OPERATION_STATUS_SUCCEEDED);
  EXPECT_TRUE(change.IsPruned(*change.Find("leaf")));
  EXPECT_TRUE(change.IsPruned(*change.Find("inner")));
  EXPECT_FALSE(change.IsPruned(outer));
  outer.mutable_operation()->mutable_context_details()->set_replay_children(true);
  EXPECT_FALSE(change.IsPruned(*change.Find("leaf")));
  EXPECT_FALSE(execution_.IsPruned(*execution_.Find("leaf")));
}

}  // namespace
}  // namespace rehearse
