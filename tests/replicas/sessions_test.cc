// Sessions belong to all replicas.
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/watch.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

v1::CreateSessionRequest SessionRequest(const std::string& name) {
  v1::CreateSessionRequest request;
  request.set_name(name);
  return request;
}

std::vector<std::string> NamesAt(TestClient& client) {
  std::vector<std::string> names;
  const auto sessions = client.Call(&Sessions::ListSessions, v1::ListSessionsRequest());
  if (!sessions.ok()) return names;
  for (const v1::Session& session : sessions->sessions()) names.push_back(session.name());
  return names;
}

class SessionsTest : public ReplicasTest {};

TEST_F(SessionsTest, WhatIsCreatedAtOneIsUsedAtAnother) {
  v1::CreateSessionRequest create = SessionRequest("s");
  create.mutable_config()->mutable_limits()->set_checkpoint_updates(7);
  a().CreateSession(create);
  v1::GetSessionRequest get;
  get.set_name("s");
  const auto session = b().Call(&Sessions::GetSession, get);
  ASSERT_EQ(TextOf(session), "OK");
  EXPECT_EQ(session->session().config().limits().checkpoint_updates(), 7);
  EXPECT_THAT(NamesAt(b()), ElementsAre("default", "s"));
  EXPECT_EQ(Try(b(), &Sessions::CreateSession, create),
            "ALREADY_EXISTS ResourceConflictException: Session already exists: s");

  ScriptedWorker worker(b().functions());
  worker.Register("s", {"orders"});
  const std::string arn = a().Start("s", "orders");
  worker.ReceiveInvocation();
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(a().AwaitEnd(arn).result(), "17");
  EXPECT_EQ(b().Inspect(arn).session(), "s");
  // No other session sees it.
  v1::GetExecutionRequest elsewhere = Of<v1::GetExecutionRequest>(arn);
  elsewhere.set_session("default");
  EXPECT_EQ(Try(a(), &Executions::GetExecution, elsewhere), NoExecution(arn));
}

TEST_F(SessionsTest, OfTwoThatAreCreatedAtOnceOneIs) {
  for (int i = 0; i < 10; ++i) {
    const v1::CreateSessionRequest create = SessionRequest("s-" + std::to_string(i));
    std::string at_a;
    std::thread first([&] { at_a = Try(a(), &Sessions::CreateSession, create); });
    const std::string at_b = Try(b(), &Sessions::CreateSession, create);
    first.join();
    EXPECT_THAT((std::vector<std::string>{at_a, at_b}),
                UnorderedElementsAre("OK",
                                     "ALREADY_EXISTS ResourceConflictException: Session already "
                                     "exists: " +
                                         create.name()));
  }
}

TEST_F(SessionsTest, FunctionsAreKnownWhereverTheyWereRegistered) {
  // By both at once, each a few.
  std::thread at_a([&] {
    for (const char* name : {"a1", "a2", "a3"}) a_->Serve("default", name, 1, nullptr);
  });
  for (const char* name : {"b1", "b2", "b3"}) b_->Serve("default", name, 1, nullptr);
  at_a.join();
  for (const char* name : {"a1", "a2", "a3", "b1", "b2", "b3"}) {
    for (TestClient* client : {&a(), &b()}) client->Start("default", name);
  }
  v1::StartExecutionRequest unknown;
  unknown.set_function_name("c1");
  EXPECT_EQ(Try(b(), &Executions::StartExecution, unknown),
            "NOT_FOUND ResourceNotFoundException: Function not found: c1; no worker has registered "
            "it");
}

TEST_F(SessionsTest, DeletionEndsWhatItHasEverywhere) {
  a().CreateSession(SessionRequest("s"));
  ScriptedWorker worker(b().functions());
  worker.Register("s", {"orders"});
  const std::string arn = a().Start("s", "orders");
  worker.ReceiveInvocation();
  Watch watch(b(), arn);
  EXPECT_EQ(watch.Next().event_id(), 1);
  Watch from_elsewhere(a(), arn);
  EXPECT_EQ(from_elsewhere.Next().event_id(), 1);
  grpc::ClientContext context;
  SetDeadline(context);
  v1::HoldSessionRequest hold;
  hold.set_name("s");
  const auto held = b().sessions().HoldSession(&context, hold);
  v1::HoldSessionResponse in_place;
  ASSERT_TRUE(held->Read(&in_place));

  v1::DeleteSessionRequest remove;
  remove.set_name("s");
  EXPECT_EQ(Try(a(), &Sessions::DeleteSession, remove), "OK");
  EXPECT_EQ(worker.Receive().abort().reason(), v1::ServeResponse::Abort::SESSION_ENDED);
  EXPECT_EQ(TextOf(worker.AwaitEnd()), NoSession("s"));
  EXPECT_EQ(TextOf(worker::FromGrpcStatus(held->Finish())), NoSession("s"));
  for (Watch* each : {&watch, &from_elsewhere}) {
    EXPECT_THAT(each->IdsToTheEnd(), IsEmpty());
    EXPECT_EQ(each->End(), NoExecution(arn));
  }
  for (TestClient* client : {&a(), &b()}) {
    EXPECT_EQ(Try(*client, &Executions::GetExecution, Of<v1::GetExecutionRequest>(arn)),
              NoExecution(arn));
    EXPECT_EQ(Try(*client, &Sessions::DeleteSession, remove), NoSession("s"));
    EXPECT_THAT(NamesAt(*client), ElementsAre("default"));
  }
  // The name is free.
  EXPECT_EQ(Try(b(), &Sessions::CreateSession, SessionRequest("s")), "OK");
}

TEST_F(SessionsTest, AFunctionThatIsGoneFailsWhatWaitsForItAnywhere) {
  for (TestClient* client : {&a(), &b()}) {
    ScriptedWorker worker(b().functions());
    worker.Register("default", {"orders"});
    EXPECT_EQ(TextOf(worker.Close()), "OK");
    const std::string arn = a().Start("default", "orders");
    v1::DeregisterFunctionRequest deregister;
    deregister.set_function_name("orders");
    EXPECT_EQ(Try(*client, &Functions::DeregisterFunction, deregister), "OK");
    const v1::Execution execution = b().AwaitEnd(arn);
    EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_FAILED);
    EXPECT_EQ(execution.error().ShortDebugString(),
              "error_message: \"Function not found: orders\" error_type: "
              "\"ResourceNotFoundException\"");
  }
}

class IdleSessionsTest : public ReplicasTest {
 protected:
  static Server::Options WithShortLimit() {
    Server::Options options;
    options.session_idle_limit = absl::Seconds(5);
    return options;
  }
  IdleSessionsTest() : ReplicasTest(WithShortLimit()) {}
};

TEST_F(IdleSessionsTest, ASessionInUseAtOneIsKeptByAll) {
  a().CreateSession(SessionRequest("used"));
  ScriptedWorker worker(b().functions());
  worker.Register("used", {"orders"});
  a().CreateSession(SessionRequest("idle"));
  // Until the one that nobody uses is gone.
  std::vector<std::string> names;
  do {
    names = NamesAt(a());
    ASSERT_THAT(names, Contains("used"));
  } while (names.size() > 2);
  const std::string arn = a().Start("used", "orders");
  worker.ReceiveInvocation();
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(b().AwaitEnd(arn).result(), "17");
}

}  // namespace
}  // namespace rehearse
