#include "client/cpp/durable/internal/state_store.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

Operation Named(const char* id, const char* name, OperationType type = OperationType::kStep) {
  Operation operation;
  operation.id = id;
  operation.name = name;
  operation.type = type;
  return operation;
}

TEST(StateStoreTest, LaterRecordsReplaceEarlierOnesAndLeaveSnapshotsAlone) {
  StateStore store;
  EXPECT_EQ(store.Find("a"), nullptr);
  store.Merge({Named("a", "first")});
  const std::shared_ptr<const Operation> snapshot = store.Find("a");
  store.Merge({Named("a", "second"), Named("b", "other")});
  EXPECT_EQ(snapshot->name, "first");
  EXPECT_EQ(store.Find("a")->name, "second");
  EXPECT_EQ(store.Find("b")->name, "other");
}

TEST(StateStoreTest, TheExecutionItselfIsNoOperation) {
  StateStore store;
  EXPECT_FALSE(store.HasOperations());
  store.Merge({Named("e", "", OperationType::kExecution)});
  EXPECT_FALSE(store.HasOperations());
  store.Merge({Named("a", "")});
  EXPECT_TRUE(store.HasOperations());
}

TEST(StateStoreTest, TimeIsThatOfTheRecordsWhenItIsAhead) {
  StateStore store;
  const absl::Time before = absl::Now();
  EXPECT_GE(store.Now(), before);
  Operation operation = Named("a", "");
  operation.end_time = before - absl::Hours(24);
  store.Merge({operation});
  EXPECT_GE(store.Now(), before);
  EXPECT_LT(store.Now(), before + absl::Hours(23));
  operation.end_time = before + absl::Hours(24);
  store.Merge({operation});
  EXPECT_GE(store.Now(), before + absl::Hours(24));
}

}  // namespace
}  // namespace internal
}  // namespace durable
