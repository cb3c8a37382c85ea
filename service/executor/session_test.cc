// Sessions: apart from each other, found, held, ended; and the lists of what they have.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/executor/simulated_service.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

absl::Status Create(SimulatedService& service, const std::string& name,
                    v1::ClockMode mode = v1::CLOCK_MODE_SKIP) {
  v1::CreateSessionRequest request;
  request.set_name(name);
  request.mutable_config()->set_clock_mode(mode);
  return service.executor().CreateSession(request).status();
}

absl::Status Register(SimulatedService& service, const std::string& session,
                      const std::string& function) {
  v1::FunctionSpec spec;
  spec.set_function_name(function);
  spec.set_durable(true);
  return service.executor().RegisterFunctions(session, {spec});
}

absl::StatusOr<v1::StartExecutionResponse> StartIn(SimulatedService& service,
                                                   const std::string& session,
                                                   const std::string& name = "") {
  v1::StartExecutionRequest request;
  request.set_session(session);
  request.set_function_name("main");
  if (!name.empty()) request.set_durable_execution_name(name);
  return service.Start(request);
}

absl::Status Delete(SimulatedService& service, const std::string& name) {
  v1::DeleteSessionRequest request;
  request.set_name(name);
  return service.Call(&Executor::DeleteSession, request).status();
}

bool Exists(SimulatedService& service, const std::string& name) {
  v1::ListSessionsRequest request;
  const auto sessions = service.executor().ListSessions(request);
  for (const v1::Session& session : sessions->sessions()) {
    if (session.name() == name) return true;
  }
  return false;
}

std::vector<std::string> NamesIn(SimulatedService& service, const std::string& session) {
  v1::ListExecutionsRequest request;
  request.set_session(session);
  std::vector<std::string> names;
  const auto response = service.Call(&Executor::ListExecutions, request);
  for (const v1::Execution& execution : response->durable_executions()) {
    names.push_back(execution.durable_execution_name());
  }
  return names;
}

TEST(SessionTest, AHundredSideBySideNeverSeeOrMoveEachOther) {
  constexpr int kSessions = 100;
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.workers.AddFunction(
      "main", Script{{Checkpoint({StartCallback("c", 7200), StartWait("w", 3600)}), Pending()},
                     {Succeed("done")}});
  std::vector<std::string> arns;
  std::vector<absl::StatusOr<v1::StartExecutionResponse>> started(kSessions,
                                                                  absl::AbortedError(""));
  for (int i = 0; i < kSessions; ++i) {
    const std::string name = absl::StrCat("s-", i);
    ASSERT_EQ(Create(service, name, v1::CLOCK_MODE_MANUAL), absl::OkStatus());
    ASSERT_EQ(Register(service, name, "main"), absl::OkStatus());
    v1::StartExecutionRequest request;
    request.set_session(name);
    request.set_function_name("main");
    // The same name everywhere, another input each.
    request.set_durable_execution_name("same");
    request.set_input(absl::StrCat(i));
    service.executor().StartExecution(
        request, [&started, i](absl::StatusOr<v1::StartExecutionResponse> response) {
          started[i] = std::move(response);
        });
  }
  service.Run();
  for (const auto& response : started) {
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_FALSE(response->already_started());
    arns.push_back(response->durable_execution_arn());
  }
  EXPECT_THAT(service.workers.runs(), SizeIs(kSessions));

  // Time of one session moves its own executions.
  v1::AdvanceTimeRequest advance;
  advance.set_session("s-17");
  advance.mutable_duration()->set_seconds(3600);
  EXPECT_EQ(service.Call(&Executor::AdvanceTime, advance)->fired_count(), 1);
  service.Run();
  EXPECT_THAT(service.workers.runs(), SizeIs(kSessions + 1));
  for (int i = 0; i < kSessions; ++i) {
    const std::string name = absl::StrCat("s-", i);
    EXPECT_EQ(service.StatusOf(arns[i]),
              i == 17 ? v1::EXECUTION_STATUS_SUCCEEDED : v1::EXECUTION_STATUS_RUNNING);
    EXPECT_THAT(NamesIn(service, name), ElementsAre("same"));
    // Another session's execution and callback are not found.
    v1::GetExecutionRequest get;
    get.set_durable_execution_arn(arns[i]);
    get.set_session(absl::StrCat("s-", (i + 1) % kSessions));
    EXPECT_EQ(service.Call(&Executor::GetExecution, get).status(),
              errors::ExecutionNotFound(arns[i]));
    v1::SendCallbackSuccessRequest callback;
    callback.set_callback_id(service.CallbackId(arns[i], "c"));
    callback.set_session(get.session());
    EXPECT_EQ(service.Call(&Executor::SendCallbackSuccess, callback).status(),
              errors::CallbackNotFound());
  }
  // The end of one is not the end of another.
  EXPECT_EQ(Delete(service, "s-3"), absl::OkStatus());
  EXPECT_EQ(service.Get(arns[3]).status(), v1::EXECUTION_STATUS_UNSPECIFIED);
  EXPECT_EQ(service.StatusOf(arns[4]), v1::EXECUTION_STATUS_RUNNING);
  EXPECT_THAT(NamesIn(service, "default"), IsEmpty());
}

