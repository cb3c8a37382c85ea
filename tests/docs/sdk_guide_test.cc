// The code of docs/sdk.md: each block of it stands here as it is, and what it says is checked.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/worker.h"
#include "client/cpp/examples/fulfil/fulfil.h"
#include "client/cpp/testing/testing.h"
#include "google/protobuf/timestamp.pb.h"

class Money {
 public:
  explicit Money(int64_t cents) : cents_(cents) {}
  int64_t cents() const { return cents_; }

 private:
  int64_t cents_;
};

template <>
struct durable::Serdes<Money> {
  static absl::StatusOr<std::string> Serialize(const Money& money, const SerdesContext&) {
    return absl::StrCat(money.cents());
  }
  static absl::StatusOr<Money> Deserialize(absl::string_view text, const SerdesContext&) {
    int64_t cents = 0;
    if (!absl::SimpleAtoi(text, &cents)) return absl::InvalidArgumentError("no number of cents");
    return Money(cents);
  }
};

namespace {

using durable::BatchOptions;
using durable::BatchProgress;
using durable::BatchResult;
using durable::Branch;
using durable::Callback;
using durable::CallbackOptions;
using durable::CheckContext;
using durable::CompletionConfig;
using durable::CompletionDecision;
using durable::DurableContext;
using durable::ErrorKind;
using durable::ExponentialBackoff;
using durable::FixedRetry;
using durable::ItemStatus;
using durable::Json;
using durable::Nesting;
using durable::NoRetry;
using durable::PollOptions;
using durable::PollUntil;
using durable::SerdesContext;
using durable::StepContext;
using durable::StepOptions;
using durable::StepSemantics;
using durable::testing::CannedFailure;
using durable::testing::CannedResult;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::ErrorMessageIs;
using durable::testing::ErrorTypeIs;
using durable::testing::FailedWith;
using durable::testing::HistoryIs;
using durable::testing::IsOk;
using durable::testing::IsOkAndHolds;
using durable::testing::ResultIs;
using durable::testing::ResultJson;
using durable::testing::RunnerOptions;
using durable::testing::RunResult;
using durable::testing::StatusIs;
using durable::testing::Succeeded;

constexpr absl::Duration kTimeout = absl::Seconds(60);

absl::StatusOr<RunResult> RunOnce(durable::Handler handler, const Json& input) {
  DurableFunctionTestRunner runner(std::move(handler), RunnerOptions().set_replay_check(true));
  return runner.Run(input, kTimeout);
}

// The first function.

const Json kOrder = {{"id", "o-17"}, {"cents", 4200}};

TEST(FulfilTest, ChargesPacksAndShips) {
  DurableFunctionTestRunner runner(Fulfil, RunnerOptions().set_replay_check(true));
  const auto result = runner.Run({{"id", "o-17"}, {"cents", 4200}}, absl::Seconds(10));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<std::string>("parcel of o-17, paid by receipt of o-17"));
  EXPECT_EQ(result->invocation_count(), 2);
}

// Replay.

absl::StatusOr<std::string> Voucher(DurableContext& ctx, const std::string& customer) {
  DURABLE_ASSIGN_OR_RETURN(const int code,
                           ctx.Step("draw", [](StepContext&) { return std::rand(); }));
  DURABLE_ASSIGN_OR_RETURN(const absl::Time issued,
                           ctx.Step("now", [](StepContext&) { return absl::Now(); }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("embargo", absl::Hours(24)));
  // Both are as they were a day ago.
  return absl::StrCat(customer, "-", code, "-",
                      absl::FormatTime("%Y", issued, absl::UTCTimeZone()));
}

TEST(SdkGuideTest, ReplayKeepsWhatStepsReturned) {
  const auto result = RunOnce(Voucher, "ann");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(
      result->ResultAs<std::string>(),
      testing::StartsWith(absl::StrCat("ann-", result->GetStep("draw")->ResultAs<int>(), "-")));
}

// Steps.

std::atomic<int> bank_calls{0};

absl::StatusOr<double> AskBank(const std::string&) {
  if (++bank_calls < 3) return absl::UnavailableError("try later");
  return 1.08;
}

absl::StatusOr<double> ExchangeRate(DurableContext& ctx, const std::string& currency) {
  return ctx.Step(
      "exchange rate", [&](StepContext&) { return AskBank(currency); },
      StepOptions().set_retry(ExponentialBackoff()
                                  .set_max_attempts(4)
                                  .set_initial_delay(absl::Seconds(2))
                                  .RetryOnTypes({"UnavailableError"})
                                  .Build()));
}

TEST(SdkGuideTest, StepIsRetried) {
  const auto result = RunOnce(ExchangeRate, "USD");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<double>(1.08));
  EXPECT_EQ(result->GetStep("exchange rate")->attempt(), 3);
}

