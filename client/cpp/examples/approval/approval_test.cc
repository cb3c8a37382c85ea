#include "client/cpp/examples/approval/approval.h"

#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "client/cpp/testing/testing.h"

namespace {

using durable::Json;
using durable::testing::DurableFunctionTestRunner;
using durable::testing::ErrorMessageIs;
using durable::testing::FailedWith;
using durable::testing::IsOk;
using durable::testing::IsOkAndHolds;
using durable::testing::ResultJson;
using testing::ElementsAre;

constexpr absl::Duration kTimeout = absl::Seconds(10);
const Json kExpense = {{"id", "e-1"}, {"cents", 120000}, {"approvers", {"ann", "bob"}}};

class ExpenseApprovalTest : public testing::Test {
 protected:
  ExpenseApprovalTest()
      : runner_(
            ExpenseApproval([this](const std::string& approver, const Expense&, absl::string_view) {
              absl::MutexLock lock(&mutex_);
              mails_.push_back(approver);
              return absl::OkStatus();
            })) {}

  std::vector<std::string> mails() {
    absl::MutexLock lock(&mutex_);
    return mails_;
  }

  absl::Mutex mutex_;
  std::vector<std::string> mails_;
  DurableFunctionTestRunner runner_;
};

TEST_F(ExpenseApprovalTest, TakesTheAnswer) {
  const std::string arn = runner_.RunAsync(kExpense).value();
  const std::string id = runner_.WaitForCallback(arn, "ann", kTimeout).value();
  EXPECT_THAT(runner_.SendCallbackSuccess(id, "approved"), IsOk());
  EXPECT_THAT(runner_.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultJson(R"({"decision": "approved", "by": "ann"})")));
  EXPECT_THAT(mails(), ElementsAre("ann"));
}

TEST_F(ExpenseApprovalTest, WaitsAsLongAsTheApproverIsThere) {
  const std::string arn = runner_.RunAsync(kExpense).value();
  const std::string id = runner_.WaitForCallback(arn, "ann", kTimeout).value();
  for (int day = 0; day < 6; ++day) {
    EXPECT_THAT(runner_.AdvanceTime(absl::Hours(23)), IsOk());
    EXPECT_THAT(runner_.SendCallbackHeartbeat(id), IsOk());
  }
  EXPECT_THAT(runner_.SendCallbackSuccess(id, "rejected"), IsOk());
  EXPECT_THAT(runner_.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultJson(R"({"decision": "rejected", "by": "ann"})")));
}

TEST_F(ExpenseApprovalTest, AsksTheNextOneWhenHeartbeatsStop) {
  const std::string arn = runner_.RunAsync(kExpense).value();
  ASSERT_THAT(runner_.WaitForCallback(arn, "ann", kTimeout), IsOk());
  EXPECT_THAT(runner_.AdvanceTime(absl::Hours(24)), IsOk());
  const std::string id = runner_.WaitForCallback(arn, "bob", kTimeout).value();
  EXPECT_THAT(runner_.SendCallbackSuccess(id, "approved"), IsOk());
  EXPECT_THAT(runner_.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultJson(R"({"decision": "approved", "by": "bob"})")));
  EXPECT_THAT(mails(), ElementsAre("ann", "bob"));
}

TEST_F(ExpenseApprovalTest, ExpiresWhenNobodyAnswers) {
  const std::string arn = runner_.RunAsync(kExpense).value();
  ASSERT_THAT(runner_.WaitForCallback(arn, "ann", kTimeout), IsOk());
  EXPECT_THAT(runner_.AdvanceTime(absl::Hours(48)), IsOk());
  EXPECT_THAT(runner_.WaitForResult(arn, kTimeout),
              IsOkAndHolds(ResultJson(R"({"decision": "expired", "by": ""})")));
}

TEST_F(ExpenseApprovalTest, FailsWhenTheApproversSystemDoes) {
  const std::string arn = runner_.RunAsync(kExpense).value();
  const std::string id = runner_.WaitForCallback(arn, "ann", kTimeout).value();
  EXPECT_THAT(runner_.SendCallbackFailure(id, {"PortalDown", "try tomorrow", "", {}}), IsOk());
  EXPECT_THAT(runner_.WaitForResult(arn, kTimeout),
              IsOkAndHolds(FailedWith(ErrorMessageIs("try tomorrow"))));
}

}  // namespace
