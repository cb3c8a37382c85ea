// `rehearse run` as its users see it: real runtimes in real processes against a real service.
#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/child_process.h"
#include "service/cli/rehearse_process.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kScript[] = "service/lambda_host/testdata/runtime.py";
const std::vector<std::string>& Runtime() {
  static const auto& command = *new std::vector<std::string>{"python3", kScript};
  return command;
}

// Whether the process is gone, or goes within a minute.
bool AwaitGone(pid_t pid) {
  pollfd event = {static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
  if (event.fd < 0) return errno == ESRCH;
  const bool gone = poll(&event, 1, 60'000) == 1;
  close(event.fd);
  return gone;
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return names;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(entries);
  return names;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Processes that run and have `marker` on their command line.
std::vector<std::string> ProcessesWith(const std::string& marker) {
  std::vector<std::string> found;
  for (const std::string& name : FilesIn("/proc")) {
    if (absl::StrContains(ReadFile(absl::StrCat("/proc/", name, "/cmdline")), marker)) {
      found.push_back(name);
    }
  }
  return found;
}

std::string NewPath(const std::string& name) {
  std::string folder = ::testing::TempDir() + "/run-XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  char* real = realpath(folder.c_str(), nullptr);
  folder = real;
  free(real);
  return folder + "/" + name;
}

// A `rehearse run` that serves.
class RunProcess {
 public:
  RunProcess(const Up& up, const std::vector<std::string>& flags,
             const std::vector<std::string>& command = Runtime())
      : process_(CommandOf(up, flags, command)) {
    EXPECT_TRUE(folder_.AwaitFile()) << process_.err();
  }

  ChildProcess& process() { return process_; }
  std::string ready_file() const { return folder_.content(); }

  // Stops it as a user does, and returns its status.
  int Stop(int signal = SIGTERM) {
    process_.Signal(signal);
    return process_.AwaitExit();
  }

 private:
  std::vector<std::string> CommandOf(const Up& up, const std::vector<std::string>& flags,
                                     const std::vector<std::string>& command) const {
    std::vector<std::string> arguments = {"run", absl::StrCat("--server=", up.address()),
                                          absl::StrCat("--ready-file=", folder_.file())};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    if (!command.empty()) arguments.emplace_back("--");
    arguments.insert(arguments.end(), command.begin(), command.end());
    return Rehearse(arguments);
  }

  WatchedFolder folder_;
  ChildProcess process_;
};

const std::vector<std::string> kPlain = {"--function=orders", "--durable=false"};

std::vector<std::string> PlainWith(const std::vector<std::string>& flags) {
  std::vector<std::string> all = kPlain;
  all.insert(all.end(), flags.begin(), flags.end());
  return all;
}

v1::InvokeFunctionRequest InvokeRequest(const std::string& payload) {
  v1::InvokeFunctionRequest request;
  request.set_function_name("orders");
  request.set_payload(payload);
  return request;
}

// The answer, or "TYPE: message".
std::string Invoke(Up& up, const v1::InvokeFunctionRequest& request) {
  const auto response = up.client().Call(&v1::DurableExecutions::Stub::InvokeFunction, request);
  if (!response.ok()) return TextOf(response);
  return response->has_error()
             ? absl::StrCat(response->error().error_type(), ": ", response->error().error_message())
             : response->payload();
}

std::string Invoke(Up& up, const std::string& payload) {
  return Invoke(up, InvokeRequest(payload));
}

pid_t PidOf(const std::string& text) {
  pid_t pid = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text, &pid)) << text;
  return pid;
}

std::string Start(Up& up, const std::string& input) {
  v1::StartExecutionRequest request;
  request.set_function_name("orders");
  request.set_input(input);
  return up.client().Start(request);
}

std::vector<std::string> FunctionsOf(Up& up) {
  std::vector<std::string> names;
  const auto functions =
      up.client().Call(&v1::FunctionHost::Stub::ListFunctions, v1::ListFunctionsRequest());
  EXPECT_EQ(TextOf(functions), "OK");
  if (!functions.ok()) return names;
  for (const v1::FunctionState& state : functions->functions()) {
    names.push_back(absl::StrCat(state.function().function_name(), " ", state.slots()));
  }
  return names;
}

// Exit errors without the id of the invocation.
std::string WithoutId(const std::string& text) {
  const size_t begin = text.find("RequestId: ");
  return begin == std::string::npos ? text : text.substr(0, begin) + text.substr(begin + 48);
}

TEST(RunTest, RunsAPlainFunctionWithLambdasSurroundings) {
  Up up;
  setenv("REHEARSE_TEST_INHERITED", "inherited", 1);
  RunProcess run(up, PlainWith({"--handler=app.handler"}));
  EXPECT_EQ(run.ready_file(), "{\"functions\": [\"orders\"]}\n");
  EXPECT_EQ(Invoke(up, R"({"do": "echo", "x": [1]})"), R"({"do": "echo", "x": [1]})");
  EXPECT_EQ(Invoke(up, R"({"do": "environment", "names": ["REHEARSE_TEST_INHERITED", "_HANDLER",
                           "AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL_LAMBDA"]})"),
            absl::StrCat(R"({"REHEARSE_TEST_INHERITED": "inherited", "_HANDLER": "app.handler", )"
                         R"("AWS_LAMBDA_FUNCTION_NAME": "orders", )"
                         R"("AWS_ENDPOINT_URL_LAMBDA": "http://)",
                         up.http_address(), "\"}"));
  v1::InvokeFunctionRequest request = InvokeRequest(R"({"do": "headers"})");
  request.set_tenant_id("blue");
  request.set_x_amzn_trace_id("Root=1-2-3");
  request.set_client_context(R"({"custom": {}})");
  const std::string headers = Invoke(up, request);
  for (const char* header :
       {R"("lambda-runtime-aws-tenant-id": "blue")", R"("lambda-runtime-trace-id": "Root=1-2-3")",
        R"("lambda-runtime-client-context": "{\"custom\": {}}")",
        R"("lambda-runtime-invoked-function-arn": )"
        R"("arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST")",
        R"("lambda-runtime-deadline-ms": ")", R"("lambda-runtime-aws-request-id": ")"}) {
    EXPECT_THAT(headers, HasSubstr(header));
  }
}