std::atomic<int> sent{0};
absl::Status SendMoney(const Order&) {
  ++sent;
  return absl::OkStatus();
}
absl::StatusOr<bool> AskBankWhether(const Order&) { return true; }

absl::Status PayOut(DurableContext& ctx, const Order& order) {
  absl::Status paid = ctx.Step(
      "pay out", [&](StepContext&) { return SendMoney(order); },
      StepOptions().set_semantics(StepSemantics::kAtMostOncePerRetry).set_retry(NoRetry()));
  if (durable::IsError(paid, ErrorKind::kStep) &&
      durable::GetError(paid)->cause() == ErrorKind::kStepInterrupted) {
    // The process died in the middle. Only the bank knows whether the money has left.
    DURABLE_ASSIGN_OR_RETURN(const bool left, ctx.Step("ask whether it left", [&](StepContext&) {
      return AskBankWhether(order);
    }));
    return left ? absl::OkStatus() : paid;
  }
  return paid;
}

TEST(SdkGuideTest, AtMostOnceStepDoesNotRunAgain) {
  DurableFunctionTestRunner runner(PayOut);
  runner.CrashNextInvocationAt("pay out");
  const auto result = runner.Run(kOrder, kTimeout);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Succeeded());
  EXPECT_LE(sent, 1);
  EXPECT_THAT(result->GetStep("ask whether it left"), IsOk());
}

// Errors.

absl::Status Reserve(const Order& order) {
  if (order.cents > 100000) return durable::MakeError("LimitExceeded", "too much for one order");
  return absl::OkStatus();
}

absl::StatusOr<std::string> Accept(DurableContext& ctx, const Order& order) {
  const absl::Status reserved = ctx.Step(
      "reserve", [&](StepContext&) { return Reserve(order); }, StepOptions().set_retry(NoRetry()));
  if (durable::IsError(reserved, ErrorKind::kStep) &&
      durable::GetError(reserved)->type == "LimitExceeded") {
    return "declined: " + durable::GetError(reserved)->message;
  }
  DURABLE_RETURN_IF_ERROR(reserved);
  return "accepted";
}

TEST(SdkGuideTest, ErrorsHaveKindTypeAndMessage) {
  EXPECT_THAT(RunOnce(Accept, kOrder), IsOkAndHolds(ResultIs<std::string>("accepted")));
  EXPECT_THAT(RunOnce(Accept, {{"id", "o-18"}, {"cents", 100001}}),
              IsOkAndHolds(ResultIs<std::string>("declined: too much for one order")));
}

class PrinterJam : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

absl::Status PrintLabel(DurableContext& ctx, const Order& order) {
  return ctx.Step(
      "print",
      [&](StepContext& step) {
        if (step.attempt() < 3) throw PrinterJam("no label for " + order.id);
      },
      StepOptions().set_retry(
          ExponentialBackoff().set_max_attempts(3).RetryOnException<PrinterJam>().Build()));
}

TEST(SdkGuideTest, BodiesMayThrow) {
  const auto result = RunOnce(PrintLabel, kOrder);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, HistoryIs("SS2 SF3[error PrinterJam] IC4 SS5 SF6[error PrinterJam] IC7 SS8 "
                                 "SX9 IC10"));
}

// Callbacks.

absl::Status SendMail(const std::string&, absl::string_view) { return absl::OkStatus(); }

