#include "client/cpp/testing/matchers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable::testing {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StringMatchResultListener;

internal::RecordedOperation MakeOperation(const std::string& id, const std::string& parent_id,
                                          OperationType type, const std::string& name) {
  internal::RecordedOperation operation;
  operation.id = id;
  operation.parent_id = parent_id;
  operation.type = type;
  operation.name = name;
  operation.status = OperationStatus::kSucceeded;
  return operation;
}

internal::RunRecord SucceededRecord() {
  internal::RunRecord record;
  record.status = ExecutionStatus::kSucceeded;
  record.result = R"({"total": 3})";
  record.operations.push_back(MakeOperation("c", "", OperationType::kContext, "outer"));
  record.operations.push_back(MakeOperation("s1", "c", OperationType::kStep, "inner"));
  record.operations.back().payload = "7";
  record.operations.push_back(MakeOperation("s2", "", OperationType::kStep, "twice"));
  record.operations.push_back(MakeOperation("s3", "", OperationType::kStep, "twice"));
  record.operations.back().status = OperationStatus::kFailed;
  record.operations.back().error = ErrorObject{"Declined", "no", "", {}};
  record.history.resize(4);
  for (int i = 0; i < 4; ++i) record.history[i].id = i + 1;
  record.history[1].type = EventType::kStepStarted;
  record.history[2].type = EventType::kInvocationCompleted;
  record.history[3].type = EventType::kExecutionSucceeded;
  return record;
}

RunResult FailedRun() {
  internal::RunRecord record;
  record.status = ExecutionStatus::kFailed;
  record.error = ErrorObject{"StepError", "the bank said no", "", {}};
  return RunResult(record);
}

template <typename Matcher, typename Value>
std::string Explain(const Matcher& matcher, const Value& value) {
  StringMatchResultListener listener;
  EXPECT_FALSE(::testing::ExplainMatchResult(matcher, value, &listener));
  return listener.str();
}

TEST(RunResultTest, FindsOperationsWhereTheyAre) {
  const RunResult run(SucceededRecord());
  EXPECT_EQ(run.GetContext("outer")->GetStep("inner")->ResultAs<int>(), 7);
  EXPECT_EQ(run.GetSteps("twice").size(), 2u);
  EXPECT_EQ(run.GetStep("twice")->id(), "s2");
  EXPECT_EQ(run.GetOperations().size(), 3u);
}

TEST(RunResultTest, AMissingOperationNamesThoseThatAreThere) {
  const RunResult run(SucceededRecord());
  EXPECT_EQ(
      run.GetStep("inner").status(),
      absl::NotFoundError(
          R"(there is no step "inner" here, but: context "outer", step "twice", step "twice")"));
  EXPECT_EQ(run.GetContext("outer")->GetWait("inner").status(),
            absl::NotFoundError(R"(there is no wait "inner" here, but: step "inner")"));
}

TEST(RunResultTest, FindsOperationsByIndexAndId) {
  const RunResult run(SucceededRecord());
  EXPECT_EQ(run.GetAllOperations().size(), 4u);
  EXPECT_EQ(run.GetOperationByIndex(1)->name(), "inner");
  EXPECT_EQ(run.GetOperationByIndex(4).status(),
            absl::OutOfRangeError("there is no operation 4: the run has 4"));
  EXPECT_EQ(run.GetOperation("inner")->id(), "s1");
  EXPECT_EQ(run.GetOperation("twice", 1)->id(), "s3");
  EXPECT_EQ(run.GetOperation("twice", 2).status(),
            absl::NotFoundError(
                R"(there is no operation "twice" with index 2: the run has 2 of that name)"));
  EXPECT_EQ(run.GetOperationById("s2")->name(), "twice");
  EXPECT_EQ(run.GetOperationById("s9").status(),
            absl::NotFoundError("there is no operation with the id s9"));
}

TEST(RunResultTest, AResultOfAnotherTypeFailsTheTest) {
  const RunResult run(SucceededRecord());
  EXPECT_THROW(run.ResultAs<int>(), std::runtime_error);
  EXPECT_THROW(run.GetStep("twice")->ResultAs<int>(), std::runtime_error);
}

TEST(MatchersTest, Status) {
  const RunResult succeeded(SucceededRecord());
  EXPECT_THAT(succeeded, Succeeded());
  EXPECT_THAT(succeeded, Not(Failed()));
  EXPECT_THAT(FailedRun(), Failed());
  EXPECT_THAT(FailedRun(), FailedWith(ErrorTypeIs("StepError")));
  EXPECT_THAT(FailedRun(), FailedWith(ErrorMessageIs(HasSubstr("bank"))));
  EXPECT_THAT(FailedRun(), Not(FailedWith(ErrorTypeIs("Other"))));
  EXPECT_THAT(succeeded, Not(FailedWith(ErrorTypeIs("StepError"))));
}

