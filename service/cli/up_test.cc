// `rehearse up` as its users see it: a process, its flags, its ready file, its end.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/child_process.h"
#include "service/cli/rehearse_process.h"
#include "service/http/http_client.h"
#include "service/http/http_server.h"
#include "service/rpc/scripted_worker.h"
#include "service/rpc/test_client.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(RehearseTest, HelpExplainsEverySubcommandAndFlag) {
  const Finished program = RunToEnd({"--help"});
  EXPECT_EQ(program.status, 0);
  EXPECT_THAT(program.err, IsEmpty());
  EXPECT_THAT(program.out, HasSubstr("up "));
  EXPECT_THAT(program.out, HasSubstr("Exit codes: 0 success, 1 failure, 2 wrong usage."));
  const Finished up = RunToEnd({"up", "--help"});
  EXPECT_EQ(up.status, 0);
  EXPECT_THAT(up.err, IsEmpty());
  for (const char* flag : {"--help",
                           "--grpc-address",
                           "--time",
                           "--skip-deadlines",
                           "--ready-file",
                           "--limits",
                           "--failure-policy",
                           "--region",
                           "--account",
                           "--credentials-file",
                           "--function-configs",
                           "--error-type",
                           "--lambda-endpoint",
                           "--session-idle-minutes",
                           "--log-level",
                           "--store",
                           "--exit-with-stdin",
                           "{real,skip,manual}",
                           "{aws,aws-2025}",
                           "{aws,python-testing}"}) {
    EXPECT_THAT(up.out, HasSubstr(flag));
  }
  const Finished version = RunToEnd({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, StartsWith("rehearse "));
}

TEST(RehearseTest, WrongUsageIsStatus2AndSaysWhatToDo) {
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } kRows[] = {
      {{}, "rehearse: A subcommand is required"},
      {{"down"}, "rehearse: unknown subcommand or option 'down'"},
      {{"--bogus"}, "rehearse: unknown subcommand or option '--bogus'"},
      {{"up", "--bogus"}, "rehearse up: The following argument was not expected: --bogus"},
      {{"up", "extra"}, "rehearse up: The following argument was not expected: extra"},
      {{"up", "--grpc-address=nowhere"},
       "rehearse up: --grpc-address: bad address 'nowhere': expected HOST:PORT, for example "
       "127.0.0.1:9013; port 0 takes a free one"},
      {{"up", "--grpc-address=127.0.0.1:65536"},
       "rehearse up: --grpc-address: bad address '127.0.0.1:65536': expected HOST:PORT, for "
       "example 127.0.0.1:9013; port 0 takes a free one"},
      {{"up", "--http-address=nowhere"},
       "rehearse up: --http-address: bad address 'nowhere': expected HOST:PORT, for example "
       "127.0.0.1:9013; port 0 takes a free one"},
      {{"up", "--function=orders"},
       "rehearse up: --function: bad function 'orders': expected "
       "NAME[,plain][,execution-timeout=SECONDS]=http://..."},
      {{"up", "--function=orders,execution-timeout=0=http://127.0.0.1:1"},
       "rehearse up: --function: bad function 'orders,execution-timeout=0=http://127.0.0.1:1': "
       "expected NAME[,plain][,execution-timeout=SECONDS]=http://..."},
      {{"up", "--lambda-endpoint=nowhere"},
       "rehearse up: --lambda-endpoint: bad URL 'nowhere': expected http://HOST:PORT/PATH"},
      {{"up", "--function-configs=[]"},
       "rehearse up: --function-configs: expected a JSON object from function names to "
       "configurations, or file://PATH of one"},
      {{"up", "--function-configs=file:///no/such/file"},
       "rehearse up: --function-configs: cannot read /no/such/file"},
      {{"up", R"(--function-configs={"f": 1})"},
       "rehearse up: --function-configs: function 'f': expected {}, null or "
       R"({"DurableConfig": {...}})"},
      {{"up", R"(--function-configs={"f": {"DurableConfig": []}})"},
       "rehearse up: --function-configs: function 'f': DurableConfig must be a JSON object"},
      {{"up", R"(--function-configs={"f": {"DurableConfig": {"ExecutionTimeout": 0}}})"},
       "rehearse up: --function-configs: function 'f': DurableConfig.ExecutionTimeout must be a "
       "whole number from 1 to 31622400"},
      {{"up", R"(--function-configs={"f": {"DurableConfig": {"RetentionPeriodInDays": 1.5}}})"},
       "rehearse up: --function-configs: function 'f': DurableConfig.RetentionPeriodInDays must be "
       "a whole number from 1 to 90"},
      {{"up", "--credentials-file=/no/such/file"},
       "rehearse up: --credentials-file: cannot read /no/such/file"},
      {{"up", "--credentials-file=/dev/null"},
       "rehearse up: --credentials-file: /dev/null: no profile has aws_access_key_id and "
       "aws_secret_access_key"},
      {{"up", "--error-type=code"}, "rehearse up: --error-type: code not in {name,fault}"},
      {{"up", "--store=disk"},
       "rehearse up: --store: bad store 'disk': expected memory or sqlite:PATH or "
       "postgres://HOST/DATABASE"},
      {{"up", "--store=sqlite:"},
       "rehearse up: --store: bad store 'sqlite:': expected a path behind sqlite:"},
      {{"up", "--store=sqlite:x?synchronous=OFF"},
       "rehearse up: --store: bad store 'sqlite:x?synchronous=OFF': expected synchronous=FULL or "
       "synchronous=NORMAL behind the question mark"},
      {{"up", "--time=fast"}, "rehearse up: --time: fast not in {real,skip,manual}"},
      {{"up", "--limits=none"}, "rehearse up: --limits: none not in {aws,aws-2025}"},
      {{"up", "--failure-policy=none"},
       "rehearse up: --failure-policy: none not in {aws,python-testing}"},
      {{"up", "--region=eu west"},
       "rehearse up: --region: bad region 'eu west': expected one like us-east-1"},
      {{"up", "--account=12"}, "rehearse up: --account: bad account '12': expected 12 digits"},
      {{"up", "--session-idle-minutes=0"},
       "rehearse up: --session-idle-minutes: Value 0 not in range 1 to 525600"},
      {{"up", "--log-level=loud"},
       "rehearse up: --log-level: loud not in {debug,info,warn,error,off}"},
      {{"up", "--ready-file="}, "rehearse up: --ready-file: 1 required PATH missing"},
      {{"up", "--ready-file=", "--time=skip"},
       "rehearse up: --ready-file: expected a path, got '--time=skip'"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.error);
    const Finished run = RunToEnd(row.arguments);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.out, IsEmpty());
    const std::string command = row.error.substr(0, row.error.find(':'));
    EXPECT_EQ(run.err, absl::StrCat(row.error, "\nRun '", command, " --help' for usage.\n"));
  }
}

