#include "client/cpp/examples/fan_out/best_quote.h"

#include <map>
#include <string>

#include "client/cpp/testing/testing.h"

namespace {

using durable::Json;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::ErrorTypeIs;
using durable::testing::Failed;
using durable::testing::FailedWith;
using durable::testing::HasStep;
using durable::testing::IsOk;
using durable::testing::IsOkAndHolds;
using durable::testing::OperationView;
using durable::testing::ResultIs;
using durable::testing::ResultJson;
using durable::testing::RunnerOptions;
using durable::testing::Succeeded;

constexpr absl::Duration kTimeout = absl::Seconds(10);

// Those without a price do not answer.
BestQuote WithPrices(const std::map<std::string, int>& prices) {
  return BestQuote(
      [prices](const std::string& supplier, const std::string&) -> absl::StatusOr<int> {
        const auto price = prices.find(supplier);
        if (price == prices.end()) return durable::MakeError("Closed", "come back tomorrow");
        return price->second;
      });
}

const Json kRequest = {{"part", "M4 bolt"}, {"suppliers", {"acme", "bolts", "coils", "dices"}}};

TEST(BestQuoteTest, TakesTheCheapest) {
  DurableFunctionTestRunner runner(
      WithPrices({{"acme", 15}, {"bolts", 12}, {"coils", 14}, {"dices", 13}}),
      RunnerOptions().set_replay_check(true));
  EXPECT_THAT(runner.Run(kRequest, kTimeout),
              IsOkAndHolds(ResultJson(R"({"supplier": "bolts", "cents": 12})")));
}

TEST(BestQuoteTest, LeavesOutThoseThatDoNotAnswer) {
  DurableFunctionTestRunner runner(WithPrices({{"acme", 15}, {"coils", 14}}));
  const auto result = runner.Run(kRequest, kTimeout);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultJson(R"({"supplier": "coils", "cents": 14})"));
  const OperationView suppliers = result->GetContext("suppliers").value();
  EXPECT_THAT(*suppliers.GetContext("coils"), HasStep("ask", ResultIs<int>(14)));
  EXPECT_THAT(*suppliers.GetContext("bolts"), Failed());
  EXPECT_THAT(*suppliers.GetContext("bolts"), HasStep("ask", FailedWith(ErrorTypeIs("Closed"))));
}

TEST(BestQuoteTest, FailsWithoutAnyAnswer) {
  DurableFunctionTestRunner runner(WithPrices({}));
  EXPECT_THAT(runner.Run(kRequest, kTimeout), IsOkAndHolds(FailedWith(ErrorTypeIs("NoQuote"))));
}

TEST(BestQuoteTest, ACrashLosesNoAnswer) {
  DurableFunctionTestRunner runner(
      WithPrices({{"acme", 15}, {"bolts", 12}, {"coils", 14}, {"dices", 13}}));
  runner.CrashNextInvocationAt("ask");
  const auto result = runner.Run(kRequest, kTimeout);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  EXPECT_EQ(result->invocation_count(), 2);
}

}  // namespace
