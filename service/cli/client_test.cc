// The client subcommands as their users see them: processes, their output and their exit status.
#include <csignal>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/child_process.h"
#include "service/cli/rehearse_process.h"
#include "service/rpc/scripted_worker.h"
#include "service/rpc/test_client.h"

namespace rehearse {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kNoService[] = "127.0.0.1:1";

// What differs from run to run: wall time, and ids that are made up.
std::string Stable(const std::string& text) {
  const std::regex time(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})");
  const std::regex id("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  return std::regex_replace(std::regex_replace(text, time, "YYYY-MM-DD hh:mm:ss.mmm"), id, "UUID");
}

// A service whose time stands still, with the durable function "orders".
class ClientTest : public ::testing::Test {
 protected:
  ClientTest() : up_({"--time=manual"}), worker_(up_.client().functions()) {
    worker_.Register("default", {"orders"});
  }

  Finished Run(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + up_.address());
    Finished run = RunToEnd(arguments);
    run.out = Stable(run.out);
    run.err = Stable(run.err);
    return run;
  }
  // Of a command that succeeds.
  std::string OutputOf(const std::vector<std::string>& arguments) {
    const Finished run = Run(arguments);
    EXPECT_EQ(run.status, 0);
    EXPECT_THAT(run.err, IsEmpty());
    return run.out;
  }

  // Starts the execution "order-17" and returns its ARN and invocation.
  std::string Start() {
    v1::StartExecutionRequest request;
    request.set_function_name("orders");
    request.set_durable_execution_name("order-17");
    request.set_input(R"({"id": 17})");
    arn_ = up_.client().Start(request);
    invocation_ = worker_.ReceiveInvocation();
    return arn_;
  }

  void Checkpoint(const std::vector<v1::OperationUpdate>& updates) {
    worker_.Send(CheckpointOf(invocation_, updates));
    const v1::ServeResponse answer = worker_.Receive();
    EXPECT_TRUE(answer.has_checkpoint()) << answer.ShortDebugString();
    invocation_.mutable_durable()->set_checkpoint_token(answer.checkpoint().checkpoint_token());
  }

  void End(const std::string& outcome) {
    worker_.Send(OutcomeOf(outcome));
    v1::WaitForExecutionRequest wait;
    wait.set_durable_execution_arn(arn_);
    for (int status = v1::EXECUTION_STATUS_RUNNING; status <= v1::EXECUTION_STATUS_STOPPED;
         ++status) {
      wait.add_statuses(static_cast<v1::ExecutionStatus>(status));
    }
    wait.set_invocation_ended(true);
    EXPECT_EQ(TextOf(up_.client().Call(&v1::TestSessions::Stub::WaitForExecution, wait)), "OK");
  }

  // Leaves "order-17" with a step, a wait of a day and a callback.
  std::string StartAndSuspend() {
    Start();
    v1::OperationUpdate step = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    step.set_name("charge");
    step.set_payload("\"receipt\"");
    v1::OperationUpdate wait = WaitUpdate("b", 86400);
    wait.set_name("cool-down");
    v1::OperationUpdate callback = CallbackUpdate("c");
    callback.set_name("approval");
    callback.mutable_callback_options()->set_timeout_seconds(172800);
    Checkpoint({step, wait, callback});
    End(R"({"Status":"PENDING"})");
    return up_.client().Inspect(arn_).operations(3).callback_details().callback_id();
  }

  Up up_;
  ScriptedWorker worker_;
  std::string arn_;
  v1::ServeResponse::Invocation invocation_;
};