struct Approval {
  bool approved = false;
  std::string by;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Approval, approved, by)

absl::StatusOr<std::string> Approve(DurableContext& ctx, const Order& order) {
  const absl::StatusOr<Approval> approval = ctx.WaitForCallback<Approval>(
      "approval",
      [&](absl::string_view callback_id, StepContext&) { return SendMail(order.id, callback_id); },
      CallbackOptions().set_timeout(absl::Hours(72)).set_heartbeat_timeout(absl::Hours(24)));
  if (durable::IsError(approval.status(), ErrorKind::kCallbackTimeout)) return "nobody is there";
  if (!approval.ok()) return approval.status();
  return approval->approved ? "approved by " + approval->by : "refused";
}

TEST(SdkGuideTest, CallbackIsAnswered) {
  DurableFunctionTestRunner runner(Approve);
  const std::string arn = runner.RunAsync(kOrder).value();
  const std::string id = runner.WaitForCallback(arn, "approval", kTimeout).value();
  EXPECT_THAT(runner.SendCallbackSuccess(id, R"({"approved": true, "by": "bob"})"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultIs<std::string>("approved by bob")));
}

TEST(SdkGuideTest, HeartbeatsKeepACallbackOpen) {
  DurableFunctionTestRunner runner(Approve);
  const std::string arn = runner.RunAsync(kOrder).value();
  const std::string id = runner.WaitForCallback(arn, "approval", kTimeout).value();
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(23)), IsOk());
  EXPECT_THAT(runner.SendCallbackHeartbeat(id), IsOk());
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(23)), IsOk());
  EXPECT_EQ(runner.GetResult(arn)->status(), durable::testing::ExecutionStatus::kRunning);
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(1)), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultIs<std::string>("nobody is there")));
}

absl::StatusOr<std::string> AskBoth(DurableContext& ctx, const Order& order) {
  DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> stock, ctx.CreateCallback("stock"));
  DURABLE_ASSIGN_OR_RETURN(const Callback<std::string> fraud, ctx.CreateCallback("fraud"));
  DURABLE_RETURN_IF_ERROR(ctx.Step("ask", [&](StepContext&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(SendMail(order.id, stock.id()));
    return SendMail(order.id, fraud.id());
  }));
  DURABLE_ASSIGN_OR_RETURN(const std::string in_stock, stock.Result());
  DURABLE_ASSIGN_OR_RETURN(const std::string is_fraud, fraud.Result());
  return absl::StrCat("stock: ", in_stock, ", fraud: ", is_fraud);
}

TEST(SdkGuideTest, CallbacksMayBeAnsweredInAnyOrder) {
  DurableFunctionTestRunner runner(AskBoth);
  const std::string arn = runner.RunAsync(kOrder).value();
  const std::string fraud = runner.WaitForCallback(arn, "fraud", kTimeout).value();
  EXPECT_THAT(runner.SendCallbackSuccess(fraud, "no"), IsOk());
  const std::string stock = runner.WaitForCallback(arn, "stock", kTimeout).value();
  EXPECT_THAT(runner.SendCallbackSuccess(stock, "yes"), IsOk());
  EXPECT_THAT(runner.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultIs<std::string>("stock: yes, fraud: no")));
}

// Child contexts.

absl::StatusOr<std::string> Pack(DurableContext& ctx, const Order& order) {
  DURABLE_ASSIGN_OR_RETURN(const std::string box,
                           ctx.Step("box", [&](StepContext&) { return "box of " + order.id; }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("glue dries", absl::Minutes(10)));
  return ctx.Step("label", [&](StepContext&) { return "labelled " + box; });
}

absl::StatusOr<std::string> PackTwice(DurableContext& ctx, const Order& order) {
  DURABLE_RETURN_IF_ERROR(
      ctx.RunInChildContext("first", [&](DurableContext& child) { return Pack(child, order); })
          .status());
  return ctx.RunInChildContext("second", [&](DurableContext& child) { return Pack(child, order); });
}

TEST(SdkGuideTest, ChildContextsGroup) {
  const auto result = RunOnce(PackTwice, kOrder);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<std::string>("labelled box of o-17"));
  EXPECT_THAT(result->GetContext("second")->GetStep("box"), IsOk());
}

