// WatchExecution: the history as it is written.
#include "tests/e2e/watch.h"

#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/scripted_worker.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kSucceeded[] = R"({"Status":"SUCCEEDED","Result":"17"})";
constexpr char kStopping[] = "UNAVAILABLE ServiceException: The service is shutting down";

class WatchTest : public ::testing::Test {
 protected:
  // An execution that has started and runs.
  std::string StartRunning(ScriptedWorker& worker) {
    worker.Register("default", {"orders"});
    const std::string arn = client().Start("default", "orders");
    const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
    token_ = invocation.durable().checkpoint_token();
    return arn;
  }

  // One event.
  void RecordStep(ScriptedWorker& worker, const std::string& arn, const std::string& id,
                  v1::OperationAction action) {
    worker.Send(CheckpointOf(arn, token_, {StepUpdate(id, action)}));
    token_ = worker.Receive().checkpoint().checkpoint_token();
  }

  TestClient& client() { return served_.client(); }

  Served served_;
  std::string token_;
};

TEST_F(WatchTest, ShowsEachEventAsItIsWrittenAndEndsBehindTheLast) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  Watch watch(client(), arn);
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_EXECUTION_STARTED);
  RecordStep(worker, arn, "a", v1::OPERATION_ACTION_START);
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_STEP_STARTED);
  RecordStep(worker, arn, "a", v1::OPERATION_ACTION_SUCCEED);
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_STEP_SUCCEEDED);
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_INVOCATION_COMPLETED);
  const v1::Event last = watch.Next();
  EXPECT_EQ(last.event_type(), v1::EVENT_TYPE_EXECUTION_SUCCEEDED);
  EXPECT_EQ(last.execution_succeeded_details().result().payload(), "17");
  EXPECT_EQ(watch.Next().event_id(), 0);
  EXPECT_EQ(watch.End(), "OK");
}

TEST_F(WatchTest, GoesOnBehindAnyEvent) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  RecordStep(worker, arn, "a", v1::OPERATION_ACTION_START);
  Watch running(client(), arn, 2);
  RecordStep(worker, arn, "a", v1::OPERATION_ACTION_SUCCEED);
  EXPECT_EQ(running.Next().event_id(), 3);
  worker.Send(OutcomeOf(kSucceeded));
  client().AwaitEnd(arn);
  EXPECT_THAT(running.IdsToTheEnd(), ElementsAre(4, 5));
  EXPECT_EQ(running.End(), "OK");
  Watch finished(client(), arn);
  EXPECT_THAT(finished.IdsToTheEnd(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(finished.End(), "OK");
  Watch behind_the_fourth(client(), arn, 4);
  EXPECT_THAT(behind_the_fourth.IdsToTheEnd(), ElementsAre(5));
  EXPECT_EQ(behind_the_fourth.End(), "OK");
  Watch behind_the_last(client(), arn, 5);
  EXPECT_THAT(behind_the_last.IdsToTheEnd(), IsEmpty());
  EXPECT_EQ(behind_the_last.End(), "OK");
}

TEST_F(WatchTest, LeavesDataOutIfAskedTo) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  worker.Send(OutcomeOf(kSucceeded));
  client().AwaitEnd(arn);
  v1::WatchExecutionRequest request = Watch::RequestOf(arn, 2);
  request.set_include_execution_data(false);
  Watch watch(client(), request);
  const v1::Event event = watch.Next();
  EXPECT_FALSE(event.execution_succeeded_details().result().has_payload());
  EXPECT_TRUE(event.execution_succeeded_details().result().truncated());
}

TEST_F(WatchTest, RefusesWhatIsNotThere) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  client().CreateSession("other");
  const auto end_of = [&](const v1::WatchExecutionRequest& request) {
    Watch watch(client(), request);
    EXPECT_THAT(watch.IdsToTheEnd(), IsEmpty());
    return watch.End();
  };
  const std::string unknown = arn.substr(0, arn.size() - 1) + "x";
  EXPECT_EQ(end_of(Watch::RequestOf(unknown, 0)),
            absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ",
                         unknown));
  v1::WatchExecutionRequest elsewhere = Watch::RequestOf(arn, 0);
  elsewhere.set_session("other");
  EXPECT_EQ(
      end_of(elsewhere),
      absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ", arn));
  EXPECT_EQ(
      end_of(Watch::RequestOf(arn, -1)),
      "INVALID_ARGUMENT InvalidParameterValueException: after_event_id must not be negative.");
  EXPECT_EQ(end_of(Watch::RequestOf(arn, 2)),
            "INVALID_ARGUMENT InvalidParameterValueException: There is no event with the id of "
            "after_event_id, 2.");
}

TEST_F(WatchTest, SlowReaderHoldsUpNobodyAndMissesNothing) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  Watch watch(client(), arn);
  EXPECT_EQ(watch.Next().event_id(), 1);
  // Far more than what fits the buffers between the service and a reader that does not read.
  const std::string payload(1'000'000, 'x');
  for (int i = 0; i < 40; ++i) {
    v1::OperationUpdate update = StepUpdate(absl::StrCat("step-", i), v1::OPERATION_ACTION_SUCCEED);
    update.set_payload(payload);
    worker.Send(CheckpointOf(arn, token_, {update}));
    token_ = worker.Receive().checkpoint().checkpoint_token();
  }
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  // The steps, the end of the invocation and that of the execution.
  std::vector<int64_t> expected(42);
  std::iota(expected.begin(), expected.end(), 2);
  EXPECT_EQ(watch.IdsToTheEnd(), expected);
  EXPECT_EQ(watch.End(), "OK");
}

TEST_F(WatchTest, EndsWhenItsExecutionIsGone) {
  const std::string session = client().CreateSession();
  ScriptedWorker worker(client().functions());
  worker.Register(session, {"orders"});
  const std::string arn = client().Start(session, "orders");
  Watch watch(client(), arn);
  EXPECT_EQ(watch.Next().event_id(), 1);
  v1::DeleteSessionRequest request;
  request.set_name(session);
  EXPECT_EQ(TextOf(client().Call(&v1::TestSessions::Stub::DeleteSession, request)), "OK");
  EXPECT_THAT(watch.IdsToTheEnd(), IsEmpty());
  EXPECT_EQ(
      watch.End(),
      absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ", arn));
}

TEST_F(WatchTest, CancelledWatchHurtsNobody) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  Watch other(client(), arn);
  for (int i = 0; i < 20; ++i) {
    Watch watch(client(), arn);
    if (i % 2 == 0) {
      EXPECT_EQ(watch.Next().event_id(), 1);
    }
    RecordStep(worker, arn, absl::StrCat("step-", i), v1::OPERATION_ACTION_START);
    EXPECT_EQ(watch.Cancel(), "CANCELLED: CANCELLED");
  }
  worker.Send(OutcomeOf(kSucceeded));
  client().AwaitEnd(arn);
  EXPECT_THAT(other.IdsToTheEnd(), ::testing::SizeIs(23));
  EXPECT_EQ(other.End(), "OK");
}

TEST_F(WatchTest, EndsWhenTheServiceStops) {
  ScriptedWorker worker(client().functions());
  const std::string arn = StartRunning(worker);
  Watch watch(client(), arn);
  EXPECT_EQ(watch.Next().event_id(), 1);
  served_.server().Shutdown();
  EXPECT_THAT(watch.IdsToTheEnd(), IsEmpty());
  EXPECT_EQ(watch.End(), kStopping);
}

}  // namespace
}  // namespace rehearse