TEST(UpTest, ReadyFileNamesTheAddressWhileTheServiceServes) {
  Up up;
  EXPECT_EQ(up.ready_file(), absl::StrCat("{\"grpc\": \"", up.address(), "\", \"http\": \"",
                                          up.http_address(), "\"}\n"));
  EXPECT_THAT(up.address(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(up.http_address(), StartsWith("127.0.0.1:"));
  HttpClient http;
  const absl::StatusOr<HttpUrl> url = ParseHttpUrl(absl::StrCat("http://", up.http_address()));
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(http.Send(*url, {"GET", "/health", {}, ""}, absl::InfiniteDuration())->body,
            R"({"status":"healthy"})");
  const auto session =
      up.client().Call(&v1::TestSessions::Stub::GetSession, v1::GetSessionRequest());
  EXPECT_EQ(TextOf(session), "OK");
  EXPECT_EQ(session->http_address(), up.http_address());
  up.process().Signal(SIGTERM);
  EXPECT_EQ(up.process().AwaitExit(), 0);
  EXPECT_FALSE(up.ready_file_exists());
  EXPECT_THAT(up.process().out(), IsEmpty());
  EXPECT_THAT(up.process().err(), HasSubstr(absl::StrCat("serving gRPC on ", up.address())));
  EXPECT_THAT(up.process().err(), HasSubstr("stopping: SIGTERM"));
}

TEST(UpTest, FailureToStartIsStatus1WhateverTheLogLevel) {
  Up first;
  const Finished taken =
      RunToEnd({"up", absl::StrCat("--grpc-address=", first.address()), "--log-level=off"});
  EXPECT_EQ(taken.status, 1);
  EXPECT_EQ(taken.err, absl::StrCat("rehearse up: address already in use: ", first.address(),
                                    "; choose another with --grpc-address or --http-address, port "
                                    "0 takes a free one\n"));
  const std::string path = ::testing::TempDir() + "/no/such/folder/ready.json";
  const Finished unwritable = RunToEnd({"up", "--grpc-address=127.0.0.1:0", "--ready-file", path});
  EXPECT_EQ(unwritable.status, 1);
  EXPECT_EQ(unwritable.err, absl::StrCat("rehearse up: cannot write the ready file ", path,
                                         ": No such file or directory\n"));
}

TEST(UpTest, AStoreThatCannotBeOpenedIsAFailureToStart) {
  const std::string path = ::testing::TempDir() + "/no/such/folder/store.db";
  const Finished nowhere =
      RunToEnd({"up", "--grpc-address=127.0.0.1:0", absl::StrCat("--store=sqlite:", path)});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_EQ(nowhere.err,
            absl::StrCat("rehearse up: cannot open ", path, "-lock: No such file or directory\n"));
}

TEST(UpTest, AStoreBelongsToOneService) {
  const std::string store =
      absl::StrCat("--store=sqlite:", ::testing::TempDir(), "/belongs_to_one.db");
  Up first({store});
  const Finished second = RunToEnd({"up", "--grpc-address=127.0.0.1:0", store});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, ::testing::MatchesRegex(
                              "rehearse up: the database .*/belongs_to_one.db is in use by another "
                              "service: .*/belongs_to_one.db-lock is held by process [0-9]+\n"));
  first.process().Signal(SIGTERM);
  EXPECT_EQ(first.process().AwaitExit(), 0);
  Up next({store});
}

TEST(UpTest, AnExecutionGoesOnWhenTheServiceWasKilled) {
  const std::string store = absl::StrCat("--store=sqlite:", ::testing::TempDir(), "/goes_on.db");
  std::string arn;
  std::string callback_id;
  {
    Up up({store, "--time=skip"});
    ScriptedWorker worker(up.client().functions());
    worker.Register("default", {"orders"});
    arn = up.client().Start("default", "orders");
    worker.Send(CheckpointOf(worker.ReceiveInvocation(),
                             {StepUpdate("a", v1::OPERATION_ACTION_START), CallbackUpdate("c")}));
    const v1::ServeResponse answer = worker.Receive();
    for (const v1::Operation& operation : answer.checkpoint().new_execution_state().operations()) {
      if (operation.has_callback_details()) {
        callback_id = operation.callback_details().callback_id();
      }
    }
    up.process().Signal(SIGKILL);
    EXPECT_EQ(up.process().AwaitExit(), -SIGKILL);
  }
  // A graceful stop is one, too.
  {
    Up up({store, "--time=skip"});
    up.process().Signal(SIGTERM);
    EXPECT_EQ(up.process().AwaitExit(), 0);
  }

  Up up({store, "--time=skip"});
  v1::SendCallbackSuccessRequest callback;
  callback.set_callback_id(callback_id);
  EXPECT_EQ(TextOf(up.client().Call(&v1::DurableExecutions::Stub::SendCallbackSuccess, callback)),
            "OK");
  ScriptedWorker worker(up.client().functions());
  worker.Register("default", {"orders"});
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  EXPECT_EQ(invocation.durable().durable_execution_arn(), arn);
  const auto& operations = invocation.durable().initial_execution_state().operations();
  ASSERT_EQ(operations.size(), 3);
  EXPECT_EQ(operations[1].id(), "a");
  EXPECT_EQ(operations[2].status(), v1::OPERATION_STATUS_SUCCEEDED);
  worker.Send(OutcomeOf(R"({"Status":"SUCCEEDED"})"));
  EXPECT_EQ(up.client().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
}

TEST(UpTest, StopsWithStatus0WhateverIsUnderWay) {
  for (const int signal : {SIGINT, SIGTERM}) {
    SCOPED_TRACE(strsignal(signal));
    Up up({"--log-level=off"});
    v1::CreateSessionRequest stepped;
    stepped.set_name("stepped");
    stepped.mutable_config()->set_stepped(true);
    up.client().CreateSession(stepped);
    ScriptedWorker busy(up.client().functions());
    busy.Register("stepped", {"orders"});
    ScriptedWorker free(up.client().functions());
    free.Register("default", {"orders"});
    const std::string arn = up.client().Start("stepped", "orders");
    std::string waited;
    std::thread waiting([&] {
      v1::InvokeNextRequest next;
      next.set_durable_execution_arn(arn);
      waited = TextOf(up.client().Call(&v1::TestSessions::Stub::InvokeNext, next));
    });
    // From then on InvokeNext waits for its end.
    busy.ReceiveInvocation();
    grpc::ClientContext watch_context;
    SetDeadline(watch_context);
    v1::WatchExecutionRequest watch;
    watch.set_durable_execution_arn(arn);
    const auto events = up.client().executions().WatchExecution(&watch_context, watch);
    v1::WatchExecutionResponse event;
    EXPECT_TRUE(events->Read(&event));

    up.process().Signal(signal);
    EXPECT_EQ(up.process().AwaitExit(), 0);
    EXPECT_FALSE(up.ready_file_exists());
    EXPECT_EQ(busy.Receive().abort().reason(), v1::ServeResponse::Abort::SESSION_ENDED);
    const std::string gone = "UNAVAILABLE ServiceException: The service is shutting down";
    EXPECT_EQ(TextOf(busy.AwaitEnd()), gone);
    EXPECT_EQ(TextOf(free.AwaitEnd()), gone);
    while (events->Read(&event)) {
    }
    EXPECT_EQ(TextOf(worker::FromGrpcStatus(events->Finish())), gone);
    waiting.join();
    EXPECT_EQ(waited, gone);
  }
}

TEST(UpTest, EndsWithItsStandardInputIfAskedTo) {
  Up bound({"--exit-with-stdin"});
  Up independent;
  bound.process().CloseStdin();
  independent.process().CloseStdin();
  EXPECT_EQ(bound.process().AwaitExit(), 0);
  EXPECT_FALSE(bound.ready_file_exists());
  EXPECT_THAT(bound.process().err(), HasSubstr("stopping: end of standard input"));
  EXPECT_TRUE(independent.process().running());
}

TEST(UpTest, SignalBehindTheEndOfStandardInputIsStillAGracefulStop) {
  Up up({"--exit-with-stdin"});
  up.process().CloseStdin();
  up.process().Signal(SIGTERM);
  EXPECT_EQ(up.process().AwaitExit(), 0);
  EXPECT_FALSE(up.ready_file_exists());
}

v1::SessionConfig DefaultConfigWith(const std::vector<std::string>& flags) {
  Up up(flags);
  const auto session =
      up.client().Call(&v1::TestSessions::Stub::GetSession, v1::GetSessionRequest());
  EXPECT_EQ(TextOf(session), "OK");
  return session->session().config();
}

TEST(UpTest, FlagsConfigureTheDefaultSession) {
  const v1::SessionConfig config = DefaultConfigWith({});
  EXPECT_EQ(config.clock_mode(), v1::CLOCK_MODE_REAL);
  EXPECT_FALSE(config.skip_deadlines());
  EXPECT_EQ(config.limits_profile(), "aws");
  EXPECT_EQ(config.failure_policy(), "aws");
  const v1::SessionConfig changed =
      DefaultConfigWith({"--time=manual", "--limits=aws-2025", "--failure-policy=python-testing"});
  EXPECT_EQ(changed.clock_mode(), v1::CLOCK_MODE_MANUAL);
  EXPECT_EQ(changed.limits_profile(), "aws-2025");
  EXPECT_EQ(changed.failure_policy(), "python-testing");
}

TEST(UpTest, SkippedTimePassesDeadlinesOnlyIfAskedTo) {
  Up up({"--time=skip", "--skip-deadlines"});
  ScriptedWorker worker(up.client().functions());
  worker.Register("default", {"orders"});
  const std::string arn = up.client().Start("default", "orders");
  v1::OperationUpdate callback = CallbackUpdate("c");
  callback.mutable_callback_options()->set_timeout_seconds(86400);
  worker.Send(CheckpointOf(worker.ReceiveInvocation(), {WaitUpdate("w", 2592000), callback}));
  EXPECT_TRUE(worker.Receive().has_checkpoint());
  worker.Send(OutcomeOf(R"({"Status":"PENDING"})"));
  // Invoked for the callback's timeout after a day, then for the wait.
  worker.ReceiveInvocation();
  EXPECT_EQ(up.client().Inspect(arn).operations(2).status(), v1::OPERATION_STATUS_TIMED_OUT);

  EXPECT_THAT(RunToEnd({"up", "--grpc-address=256.0.0.1:0", "--skip-deadlines"}).err,
              Not(HasSubstr("no effect")));
  Up without_skip({"--skip-deadlines"});
  without_skip.process().Signal(SIGTERM);
  without_skip.process().AwaitExit();
  EXPECT_THAT(without_skip.process().err(),
              HasSubstr("--skip-deadlines is of no effect without --time=skip"));
}

TEST(UpTest, LimitsProfileIsEnforced) {
  const std::string error =
      "INVALID_ARGUMENT InvalidParameterValueException: STEP output payload size must be less "
      "than or equal to 262144 bytes.";
  for (const auto& [profile, expected] :
       std::vector<std::pair<std::string, std::string>>{{"aws", ""}, {"aws-2025", error}}) {
    Up up({absl::StrCat("--limits=", profile)});
    ScriptedWorker worker(up.client().functions());
    worker.Register("default", {"orders"});
    up.client().Start("default", "orders");
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    update.set_payload(std::string(262145, 'x'));
    worker.Send(CheckpointOf(worker.ReceiveInvocation(), {update}));
    const v1::ServeResponse answer = worker.Receive();
    EXPECT_EQ(answer.has_error() ? TextOf(worker::FromProtoStatus(answer.error())) : "", expected);
  }
}

TEST(UpTest, FailurePolicyDecidesWhenAFailedInvocationRunsAgain) {
  for (const auto& [policy, seconds] :
       std::vector<std::pair<std::string, int64_t>>{{"aws", 1}, {"python-testing", 5}}) {
    Up up({"--time=manual", absl::StrCat("--failure-policy=", policy)});
    const std::string arn = [&] {
      ScriptedWorker worker(up.client().functions());
      worker.Register("default", {"orders"});
      const std::string started = up.client().Start("default", "orders");
      worker.ReceiveInvocation();
      return started;
    }();
    v1::WaitForExecutionRequest wait;
    wait.set_durable_execution_arn(arn);
    wait.add_statuses(v1::EXECUTION_STATUS_RUNNING);
    wait.set_invocation_ended(true);
    EXPECT_EQ(TextOf(up.client().Call(&v1::TestSessions::Stub::WaitForExecution, wait)), "OK");
    const v1::InspectExecutionResponse failed = up.client().Inspect(arn);
    ASSERT_EQ(failed.waiting_for_size(), 1);
    EXPECT_EQ(failed.waiting_for(0).kind(), v1::WaitingFor::KIND_BACKOFF);
    EXPECT_EQ(failed.waiting_for(0).time_left().seconds(), seconds);
  }
}

TEST(UpTest, RegionAndAccountStandInArns) {
  Up up({"--region=eu-north-1", "--account=000000000042"});
  ScriptedWorker worker(up.client().functions());
  worker.Register("default", {"orders"});
  EXPECT_THAT(up.client().Start("default", "orders"),
              StartsWith("arn:aws:lambda:eu-north-1:000000000042:function:orders:$LATEST/"));
}

HttpResponse Get(const std::string& http_address, const std::string& target) {
  HttpClient http;
  return *http.Send(*ParseHttpUrl(absl::StrCat("http://", http_address)), {"GET", target, {}, ""},
                    absl::InfiniteDuration());
}

TEST(UpTest, TypeInErrorsIsTheirNameOrWhoseFaultTheyAre) {
  Up by_name;
  EXPECT_EQ(Get(by_name.http_address(), "/x").body,
            R"({"Message":"No operation at /x","Type":"UnknownOperationException"})");
  Up by_fault({"--error-type=fault"});
  EXPECT_EQ(Get(by_fault.http_address(), "/x").body,
            R"({"Message":"No operation at /x","Type":"User"})");
}

// For the processes that start while it lives.
class Variables {
 public:
  explicit Variables(std::vector<std::pair<const char*, std::string>> variables)
      : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) setenv(name, value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : variables_) unsetenv(name);
  }

 private:
  const std::vector<std::pair<const char*, std::string>> variables_;
};