// Chained invokes.

absl::StatusOr<std::string> Checkout(DurableContext& ctx, const Order& order) {
  const absl::StatusOr<Json> payment = ctx.Invoke<Json>("pay", "payments:live", order);
  if (durable::IsError(payment.status(), ErrorKind::kInvoke)) {
    const durable::ErrorInfo error = *durable::GetError(payment.status());
    if (error.outcome == durable::InvokeOutcome::kTimedOut) return "ask again tomorrow";
    return "not paid: " + error.message;
  }
  if (!payment.ok()) return payment.status();
  return (*payment)["receipt"].get<std::string>();
}

TEST(SdkGuideTest, InvokesOtherFunctions) {
  DurableFunctionTestRunner runner(Checkout);
  runner.RegisterFunction("payments:live", CannedResult{{{"receipt", "r-1"}}});
  EXPECT_THAT(runner.Run(kOrder, kTimeout), IsOkAndHolds(ResultIs<std::string>("r-1")));
  runner.RegisterFunction("payments:live", CannedFailure{{"Declined", "no money", "", {}}});
  EXPECT_THAT(runner.Run(kOrder, kTimeout),
              IsOkAndHolds(ResultIs<std::string>("not paid: no money")));
}

// Polling.

struct Parcel {
  std::string number;
  std::string place;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Parcel, number, place)

absl::StatusOr<Parcel> Track(const Parcel& parcel, int check) {
  return Parcel{parcel.number, check < 3 ? "on the road" : "delivered"};
}

absl::StatusOr<std::string> Deliver(DurableContext& ctx, const std::string& number) {
  DURABLE_ASSIGN_OR_RETURN(
      const Parcel parcel,
      ctx.WaitForCondition(
          "delivered", Parcel{number, "unknown"},
          [](const Parcel& last, CheckContext& check) { return Track(last, check.attempt()); },
          PollUntil<Parcel>([](const Parcel& now) { return now.place == "delivered"; },
                            PollOptions()
                                .set_max_attempts(100)
                                .set_initial_delay(absl::Minutes(1))
                                .set_max_delay(absl::Hours(1)))));
  return parcel.place;
}

TEST(SdkGuideTest, PollsUntilTheConditionIsMet) {
  const auto result = RunOnce(Deliver, "p-1");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<std::string>("delivered"));
  EXPECT_EQ(result->invocation_count(), 3);
}

// WithRetry.

absl::StatusOr<std::string> Dispatch(DurableContext& ctx, const Order& order) {
  return ctx.WithRetry(
      "dispatch",
      [&](DurableContext& attempt_ctx, int attempt) -> absl::StatusOr<std::string> {
        DURABLE_ASSIGN_OR_RETURN(const std::string courier,
                                 attempt_ctx.Step("book", [&](StepContext&) {
                                   return absl::StrCat("courier ", attempt);
                                 }));
        DURABLE_RETURN_IF_ERROR(attempt_ctx.Wait("pick-up", absl::Hours(2)));
        return attempt_ctx.Step(
            "collect",
            [&](StepContext&) -> absl::StatusOr<std::string> {
              if (attempt == 1) return durable::MakeError("NotThere", courier + " did not come");
              return order.id + " is with " + courier;
            },
            StepOptions().set_retry(NoRetry()));
      },
      FixedRetry(absl::Hours(1)));
}

TEST(SdkGuideTest, WithRetryTriesOperationsAgain) {
  const auto result = RunOnce(Dispatch, kOrder);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<std::string>("o-17 is with courier 2"));
}

// Map and Parallel.

absl::StatusOr<int> AskSupplier(const std::string& supplier) {
  if (supplier == "closed") return durable::MakeError("Closed", "come back tomorrow");
  return static_cast<int>(supplier.size());
}