TEST(RunTest, RunsADurableFunction) {
  Up up;
  RunProcess run(up, {"--function=orders", "--execution-timeout=60", "--retention-days=7"});
  const std::string arn = Start(up, R"({"do": "event"})");
  // What the function answers is not an outcome, but shows what it was invoked with.
  EXPECT_EQ(up.client().AwaitEnd(arn).status(), v1::EXECUTION_STATUS_FAILED);
  const std::string done = Start(up, R"({"do": "succeed", "result": 17})");
  const v1::Execution execution = up.client().AwaitEnd(done);
  EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(execution.result(), "17");
  EXPECT_EQ(execution.durable_config().ShortDebugString(),
            "retention_period_in_days: 7 execution_timeout: 60");
}

TEST(RunTest, ASessionHasAnEndpointOfItsOwn) {
  Up up;
  up.client().CreateSession("mine");
  RunProcess run(up, PlainWith({"--session=mine"}));
  v1::InvokeFunctionRequest request =
      InvokeRequest(R"({"do": "environment", "names": ["AWS_ENDPOINT_URL_LAMBDA"]})");
  request.set_session("mine");
  EXPECT_EQ(Invoke(up, request), absl::StrCat(R"({"AWS_ENDPOINT_URL_LAMBDA": "http://)",
                                              up.http_address(), R"(/sessions/mine"})"));
  EXPECT_THAT(FunctionsOf(up), IsEmpty());
}

TEST(RunTest, OutputIsPassedOnByLineWithTheFunctionsName) {
  Up up;
  RunProcess run(up, PlainWith({"--log-level=off"}));
  Invoke(up, R"({"do": "print", "out": "one\ntwo\nthr", "err": "wrong\n", "exit": 0})");
  EXPECT_EQ(run.Stop(), 0);
  EXPECT_EQ(run.process().out(), "[orders] one\n[orders] two\n[orders] thr\n");
  EXPECT_EQ(run.process().err(), "[orders] wrong\n");
}

