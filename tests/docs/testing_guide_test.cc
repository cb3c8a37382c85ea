// The code of docs/testing.md. Each block of it stands here as it is.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/testing/testing.h"

namespace {

using durable::CallbackOptions;
using durable::DurableContext;
using durable::Json;
using durable::StepContext;
using durable::testing::CannedResult;
using durable::testing::CannedStop;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::ErrorMessageIs;
using durable::testing::ErrorTypeIs;
using durable::testing::FailedWith;
using durable::testing::HasStep;
using durable::testing::HistoryIs;
using durable::testing::IsOk;
using durable::testing::IsOkAndHolds;
using durable::testing::OperationView;
using durable::testing::ResultIs;
using durable::testing::ResultJson;
using durable::testing::RunnerOptions;
using durable::testing::Stopped;
using durable::testing::Succeeded;

absl::StatusOr<std::string> Refund(DurableContext& ctx, const int& cents) {
  if (cents > 10000) {
    DURABLE_RETURN_IF_ERROR(ctx.WaitForCallback(
                                   "approval",
                                   [](absl::string_view, StepContext&) { /* send a mail */ },
                                   CallbackOptions().set_timeout(absl::Hours(72)))
                                .status());
  }
  DURABLE_RETURN_IF_ERROR(ctx.Wait("cooling off", absl::Hours(24)));
  return ctx.Step("charge back", [&](StepContext&) { return absl::StrCat("refunded ", cents); });
}

TEST(RefundTest, RefundsSmallSumsAfterADay) {
  DurableFunctionTestRunner runner(Refund);
  const auto result = runner.Run(4200, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  EXPECT_THAT(*result, ResultIs<std::string>("refunded 4200"));
}

TEST(RefundTest, FailsForInputThatIsNoNumber) {
  DurableFunctionTestRunner runner(Refund);
  EXPECT_THAT(runner.Run("a lot", absl::Seconds(10)),
              IsOkAndHolds(FailedWith(ErrorTypeIs("SerDesError"))));
}

TEST(RefundTest, RecordsWhatItDid) {
  DurableFunctionTestRunner runner(Refund);
  const auto result = runner.Run(4200, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HasStep("charge back", Succeeded()));
  const OperationView wait = result->GetWait("cooling off").value();
  EXPECT_EQ(wait.scheduled_end_time() - wait.start_time(), absl::Hours(24));
  EXPECT_EQ(result->Invocations().size(), 2u);
  EXPECT_THAT(*result, HistoryIs("WS2[duration 86400] IC3 WX4 SS5 SX6[payload \"refunded 4200\"] "
                                 "IC7"));
}

TEST(RefundTest, FailsWhenNobodyApproves) {
  DurableFunctionTestRunner runner(Refund, RunnerOptions().set_skip_deadlines(true));
  EXPECT_THAT(runner.Run(50000, absl::Seconds(10)),
              IsOkAndHolds(FailedWith(ErrorTypeIs("CallbackTimeoutError"))));
}

TEST(RefundTest, DoesNotChargeBackBeforeADayHasPassed) {
  DurableFunctionTestRunner runner(Refund, RunnerOptions().set_manual_time(true));
  const std::string arn = runner.RunAsync(4200).value();
  ASSERT_THAT(runner.WaitForOperation(arn, "cooling off", {}, absl::Seconds(10)), IsOk());
  ASSERT_THAT(runner.AdvanceTime(absl::Hours(23)), IsOk());
  EXPECT_FALSE(runner.GetResult(arn)->GetStep("charge back").ok());
  ASSERT_THAT(runner.AdvanceTime(absl::Hours(1)), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, absl::Seconds(10)), IsOkAndHolds(Succeeded()));
}

TEST(RefundTest, AsksBeforeLargeSums) {
  DurableFunctionTestRunner runner(Refund);
  const std::string arn = runner.RunAsync(50000).value();
  const auto id = runner.WaitForCallback(arn, "approval", absl::Seconds(10));
  ASSERT_THAT(id, IsOk());
  EXPECT_THAT(runner.SendCallbackSuccess(*id, "fine"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, absl::Seconds(10)), IsOkAndHolds(Succeeded()));
}

TEST(RefundTest, DoesNotPayWhatIsRejected) {
  DurableFunctionTestRunner runner(Refund);
  const std::string arn = runner.RunAsync(50000).value();
  const auto id = runner.WaitForCallback(arn, "approval", absl::Seconds(10));
  ASSERT_THAT(id, IsOk());
  EXPECT_THAT(runner.SendCallbackFailure(*id, {"Rejected", "no receipt", "", {}}), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, absl::Seconds(10)),
              IsOkAndHolds(FailedWith(ErrorMessageIs("no receipt"))));
}

absl::StatusOr<Json> Checkout(DurableContext& ctx, const Json& order) {
  DURABLE_ASSIGN_OR_RETURN(const int price, ctx.Invoke<int>("price", "price", order));
  return ctx.Invoke<Json>("pay", "pay", price);
}

TEST(CheckoutTest, PaysThePrice) {
  DurableFunctionTestRunner runner(Checkout);
  runner.RegisterFunction("price",
                          [](const Json& order) { return 100 * order["pieces"].get<int>(); });
  runner.RegisterFunction("pay", CannedResult{{{"receipt", 17}}});
  const auto result = runner.Run({{"pieces", 3}}, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultJson(R"({"receipt": 17})"));
  EXPECT_THAT(*result, HistoryIs("... IS5[function pay, payload 300] ..."));
}

TEST(CheckoutTest, FailsWhenThePaymentIsStopped) {
  DurableFunctionTestRunner runner(Checkout);
  runner.RegisterFunction("price", CannedResult{300});
  runner.RegisterFunction("pay", CannedStop{{"Operator", "fraud alert", "", {}}});
  const auto result = runner.Run({{"pieces", 3}}, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result->GetInvoke("pay"), Stopped());
}

TEST(RefundTest, ChargesBackAgainAfterACrash) {
  DurableFunctionTestRunner runner(Refund);
  runner.CrashNextInvocationAt("charge back");
  const auto result = runner.Run(4200, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HistoryIs("WS2 IC3 WX4 SS5 IC6[error Runtime.ExitError] SX7 IC8"));
}

TEST(RefundTest, IsDeterministic) {
  DurableFunctionTestRunner runner(Refund, RunnerOptions().set_replay_check(true));
  EXPECT_THAT(runner.Run(4200, absl::Seconds(10)), IsOk());
}

TEST(RefundTest, SuspendsWhileItCoolsOff) {
  DurableFunctionTestRunner runner(Refund, RunnerOptions().set_stepped(true));
  const std::string arn = runner.RunAsync(4200).value();
  EXPECT_THAT(runner.InvokeNext(arn, absl::Seconds(10)), IsOkAndHolds(true));
  EXPECT_THAT(*runner.GetResult(arn), HistoryIs("WS2 IC3 ..."));
}

}  // namespace