TEST(SessionTest, NamesAndConfigurationsAreChecked) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  EXPECT_EQ(Create(service, std::string(65, 's')).message(),
            absl::StrCat("Session name '", std::string(65, 's'),
                         "' must be 1-64 characters of A-Z a-z 0-9 - _."));
  EXPECT_FALSE(Create(service, "a b").ok());
  EXPECT_EQ(Create(service, std::string(64, 's')), absl::OkStatus());
  EXPECT_EQ(Create(service, "default").message(), "Session already exists: default");
  v1::CreateSessionRequest request;
  request.mutable_config()->set_limits_profile("none");
  EXPECT_EQ(service.executor().CreateSession(request).status().message(),
            "Unknown limits profile 'none': use 'aws' or 'aws-2025'.");
  request.mutable_config()->set_limits_profile("aws-2025");
  request.mutable_config()->set_failure_policy("none");
  EXPECT_EQ(service.executor().CreateSession(request).status().message(),
            "Unknown failure policy 'none'; use 'aws' or 'python-testing'.");
  request.mutable_config()->clear_failure_policy();
  request.mutable_config()->mutable_limits()->set_open_executions(-1);
  EXPECT_EQ(service.executor().CreateSession(request).status().message(),
            "Limit open_executions must not be negative: -1");
  EXPECT_EQ(Delete(service, "default").message(), "The session 'default' cannot be deleted.");
  EXPECT_EQ(Delete(service, "nobody").message(),
            "Session does not exist: nobody; create it with CreateSession");
}

TEST(SessionTest, LimitsAreTheSessionsOwn) {
  SimulatedService service(v1::CLOCK_MODE_SKIP);
  v1::OperationUpdate large = SucceedStep("a", std::string(262145, 'x'));
  service.workers.AddFunction("main",
                              Script{{Checkpoint({StartStep("a"), large}), Succeed("done")}});
  for (const std::string profile : {"aws", "aws-2025"}) {
    v1::CreateSessionRequest request;
    request.set_name(profile);
    request.mutable_config()->set_limits_profile(profile);
    ASSERT_TRUE(service.executor().CreateSession(request).ok());
    ASSERT_EQ(Register(service, profile, "main"), absl::OkStatus());
    StartIn(service, profile).IgnoreError();
    service.Run();
    EXPECT_EQ(service.workers.runs().back()->answers[0].ok(), profile == "aws");
  }
}

TEST(SessionTest, OneThatNobodyUsesEndsAfterTenMinutes) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.workers.AddFunction("main", Script{{Checkpoint({StartCallback("c")}), Pending()}});
  ASSERT_EQ(Create(service, "idle"), absl::OkStatus());
  ASSERT_EQ(Create(service, "used"), absl::OkStatus());
  ASSERT_EQ(Create(service, "held"), absl::OkStatus());
  ASSERT_EQ(Register(service, "idle", "main"), absl::OkStatus());
  ASSERT_EQ(*service.executor().HoldSession("held"), "held");
  const std::string arn = StartIn(service, "idle")->durable_execution_arn();
  service.scheduler.AdvanceWall(absl::Minutes(9));
  v1::GetSessionRequest get;
  get.set_name("used");
  EXPECT_TRUE(service.executor().GetSession(get).ok());
  service.scheduler.AdvanceWall(absl::Minutes(2));
  EXPECT_FALSE(Exists(service, "idle"));
  EXPECT_FALSE(service.memory.Load(arn).ok());
  EXPECT_TRUE(Exists(service, "used"));
  service.scheduler.AdvanceWall(absl::Minutes(30));
  EXPECT_FALSE(Exists(service, "used"));
  EXPECT_TRUE(Exists(service, "held"));
  service.executor().ReleaseSession("held");
  service.scheduler.AdvanceWall(absl::Minutes(30));
  EXPECT_FALSE(Exists(service, "held"));
  EXPECT_TRUE(Exists(service, "default"));
}

