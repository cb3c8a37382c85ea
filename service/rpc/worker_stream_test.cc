// FunctionHost.Serve over TCP: every message in every state, and the stream cut at each message.
#include "service/rpc/worker_stream.h"

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "service/base/limits.h"
#include "service/clock/thread_scheduler.h"
#include "service/executor/executor.h"
#include "service/rpc/durable_executions_service.h"
#include "service/rpc/function_host_service.h"
#include "service/rpc/scripted_worker.h"
#include "service/rpc/test_client.h"
#include "service/rpc/test_sessions_service.h"
#include "service/store/memory/memory_store.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSucceeded[] = R"({"Status":"SUCCEEDED","Result":"17"})";
constexpr char kPending[] = R"({"Status":"PENDING"})";

// The service on one lane, which a test can hold up.
class Service {
 public:
  Service()
      : scheduler_(1),
        executor_({}, scheduler_, store_, invoker_, RandomIdSource()),
        context_{executor_, invoker_, {}, ""},
        durable_executions_(context_),
        function_host_(context_),
        test_sessions_(context_) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&durable_executions_);
    builder.RegisterService(&function_host_);
    builder.RegisterService(&test_sessions_);
    server_ = builder.BuildAndStart();
    channel_ =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  }

  ~Service() {
    executor_.Shutdown();
    context_.streams.EndAll(errors::ShuttingDown());
    server_->Shutdown();
    scheduler_.Shutdown();
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Requests are taken, but not worked on, until the returned function is called.
  std::function<void()> HoldUp() {
    auto held = std::make_shared<absl::Notification>();
    auto release = std::make_shared<absl::Notification>();
    auto holder = std::make_shared<std::thread>([this, held, release] {
      // A task of the lane may run on a thread of gRPC's, which must not be held up.
      const std::thread::id self = std::this_thread::get_id();
      while (!held->HasBeenNotified()) {
        scheduler_.Post(0, [self, held, release] {
          if (std::this_thread::get_id() != self || held->HasBeenNotified()) return;
          held->Notify();
          release->WaitForNotification();
        });
      }
    });
    held->WaitForNotification();
    return [release, holder] {
      release->Notify();
      holder->join();
    };
  }

 private:
  MemoryStore store_;
  StreamInvoker invoker_;
  ThreadScheduler scheduler_;
  Executor executor_;
  RpcContext context_;
  DurableExecutionsService durable_executions_;
  FunctionHostService function_host_;
  TestSessionsService test_sessions_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// What InvocationCompleted events say of the invocations: the type of their error, or "".
std::vector<std::string> InvocationEnds(const v1::GetExecutionHistoryResponse& history) {
  std::vector<std::string> ends;
  for (const v1::Event& event : history.events()) {
    if (event.event_type() != v1::EVENT_TYPE_INVOCATION_COMPLETED) continue;
    ends.push_back(event.invocation_completed_details().error().payload().error_type());
  }
  return ends;
}

std::vector<std::string> StatesOf(
    const google::protobuf::RepeatedPtrField<v1::Operation>& operations) {
  std::vector<std::string> states;
  for (const v1::Operation& operation : operations) {
    if (operation.type() == v1::OPERATION_TYPE_EXECUTION) continue;
    states.push_back(
        absl::StrCat(operation.id(), " ", v1::OperationStatus_Name(operation.status()).substr(17)));
  }
  return states;
}

class WorkerStreamTest : public ::testing::Test {
 protected:
  // Returns when no invocation of the execution runs.
  void AwaitInvocationEnd(const std::string& arn) {
    v1::WaitForExecutionRequest request;
    request.set_durable_execution_arn(arn);
    request.add_statuses(v1::EXECUTION_STATUS_RUNNING);
    request.set_invocation_ended(true);
    EXPECT_EQ(TextOf(client_.Call(&v1::TestSessions::Stub::WaitForExecution, request)), "OK");
  }

  v1::FunctionState Load(const std::string& session, const std::string& function) {
    v1::ListFunctionsRequest request;
    request.set_session(session);
    const auto response = client_.Call(&v1::FunctionHost::Stub::ListFunctions, request);
    EXPECT_EQ(TextOf(response), "OK");
    for (const v1::FunctionState& state : response->functions()) {
      if (state.function().function_name() == function) return state;
    }
    return {};
  }

  std::string Deregister(const std::string& session, const std::string& function) {
    v1::DeregisterFunctionRequest request;
    request.set_session(session);
    request.set_function_name(function);
    return TextOf(client_.Call(&v1::FunctionHost::Stub::DeregisterFunction, request));
  }

  Service service_;
  TestClient client_{service_.channel()};
};

// The protocol.

enum class State {
  kNew,         // nothing has been sent
  kRegistered,  // no invocation runs
  kRunning,     // the worker's turn
  kAsking,      // a checkpoint has not been answered
  kIdle,        // Idle has not been answered
  kIdleAndMore  // ... and a message that ends it is already there
};

enum class Message { kEmpty, kRegister, kCheckpoint, kGetExecutionState, kIdle, kOutcome };

struct ProtocolCase {
  State state;
  Message message;
  // How the stream ends; nullptr: it goes on.
  const char* end;
};

constexpr char kNothing[] =
    "INVALID_ARGUMENT InvalidParameterValueException: Expected register, checkpoint, "
    "get_execution_state, idle or outcome, got a message without any of them.";
constexpr char kRegisteredBefore[] =
    "FAILED_PRECONDITION ResourceConflictException: Got register again; a stream registers once, "
    "with its first message.";
constexpr char kTwoWhileIdle[] =
    "FAILED_PRECONDITION ResourceConflictException: Got two messages before the answer to idle; "
    "send one and wait for the answer.";

#define EXPECTED_REGISTER(message)                                                          \
  "FAILED_PRECONDITION ResourceConflictException: Expected register as the first message, " \
  "got " message "."
#define NO_INVOCATION(message)                                  \
  "FAILED_PRECONDITION ResourceConflictException: Got " message \
  " while no invocation runs; wait for the next one."
#define UNANSWERED(message)                                     \
  "FAILED_PRECONDITION ResourceConflictException: Got " message \
  " before the answer to the request that went before; send one request at a time."

constexpr ProtocolCase kProtocol[] = {
    {State::kNew, Message::kEmpty, kNothing},
    {State::kNew, Message::kRegister, nullptr},
    {State::kNew, Message::kCheckpoint, EXPECTED_REGISTER("checkpoint")},
    {State::kNew, Message::kGetExecutionState, EXPECTED_REGISTER("get_execution_state")},
    {State::kNew, Message::kIdle, EXPECTED_REGISTER("idle")},
    {State::kNew, Message::kOutcome, EXPECTED_REGISTER("outcome")},

    {State::kRegistered, Message::kEmpty, kNothing},
    {State::kRegistered, Message::kRegister, kRegisteredBefore},
    {State::kRegistered, Message::kCheckpoint, NO_INVOCATION("checkpoint")},
    {State::kRegistered, Message::kGetExecutionState, NO_INVOCATION("get_execution_state")},
    {State::kRegistered, Message::kIdle, NO_INVOCATION("idle")},
    {State::kRegistered, Message::kOutcome, NO_INVOCATION("outcome")},

    {State::kRunning, Message::kEmpty, kNothing},
    {State::kRunning, Message::kRegister, kRegisteredBefore},
    {State::kRunning, Message::kCheckpoint, nullptr},
    {State::kRunning, Message::kGetExecutionState, nullptr},
    {State::kRunning, Message::kIdle, nullptr},
    {State::kRunning, Message::kOutcome, nullptr},

    {State::kAsking, Message::kEmpty, kNothing},
    {State::kAsking, Message::kRegister, kRegisteredBefore},
    {State::kAsking, Message::kCheckpoint, UNANSWERED("checkpoint")},
    {State::kAsking, Message::kGetExecutionState, UNANSWERED("get_execution_state")},
    {State::kAsking, Message::kIdle, UNANSWERED("idle")},
    {State::kAsking, Message::kOutcome, UNANSWERED("outcome")},

    {State::kIdle, Message::kEmpty, kNothing},
    {State::kIdle, Message::kRegister, kRegisteredBefore},
    {State::kIdle, Message::kCheckpoint, nullptr},
    {State::kIdle, Message::kGetExecutionState, nullptr},
    {State::kIdle, Message::kIdle, nullptr},
    {State::kIdle, Message::kOutcome, nullptr},

    {State::kIdleAndMore, Message::kEmpty, kTwoWhileIdle},
    {State::kIdleAndMore, Message::kRegister, kTwoWhileIdle},
    {State::kIdleAndMore, Message::kCheckpoint, kTwoWhileIdle},
    {State::kIdleAndMore, Message::kGetExecutionState, kTwoWhileIdle},
    {State::kIdleAndMore, Message::kIdle, kTwoWhileIdle},
    {State::kIdleAndMore, Message::kOutcome, kTwoWhileIdle},
};

v1::ServeRequest MakeMessage(Message message, const v1::ServeResponse::Invocation& invocation) {
  const v1::DurableExecutionInvocationInput& input = invocation.durable();
  v1::ServeRequest request;
  switch (message) {
    case Message::kEmpty:
      return request;
    case Message::kRegister:
      return RegistrationOf("protocol", {"orders"});
    case Message::kCheckpoint:
      return CheckpointOf(invocation, {});
    case Message::kGetExecutionState:
      return StateRequestOf(input.durable_execution_arn(), input.checkpoint_token());
    case Message::kIdle:
      // Long after anything that happens here.
      request.mutable_idle()->mutable_until()->set_seconds(100'000'000'000);
      return request;
    case Message::kOutcome:
      return OutcomeOf(kPending);
  }
  return request;
}

void ExpectAnswer(const ProtocolCase& row, ScriptedWorker& worker) {
  std::vector<v1::ServeResponse::MessageCase> expected;
  if (row.state == State::kIdle) expected.push_back(v1::ServeResponse::kIdle);
  if (row.message == Message::kRegister) expected.push_back(v1::ServeResponse::kRegistered);
  if (row.message == Message::kCheckpoint) expected.push_back(v1::ServeResponse::kCheckpoint);
  if (row.message == Message::kGetExecutionState) {
    expected.push_back(v1::ServeResponse::kGetExecutionState);
  }
  for (v1::ServeResponse::MessageCase answer : expected) {
    EXPECT_EQ(worker.Receive().message_case(), answer);
  }
}

TEST_F(WorkerStreamTest, TakesEachMessageOnlyInItsTurn) {
  for (const ProtocolCase& row : kProtocol) {
    SCOPED_TRACE(absl::StrCat("state ", static_cast<int>(row.state), ", message ",
                              static_cast<int>(row.message)));
    v1::CreateSessionRequest session;
    session.set_name("protocol");
    session.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
    client_.CreateSession(session);
    std::string arn;
    std::function<void()> release;
    v1::ServeResponse::Invocation invocation;
    ScriptedWorker worker(client_.functions());
    if (row.state != State::kNew) worker.Register("protocol", {"orders"});
    if (row.state >= State::kRunning) {
      arn = client_.Start("protocol", "orders");
      invocation = worker.ReceiveInvocation();
    }
    if (row.state == State::kIdle || row.state == State::kIdleAndMore) {
      worker.Send(MakeMessage(Message::kIdle, invocation));
    }
    if (row.state == State::kAsking || row.state == State::kIdleAndMore) {
      release = service_.HoldUp();
      worker.Send(MakeMessage(Message::kCheckpoint, invocation));
    }
    worker.Send(MakeMessage(row.message, invocation));
    if (row.end != nullptr) {
      EXPECT_EQ(TextOf(worker.AwaitEnd()), row.end);
    } else {
      ExpectAnswer(row, worker);
    }
    if (release != nullptr) release();
    if (row.end != nullptr && !arn.empty()) {
      AwaitInvocationEnd(arn);
      EXPECT_THAT(InvocationEnds(client_.History(arn)), ElementsAre("Runtime.ExitError"));
    }
    v1::DeleteSessionRequest end;
    end.set_name("protocol");
    EXPECT_EQ(TextOf(client_.Call(&v1::TestSessions::Stub::DeleteSession, end)), "OK");
  }
}

TEST_F(WorkerStreamTest, ClosingWithoutAnInvocationLeavesInPeace) {
  ScriptedWorker silent(client_.functions());
  EXPECT_EQ(TextOf(silent.Close()), "OK");
  ScriptedWorker registered(client_.functions());
  registered.Register("default", {"orders"});
  EXPECT_EQ(TextOf(registered.Close()), "OK");
  ScriptedWorker done(client_.functions());
  done.Register("default", {"orders"});
  const std::string arn = client_.Start("default", "orders");
  done.ReceiveInvocation();
  done.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(TextOf(done.Close()), "OK");
  EXPECT_EQ(client_.AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(InvocationEnds(client_.History(arn)), ElementsAre(""));
}

TEST_F(WorkerStreamTest, OutcomeMustCarryAResultAndIdleAMoment) {
  v1::ServeRequest outcome;
  outcome.mutable_outcome();
  v1::ServeRequest idle;
  idle.mutable_idle();
  const std::string prefix = "INVALID_ARGUMENT InvalidParameterValueException: ";
  for (const auto& [request, end] :
       {std::make_pair(outcome, "outcome must carry a payload or an error."),
        std::make_pair(idle, "idle must say until when.")}) {
    const std::string session = client_.CreateSession();
    ScriptedWorker worker(client_.functions());
    worker.Register(session, {"orders"});
    const std::string arn = client_.Start(session, "orders");
    worker.ReceiveInvocation();
    worker.Send(request);
    EXPECT_EQ(TextOf(worker.AwaitEnd()), absl::StrCat(prefix, end));
    AwaitInvocationEnd(arn);
    EXPECT_THAT(InvocationEnds(client_.History(arn)), ElementsAre("Runtime.ExitError"));
  }
}

TEST_F(WorkerStreamTest, PlainFunctionHasNoTimeToIdle) {
  ScriptedWorker caller(client_.functions());
  caller.Register("default", {"orders"});
  ScriptedWorker plain(client_.functions());
  v1::ServeRequest registration = RegistrationOf("", {"tax"});
  registration.mutable_register_()->mutable_functions(0)->set_durable(false);
  plain.Send(registration);
  EXPECT_EQ(plain.Receive().registered().session(), "default");
  client_.Start("default", "orders");
  v1::OperationUpdate invoke;
  invoke.set_id("a");
  invoke.set_type(v1::OPERATION_TYPE_CHAINED_INVOKE);
  invoke.set_action(v1::OPERATION_ACTION_START);
  invoke.mutable_chained_invoke_options()->set_function_name("tax");
  caller.Send(CheckpointOf(caller.ReceiveInvocation(), {invoke}));
  EXPECT_TRUE(caller.Receive().has_checkpoint());
  EXPECT_FALSE(plain.ReceiveInvocation().has_durable());
  plain.Send(MakeMessage(Message::kIdle, {}));
  EXPECT_EQ(TextOf(plain.AwaitEnd()),
            "INVALID_ARGUMENT InvalidParameterValueException: Got idle in an invocation of a plain "
            "function.");
}

TEST_F(WorkerStreamTest, RefusedRequestLeavesTheInvocationRunning) {
  ScriptedWorker worker(client_.functions());
  worker.Register("default", {"orders"});
  const std::string arn = client_.Start("default", "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  const std::string& token = invocation.durable().checkpoint_token();
  const std::string prefix = "INVALID_ARGUMENT InvalidParameterValueException: ";
  for (const auto& [request, error] : std::vector<std::pair<v1::ServeRequest, std::string>>{
           {CheckpointOf("orders", token, {}), "Durable Execution does not exist: orders"},
           {CheckpointOf(arn, "=", {}),
            "CheckpointToken must have 1 to 2048 characters of base64."},
           {StateRequestOf("orders", token), "Durable Execution does not exist: orders"},
           {CheckpointOf(arn, token, {StepUpdate("a", v1::OPERATION_ACTION_CANCEL)}),
            "Operation 'a': action CANCEL is not valid for STEP; use START or SUCCEED or FAIL or "
            "RETRY."}}) {
    worker.Send(request);
    const v1::ServeResponse answer = worker.Receive();
    EXPECT_EQ(TextOf(worker::FromProtoStatus(answer.error())), absl::StrCat(prefix, error));
  }
  worker.Send(CheckpointOf(arn, token, {StepUpdate("a", v1::OPERATION_ACTION_SUCCEED)}));
  EXPECT_TRUE(worker.Receive().has_checkpoint());
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client_.AwaitEnd(arn).result(), "17");
}

// Registration.

struct RegistrationCase {
  const char* name;
  std::function<void(v1::ServeRequest::Register&)> change;
  // "" for one that is accepted.
  std::string error;
};

std::vector<RegistrationCase> RegistrationCases() {
  using Register = v1::ServeRequest::Register;
  const auto seconds = [](int64_t value) {
    return [value](Register& r) { r.mutable_functions(0)->mutable_timeout()->set_seconds(value); };
  };
  const auto execution_timeout = [](int value) {
    return [value](Register& r) {
      r.mutable_functions(0)->mutable_durable_config()->set_execution_timeout(value);
    };
  };
  const auto retention = [](int value) {
    return [value](Register& r) {
      r.mutable_functions(0)->mutable_durable_config()->set_retention_period_in_days(value);
    };
  };
  const auto name = [](const std::string& value) {
    return [value](Register& r) { r.mutable_functions(0)->set_function_name(value); };
  };
  const auto count = [](int value) {
    return [value](Register& r) {
      r.clear_functions();
      for (int i = 0; i < value; ++i) r.add_functions()->set_function_name(absl::StrCat("f-", i));
    };
  };
  const auto worker = [](int length) {
    return [length](Register& r) { r.set_worker(std::string(length, 'w')); };
  };
  const auto version = [](const std::string& value) {
    return [value](Register& r) { r.mutable_functions(0)->set_version(value); };
  };
  const std::string arn = "arn:aws:lambda:us-east-1:123456789012:function:orders";
  return {
      {"no function", count(0), "register must name 1-1000 functions, got 0."},
      {"most functions", count(1000), ""},
      {"too many functions", count(1001), "register must name 1-1000 functions, got 1001."},
      {"longest worker name", worker(256), ""},
      {"too long worker name", worker(257), "worker of register must be at most 256 characters."},
      {"qualified name", name("orders:prod"), ""},
      {"no name", name(""), "FunctionName must have 1 to 256 characters."},
      {"longest name", name(std::string(64, 'f')), ""},
      {"ARN", name(arn),
       absl::StrCat("Function '", arn, "' must be registered as name or name:qualifier.")},
      {"version", version("17"), ""},
      {"no version", version("next"),
       "Version 'next' of function 'orders' must be 1-128 digits, $LATEST or $LATEST.PUBLISHED."},
      {"shortest timeout", seconds(1), ""},
      {"too short timeout", seconds(0),
       "timeout in seconds of function 'orders' is 0; it must be between 1 and 5400."},
      {"longest timeout", seconds(5400), ""},
      {"too long timeout", seconds(5401),
       "timeout in seconds of function 'orders' is 5401; it must be between 1 and 5400."},
      {"shortest execution timeout", execution_timeout(1), ""},
      {"too short execution timeout", execution_timeout(0),
       "ExecutionTimeout of function 'orders' is 0; it must be between 1 and 31622400."},
      {"longest execution timeout", execution_timeout(31622400), ""},
      {"too long execution timeout", execution_timeout(31622401),
       "ExecutionTimeout of function 'orders' is 31622401; it must be between 1 and 31622400."},
      {"shortest retention", retention(1), ""},
      {"too short retention", retention(0),
       "RetentionPeriodInDays of function 'orders' is 0; it must be between 1 and 90."},
      {"longest retention", retention(90), ""},
      {"too long retention", retention(91),
       "RetentionPeriodInDays of function 'orders' is 91; it must be between 1 and 90."},
  };
}

TEST_F(WorkerStreamTest, RegistersAllFunctionsOrNone) {
  for (const RegistrationCase& row : RegistrationCases()) {
    SCOPED_TRACE(row.name);
    const std::string session = client_.CreateSession();
    v1::ServeRequest request = RegistrationOf(session, {"orders"});
    row.change(*request.mutable_register_());
    if (row.error.find("functions, got") == std::string::npos &&
        request.register_().functions_size() < kMaxFunctionsPerWorker) {
      request.mutable_register_()->add_functions()->set_function_name("good");
    }
    ScriptedWorker worker(client_.functions());
    worker.Send(request);
    v1::ListFunctionsRequest list;
    list.set_session(session);
    list.set_max_items(1000);
    if (row.error.empty()) {
      EXPECT_TRUE(worker.Receive().has_registered());
      const auto functions = client_.Call(&v1::FunctionHost::Stub::ListFunctions, list);
      EXPECT_EQ(functions->functions_size(), request.register_().functions_size());
    } else {
      EXPECT_EQ(TextOf(worker.AwaitEnd()),
                absl::StrCat("INVALID_ARGUMENT InvalidParameterValueException: ", row.error));
      EXPECT_THAT(client_.Call(&v1::FunctionHost::Stub::ListFunctions, list)->functions(),
                  IsEmpty());
    }
  }
}

TEST_F(WorkerStreamTest, RegistersInAnExistingSessionOnly) {
  ScriptedWorker worker(client_.functions());
  worker.Send(RegistrationOf("nowhere", {"orders"}));
  EXPECT_EQ(TextOf(worker.AwaitEnd()),
            "NOT_FOUND ResourceNotFoundException: Session does not exist: nowhere; create it with "
            "CreateSession");
}

TEST_F(WorkerStreamTest, RegisteringAgainReplacesTheSettings) {
  ScriptedWorker first(client_.functions());
  first.Register("default", {"orders"});
  ScriptedWorker second(client_.functions());
  v1::ServeRequest request = RegistrationOf("default", {"orders"});
  request.mutable_register_()->mutable_functions(0)->set_version("2");
  second.Send(request);
  EXPECT_TRUE(second.Receive().has_registered());
  EXPECT_EQ(Load("default", "orders").function().version(), "2");
  EXPECT_EQ(Load("default", "orders").slots(), 2);
}

// The stream is cut.

// The conversation of one invocation, message by message: what is sent, and what is received.
class Conversation {
 public:
  Conversation(TestClient& client, const std::string& session)
      : client_(client), session_(session), worker_(client.functions()) {}

  static constexpr int kMessages = 10;

  // Message `number`, from 0; even ones are the worker's, odd ones the service's.
  void Exchange(int number) {
    switch (number) {
      case 0:
        return worker_.Send(RegistrationOf(session_, {"orders"}));
      case 1:
        EXPECT_TRUE(worker_.Receive().has_registered());
        arn_ = client_.Start(session_, "orders");
        Invoked(worker_.ReceiveInvocation());
        return;
      case 2:
        return worker_.Send(Checkpoint({StepUpdate("a", v1::OPERATION_ACTION_START)}));
      case 4:
        return worker_.Send(Checkpoint({StepUpdate("a", v1::OPERATION_ACTION_SUCCEED)}));
      case 6:
        return worker_.Send(StateRequestOf(arn_, token_));
      case 8:
        return worker_.Send(Checkpoint({StepUpdate("b", v1::OPERATION_ACTION_SUCCEED)}));
      case 7:
        EXPECT_TRUE(worker_.Receive().has_get_execution_state());
        return;
      default:
        const v1::ServeResponse answer = worker_.Receive();
        EXPECT_TRUE(answer.has_checkpoint()) << answer.ShortDebugString();
        token_ = answer.checkpoint().checkpoint_token();
    }
  }

  // What must be there, once the messages before `number` have been exchanged, and what may be.
  static std::vector<std::string> AcknowledgedBefore(int number) {
    if (number >= 10) return {"a SUCCEEDED", "b SUCCEEDED"};
    if (number >= 6) return {"a SUCCEEDED"};
    if (number >= 4) return {"a STARTED"};
    return {};
  }

  ScriptedWorker& worker() { return worker_; }
  const std::string& arn() const { return arn_; }

 private:
  void Invoked(const v1::ServeResponse::Invocation& invocation) {
    token_ = invocation.durable().checkpoint_token();
  }

  v1::ServeRequest Checkpoint(const std::vector<v1::OperationUpdate>& updates) {
    return CheckpointOf(arn_, token_, updates);
  }

  TestClient& client_;
  const std::string session_;
  ScriptedWorker worker_;
  std::string arn_;
  std::string token_;
};

TEST_F(WorkerStreamTest, CutStreamIsOneCrashedInvocationThatRunsAgain) {
  for (const bool half_closed : {false, true}) {
    for (int cut = 2; cut <= Conversation::kMessages; ++cut) {
      SCOPED_TRACE(absl::StrCat(half_closed ? "closed" : "broken", " before message ", cut));
      const std::string session = client_.CreateSession();
      Conversation conversation(client_, session);
      for (int i = 0; i < cut; ++i) conversation.Exchange(i);
      if (half_closed) {
        EXPECT_EQ(TextOf(conversation.worker().Close()),
                  "FAILED_PRECONDITION ResourceConflictException: The stream was closed while an "
                  "invocation ran, which has crashed; send its outcome first.");
      } else {
        conversation.worker().Break();
      }

      ScriptedWorker next(client_.functions());
      next.Register(session, {"orders"});
      const v1::ServeResponse::Invocation again = next.ReceiveInvocation();
      // A request that was under way has been done whole or not at all.
      const std::vector<std::string> states =
          StatesOf(again.durable().initial_execution_state().operations());
      const bool under_way = cut % 2 == 1;
      EXPECT_TRUE(states == Conversation::AcknowledgedBefore(cut) ||
                  (under_way && states == Conversation::AcknowledgedBefore(cut + 1)))
          << ::testing::PrintToString(states);
      next.Send(OutcomeOf(kSucceeded));
      EXPECT_EQ(client_.AwaitEnd(conversation.arn()).status(), v1::EXECUTION_STATUS_SUCCEEDED);
      EXPECT_THAT(InvocationEnds(client_.History(conversation.arn())),
                  ElementsAre("Runtime.ExitError", ""));
      EXPECT_EQ(client_.Inspect(conversation.arn()).invocation_count(), 2);
    }
  }
}

TEST_F(WorkerStreamTest, CutBehindTheOutcomeEndsTheInvocationOnce) {
  v1::CreateSessionRequest session;
  session.set_name("manual");
  session.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
  client_.CreateSession(session);
  ScriptedWorker worker(client_.functions());
  worker.Register("manual", {"orders"});
  const std::string arn = client_.Start("manual", "orders");
  worker.Send(CheckpointOf(worker.ReceiveInvocation(), {WaitUpdate("w", 60)}));
  EXPECT_TRUE(worker.Receive().has_checkpoint());
  worker.Send(OutcomeOf(kPending));
  worker.Break();
  AwaitInvocationEnd(arn);
  EXPECT_THAT(InvocationEnds(client_.History(arn)), SizeIs(1));
}

TEST_F(WorkerStreamTest, CutBeforeTheFirstInvocationIsNoCrash) {
  ScriptedWorker worker(client_.functions());
  worker.Register("default", {"orders"});
  worker.Break();
  while (Load("default", "orders").slots() > 0) {
  }
  const std::string arn = client_.Start("default", "orders");
  ScriptedWorker next(client_.functions());
  next.Register("default", {"orders"});
  next.ReceiveInvocation();
  next.Send(OutcomeOf(kSucceeded));
  client_.AwaitEnd(arn);
  EXPECT_THAT(InvocationEnds(client_.History(arn)), ElementsAre(""));
}

// Abort and idle.

TEST_F(WorkerStreamTest, StopAbortsTheInvocationWhoseOutcomeNobodyHears) {
  ScriptedWorker worker(client_.functions());
  worker.Register("default", {"orders"});
  const std::string arn = client_.Start("default", "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  v1::StopExecutionRequest stop;
  stop.set_durable_execution_arn(arn);
  EXPECT_EQ(TextOf(client_.Call(&v1::DurableExecutions::Stub::StopExecution, stop)), "OK");
  EXPECT_EQ(worker.Receive().abort().reason(), v1::ServeResponse::Abort::EXECUTION_STOPPED);
  worker.Send(CheckpointOf(invocation, {StepUpdate("late", v1::OPERATION_ACTION_SUCCEED)}));
  EXPECT_EQ(TextOf(worker::FromProtoStatus(worker.Receive().error())),
            "FAILED_PRECONDITION InvalidParameterValueException: Invalid checkpoint token");
  worker.Send(OutcomeOf(kSucceeded));
  const v1::Execution stopped = client_.AwaitEnd(arn);
  EXPECT_EQ(stopped.status(), v1::EXECUTION_STATUS_STOPPED);
  // The slot is free again.
  const std::string other = client_.Start("default", "orders");
  EXPECT_EQ(worker.ReceiveInvocation().durable().durable_execution_arn(), other);
}

TEST_F(WorkerStreamTest, ExecutionTimeoutAbortsTheInvocation) {
  v1::CreateSessionRequest session;
  session.set_name("manual");
  session.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
  client_.CreateSession(session);
  ScriptedWorker worker(client_.functions());
  worker.Register("manual", {"orders"});
  v1::StartExecutionRequest start;
  start.set_session("manual");
  start.set_function_name("orders");
  start.mutable_durable_config()->set_execution_timeout(60);
  const std::string arn = client_.Start(start);
  worker.ReceiveInvocation();
  v1::AdvanceTimeRequest advance;
  advance.set_session("manual");
  advance.mutable_duration()->set_seconds(60);
  std::thread advancing(
      [&] { client_.Call(&v1::TestSessions::Stub::AdvanceTime, advance).IgnoreError(); });
  EXPECT_EQ(worker.Receive().abort().reason(), v1::ServeResponse::Abort::EXECUTION_TIMED_OUT);
  worker.Send(OutcomeOf(kSucceeded));
  advancing.join();
  EXPECT_EQ(client_.AwaitEnd(arn).status(), v1::EXECUTION_STATUS_TIMED_OUT);
}

TEST_F(WorkerStreamTest, InvocationTimeoutAbortsAndTheInvocationRunsAgain) {
  const std::string session = client_.CreateSession();
  ScriptedWorker worker(client_.functions());
  v1::ServeRequest registration = RegistrationOf(session, {"orders"});
  registration.mutable_register_()->mutable_functions(0)->mutable_timeout()->set_nanos(1);
  worker.Send(registration);
  EXPECT_TRUE(worker.Receive().has_registered());
  const std::string arn = client_.Start(session, "orders");
  worker.ReceiveInvocation();
  EXPECT_EQ(worker.Receive().abort().reason(), v1::ServeResponse::Abort::INVOCATION_TIMED_OUT);
  // The slot is busy until its invocation says that it has ended.
  ScriptedWorker patient(client_.functions());
  patient.Register(session, {"orders"});
  patient.ReceiveInvocation();
  patient.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client_.AwaitEnd(arn).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_THAT(InvocationEnds(client_.History(arn)), ElementsAre("Sandbox.Timedout", ""));
}

TEST_F(WorkerStreamTest, EndOfTheSessionAbortsAndEndsTheStream) {
  const std::string session = client_.CreateSession();
  ScriptedWorker busy(client_.functions());
  busy.Register(session, {"orders"});
  client_.Start(session, "orders");
  busy.ReceiveInvocation();
  ScriptedWorker free(client_.functions());
  free.Register(session, {"orders"});
  v1::DeleteSessionRequest end;
  end.set_name(session);
  EXPECT_EQ(TextOf(client_.Call(&v1::TestSessions::Stub::DeleteSession, end)), "OK");
  EXPECT_EQ(busy.Receive().abort().reason(), v1::ServeResponse::Abort::SESSION_ENDED);
  const std::string gone =
      absl::StrCat("NOT_FOUND ResourceNotFoundException: Session does not exist: ", session,
                   "; create it with CreateSession");
  EXPECT_EQ(TextOf(busy.AwaitEnd()), gone);
  EXPECT_EQ(TextOf(free.AwaitEnd()), gone);
}

TEST_F(WorkerStreamTest, IdleEndsWhenItsMomentHasCome) {
  const std::string session = client_.CreateSession();
  ScriptedWorker worker(client_.functions());
  worker.Register(session, {"orders"});
  client_.Start(session, "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  worker.Send(CheckpointOf(invocation, {WaitUpdate("w", 2592000)}));
  const v1::ServeResponse answer = worker.Receive();
  const v1::Operation& wait = answer.checkpoint().new_execution_state().operations(0);
  v1::ServeRequest idle;
  *idle.mutable_idle()->mutable_until() = wait.wait_details().scheduled_end_timestamp();
  worker.Send(idle);
  EXPECT_EQ(worker.Receive().idle().now().seconds(),
            wait.wait_details().scheduled_end_timestamp().seconds());
  worker.Send(CheckpointOf(invocation.durable().durable_execution_arn(),
                           answer.checkpoint().checkpoint_token(), {}));
  EXPECT_THAT(StatesOf(worker.Receive().checkpoint().new_execution_state().operations()),
              ElementsAre("w SUCCEEDED"));
}

TEST_F(WorkerStreamTest, IdleEndsWhenAnOperationChangesFromOutside) {
  const std::string session = client_.CreateSession();
  ScriptedWorker worker(client_.functions());
  worker.Register(session, {"orders"});
  client_.Start(session, "orders");
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  worker.Send(CheckpointOf(invocation, {CallbackUpdate("c")}));
  const v1::Operation callback = worker.Receive().checkpoint().new_execution_state().operations(0);
  worker.Send(MakeMessage(Message::kIdle, invocation));
  v1::SendCallbackSuccessRequest success;
  success.set_callback_id(callback.callback_details().callback_id());
  EXPECT_EQ(TextOf(client_.Call(&v1::DurableExecutions::Stub::SendCallbackSuccess, success)), "OK");
  EXPECT_TRUE(worker.Receive().has_idle());
}

// Functions.

TEST_F(WorkerStreamTest, FunctionStaysKnownWithoutWorkersAndItsInvocationsQueue) {
  ScriptedWorker worker(client_.functions());
  worker.Register("default", {"orders"});
  EXPECT_EQ(TextOf(worker.Close()), "OK");
  const std::string arn = client_.Start("default", "orders");
  const v1::FunctionState load = Load("default", "orders");
  EXPECT_EQ(load.slots(), 0);
  EXPECT_EQ(load.queued_invocations(), 1);
  const v1::InspectExecutionResponse waiting = client_.Inspect(arn);
  EXPECT_TRUE(waiting.invocation_owed());
  EXPECT_EQ(waiting.waiting_for(0).text(), "a worker that serves orders; start one");
  ScriptedWorker next(client_.functions());
  next.Register("default", {"orders"});
  EXPECT_EQ(next.ReceiveInvocation().durable().durable_execution_arn(), arn);
  EXPECT_EQ(Load("default", "orders").running_invocations(), 1);
}

TEST_F(WorkerStreamTest, DeregisteringFailsWhatQueuesAndLetsEndWhatRuns) {
  ScriptedWorker worker(client_.functions());
  worker.Register("default", {"orders", "tax"});
  const std::string running = client_.Start("default", "orders");
  worker.ReceiveInvocation();
  const std::string queued = client_.Start("default", "orders");
  EXPECT_EQ(Deregister("default", "orders"), "OK");
  EXPECT_EQ(client_.AwaitEnd(queued).error().error_message(), "Function not found: orders");
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client_.AwaitEnd(running).status(), v1::EXECUTION_STATUS_SUCCEEDED);
  // The slot serves its other functions.
  const std::string other = client_.Start("default", "tax");
  EXPECT_EQ(worker.ReceiveInvocation().durable().durable_execution_arn(), other);

  v1::StartExecutionRequest start;
  start.set_function_name("orders");
  const std::string unknown =
      "NOT_FOUND ResourceNotFoundException: Function not found: orders; no worker has registered "
      "it";
  EXPECT_EQ(TextOf(client_.Call(&v1::DurableExecutions::Stub::StartExecution, start)), unknown);
  EXPECT_EQ(Deregister("default", "orders"), unknown);
  EXPECT_THAT(Deregister("nowhere", "orders"), HasSubstr("Session does not exist: nowhere"));
}

TEST_F(WorkerStreamTest, SuspendedExecutionOfADeregisteredFunctionFailsWhenItIsDue) {
  v1::CreateSessionRequest session;
  session.set_name("manual");
  session.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
  client_.CreateSession(session);
  ScriptedWorker worker(client_.functions());
  worker.Register("manual", {"orders"});
  const std::string arn = client_.Start("manual", "orders");
  worker.Send(CheckpointOf(worker.ReceiveInvocation(), {WaitUpdate("w", 60)}));
  EXPECT_TRUE(worker.Receive().has_checkpoint());
  worker.Send(OutcomeOf(kPending));
  AwaitInvocationEnd(arn);
  EXPECT_EQ(Deregister("manual", "orders"), "OK");
  v1::AdvanceTimeRequest advance;
  advance.set_session("manual");
  advance.mutable_duration()->set_seconds(60);
  EXPECT_EQ(TextOf(client_.Call(&v1::TestSessions::Stub::AdvanceTime, advance)), "OK");
  EXPECT_EQ(client_.AwaitEnd(arn).error().error_message(), "Function not found: orders");
}

}  // namespace
}  // namespace rehearse