TEST_F(ClientTest, ListShowsExecutions) {
  EXPECT_EQ(OutputOf({"list"}), "no executions\n");
  Start();
  EXPECT_EQ(OutputOf({"list"}),
            "name      function        status   started                  took\n"
            "order-17  orders:$LATEST  RUNNING  YYYY-MM-DD hh:mm:ss.mmm\n");
  End(R"({"Status":"SUCCEEDED","Result":"1"})");
  EXPECT_EQ(OutputOf({"list", "--status=SUCCEEDED", "--status=FAILED", "--function=orders"}),
            "name      function        status     started                  took\n"
            "order-17  orders:$LATEST  SUCCEEDED  YYYY-MM-DD hh:mm:ss.mmm  0\n");
  EXPECT_EQ(OutputOf({"list", "--status=RUNNING"}), "no executions\n");
  up_.client().Start("default", "orders");
  EXPECT_THAT(OutputOf({"list", "--limit=1", "--oldest-first"}), HasSubstr("order-17"));
  EXPECT_THAT(OutputOf({"list", "--limit=1"}), HasSubstr("and more: see --limit\n"));
  EXPECT_THAT(OutputOf({"list", "--json"}),
              HasSubstr("   \"DurableExecutionName\": \"order-17\",\n"));
}

TEST_F(ClientTest, ShowTellsWhatAnExecutionWaitsFor) {
  const std::string callback_id = StartAndSuspend();
  const std::string shown =
      "name         order-17\n"
      "arn          arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/"
      "durable-execution/order-17/UUID\n"
      "session      default\n"
      "status       RUNNING\n"
      "started      YYYY-MM-DD hh:mm:ss.mmm\n"
      "now          YYYY-MM-DD hh:mm:ss.mmm\n"
      "input        {\"id\": 17}\n"
      "invocations  1\n";
  const std::string out = OutputOf({"show", "order-17"});
  EXPECT_THAT(out, StartsWith(shown));
  EXPECT_THAT(out, HasSubstr("\nwaits for    callback \"approval\" (48h left); "));
  EXPECT_THAT(out, HasSubstr(absl::StrCat(
                       "\n\n"
                       "operation  type      status     started                  recorded\n"
                       "charge     STEP      SUCCEEDED  YYYY-MM-DD hh:mm:ss.mmm  \"receipt\"\n"
                       "cool-down  WAIT      STARTED    YYYY-MM-DD hh:mm:ss.mmm  until "
                       "YYYY-MM-DD hh:mm:ss.mmm\n"
                       "approval   CALLBACK  STARTED    YYYY-MM-DD hh:mm:ss.mmm  id ",
                       callback_id, "\n")));
  EXPECT_EQ(OutputOf({"show", arn_}), out);
  EXPECT_THAT(OutputOf({"show", "order-17", "--json"}), HasSubstr(" \"session\": \"default\",\n"));
}

TEST_F(ClientTest, HistoryIsATableOfEvents) {
  StartAndSuspend();
  const std::string history =
      "id  time  event                name       recorded\n"
      "1   +0    ExecutionStarted     order-17   {\"id\": 17}\n"
      "2   +0    StepSucceeded        charge     \"receipt\"\n"
      "3   +0    WaitStarted          cool-down  24h\n"
      "4   +0    CallbackStarted      approval   timeout 48h\n"
      "5   +0    InvocationCompleted\n";
  EXPECT_EQ(OutputOf({"history", "order-17"}), history);
  EXPECT_THAT(OutputOf({"history", "order-17", "--json"}),
              HasSubstr("   \"EventType\": \"EVENT_TYPE_WAIT_STARTED\",\n"));
}

TEST_F(ClientTest, WatchPrintsEventsUntilTheEnd) {
  Start();
  ChildProcess watch(Rehearse({"watch", "order-17", "--server=" + up_.address()}));
  while (!absl::StrContains(watch.out(), "ExecutionStarted")) std::this_thread::yield();
  End(R"({"Status":"SUCCEEDED","Result":"17"})");
  EXPECT_EQ(watch.AwaitExit(), 0);
  const std::string events =
      "2     +0          InvocationCompleted\n"
      "3     +0          ExecutionSucceeded        order-17                  17\n";
  EXPECT_EQ(watch.out(),
            "1     +0          ExecutionStarted          order-17                  {\"id\": 17}\n" +
                events);
  EXPECT_EQ(OutputOf({"watch", "order-17", "--after=1"}), events);
  EXPECT_THAT(OutputOf({"watch", "order-17", "--after=2", "--json"}),
              StartsWith(R"({"EventType":"EVENT_TYPE_EXECUTION_SUCCEEDED","EventId":"3",)"));
}