TEST(RunTest, AProcessThatDiesIsOneCrashedInvocationAndIsReplaced) {
  Up up;
  RunProcess run(up, kPlain);
  const std::string first = Invoke(up, R"({"do": "pid"})");
  EXPECT_EQ(Invoke(up, R"({"do": "pid"})"), first);
  EXPECT_THAT(Invoke(up, R"({"do": "exit", "status": 3})"),
              MatchesRegex("Runtime.ExitError: RequestId: [0-9a-f-]{36} Error: Runtime exited "
                           "with error: exit status 3"));
  const std::string second = Invoke(up, R"({"do": "pid"})");
  EXPECT_NE(second, first);
  EXPECT_EQ(WithoutId(Invoke(up, R"({"do": "exit", "status": 0})")),
            "Runtime.ExitError: Error: Runtime exited without providing a reason");
  EXPECT_EQ(WithoutId(Invoke(up, R"({"do": "die", "signal": 9})")),
            "Runtime.ExitError: Error: Runtime exited with error: signal: killed");
  EXPECT_NE(Invoke(up, R"({"do": "pid"})"), second);
  EXPECT_EQ(run.Stop(), 0);
  EXPECT_THAT(run.process().err(), HasSubstr("orders: Runtime exited with error: exit status 3\n"));
}

TEST(RunTest, AProcessThatDiesWhileItIsIdleIsReplaced) {
  Up up;
  RunProcess run(up, kPlain);
  const pid_t idle = PidOf(Invoke(up, R"({"do": "pid"})"));
  kill(idle, SIGKILL);
  while (!absl::StrContains(run.process().err(), "signal: killed")) std::this_thread::yield();
  EXPECT_NE(PidOf(Invoke(up, R"({"do": "pid"})")), idle);
}

TEST(RunTest, ADurableFunctionThatIsKilledInTheMiddleRunsAgain) {
  Up up({"--time=skip"});
  RunProcess run(up, {"--function=orders"});
  const std::string arn =
      Start(up, absl::StrCat(R"({"do": "once", "path": ")", NewPath("crashed"), R"("})"));
  const v1::Execution execution = up.client().AwaitEnd(arn);
  EXPECT_EQ(execution.result(), "\"second\"");
  std::vector<std::string> events;
  const v1::GetExecutionHistoryResponse history = up.client().History(arn);
  for (const v1::Event& event : history.events()) {
    events.push_back(
        absl::StrCat(event.event_type(), " ",
                     event.invocation_completed_details().error().payload().error_type()));
  }
  EXPECT_THAT(events, ElementsAre("1 ", "26 Runtime.ExitError", "26 ", "2 "));
}

TEST(RunTest, AnInvocationThatIsOutOfTimeIsKilledWithItsChildren) {
  Up up;
  RunProcess run(up, PlainWith({"--timeout=1", "--log-level=off"}));
  EXPECT_THAT(Invoke(up, R"({"do": "hang", "child": true})"),
              MatchesRegex("Sandbox.Timedout: .*Task timed out after 1.00 seconds"));
  // The slot is free again, with a process that answers.
  const pid_t successor = PidOf(Invoke(up, R"({"do": "pid"})"));
  EXPECT_EQ(run.Stop(), 0);
  const std::string out = run.process().out();
  ASSERT_THAT(out, MatchesRegex("\\[orders\\] hanging [0-9]+\n"));
  EXPECT_TRUE(AwaitGone(PidOf(out.substr(17, out.size() - 18))));
  EXPECT_TRUE(AwaitGone(successor));
}

TEST(RunTest, ARuntimeThatCannotStartFailsItsInvocationsWithItsReason) {
  Up up;
  {
    RunProcess run(up, kPlain, {"python3", kScript, "init-error"});
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(Invoke(up, R"({"do": "pid"})"), "Runtime.ImportModuleError: no such module");
    }
  }
  RunProcess run(up, kPlain, {"python3", kScript, "exit"});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(WithoutId(Invoke(up, R"({"do": "pid"})")),
              "Runtime.ExitError: Error: Runtime exited without providing a reason");
  }
}