TEST(UpTest, TakesTheSettingsOfAwssLocalPythonRunner) {
  const Variables settings({{"AWS_DEX_HOST", "127.0.0.1"},
                            {"AWS_DEX_PORT", "0"},
                            {"AWS_DEX_LOG_LEVEL", "WARNING"},
                            {"AWS_DEX_LAMBDA_ENDPOINT", "http://127.0.0.1:1"},
                            {"AWS_DEX_LOCAL_RUNNER_ENDPOINT", "http://0.0.0.0:5000"},
                            {"AWS_DEX_LOCAL_RUNNER_REGION", "eu-north-1"},
                            {"AWS_DEX_LOCAL_RUNNER_MODE", "local"},
                            {"AWS_REGION", "us-west-2"}});
  Up up;
  ScriptedWorker worker(up.client().functions());
  worker.Register("default", {"orders"});
  EXPECT_THAT(up.client().Start("default", "orders"), HasSubstr(":eu-north-1:"));
  EXPECT_THAT(up.http_address(), StartsWith("127.0.0.1:"));
  up.process().Signal(SIGTERM);
  EXPECT_EQ(up.process().AwaitExit(), 0);
  EXPECT_THAT(up.process().err(), IsEmpty());
}

TEST(UpTest, KeepsExecutionsWhereAwssLocalPythonRunnerIsToldTo) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/told");
  for (const auto& [type, file] : std::vector<std::pair<std::string, std::string>>{
           {"sqlite", path}, {"filesystem", path + ".db"}}) {
    const Variables settings({{"AWS_DEX_STORE_TYPE", type}, {"AWS_DEX_STORE_PATH", path}});
    EXPECT_FALSE(std::ifstream(file).good()) << file;
    Up up;
    EXPECT_TRUE(std::ifstream(file).good()) << file;
  }
  const Variables memory({std::make_pair("AWS_DEX_STORE_TYPE", "memory")});
  Up up;
  const Variables unknown({std::make_pair("AWS_DEX_STORE_TYPE", "disk")});
  const Finished end = RunToEnd({"up", "--grpc-address=127.0.0.1:0"});
  EXPECT_EQ(end.status, 1);
  EXPECT_THAT(end.err, HasSubstr("bad store 'disk'"));
}