TEST_F(ClientTest, TimeAdvancesAndTellsWhatFired) {
  EXPECT_EQ(OutputOf({"time", "advance", "1h"}), "no timer was due\n");
  StartAndSuspend();
  EXPECT_EQ(OutputOf({"time", "advance", "23h59m59s"}), "no timer was due\n");
  ChildProcess advance(Rehearse({"time", "advance", "1s", "--server=" + up_.address()}));
  invocation_ = worker_.ReceiveInvocation();
  End(R"({"Status":"PENDING"})");
  EXPECT_EQ(advance.AwaitExit(), 0);
  EXPECT_EQ(Stable(advance.out()),
            "due                      timer  execution  operation\n"
            "YYYY-MM-DD hh:mm:ss.mmm  WAIT   order-17   b\n");
  ChildProcess next(Rehearse({"time", "advance", "--next", "--json", "--server=" + up_.address()}));
  invocation_ = worker_.ReceiveInvocation();
  End(R"({"Status":"SUCCEEDED"})");
  EXPECT_EQ(next.AwaitExit(), 0);
  EXPECT_THAT(next.out(), HasSubstr("\"kind\": \"KIND_CALLBACK_TIMEOUT\""));
  EXPECT_EQ(OutputOf({"time", "advance", "--until=2000-01-01T00:00:00Z"}), "no timer was due\n");
}

