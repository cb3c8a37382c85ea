#include "client/cpp/examples/order_saga/order_saga.h"

#include <string>
#include <vector>

#include "client/cpp/testing/testing.h"

namespace {

using durable::Json;
using durable::testing::CannedFailure;
using durable::testing::CannedResult;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::IsOk;
using durable::testing::OperationView;
using durable::testing::ResultJson;
using durable::testing::RunnerOptions;
using durable::testing::RunResult;
using durable::testing::Succeeded;
using testing::ElementsAre;

const Json kOrder = {{"id", "order-17"}, {"cents", 4200}};

class PlaceOrderTest : public testing::Test {
 protected:
  PlaceOrderTest() : runner_(PlaceOrder, RunnerOptions().set_replay_check(true)) {
    for (const char* name : {"reserve", "charge", "release", "refund"})
      runner_.RegisterFunction(name, CannedResult{"done"});
    runner_.RegisterFunction("ship", CannedResult{"T-order-17"});
  }

  static std::vector<std::string> Invoked(const RunResult& result) {
    std::vector<std::string> names;
    for (const OperationView& operation : result.GetOperations()) names.push_back(operation.name());
    return names;
  }

  DurableFunctionTestRunner runner_;
};

TEST_F(PlaceOrderTest, Ships) {
  const auto result = runner_.Run(kOrder, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultJson(R"({"shipped": true, "tracking": "T-order-17", "reason": ""})"));
  EXPECT_THAT(Invoked(*result), ElementsAre("reserve", "charge", "ship"));
}

TEST_F(PlaceOrderTest, UndoesTheLastFirst) {
  runner_.RegisterFunction("ship", CannedFailure{{"Unavailable", "no courier", "", {}}});
  const auto result = runner_.Run(kOrder, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultJson(R"({"shipped": false, "tracking": "", "reason": "no courier"})"));
  EXPECT_THAT(Invoked(*result), ElementsAre("reserve", "charge", "ship", "refund", "release"));
}

TEST_F(PlaceOrderTest, UndoesOnlyWhatWasDone) {
  runner_.RegisterFunction("charge", CannedFailure{{"Declined", "no money", "", {}}});
  const auto result = runner_.Run(kOrder, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  EXPECT_THAT(Invoked(*result), ElementsAre("reserve", "charge", "release"));
}

}  // namespace