TEST(SessionTest, ItsEndTakesEverythingAlongAndThenFreesTheName) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    SimulatedService service(v1::CLOCK_MODE_REAL, seed);
    service.workers.AddFunction("main", Script{{Hold(), Succeed("done")}});
    service.workers.AddFunction("wait", Script{{Hold()}});
    ASSERT_EQ(Create(service, "s"), absl::OkStatus());
    ASSERT_EQ(Register(service, "s", "main"), absl::OkStatus());
    const std::string arn = StartIn(service, "s", "n")->durable_execution_arn();
    service.Run();
    v1::WaitForExecutionRequest wait;
    wait.set_durable_execution_arn(arn);
    absl::Status waited;
    service.executor().WaitForExecution(
        wait, [&](absl::StatusOr<v1::WaitForExecutionResponse> got) { waited = got.status(); });
    service.Run();
    // Everything below is on its way at the same time.
    std::vector<absl::Status> answers;
    absl::optional<absl::Status> late;
    v1::StartExecutionRequest start;
    start.set_session("s");
    start.set_function_name("main");
    service.executor().StartExecution(
        start, [&](absl::StatusOr<v1::StartExecutionResponse> got) { late = got.status(); });
    v1::DeleteSessionRequest request;
    request.set_name("s");
    service.executor().DeleteSession(request, [&](absl::StatusOr<v1::DeleteSessionResponse> got) {
      answers.push_back(got.status());
    });
    EXPECT_EQ(Create(service, "s").message(), "Session already exists: s");
    service.Run();
    EXPECT_THAT(answers, ElementsAre(absl::OkStatus()));
    EXPECT_TRUE(late.has_value());
    EXPECT_EQ(waited, errors::ExecutionNotFound(arn));
    EXPECT_THAT(service.workers.runs()[0]->aborts,
                ElementsAre(v1::ServeResponse::Abort::SESSION_ENDED));
    EXPECT_EQ(service.workers.free_slots(), 100);
    EXPECT_EQ(Create(service, "s"), absl::OkStatus());
    EXPECT_THAT(NamesIn(service, "s"), IsEmpty());
  }
}

TEST(ListTest, FiltersOrdersAndPages) {
  SimulatedService service(v1::CLOCK_MODE_REAL);
  service.AddFunction("main", Script{{Hold()}});
  service.AddFunction("other:2", Script{{Hold()}});
  const absl::Time start = service.scheduler.Now();
  const auto add = [&](const std::string& function, const std::string& name) {
    v1::StartExecutionRequest request;
    request.set_function_name(function);
    request.set_durable_execution_name(name);
    const std::string arn = service.Start(request)->durable_execution_arn();
    service.scheduler.AdvanceWall(absl::Seconds(10));
    return arn;
  };
  EXPECT_EQ(service.Stop(add("main", "a")), absl::OkStatus());
  add("main:7", "b");
  add("other:2", "c");
  add("main", "d");
  struct Row {
    std::string text;
    std::string names;
  };
  for (const Row& row : std::vector<Row>{
           {"", "d c b a"},
           {"reverse_order: true", "a b c d"},
           {"function_name: 'main'", "d b a"},
           {"function_name: 'main' qualifier: '7'", "b"},
           {"function_name: 'main:7'", "b"},
           {"function_name: 'arn:aws:lambda:us-east-1:123456789012:function:other:2'", "c"},
           {"durable_execution_name: 'b'", "b"},
           {"statuses: EXECUTION_STATUS_STOPPED", "a"},
           {"statuses: EXECUTION_STATUS_STOPPED statuses: EXECUTION_STATUS_RUNNING", "d c b a"},
           {"started_after { seconds: 10 }", "d c b"},
           {"started_before { seconds: 10 }", "b a"},
           {"started_after { seconds: 11 } started_before { seconds: 29 }", "c"},
           {"function_name: 'missing'", ""}}) {
    for (const int max_items : {1, 2, 3, 100}) {
      SCOPED_TRACE(absl::StrCat(row.text, " by ", max_items));
      v1::ListExecutionsRequest request;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(row.text, &request));
      for (auto* bound :
           {request.has_started_after() ? request.mutable_started_after() : nullptr,
            request.has_started_before() ? request.mutable_started_before() : nullptr}) {
        if (bound != nullptr) SetTimestamp(start + absl::Seconds(bound->seconds()), bound);
      }
      request.set_max_items(max_items);
      std::vector<std::string> names;
      while (true) {
        const auto page = service.Call(&Executor::ListExecutions, request);
        ASSERT_TRUE(page.ok()) << page.status();
        EXPECT_LE(page->durable_executions_size(), max_items);
        for (const v1::Execution& execution : page->durable_executions()) {
          names.push_back(execution.durable_execution_name());
        }
        if (!page->has_next_marker()) break;
        request.set_marker(page->next_marker());
      }
      EXPECT_EQ(absl::StrJoin(names, " "), row.names);
    }
  }
  v1::ListExecutionsRequest request;
  request.set_max_items(1001);
  EXPECT_EQ(ErrorNameOf(service.Call(&Executor::ListExecutions, request).status()),
            "InvalidParameterValueException");
  request.set_max_items(1);
  request.set_marker("nonsense");
  EXPECT_EQ(ErrorNameOf(service.Call(&Executor::ListExecutions, request).status()),
            "InvalidParameterValueException");
  request.clear_marker();
  for (int i = 0; i < 11; ++i) request.add_statuses(v1::EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(service.Call(&Executor::ListExecutions, request).status().message(),
            "The number of Statuses is 11; it must be between 0 and 10.");
}

}  // namespace
}  // namespace rehearse