absl::StatusOr<int> Cheapest(DurableContext& ctx, const std::vector<std::string>& suppliers) {
  const auto ask = [](DurableContext& branch, const std::string& supplier) {
    return branch.Step(
        "ask", [&](StepContext&) { return AskSupplier(supplier); },
        StepOptions().set_retry(NoRetry()));
  };
  DURABLE_ASSIGN_OR_RETURN(
      const BatchResult<int> quotes,
      ctx.Map("quotes", suppliers, ask,
              BatchOptions()
                  .set_max_concurrency(8)
                  .set_completion(CompletionConfig::AllCompleted())
                  .set_item_namer([&](int index) { return suppliers[index]; })));
  for (const durable::BatchItem<int>& failed : quotes.Failed()) {
    ctx.logger().Warning("no quote", {{"supplier", suppliers[failed.index]},
                                      {"why", std::string(failed.error.message())}});
  }
  const std::vector<int> prices = quotes.Results();
  if (prices.empty()) return durable::MakeError("NoQuote", "no supplier answered");
  return *std::min_element(prices.begin(), prices.end());
}

TEST(SdkGuideTest, MapRunsOneBranchForEachItem) {
  EXPECT_THAT(RunOnce(Cheapest, {"acme", "closed", "bob"}), IsOkAndHolds(ResultIs<int>(3)));
  EXPECT_THAT(RunOnce(Cheapest, {"closed"}), IsOkAndHolds(FailedWith(ErrorTypeIs("NoQuote"))));
}

absl::StatusOr<std::vector<std::string>> Prepare(DurableContext& ctx, const Order& order) {
  DURABLE_ASSIGN_OR_RETURN(
      const BatchResult<std::string> done,
      ctx.Parallel<std::string>(
          "prepare", {{"invoice",
                       [&](DurableContext& branch) {
                         return branch.Step("write",
                                            [&](StepContext&) { return "invoice of " + order.id; });
                       }},
                      {"parcel", [&](DurableContext& branch) { return Pack(branch, order); }}}));
  DURABLE_RETURN_IF_ERROR(done.FirstError());
  return done.Results();
}

TEST(SdkGuideTest, ParallelRunsBranches) {
  EXPECT_THAT(RunOnce(Prepare, kOrder),
              IsOkAndHolds(ResultJson(R"(["invoice of o-17", "labelled box of o-17"])")));
}

// The first voter alone decides, and the others are asked no more.
CompletionDecision LeaderDecides(const BatchProgress& progress) {
  const absl::optional<ItemStatus>& leader = progress.branches[0].status;
  if (leader == ItemStatus::kSucceeded) return CompletionDecision::kCompleteSucceeded;
  if (leader == ItemStatus::kFailed) return CompletionDecision::kCompleteFailed;
  return CompletionDecision::kContinue;
}

absl::StatusOr<int> Vote(DurableContext& ctx, const std::vector<std::string>& voters) {
  DURABLE_ASSIGN_OR_RETURN(
      const BatchResult<int> votes,
      ctx.Map(
          "votes", voters,
          [](DurableContext& branch, const std::string& voter) {
            return branch.Step(
                "ask", [&](StepContext&) { return AskSupplier(voter); },
                StepOptions().set_retry(NoRetry()));
          },
          BatchOptions().set_completion_predicate(LeaderDecides).set_nesting(Nesting::kFlat)));
  if (votes.status() == ItemStatus::kFailed) return votes.FirstError();
  return votes.success_count();
}

TEST(SdkGuideTest, PredicateDecidesWhenABatchIsOver) {
  EXPECT_THAT(RunOnce(Vote, {"closed", "ann"}),
              IsOkAndHolds(FailedWith(ErrorMessageIs("come back tomorrow"))));
  EXPECT_THAT(RunOnce(Vote, {"ann", "closed"}), IsOkAndHolds(Succeeded()));
}

