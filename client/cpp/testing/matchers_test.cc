#include "client/cpp/testing/matchers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable::testing {
namespace {

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

template <typename Matcher>
std::string Explain(const Matcher& matcher, const RunResult& run) {
  StringMatchResultListener listener;
  EXPECT_FALSE(::testing::ExplainMatchResult(matcher, run, &listener));
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
  EXPECT_THAT(run, HasStep("twice", OperationSucceeded()));
  EXPECT_THAT(*run.GetContext("outer"), HasStep("inner", OperationSucceeded()));
  EXPECT_THAT(run, Not(HasStep("twice", OperationFailed())));
  EXPECT_THAT(Explain(HasStep("missing", OperationSucceeded()), run),
              HasSubstr("there is no step \"missing\""));
}

TEST(MatchersTest, History) {
  const RunResult run(SucceededRecord());
  EXPECT_THAT(run, HistoryIs("SS2 IC3 XS4"));
  EXPECT_THAT(run, HistoryIs(" SS2  IC3 "));
  EXPECT_THAT(run, Not(HistoryIs("SS2")));
  EXPECT_THAT(run, Not(HistoryIs("SS2 IC4")));
  EXPECT_THAT(Explain(HistoryIs("SS2 SX3"), run), HasSubstr("SS2 IC3 XS4"));
}

TEST(MatchersTest, AMismatchShowsTheWholeHistory) {
  const std::string shown = ::testing::PrintToString(RunResult(SucceededRecord()));
  EXPECT_THAT(shown, HasSubstr(R"(SUCCEEDED, result {"total": 3})"));
  EXPECT_THAT(shown, HasSubstr("InvocationCompleted"));
  EXPECT_THAT(::testing::PrintToString(FailedRun()),
              HasSubstr("FAILED, error StepError: the bank said no"));
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