TEST_F(ClientTest, CallbacksAreCompleted) {
  const std::string id = StartAndSuspend();
  EXPECT_EQ(OutputOf({"callback", "heartbeat", id}), "the heartbeat is recorded\n");
  EXPECT_EQ(OutputOf({"callback", "succeed", id, "--result={\"ok\":true}"}),
            "the callback succeeded\n");
  const v1::ServeResponse::Invocation invocation = worker_.ReceiveInvocation();
  EXPECT_EQ(up_.client().Inspect(arn_).operations(3).callback_details().result(), R"({"ok":true})");
  const Finished again = Run({"callback", "fail", id, "--error-type=E"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, StartsWith("rehearse callback fail: "));
  EXPECT_EQ(Run({"callback", "succeed", "no"}).status, 1);
}

TEST_F(ClientTest, CallbacksFailWithTheErrorThatIsGiven) {
  const std::string id = StartAndSuspend();
  EXPECT_EQ(OutputOf({"callback", "fail", id, "--error-type=Rejected", "--error-message=too much",
                      "--error-data=17"}),
            "the callback failed\n");
  worker_.ReceiveInvocation();
  EXPECT_EQ(up_.client().Inspect(arn_).operations(3).callback_details().error().ShortDebugString(),
            R"(error_message: "too much" error_type: "Rejected" error_data: "17")");
}

TEST_F(ClientTest, ExecutionsArePausedResumedStoppedAndDeleted) {
  StartAndSuspend();
  const std::string arn =
      "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/order-17/"
      "UUID\n";
  EXPECT_EQ(OutputOf({"pause", "order-17", "--reason=maintenance"}), "paused " + arn);
  EXPECT_EQ(up_.client().Inspect(arn_).execution().pause_details().reason(), "maintenance");
  EXPECT_EQ(OutputOf({"resume", "order-17"}), "resumed " + arn);
  const Finished open = Run({"delete", "order-17"});
  EXPECT_EQ(open.status, 1);
  EXPECT_THAT(open.err, StartsWith("rehearse delete: ResourceConflictException: "));
  EXPECT_EQ(OutputOf({"stop", arn_, "--error-type=Cancelled", "--error-message=by hand"}),
            "stopped " + arn);
  EXPECT_EQ(up_.client().Inspect(arn_).execution().error().ShortDebugString(),
            R"(error_message: "by hand" error_type: "Cancelled")");
  EXPECT_EQ(OutputOf({"delete", "order-17"}), "deleted " + arn);
  EXPECT_EQ(Run({"show", "order-17"}).err, "rehearse show: there is no execution 'order-17'\n");
}

TEST_F(ClientTest, InvokePrintsTheResultAndNothingElse) {
  ChildProcess invoke(Rehearse({"invoke", "orders", "--payload={}", "--execution-name=order-18",
                                "--tenant-id=blue", "--server=" + up_.address()}));
  const v1::ServeResponse::Invocation invocation = worker_.ReceiveInvocation();
  EXPECT_EQ(invocation.tenant_id(), "blue");
  EXPECT_EQ(invocation.durable()
                .initial_execution_state()
                .operations(0)
                .execution_details()
                .input_payload(),
            "{}");
  worker_.Send(OutcomeOf(R"({"Status":"SUCCEEDED","Result":"{\"total\":3}"})"));
  EXPECT_EQ(invoke.AwaitExit(), 0);
  EXPECT_EQ(invoke.out(), "{\"total\":3}\n");
  EXPECT_EQ(invoke.err(), invocation.durable().durable_execution_arn() + "\n");
}

TEST_F(ClientTest, InvokeTellsAFailedExecutionByStatus3) {
  ChildProcess invoke(Rehearse({"invoke", "orders:$LATEST", "--server=" + up_.address()}));
  const v1::ServeResponse::Invocation invocation = worker_.ReceiveInvocation();
  worker_.Send(OutcomeOf(
      R"({"Status":"FAILED","Error":{"ErrorType":"OutOfStock","ErrorMessage":"none left"}})"));
  EXPECT_EQ(invoke.AwaitExit(), 3);
  EXPECT_THAT(invoke.out(), IsEmpty());
  EXPECT_EQ(invoke.err(), absl::StrCat(invocation.durable().durable_execution_arn(),
                                       "\nrehearse invoke: the execution is FAILED: OutOfStock: "
                                       "none left\n"));
}

TEST_F(ClientTest, InvokeAsAnEventPrintsTheArn) {
  EXPECT_EQ(OutputOf({"invoke", "orders", "--event", "--execution-name=order-18"}),
            "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/"
            "order-18/UUID\n");
}

TEST_F(ClientTest, InvokeSaysWhatItWaitedFor) {
  const std::string file = ::testing::TempDir() + "/payload.json";
  std::ofstream(file) << "[1]";
  // Nobody serves it.
  ScriptedWorker busy(up_.client().functions());
  busy.Register("default", {"refunds"});
  EXPECT_EQ(TextOf(busy.Close()), "OK");
  const Finished invoke = Run({"invoke", "refunds", "--payload-file=" + file, "--timeout=1"});
  EXPECT_EQ(invoke.status, 1);
  EXPECT_THAT(invoke.err, HasSubstr("\nrehearse invoke: "));
  EXPECT_THAT(invoke.err, HasSubstr("refunds"));
}

TEST_F(ClientTest, PlainFunctionsAreInvokedToo) {
  v1::ServeRequest registration = RegistrationOf("default", {"greet"});
  registration.mutable_register_()->mutable_functions(0)->set_durable(false);
  ScriptedWorker worker(up_.client().functions());
  worker.Send(registration);
  worker.Receive();
  ChildProcess invoke(
      Rehearse({"invoke", "greet", "--payload=\"you\"", "--server=" + up_.address()}));
  EXPECT_EQ(worker.ReceiveInvocation().payload(), "\"you\"");
  worker.Send(OutcomeOf("\"hello\""));
  EXPECT_EQ(invoke.AwaitExit(), 0);
  EXPECT_EQ(invoke.out(), "\"hello\"\n");
  EXPECT_THAT(invoke.err(), IsEmpty());

  ChildProcess failing(Rehearse({"invoke", "greet", "--server=" + up_.address()}));
  worker.ReceiveInvocation();
  v1::ServeRequest error;
  error.mutable_outcome()->mutable_error()->set_error_type("E");
  error.mutable_outcome()->mutable_error()->set_error_message("no\nvoice");
  worker.Send(error);
  EXPECT_EQ(failing.AwaitExit(), 3);
  EXPECT_EQ(failing.err(), "rehearse invoke: the function failed: E: no\\nvoice\n");
}

TEST_F(ClientTest, SessionsKeepApart) {
  up_.client().CreateSession("mine");
  Start();
  EXPECT_EQ(OutputOf({"list", "--session=mine"}), "no executions\n");
  EXPECT_EQ(Run({"list", "--session=none"}).err,
            "rehearse list: ResourceNotFoundException: Session does not exist: none; create it "
            "with CreateSession\n");
}

TEST_F(ClientTest, ServerComesFromTheEnvironment) {
  setenv("REHEARSE_SERVER", up_.address().c_str(), 1);
  const Finished list = RunToEnd({"list"});
  unsetenv("REHEARSE_SERVER");
  EXPECT_EQ(list.out, "no executions\n");
}

TEST(ClientErrorsTest, AServiceThatIsNotThereIsStatus1) {
  const std::string text =
      absl::StrCat("no service answers at ", kNoService,
                   "; start one with 'rehearse up', or name another with --server\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"show", "x"},
                                             {"history", "arn:x"},
                                             {"watch", "arn:x"},
                                             {"invoke", "x"},
                                             {"stop", "arn:x"},
                                             {"callback", "heartbeat", "x"},
                                             {"time", "advance", "1s"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back(absl::StrCat("--server=", kNoService));
    const Finished run = RunToEnd(arguments);
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.err, ::testing::EndsWith(text));
    EXPECT_THAT(run.out, IsEmpty());
  }
}

TEST(ClientErrorsTest, WrongUsageIsStatus2) {
  const struct {
    std::vector<std::string> arguments;
    std::string command;
    std::string error;
  } kRows[] = {
      {{"show"}, "rehearse show", "execution is required"},
      {{"invoke"}, "rehearse invoke", "function is required"},
      {{"invoke", "x", "--payload=1", "--payload-file=2"},
       "rehearse invoke",
       "--payload excludes --payload-file"},
      {{"list", "--limit=0"}, "rehearse list", "--limit: Value 0 not in range 1 to 1000000"},
      {{"callback"}, "rehearse callback", "A subcommand is required"},
      {{"time", "advance", "soon"},
       "rehearse time advance",
       "duration: bad duration 'soon': expected one like 90s, 1h30m or 30d"},
      {{"time", "advance", "--until=noon"},
       "rehearse time advance",
       "--until: bad time 'noon': expected one like 2026-11-27T09:00:00Z"},
      {{"completion", "tcsh"}, "rehearse completion", "shell: tcsh not in {bash,zsh,fish}"},
  };
  for (const auto& row : kRows) {
    const Finished run = RunToEnd(row.arguments);
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.err, absl::StrCat(row.command, ": ", row.error, "\nRun '", row.command,
                                    " --help' for usage.\n"));
  }
}

TEST(ClientErrorsTest, HelpNamesTheExitCodes) {
  for (const char* command :
       {"list", "show", "history", "watch", "stop", "pause", "resume", "delete", "invoke", "run"}) {
    const Finished help = RunToEnd({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 ")) << command;
  }
}

// What bash would offer for the last of the words.
std::string Completed(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) absl::StrAppend(&list, " '", word, "'");
  const std::string script = RunToEnd({"completion", "bash"}).out;
  ChildProcess bash({"/bin/bash", "-c",
                     absl::StrCat(script, "COMP_WORDS=(", list, "); COMP_CWORD=", words.size() - 1,
                                  "; _rehearse; echo \"${COMPREPLY[@]}\"")});
  EXPECT_EQ(bash.AwaitExit(), 0) << bash.err();
  return bash.out();
}

TEST(CompletionTest, OffersSubcommandsAndOptions) {
  EXPECT_EQ(Completed({"rehearse", "h"}), "history\n");
  EXPECT_EQ(Completed({"rehearse", "callback", ""}), "succeed fail heartbeat --help\n");
  EXPECT_EQ(Completed({"rehearse", "callback", "succeed", "id", "--r"}), "--result\n");
  EXPECT_EQ(Completed({"rehearse", "time", "advance", "--server=x", "--n"}), "--next\n");
  EXPECT_THAT(RunToEnd({"completion", "zsh"}).out, StartsWith("autoload -Uz compinit"));
  EXPECT_THAT(RunToEnd({"completion", "fish"}).out,
              HasSubstr("complete -c rehearse -n '__rehearse_at \"rehearse callback\"' -a "
                        "'succeed fail heartbeat --help'\n"));
}

}  // namespace
}  // namespace rehearse