absl::StatusOr<int> CountPixels(DurableContext& ctx, const std::vector<std::string>& pictures) {
  DURABLE_ASSIGN_OR_RETURN(
      const BatchResult<std::string> scaled,
      ctx.Map(
          "scale", pictures,
          [](DurableContext& branch, const std::string& picture) {
            return branch.Step("scale",
                               [&](StepContext&) { return std::string(200 * 1024, picture[0]); });
          },
          BatchOptions().set_summary<std::string>([](const BatchResult<std::string>& result) {
            return absl::StrCat(result.success_count(), " pictures");
          })));
  int pixels = 0;
  for (const std::string& picture : scaled.Results()) pixels += static_cast<int>(picture.size());
  return pixels;
}

TEST(SdkGuideTest, LargeResultIsPutTogetherAgain) {
  const auto result = RunOnce(CountPixels, {"a", "b", "c"});
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<int>(600 * 1024));
  EXPECT_TRUE(result->GetContext("scale")->replay_children());
  EXPECT_THAT(result->GetContext("scale")->result(), testing::HasSubstr("3 pictures"));
}

// Combinators.

absl::StatusOr<std::string> Soonest(DurableContext& ctx, const Order& order) {
  const std::vector<Branch<std::string>> couriers = {
      {"bike",
       [&](DurableContext& branch) -> absl::StatusOr<std::string> {
         DURABLE_RETURN_IF_ERROR(branch.Wait("ride", absl::Hours(3)));
         return "bike for " + order.id;
       }},
      {"van", [&](DurableContext& branch) -> absl::StatusOr<std::string> {
         DURABLE_RETURN_IF_ERROR(branch.Wait("drive", absl::Hours(1)));
         return "van for " + order.id;
       }}};
  return ctx.Race("soonest", couriers);
}

TEST(SdkGuideTest, RaceIsWonByTheFirst) {
  EXPECT_THAT(RunOnce(Soonest, kOrder), IsOkAndHolds(ResultIs<std::string>("van for o-17")));
}

// Values.

using google::protobuf::Timestamp;

absl::StatusOr<Money> Interest(DurableContext& ctx, const Timestamp& since) {
  DURABLE_ASSIGN_OR_RETURN(const int64_t days, ctx.Step("days", [&](StepContext&) {
    return (1'800'000'000 - since.seconds()) / (24 * 60 * 60);
  }));
  return ctx.Step("interest", [&](StepContext&) { return Money(3 * days); });
}

TEST(SdkGuideTest, MessagesAndOwnTypesAreValues) {
  EXPECT_THAT(RunOnce(Interest, "2027-01-01T00:00:00Z"), IsOkAndHolds(ResultJson("42")));
}

std::map<std::string, std::string> archive;
absl::StatusOr<std::string> Archive(const std::string& text, absl::string_view id) {
  archive[std::string(id)] = text;
  return std::string(id);
}
absl::StatusOr<std::string> FetchFromArchive(absl::string_view id) {
  return archive[std::string(id)];
}

absl::StatusOr<int> Report(DurableContext& ctx, const Order& order) {
  // The text itself is in the archive; what is recorded is where.
  const auto in_archive = StepOptions().set_serdes<std::string>(
      [](const std::string& text, const SerdesContext& context) {
        return Archive(text, context.operation_id);
      },
      [](absl::string_view recorded, const SerdesContext&) { return FetchFromArchive(recorded); });
  DURABLE_ASSIGN_OR_RETURN(
      const std::string text,
      ctx.Step(
          "report", [&](StepContext&) { return std::string(order.cents, '.'); }, in_archive));
  return static_cast<int>(text.size());
}

TEST(SdkGuideTest, OneOperationMayHaveItsOwnSerdes) {
  const auto result = RunOnce(Report, kOrder);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, ResultIs<int>(4200));
  EXPECT_EQ(result->GetStep("report")->result(), result->GetStep("report")->id());
}

// Logging.

absl::Status Remind(DurableContext& ctx, const Order& order) {
  ctx.logger().Info("reminding", {{"order", order.id}, {"cents", order.cents}});
  DURABLE_RETURN_IF_ERROR(ctx.Wait("a week", absl::Hours(7 * 24)));
  return ctx.Step("mail", [&](StepContext& step) {
    step.logger().Info("sending");
    return SendMail(order.id, "");
  });
}

