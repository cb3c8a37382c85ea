// Sessions on one server never see or move each other.
#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/scripted_worker.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

// What one runner does in a session of its own: the same function name and the same execution names
// as everybody else.
class Runner {
 public:
  static constexpr int kExecutions = 3;

  Runner(Served& served, int number)
      : served_(served),
        session_(absl::StrCat("session-", number)),
        // A day for the first, two for the second: nobody's clock may move anybody else's.
        wait_seconds_(86400 * (number % 5 + 1)) {}

  void Run() {
    served_.client().CreateSession(session_);
    const auto pool = served_.Serve(
        session_, "orders", 2,
        [this](worker::InvocationChannel& channel) { return RunInvocation(channel); });
    std::vector<std::string> arns;
    for (int i = 0; i < kExecutions; ++i) {
      v1::StartExecutionRequest request;
      request.set_session(session_);
      request.set_function_name("orders");
      request.set_durable_execution_name(absl::StrCat("order-", i));
      request.set_input(absl::StrCat("\"", session_, "\""));
      arns.push_back(served_.client().Start(request));
    }
    for (const std::string& arn : arns) Check(served_.client().AwaitEnd(arn));
    CheckList(std::move(arns));
  }

 private:
  v1::ServeRequest::Outcome RunInvocation(worker::InvocationChannel& channel) {
    const v1::DurableExecutionInvocationInput& input = channel.invocation().durable();
    const auto& operations = input.initial_execution_state().operations();
    if (operations.size() > 1) {
      EXPECT_EQ(operations[1].status(), v1::OPERATION_STATUS_SUCCEEDED);
      return Succeed(absl::StrCat("\"", session_, "\""));
    }
    EXPECT_EQ(operations[0].execution_details().input_payload(),
              absl::StrCat("\"", session_, "\""));
    const v1::ServeRequest checkpoint =
        CheckpointOf(channel.invocation(), {WaitUpdate("w", wait_seconds_)});
    EXPECT_EQ(TextOf(channel.Checkpoint(checkpoint.checkpoint())), "OK");
    return Pend();
  }

  void Check(const v1::Execution& execution) {
    EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_SUCCEEDED);
    EXPECT_EQ(execution.result(), session_);
    // Its own wait has passed, and no other's, which differ by a day; the rest is real time.
    const int64_t lasted =
        execution.end_timestamp().seconds() - execution.start_timestamp().seconds();
    EXPECT_GE(lasted, wait_seconds_);
    EXPECT_LT(lasted, wait_seconds_ + 3600);
    // Another session does not see it.
    v1::GetExecutionRequest other;
    other.set_durable_execution_arn(execution.durable_execution_arn());
    other.set_session("default");
    EXPECT_EQ(
        TextOf(served_.client().Call(&v1::DurableExecutions::Stub::GetExecution, other)),
        absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ",
                     execution.durable_execution_arn()));
  }

  void CheckList(std::vector<std::string> arns) {
    v1::ListExecutionsRequest request;
    request.set_session(session_);
    const auto list = served_.client().Call(&v1::DurableExecutions::Stub::ListExecutions, request);
    ASSERT_EQ(TextOf(list), "OK");
    std::vector<std::string> listed;
    for (const v1::Execution& execution : list->durable_executions()) {
      listed.push_back(execution.durable_execution_arn());
    }
    EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(arns));
    v1::GetSessionRequest get;
    get.set_name(session_);
    const auto session = served_.client().Call(&v1::TestSessions::Stub::GetSession, get);
    EXPECT_EQ(session->session().open_executions(), 0);
    EXPECT_EQ(session->session().closed_executions(), kExecutions);
  }

  Served& served_;
  const std::string session_;
  const int wait_seconds_;
};

TEST(SessionsTest, AHundredAtOnceNeverSeeEachOther) {
  Served served;
  std::vector<std::unique_ptr<Runner>> runners;
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i) runners.push_back(std::make_unique<Runner>(served, i));
  for (const auto& runner : runners) threads.emplace_back([&runner] { runner->Run(); });
  for (std::thread& thread : threads) thread.join();

  v1::ListSessionsRequest request;
  request.set_max_items(1000);
  const auto sessions = served.client().Call(&v1::TestSessions::Stub::ListSessions, request);
  EXPECT_EQ(sessions->sessions_size(), 101);
}

TEST(SessionsTest, HoldEndsWithItsCallAndTakesTheSessionAlong) {
  Served served;
  const std::string session = served.client().CreateSession();
  ScriptedWorker worker(served.client().functions());
  worker.Register(session, {"orders"});
  const std::string arn = served.client().Start(session, "orders");
  worker.ReceiveInvocation();
  {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::HoldSessionRequest request;
    request.set_name(session);
    const auto hold = served.client().sessions().HoldSession(&context, request);
    v1::HoldSessionResponse in_place;
    EXPECT_TRUE(hold->Read(&in_place));
    context.TryCancel();
    EXPECT_EQ(hold->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(worker.Receive().abort().reason(), v1::ServeResponse::Abort::SESSION_ENDED);
  EXPECT_EQ(TextOf(worker.AwaitEnd()),
            absl::StrCat("NOT_FOUND ResourceNotFoundException: Session does not exist: ", session,
                         "; create it with CreateSession"));
  v1::GetExecutionRequest request;
  request.set_durable_execution_arn(arn);
  EXPECT_EQ(
      TextOf(served.client().Call(&v1::DurableExecutions::Stub::GetExecution, request)),
      absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ", arn));
}

TEST(SessionsTest, HoldOfAnUnknownSessionIsRefusedAndADeletedOneEnds) {
  Served served;
  const auto hold = [&](const std::string& name, auto while_held) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::HoldSessionRequest request;
    request.set_name(name);
    const auto stream = served.client().sessions().HoldSession(&context, request);
    v1::HoldSessionResponse in_place;
    if (stream->Read(&in_place)) while_held();
    return TextOf(worker::FromGrpcStatus(stream->Finish()));
  };
  EXPECT_EQ(hold("nowhere", [] { ADD_FAILURE(); }),
            "NOT_FOUND ResourceNotFoundException: Session does not exist: nowhere; create it with "
            "CreateSession");
  served.client().CreateSession("held");
  EXPECT_EQ(hold("held",
                 [&] {
                   v1::DeleteSessionRequest request;
                   request.set_name("held");
                   EXPECT_EQ(TextOf(served.client().Call(&v1::TestSessions::Stub::DeleteSession,
                                                         request)),
                             "OK");
                 }),
            "NOT_FOUND ResourceNotFoundException: Session does not exist: held; create it with "
            "CreateSession");
}

}  // namespace
}  // namespace rehearse
