#include "client/cpp/examples/quickstart/quickstart.h"

#include "client/cpp/testing/testing.h"

namespace {

using durable::testing::DurableFunctionTestRunner;
using durable::testing::HistoryIs;
using durable::testing::IsOk;
using durable::testing::ResultJson;
using durable::testing::Succeeded;

TEST(QuickStartTest, RunsAllSteps) {
  DurableFunctionTestRunner runner(QuickStart);
  const auto result = runner.Run("input str", absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  EXPECT_THAT(*result, ResultJson(R"(["1 2", "3 4 4 3", "5 6"])"));
  EXPECT_EQ(result->GetStep("one")->result(), R"("1 2")");
  EXPECT_EQ(result->GetContext("two")->ResultAs<std::string>(), "3 4 4 3");
  EXPECT_EQ(result->GetContext("two")->GetStep("two_1")->ResultAs<std::string>(), "3 4");
  EXPECT_EQ(result->GetStep("three")->ResultAs<std::string>(), "5 6");
  EXPECT_THAT(*result,
              HistoryIs("SS2 SX3 WS4 IC5 WX6 CS7 SS8 SX9 SS10 SX11 CX12 SS13 SX14 IC15 XS16"));
}

}  // namespace