TEST(SdkGuideTest, LinesAppearOnce) {
  std::vector<std::string> lines;
  absl::Mutex mutex;
  DurableFunctionTestRunner runner(
      Remind, RunnerOptions().set_log_sink([&](const durable::LogRecord& record) {
        absl::MutexLock lock(&mutex);
        lines.push_back(record.message);
      }));
  ASSERT_THAT(runner.Run(kOrder, kTimeout), IsOkAndHolds(Succeeded()));
  EXPECT_THAT(lines, testing::ElementsAre("reminding", "sending"));
}

// Plugins.

// How often steps were tried, for a metric.
class CountsAttempts final : public durable::Plugin {
 public:
  explicit CountsAttempts(std::atomic<int>& attempts) : attempts_(attempts) {}

  void OnUserFunctionEnd(const durable::UserFunctionInfo& function,
                         const durable::UserFunctionEnd& /*end*/) override {
    if (function.operation.type == durable::OperationType::kStep) ++attempts_;
  }

 private:
  std::atomic<int>& attempts_;
};

std::atomic<int> all_attempts{0};
DURABLE_PLUGIN("counts-attempts", {[](const durable::InvocationInfo&) {
                 return std::make_unique<CountsAttempts>(all_attempts);
               }});

TEST(SdkGuideTest, PluginsWatch) {
  const auto plugins = durable::ResolvePlugins({}, "counts-attempts");
  ASSERT_THAT(plugins, IsOk());
  DurableFunctionTestRunner runner(PrintLabel, RunnerOptions().set_plugins(*plugins));
  ASSERT_THAT(runner.Run(kOrder, kTimeout), IsOkAndHolds(Succeeded()));
  EXPECT_EQ(all_attempts, 3);
}

// Suspension.

void Compensate() {}

absl::Status Guarded(DurableContext& ctx, const Order& order) {
  try {
    DURABLE_RETURN_IF_ERROR(ctx.Wait("settle", absl::Hours(1)));
    DURABLE_RETURN_IF_ERROR(Reserve(order));
  } catch (const std::exception& error) {
    // Never a suspension.
    return durable::MakeError("Unexpected", error.what());
  } catch (...) {
    DURABLE_RETHROW_IF_UNWINDING;
    Compensate();
    throw;
  }
  return absl::OkStatus();
}

TEST(SdkGuideTest, SuspensionPassesCatchAll) {
  EXPECT_THAT(RunOnce(Guarded, kOrder), IsOkAndHolds(Succeeded()));
}

std::atomic<int> failures{0};

absl::Status Transfer(DurableContext& ctx, const Order& order) {
  absl::Status moved = ctx.Invoke<Json>("move", "bank", order).status();
  // Without exceptions a suspension comes by here, too, and has failed in nothing.
  if (!moved.ok() && !durable::IsSuspended(moved)) ++failures;
  return moved;
}

TEST(SdkGuideTest, SuspensionIsNoFailure) {
  DurableFunctionTestRunner runner(Transfer);
  runner.RegisterFunction("bank", CannedResult{"done"});
  EXPECT_THAT(runner.Run(kOrder, kTimeout), IsOkAndHolds(Succeeded()));
  EXPECT_EQ(failures, 0);
  runner.RegisterFunction("bank", CannedFailure{{"Closed", "on Sundays", "", {}}});
  EXPECT_THAT(runner.Run(kOrder, kTimeout), IsOkAndHolds(FailedWith(ErrorMessageIs("on Sundays"))));
  EXPECT_EQ(failures, 1);
}

// Threads.

int64_t Sum(const std::string& part) { return static_cast<int64_t>(part.size()); }