TEST(UpTest, FindsConfiguredFunctionsBehindTheLambdaEndpoint) {
  const auto endpoint = HttpServer::Start({}, [](HttpRequest request, auto respond) {
    HttpResponse response(200);
    response.body = absl::StrCat("\"", request.target, "\"");
    respond(std::move(response));
  });
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  Up up({absl::StrCat("--lambda-endpoint=http://127.0.0.1:", (*endpoint)->port()),
         R"(--function-configs={"price": {}, "price:2": null, "stock": {"DurableConfig": null},)"
         R"( "pay": {"DurableConfig": {}},)"
         R"( "ship": {"DurableConfig": {"ExecutionTimeout": 60, "RetentionPeriodInDays": 7}}})"});
  const auto functions =
      up.client().Call(&v1::FunctionHost::Stub::ListFunctions, v1::ListFunctionsRequest());
  ASSERT_EQ(TextOf(functions), "OK");
  std::vector<std::string> settings;
  for (const v1::FunctionState& state : functions->functions()) {
    settings.push_back(state.function().ShortDebugString());
  }
  EXPECT_THAT(settings, ElementsAre(R"(function_name: "pay" durable: true durable_config { )"
                                    R"(retention_period_in_days: 1 execution_timeout: 120 })",
                                    R"(function_name: "price")", R"(function_name: "price:2")",
                                    R"(function_name: "ship" durable: true durable_config { )"
                                    R"(retention_period_in_days: 7 execution_timeout: 60 })",
                                    R"(function_name: "stock")"));
  for (const auto& [function, path] : std::vector<std::pair<std::string, std::string>>{
           {"price", "price"}, {"price:1", "price"}, {"price:2", "price%3A2"}}) {
    v1::InvokeFunctionRequest request;
    request.set_function_name(function);
    const auto answer = up.client().Call(&v1::DurableExecutions::Stub::InvokeFunction, request);
    ASSERT_EQ(TextOf(answer), "OK");
    EXPECT_EQ(answer->payload(), absl::StrCat("\"/2015-03-31/functions/", path, "/invocations\""));
  }
}

}  // namespace
}  // namespace rehearse
