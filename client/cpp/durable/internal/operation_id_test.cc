#include "client/cpp/durable/internal/operation_id.h"

#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

TEST(OperationIdTest, IsTheHashOfThePath) {
  EXPECT_EQ(OperationId("1"), "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b");
  EXPECT_EQ(OperationId("2"), "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35");
  EXPECT_EQ(OperationId("1-2-3"),
            "ba101947992ba0aad0d9074451ee3d37a65d881f7dd01e7ad45b6507c471f286");
}

TEST(OperationPathTest, NumbersOperationsWithinTheirContext) {
  EXPECT_EQ(OperationPath("", 1), "1");
  EXPECT_EQ(OperationPath("", 12), "12");
  EXPECT_EQ(OperationPath("1", 2), "1-2");
  EXPECT_EQ(OperationPath("1-2", 3), "1-2-3");
}

}  // namespace
}  // namespace internal
}  // namespace durable