absl::StatusOr<int64_t> Checksum(DurableContext& ctx, const std::vector<std::string>& parts) {
  return ctx.Step("checksum", [&](StepContext& step) {
    std::atomic<int64_t> sum{0};
    std::vector<std::thread> threads;
    threads.reserve(parts.size());
    for (const std::string& part : parts) {
      threads.emplace_back([&] {
        if (!step.abandoned()) sum += Sum(part);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return sum.load();
  });
}

TEST(SdkGuideTest, StepsMayUseThreads) {
  EXPECT_THAT(RunOnce(Checksum, {"a", "bc", "def"}), IsOkAndHolds(ResultIs<int64_t>(6)));
}

// Changes.

absl::StatusOr<std::string> FulfilWithGift(DurableContext& ctx, const Order& order) {
  DURABLE_ASSIGN_OR_RETURN(const std::string parcel, Fulfil(ctx, order));
  DURABLE_RETURN_IF_ERROR(ctx.Step("gift", [&](StepContext&) { return SendMail(order.id, ""); }));
  return parcel + " with a gift";
}

absl::StatusOr<std::string> FulfilAfterGift(DurableContext& ctx, const Order& order) {
  DURABLE_RETURN_IF_ERROR(ctx.Step("gift", [&](StepContext&) { return SendMail(order.id, ""); }));
  return Fulfil(ctx, order);
}

absl::StatusOr<RunResult> ChangeInFlight(durable::Handler before, durable::Handler after) {
  DurableFunctionTestRunner runner(
      std::move(before), RunnerOptions().set_function_name("fulfil").set_manual_time(true));
  const std::string arn = runner.RunAsync({{"id", "o-17"}, {"cents", 4200}}).value();
  EXPECT_THAT(runner.WaitForOperation(arn, "packing", {}, absl::Seconds(10)), IsOk());
  runner.RegisterFunction("fulfil", std::move(after));
  EXPECT_THAT(runner.AdvanceTime(absl::Hours(4)), IsOk());
  return runner.WaitForResult(arn, absl::Seconds(10));
}

TEST(FulfilTest, MayDoMoreAtItsEnd) {
  EXPECT_THAT(ChangeInFlight(Fulfil, FulfilWithGift), IsOkAndHolds(Succeeded()));
}

TEST(FulfilTest, MustNotDoMoreAtItsBeginning) {
  EXPECT_THAT(ChangeInFlight(Fulfil, FulfilAfterGift),
              IsOkAndHolds(FailedWith(ErrorTypeIs("NonDeterministicExecutionError"))));
}

absl::StatusOr<std::string> FulfilVersioned(DurableContext& ctx, const Order& order) {
  // Executions that are in flight keep the number that they began with.
  DURABLE_ASSIGN_OR_RETURN(const int version, ctx.Step("version", [](StepContext&) { return 2; }));
  return version < 2 ? Fulfil(ctx, order) : FulfilAfterGift(ctx, order);
}

TEST(FulfilTest, VersionIsRecorded) {
  EXPECT_THAT(ChangeInFlight(
                  [](DurableContext& ctx, const Order& order) -> absl::StatusOr<std::string> {
                    DURABLE_ASSIGN_OR_RETURN(const int version,
                                             ctx.Step("version", [](StepContext&) { return 1; }));
                    EXPECT_EQ(version, 1);
                    return Fulfil(ctx, order);
                  },
                  FulfilVersioned),
              IsOkAndHolds(Succeeded()));
  const auto result = RunOnce(FulfilVersioned, kOrder);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->GetStep("gift"), IsOk());
}

// The worker.

absl::Status Serve(const std::string& server) {
  durable::WorkerOptions options;
  options.server = server;
  options.concurrency = 16;
  options.runtime.log_sink = durable::JsonLinesSink(stdout);
  options.runtime.max_branch_threads = 64;
  durable::FunctionOptions limits;
  limits.execution_timeout = absl::Hours(30 * 24);
  durable::Worker worker(std::move(options));
  worker.Register("fulfil", Fulfil, limits);
  return worker.Run();
}

TEST(SdkGuideTest, WorkerRefusesPluginsThatAreNotLinkedIn) {
  setenv("DURABLE_EXECUTION_PLUGINS", "not-linked-in", 1);
  EXPECT_THAT(Serve("127.0.0.1:9013"), StatusIs(absl::StatusCode::kInvalidArgument));
  unsetenv("DURABLE_EXECUTION_PLUGINS");
}

}  // namespace