TEST(MatchersTest, OtherEnds) {
  internal::RunRecord record;
  record.status = ExecutionStatus::kTimedOut;
  record.operations.push_back(MakeOperation("i", "", OperationType::kChainedInvoke, "call"));
  record.operations.back().status = OperationStatus::kStopped;
  const RunResult run(record);
  EXPECT_THAT(run, TimedOut());
  EXPECT_THAT(run, Not(Stopped()));
  EXPECT_THAT(*run.GetInvoke("call"), Stopped());
  EXPECT_THAT(*run.GetInvoke("call"), Not(TimedOut()));
}

TEST(MatchersTest, Result) {
  const RunResult run(SucceededRecord());
  EXPECT_THAT(run, ResultJson(R"({ "total" : 3 })"));
  EXPECT_THAT(run, Not(ResultJson("3")));
  EXPECT_THAT(FailedRun(), Not(ResultJson("null")));
  EXPECT_THAT(run, ResultIs<Json>(Json{{"total", 3}}));
  internal::RunRecord number = SucceededRecord();
  number.result = "5";
  EXPECT_THAT(RunResult(number), ResultIs<int>(Gt(4)));
  EXPECT_THAT(RunResult(number), Not(ResultIs<int>(6)));
}

TEST(MatchersTest, Steps) {
  const RunResult run(SucceededRecord());
  EXPECT_THAT(run, HasStep("twice", Succeeded()));
  EXPECT_THAT(*run.GetContext("outer"), HasStep("inner", ResultIs<int>(7)));
  EXPECT_THAT(run, Not(HasStep("twice", Failed())));
  EXPECT_THAT(*run.GetOperationById("s3"), FailedWith(ErrorTypeIs("Declined")));
  EXPECT_THAT(Explain(HasStep("missing", Succeeded()), run),
              HasSubstr("there is no step \"missing\""));
  EXPECT_THAT(Explain(HasStep("inner", Failed()), *run.GetContext("outer")),
              HasSubstr("step \"inner\" SUCCEEDED, result 7"));
}

TEST(MatchersTest, History) {
  const RunResult run(SucceededRecord());
  EXPECT_THAT(run, HistoryIs("SS2 IC3 XS4"));
  EXPECT_THAT(run, HistoryIs(" SS2  IC3 "));
  EXPECT_THAT(run, Not(HistoryIs("SS2")));
  EXPECT_THAT(run, Not(HistoryIs("SS2 IC4")));
  EXPECT_THAT(Explain(HistoryIs("SS2 SX3"), run),
              AllOf(HasSubstr("SS2 IC3 XS4: IC3 is not SX3"), HasSubstr("\n>  3")));
  EXPECT_THROW(Explain(HistoryIs("what?"), run), std::invalid_argument);
}

TEST(MatchersTest, AMismatchShowsTheWholeHistory) {
  const std::string shown = ::testing::PrintToString(RunResult(SucceededRecord()));
  EXPECT_THAT(shown, HasSubstr(R"(SUCCEEDED, result {"total": 3})"));
  EXPECT_THAT(shown, HasSubstr("InvocationCompleted"));
  EXPECT_THAT(::testing::PrintToString(FailedRun()),
              HasSubstr("FAILED, error StepError: the bank said no"));
}

TEST(MatchersTest, AStatusIsShownByItsName) {
  EXPECT_EQ(::testing::PrintToString(ExecutionStatus::kTimedOut), "TIMED_OUT");
  EXPECT_EQ(::testing::PrintToString(OperationStatus::kPending), "PENDING");
}

TEST(MatchersTest, AnOperationIsShownWithTheHistoryAroundIt) {
  internal::RunRecord record = SucceededRecord();
  record.history.resize(12);
  for (int i = 0; i < 12; ++i) record.history[i].id = i + 1;
  record.history[6].operation_id = "s2";
  const std::string shown = ::testing::PrintToString(*RunResult(record).GetOperationById("s2"));
  EXPECT_THAT(shown, HasSubstr("step \"twice\" SUCCEEDED\n"));
  EXPECT_THAT(shown, HasSubstr("\n>  7"));
  EXPECT_THAT(shown, HasSubstr("  ...\n   4"));
  EXPECT_THAT(shown, HasSubstr("\n  10"));
  EXPECT_THAT(shown, Not(HasSubstr("\n  11")));
}

TEST(MatchersTest, StatusOr) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::NotFoundError("x"), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(5), IsOkAndHolds(5));
  EXPECT_THAT(absl::StatusOr<int>(5), IsOkAndHolds(Gt(4)));
  EXPECT_THAT(absl::StatusOr<int>(5), Not(IsOkAndHolds(6)));
  EXPECT_THAT(absl::StatusOr<int>(absl::NotFoundError("x")), Not(IsOkAndHolds(5)));
  EXPECT_THAT(absl::StatusOr<int>(absl::NotFoundError("x")), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace durable::testing