TEST(RunTest, AnInvocationWaitsForARuntimeThatStillStarts) {
  Up up;
  const std::string path = NewPath("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  RunProcess run(up, kPlain, {"python3", kScript, "slow", path});
  std::string answer;
  std::thread invocation([&] { answer = Invoke(up, R"({"do": "echo"})"); });
  // Opens once the runtime reads.
  std::ofstream(path) << "go";
  invocation.join();
  EXPECT_EQ(answer, R"({"do": "echo"})");
}

TEST(RunTest, AnswersOutOfTheOrdinaryReachTheCallerAsTheyAre) {
  Up up;
  RunProcess run(up, kPlain);
  EXPECT_EQ(Invoke(up, R"({"do": "bytes", "hex": "ff003c"})"), std::string("\xff\x00<", 3));
  EXPECT_EQ(Invoke(up, R"({"do": "error", "body": {"errorMessage": "no", "errorType": "E"}})"),
            "E: no");
  EXPECT_EQ(Invoke(up, R"({"do": "error", "body": "text"})"), "Header.Type: \"text\"");
  EXPECT_THAT(Invoke(up, R"({"do": "large", "bytes": 6291557})"),
              HasSubstr("Function.ResponseSizeTooLarge: "));
  const std::string refusals = Invoke(up, R"({"do": "misbehave"})");
  for (const char* refusal : {"[400, ", "[404, ", "[405, ", "[403, "}) {
    EXPECT_THAT(refusals, HasSubstr(refusal));
  }
  EXPECT_EQ(Invoke(up, R"({"do": "echo"})"), R"({"do": "echo"})");
}

TEST(RunTest, StopEndsTheProcessesAndDeregisters) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Up up;
    setenv("STUBBORN", signal == SIGINT ? "yes" : "", 1);
    RunProcess run(up, kPlain);
    unsetenv("STUBBORN");
    const pid_t runtime = PidOf(Invoke(up, R"({"do": "pid"})"));
    const pid_t child = PidOf(Invoke(up, R"({"do": "child"})"));
    EXPECT_THAT(FunctionsOf(up), ElementsAre("orders 1"));
    EXPECT_EQ(run.Stop(signal), 0);
    EXPECT_TRUE(AwaitGone(runtime));
    EXPECT_TRUE(AwaitGone(child));
    EXPECT_THAT(FunctionsOf(up), IsEmpty());
    EXPECT_THAT(run.ready_file(), IsEmpty());
    EXPECT_THAT(run.process().err(),
                HasSubstr(signal == SIGINT ? "stopping: SIGINT" : "stopping: SIGTERM"));
  }
}

TEST(RunTest, StopInTheMiddleOfAnInvocationIsItsCrash) {
  Up up;
  RunProcess run(up, {"--function=orders"});
  const std::string arn = Start(up, R"({"do": "hang"})");
  while (!absl::StrContains(run.process().out(), "hanging")) std::this_thread::yield();
  EXPECT_EQ(run.Stop(), 0);
  const v1::GetExecutionHistoryResponse history = up.client().History(arn);
  ASSERT_GE(history.events_size(), 2);
  EXPECT_EQ(history.events(1).invocation_completed_details().error().payload().error_type(),
            "Runtime.ExitError");
}

TEST(RunTest, AHandlerWhoseExecutionIsStoppedRunsOn) {
  Up up;
  const std::string path = NewPath("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  RunProcess run(up, {"--function=orders"});
  const std::string arn = Start(up, absl::StrCat(R"({"do": "read", "path": ")", path, R"("})"));
  while (!absl::StrContains(run.process().out(), "reading")) std::this_thread::yield();
  v1::StopExecutionRequest stop;
  stop.set_durable_execution_arn(arn);
  EXPECT_EQ(TextOf(up.client().Call(&v1::DurableExecutions::Stub::StopExecution, stop)), "OK");
  std::ofstream(path) << "more";
  const std::string next = Start(up, R"({"do": "succeed", "result": 17})");
  EXPECT_EQ(up.client().AwaitEnd(next).result(), "17");
  EXPECT_EQ(run.process().out(), "[orders] reading\n[orders] went on with more\n");
}

TEST(RunTest, AFunctionThatAnotherWorkerServesStaysRegistered) {
  Up up;
  RunProcess first(up, kPlain);
  RunProcess second(up, kPlain);
  EXPECT_THAT(FunctionsOf(up), ElementsAre("orders 2"));
  EXPECT_EQ(first.Stop(), 0);
  EXPECT_THAT(FunctionsOf(up), ElementsAre("orders 1"));
  EXPECT_EQ(Invoke(up, R"({"do": "echo"})"), R"({"do": "echo"})");
}

TEST(RunTest, NothingOutlivesItsSuddenDeath) {
  Up up;
  RunProcess run(up, kPlain);
  const pid_t runtime = PidOf(Invoke(up, R"({"do": "pid"})"));
  run.process().Signal(SIGKILL);
  EXPECT_EQ(run.process().AwaitExit(), -SIGKILL);
  EXPECT_TRUE(AwaitGone(runtime));
}

TEST(RunTest, EndsWithItsSession) {
  Up up;
  up.client().CreateSession("short");
  RunProcess run(up, PlainWith({"--session=short"}));
  v1::DeleteSessionRequest request;
  request.set_name("short");
  EXPECT_EQ(TextOf(up.client().Call(&v1::TestSessions::Stub::DeleteSession, request)), "OK");
  EXPECT_EQ(run.process().AwaitExit(), 1);
  EXPECT_THAT(run.process().err(), HasSubstr("rehearse run: ResourceNotFoundException: "));
}

TEST(RunTest, WaitsForAServiceThatComesLater) {
  Up up;
  const std::string address = up.address();
  up.process().Signal(SIGTERM);
  up.process().AwaitExit();
  ChildProcess run(Rehearse({"run", "--server=" + address, "--function=orders", "--", "true"}));
  while (!absl::StrContains(run.err(), "waiting for it")) std::this_thread::yield();
  EXPECT_TRUE(run.running());
  run.Signal(SIGTERM);
  EXPECT_EQ(run.AwaitExit(), 0);
}

TEST(RunTest, ATenantHasAProcessOfItsOwn) {
  Up up;
  RunProcess run(up, PlainWith({"--tenancy=per-tenant"}));
  v1::InvokeFunctionRequest request = InvokeRequest(R"({"do": "pid"})");
  EXPECT_EQ(Invoke(up, request),
            "InvalidParameterValueException: The invoked function is enabled with tenancy "
            "configuration. Add a valid tenant ID in your request and try again.");
  request.set_tenant_id("blue");
  const std::string blue = Invoke(up, request);
  request.set_tenant_id("green");
  const std::string green = Invoke(up, request);
  EXPECT_NE(blue, green);
  EXPECT_EQ(Invoke(up, request), green);
  request.set_tenant_id("blue");
  EXPECT_EQ(Invoke(up, request), blue);
}

TEST(RunTest, AFileNamesSeveralFunctions) {
  Up up;
  const std::string path = NewPath("rehearse.yaml");
  char* cwd = getcwd(nullptr, 0);
  std::ofstream(path) << "functions:\n  orders:\n    durable: false\n    environment: {A: '1'}\n"
                      << "  payments: {}\n";
  RunProcess run(up, {"--file=" + path}, {"python3", absl::StrCat(cwd, "/", kScript)});
  free(cwd);
  EXPECT_EQ(run.ready_file(), "{\"functions\": [\"orders\", \"payments\"]}\n");
  EXPECT_THAT(FunctionsOf(up), ElementsAre("orders 1", "payments 1"));
  EXPECT_EQ(Invoke(up, R"({"do": "environment", "names": ["A"]})"), R"({"A": "1"})");
  EXPECT_EQ(Invoke(up, R"({"do": "folder"})"),
            absl::StrCat("\"", path.substr(0, path.rfind('/')), "\""));
}

TEST(RunTest, MistakesAreToldWithTheirExitStatus) {
  Up up;
  const std::string server = "--server=" + up.address();
  const struct {
    std::vector<std::string> arguments;
    int status;
    std::string error;
  } kRows[] = {
      {{"--function=a"},
       2,
       "the command that runs the function is missing: give it behind --\n"
       "Run 'rehearse run --help' for usage."},
      {{"--handler=x"}, 2, "--handler requires --function\nRun 'rehearse run --help' for usage."},
      {{"--function=a", "--timeout=5401"},
       2,
       "--timeout: Value 5401 not in range 1 to 5400\nRun 'rehearse run --help' for usage."},
      {{"--file=/no/such/file"}, 1, "cannot read /no/such/file: No such file or directory"},
      {{"--function=a", "--", "no-such-program"},
       1,
       "cannot run no-such-program: No such file or directory"},
      {{"--function=a b", "--", "true"},
       1,
       "InvalidParameterValueException: Invalid function ARN 'a b': give a name, name:qualifier, "
       "account:function:name, region:account:function:name or a full ARN."},
  };
  for (const auto& row : kRows) {
    std::vector<std::string> arguments = {"run", server, "--log-level=off"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Finished run = RunToEnd(arguments);
    EXPECT_EQ(run.status, row.status) << row.error;
    EXPECT_EQ(run.err, absl::StrCat("rehearse run: ", row.error, "\n"));
    EXPECT_THAT(run.out, IsEmpty());
  }
}

// Processes coming and going, sixteen at a time; two hundred of them every night.
constexpr int kAtATime = 16;
int RoundsOfCampaign() {
  const char* processes = std::getenv("REHEARSE_PROCESSES");
  return processes == nullptr ? 2 : std::atoi(processes) / kAtATime + 1;
}

TEST(RunCampaignTest, RuntimesThatComeAndGoLeaveNothingBehind) {
  Up up;
  const std::string marker = NewPath("marker");
  RunProcess run(up, PlainWith({absl::StrCat("--concurrency=", kAtATime), "--log-level=off"}),
                 {"python3", kScript, marker});
  std::vector<std::thread> callers;
  for (int i = 0; i < kAtATime; ++i) {
    callers.emplace_back([&up, i] {
      for (int j = 0; j < RoundsOfCampaign(); ++j) {
        const bool killed = (i + j) % 2 == 0;
        EXPECT_THAT(
            Invoke(up, killed ? R"({"do": "die", "signal": 9})" : R"({"do": "exit", "status": 1})"),
            HasSubstr("Runtime.ExitError"));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(Invoke(up, R"({"do": "echo"})"), R"({"do": "echo"})");
  EXPECT_EQ(run.Stop(), 0);
  EXPECT_THAT(ProcessesWith(marker), IsEmpty());
  EXPECT_THAT(FunctionsOf(up), IsEmpty());
}

TEST(RunCampaignTest, RunsLeaveNothingBehindHoweverTheyEnd) {
  Up up;
  const std::string marker = NewPath("marker");
  for (int i = 0; i < RoundsOfCampaign(); ++i) {
    std::vector<std::unique_ptr<RunProcess>> running;
    for (int j = 0; j < kAtATime; ++j) {
      running.push_back(std::make_unique<RunProcess>(
          up, std::vector<std::string>{absl::StrCat("--function=f", j), "--log-level=off"},
          std::vector<std::string>{"python3", kScript, marker}));
    }
    for (int j = 0; j < kAtATime; ++j) {
      running[j]->process().Signal(j % 3 == 0 ? SIGKILL : j % 3 == 1 ? SIGTERM : SIGINT);
    }
    for (int j = 0; j < kAtATime; ++j) {
      EXPECT_EQ(running[j]->process().AwaitExit(), j % 3 == 0 ? -SIGKILL : 0);
    }
  }
  for (const std::string& pid : ProcessesWith(marker)) EXPECT_TRUE(AwaitGone(PidOf(pid)));
  const auto sessions =
      up.client().Call(&v1::TestSessions::Stub::ListSessions, v1::ListSessionsRequest());
  EXPECT_EQ(sessions->sessions_size(), 1);
}

}  // namespace
}  // namespace rehearse
