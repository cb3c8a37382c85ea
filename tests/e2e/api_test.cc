// Every method of the services over gRPC: what it answers, and how its errors look.
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/scripted_worker.h"
#include "service/worker/channel.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using Executions = v1::DurableExecutions::Stub;
using Functions = v1::FunctionHost::Stub;
using Sessions = v1::TestSessions::Stub;

constexpr char kSucceeded[] = R"({"Status":"SUCCEEDED","Result":"17"})";
constexpr char kPending[] = R"({"Status":"PENDING"})";
constexpr char kNoSession[] =
    "NOT_FOUND ResourceNotFoundException: Session does not exist: nowhere; create it with "
    "CreateSession";
constexpr char kNoArn[] =
    "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/none/"
    "5b0d6a54-6bd1-4c52-9a66-0ec7a0e30000";

class ApiTest : public ::testing::Test {
 protected:
  // The text of what the call answers.
  template <typename Method, typename Request>
  std::string Try(Method method, const Request& request) {
    return TextOf(client().Call(method, request));
  }

  template <typename Request>
  static Request Of(const std::string& arn) {
    Request request;
    request.set_durable_execution_arn(arn);
    return request;
  }

  std::string ManualSession() {
    v1::CreateSessionRequest request;
    request.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
    return client().CreateSession(request);
  }

  TestClient& client() { return served_.client(); }

  Served served_;
};

std::string NoExecution(const std::string& arn) {
  return absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ",
                      arn);
}

std::string Conflict(const std::string& message) {
  return absl::StrCat("FAILED_PRECONDITION ResourceConflictException: ", message);
}

std::string Invalid(const std::string& message) {
  return absl::StrCat("INVALID_ARGUMENT InvalidParameterValueException: ", message);
}

TEST_F(ApiTest, ARunFromItsStartToItsDeletion) {
  ScriptedWorker worker(client().functions());
  worker.Register("default", {"orders"});
  v1::StartExecutionRequest start;
  start.set_function_name("orders");
  start.set_durable_execution_name("order-17");
  start.set_input("{}");
  start.set_tenant_id("acme");
  const auto started = client().Call(&Executions::StartExecution, start);
  ASSERT_EQ(TextOf(started), "OK");
  const std::string arn = started->durable_execution_arn();
  EXPECT_EQ(started->executed_version(), "$LATEST");
  EXPECT_TRUE(client().Call(&Executions::StartExecution, start)->already_started());

  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();
  EXPECT_EQ(invocation.tenant_id(), "acme");
  const auto checkpoint = client().Call(
      &Executions::Checkpoint,
      CheckpointOf(invocation, {StepUpdate("a", v1::OPERATION_ACTION_SUCCEED)}).checkpoint());
  ASSERT_EQ(TextOf(checkpoint), "OK");
  const auto state =
      client().Call(&Executions::GetExecutionState,
                    StateRequestOf(arn, checkpoint->checkpoint_token()).get_execution_state());
  ASSERT_EQ(TextOf(state), "OK");
  EXPECT_EQ(state->operations_size(), 2);

  const auto running = client().Call(&Executions::GetExecution, Of<v1::GetExecutionRequest>(arn));
  ASSERT_EQ(TextOf(running), "OK");
  EXPECT_EQ(running->execution().input_payload(), "{}");
  EXPECT_EQ(running->waiting_for(0).text(), "the running invocation of orders");
  worker.Send(OutcomeOf(kSucceeded));
  EXPECT_EQ(client().AwaitEnd(arn).result(), "17");

  v1::ListExecutionsRequest list;
  list.set_durable_execution_name("order-17");
  EXPECT_THAT(client().Call(&Executions::ListExecutions, list)->durable_executions(), SizeIs(1));
  EXPECT_EQ(Try(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn)), "OK");
  EXPECT_EQ(Try(&Executions::GetExecution, Of<v1::GetExecutionRequest>(arn)), NoExecution(arn));
  EXPECT_THAT(client().Call(&Executions::ListExecutions, list)->durable_executions(), SizeIs(0));
}

TEST_F(ApiTest, HistoryPagesInBothDirections) {
  ScriptedWorker worker(client().functions());
  worker.Register("default", {"orders"});
  const std::string arn = client().Start("default", "orders");
  worker.ReceiveInvocation();
  worker.Send(OutcomeOf(kSucceeded));
  client().AwaitEnd(arn);
  for (const bool reverse : {false, true}) {
    v1::GetExecutionHistoryRequest request = Of<v1::GetExecutionHistoryRequest>(arn);
    request.set_reverse_order(reverse);
    request.set_max_items(2);
    std::vector<int64_t> ids;
    do {
      const auto page = client().Call(&Executions::GetExecutionHistory, request);
      ASSERT_EQ(TextOf(page), "OK");
      for (const v1::Event& event : page->events()) ids.push_back(event.event_id());
      request.set_marker(page->next_marker());
    } while (!request.marker().empty());
    if (reverse) {
      EXPECT_THAT(ids, ElementsAre(3, 2, 1));
    } else {
      EXPECT_THAT(ids, ElementsAre(1, 2, 3));
    }
  }
}

TEST_F(ApiTest, CallbacksAreCompletedFromOutside) {
  const std::string session = ManualSession();
  ScriptedWorker worker(client().functions());
  worker.Register(session, {"orders"});
  client().Start(session, "orders");
  worker.Send(CheckpointOf(worker.ReceiveInvocation(), {CallbackUpdate("a"), CallbackUpdate("b")}));
  const v1::ServeResponse answer = worker.Receive();
  const auto& operations = answer.checkpoint().new_execution_state().operations();
  const std::string a = operations[0].callback_details().callback_id();
  const std::string b = operations[1].callback_details().callback_id();
  v1::SendCallbackHeartbeatRequest heartbeat;
  heartbeat.set_callback_id(a);
  EXPECT_EQ(Try(&Executions::SendCallbackHeartbeat, heartbeat), "OK");
  v1::SendCallbackSuccessRequest success;
  success.set_callback_id(a);
  success.set_result("yes");
  EXPECT_EQ(Try(&Executions::SendCallbackSuccess, success), "OK");
  v1::SendCallbackFailureRequest failure;
  failure.set_callback_id(b);
  failure.mutable_error()->set_error_message("no");
  EXPECT_EQ(Try(&Executions::SendCallbackFailure, failure), "OK");

  const std::string closed =
      "FAILED_PRECONDITION CallbackTimeoutException: Callback is closed: it has timed out or been "
      "completed, or its execution has ended";
  EXPECT_EQ(Try(&Executions::SendCallbackSuccess, success), closed);
  EXPECT_EQ(Try(&Executions::SendCallbackFailure, failure), closed);
  EXPECT_EQ(Try(&Executions::SendCallbackHeartbeat, heartbeat), closed);
  const std::string unknown = "NOT_FOUND ResourceNotFoundException: Callback does not exist";
  success.set_session("default");
  EXPECT_EQ(Try(&Executions::SendCallbackSuccess, success), unknown);
  failure.set_callback_id("none");
  EXPECT_EQ(Try(&Executions::SendCallbackFailure, failure), unknown);
  success.set_callback_id("");
  EXPECT_EQ(Try(&Executions::SendCallbackSuccess, success),
            Invalid("CallbackId must be 1-1024 characters long."));
}

TEST_F(ApiTest, PauseHoldsAnExecutionUntilItIsResumedOrStopped) {
  ScriptedWorker worker(client().functions());
  worker.Register("default", {"orders"});
  EXPECT_EQ(TextOf(worker.Close()), "OK");
  const std::string arn = client().Start("default", "orders");
  const auto pause = Of<v1::PauseExecutionRequest>(arn);
  const auto resume = Of<v1::ResumeExecutionRequest>(arn);
  EXPECT_EQ(Try(&Executions::ResumeExecution, resume),
            Conflict("Cannot resume an execution that is RUNNING; only a PAUSED or PAUSING one can "
                     "be resumed."));
  EXPECT_EQ(Try(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn)),
            Conflict("Cannot delete an execution that has not ended; stop it first."));
  EXPECT_EQ(Try(&Executions::PauseExecution, pause), "OK");
  EXPECT_EQ(
      Try(&Executions::PauseExecution, pause),
      Conflict("Cannot pause an execution that is PAUSED; only a RUNNING one can be paused."));
  EXPECT_EQ(Try(&Executions::ResumeExecution, resume), "OK");
  v1::StopExecutionRequest stop = Of<v1::StopExecutionRequest>(arn);
  const auto stopped = client().Call(&Executions::StopExecution, stop);
  ASSERT_EQ(TextOf(stopped), "OK");
  stop.mutable_error()->set_error_message("again");
  const auto again = client().Call(&Executions::StopExecution, stop);
  EXPECT_EQ(again->stop_timestamp().DebugString(), stopped->stop_timestamp().DebugString());
  EXPECT_EQ(client().AwaitEnd(arn).error().error_message(), "Execution was stopped.");
  EXPECT_EQ(Try(&Executions::PauseExecution, pause),
            Conflict("Cannot pause an execution that is closed."));
  EXPECT_EQ(Try(&Executions::ResumeExecution, resume),
            Conflict("Cannot resume an execution that is closed."));
}

TEST_F(ApiTest, SteppedSessionRunsWhatIsAskedFor) {
  v1::CreateSessionRequest create;
  create.mutable_config()->set_stepped(true);
  create.mutable_config()->set_clock_mode(v1::CLOCK_MODE_MANUAL);
  const std::string session = client().CreateSession(create);
  const auto pool = served_.Serve(session, "orders", 1, [](worker::InvocationChannel& channel) {
    const auto& operations = channel.invocation().durable().initial_execution_state().operations();
    if (operations.size() > 1) return Succeed("\"done\"");
    EXPECT_EQ(TextOf(channel.Checkpoint(
                  CheckpointOf(channel.invocation(), {WaitUpdate("w", 60)}).checkpoint())),
              "OK");
    return Pend();
  });
  const std::string arn = client().Start(session, "orders");
  const auto next = Of<v1::InvokeNextRequest>(arn);
  const auto first = client().Call(&Sessions::InvokeNext, next);
  ASSERT_EQ(TextOf(first), "OK");
  EXPECT_TRUE(first->invoked());
  EXPECT_FALSE(client().Call(&Sessions::InvokeNext, next)->invoked());

  v1::WaitForOperationRequest wait = Of<v1::WaitForOperationRequest>(arn);
  wait.set_operation_id("w");
  const auto operation = client().Call(&Sessions::WaitForOperation, wait);
  EXPECT_EQ(operation->operation().status(), v1::OPERATION_STATUS_STARTED);
  v1::AdvanceTimeRequest advance;
  advance.set_session(session);
  advance.set_next_timer(true);
  const auto advanced = client().Call(&Sessions::AdvanceTime, advance);
  ASSERT_EQ(TextOf(advanced), "OK");
  ASSERT_EQ(advanced->fired_count(), 1);
  EXPECT_EQ(advanced->fired(0).kind(), v1::FiredTimer::KIND_WAIT);
  EXPECT_TRUE(client().Inspect(arn).invocation_owed());
  EXPECT_EQ(client().Call(&Sessions::InvokeNext, next)->execution().result(), "done");

  const std::string other = client().CreateSession();
  ScriptedWorker worker(client().functions());
  worker.Register(other, {"orders"});
  EXPECT_EQ(Try(&Sessions::InvokeNext, Of<v1::InvokeNextRequest>(client().Start(other, "orders"))),
            Conflict("The session is not stepped: its invocations start by themselves."));
}

TEST_F(ApiTest, WaitsSayWhatTheyHangOn) {
  const std::string session = ManualSession();
  ScriptedWorker worker(client().functions());
  worker.Register(session, {"orders"});
  const std::string arn = client().Start(session, "orders");
  worker.Send(CheckpointOf(worker.ReceiveInvocation(), {WaitUpdate("w", 60)}));
  EXPECT_TRUE(worker.Receive().has_checkpoint());
  worker.Send(OutcomeOf(kPending));
  v1::WaitForOperationRequest created = Of<v1::WaitForOperationRequest>(arn);
  created.set_invocation_ended(true);
  EXPECT_EQ(Try(&Sessions::WaitForOperation, created), "OK");

  v1::WaitForExecutionRequest end = Of<v1::WaitForExecutionRequest>(arn);
  end.mutable_timeout()->set_nanos(1);
  EXPECT_EQ(Try(&Sessions::WaitForExecution, end),
            absl::StrCat("DEADLINE_EXCEEDED WaitTimedOut: the end of execution ", arn,
                         " did not happen within 1ns; waiting for wait \"w\" (1m left)"));
  v1::WaitForOperationRequest step = Of<v1::WaitForOperationRequest>(arn);
  step.set_name("charge");
  step.set_type(v1::OPERATION_TYPE_STEP);
  step.add_statuses(v1::OPERATION_STATUS_SUCCEEDED);
  step.mutable_timeout()->set_nanos(1);
  EXPECT_EQ(Try(&Sessions::WaitForOperation, step),
            absl::StrCat("DEADLINE_EXCEEDED WaitTimedOut: an operation named \"charge\" of type "
                         "STEP that is SUCCEEDED of execution ",
                         arn, " did not happen within 1ns; waiting for wait \"w\" (1m left)"));
  EXPECT_EQ(Try(&Executions::StopExecution, Of<v1::StopExecutionRequest>(arn)), "OK");
  EXPECT_EQ(Try(&Sessions::WaitForOperation, step),
            Conflict("The execution has closed as STOPPED without an operation named \"charge\" of "
                     "type STEP that is SUCCEEDED."));
  end.add_statuses(v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(Try(&Sessions::WaitForExecution, end),
            Conflict("The execution has closed as STOPPED."));
}

TEST_F(ApiTest, SessionsAreCreatedListedAndDeleted) {
  EXPECT_EQ(client().CreateSession("b"), "b");
  EXPECT_EQ(client().CreateSession("a"), "a");
  v1::CreateSessionRequest again;
  again.set_name("a");
  EXPECT_EQ(Try(&Sessions::CreateSession, again),
            "ALREADY_EXISTS ResourceConflictException: Session already exists: a");
  v1::ListSessionsRequest list;
  list.set_max_items(1);
  std::vector<std::string> names;
  do {
    const auto page = client().Call(&Sessions::ListSessions, list);
    ASSERT_EQ(TextOf(page), "OK");
    for (const v1::Session& session : page->sessions()) names.push_back(session.name());
    list.set_marker(page->next_marker());
  } while (!list.marker().empty());
  EXPECT_THAT(names, ElementsAre("a", "b", "default"));
  v1::DeleteSessionRequest remove;
  remove.set_name("a");
  EXPECT_EQ(Try(&Sessions::DeleteSession, remove), "OK");
  EXPECT_EQ(Try(&Sessions::DeleteSession, remove),
            "NOT_FOUND ResourceNotFoundException: Session does not exist: a; create it with "
            "CreateSession");
  remove.set_name("default");
  EXPECT_EQ(Try(&Sessions::DeleteSession, remove),
            Invalid("The session 'default' cannot be deleted."));
}

TEST_F(ApiTest, BadRequestsAreRefused) {
  const auto in_no_session = [](auto request) {
    request.set_session("nowhere");
    return request;
  };
  v1::GetSessionRequest get_session;
  get_session.set_name("nowhere");
  v1::StartExecutionRequest start;
  start.set_function_name("orders");
  v1::StartExecutionRequest start_nowhere = start;
  start_nowhere.set_session("nowhere");
  v1::CreateSessionRequest limits, profile, policy;
  limits.mutable_config()->mutable_limits()->set_checkpoint_updates(-1);
  profile.mutable_config()->set_limits_profile("none");
  policy.mutable_config()->set_failure_policy("none");
  v1::AdvanceTimeRequest backwards;
  backwards.mutable_duration()->set_seconds(-1);
  v1::GetExecutionHistoryRequest bad_marker = Of<v1::GetExecutionHistoryRequest>(kNoArn);
  v1::WaitForExecutionRequest negative = Of<v1::WaitForExecutionRequest>(kNoArn);
  negative.mutable_timeout()->set_seconds(-1);
  v1::ListExecutionsRequest marker;
  marker.set_marker("none");
  v1::DeregisterFunctionRequest deregister;
  deregister.set_function_name("orders");
  const std::string no_function =
      "NOT_FOUND ResourceNotFoundException: Function not found: orders; no worker has registered "
      "it";
  const std::pair<std::string, std::string> kRows[] = {
      {Try(&Executions::StartExecution, start), no_function},
      {Try(&Executions::StartExecution, start_nowhere), kNoSession},
      {Try(&Executions::StartExecution, v1::StartExecutionRequest()),
       Invalid("FunctionName must be 1-256 characters long, not 0.")},
      {Try(&Executions::Checkpoint, Of<v1::CheckpointRequest>(kNoArn)),
       Invalid(absl::StrCat("Durable Execution does not exist: ", kNoArn))},
      {Try(&Executions::GetExecutionState, Of<v1::GetExecutionStateRequest>(kNoArn)),
       Invalid(absl::StrCat("Durable Execution does not exist: ", kNoArn))},
      {Try(&Executions::GetExecution, Of<v1::GetExecutionRequest>(kNoArn)), NoExecution(kNoArn)},
      {Try(&Executions::GetExecutionHistory, bad_marker), NoExecution(kNoArn)},
      {Try(&Executions::StopExecution, Of<v1::StopExecutionRequest>(kNoArn)), NoExecution(kNoArn)},
      {Try(&Executions::PauseExecution, Of<v1::PauseExecutionRequest>("")), NoExecution("")},
      {Try(&Executions::ResumeExecution, Of<v1::ResumeExecutionRequest>("x")), NoExecution("x")},
      {Try(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(kNoArn)),
       NoExecution(kNoArn)},
      {Try(&Executions::ListExecutions, in_no_session(v1::ListExecutionsRequest())), kNoSession},
      {Try(&Executions::ListExecutions, marker),
       Invalid("Invalid Marker: use the NextMarker of the previous page as it is.")},
      {Try(&Functions::ListFunctions, in_no_session(v1::ListFunctionsRequest())), kNoSession},
      {Try(&Functions::DeregisterFunction, deregister), no_function},
      {Try(&Sessions::GetSession, get_session), kNoSession},
      {Try(&Sessions::CreateSession, limits),
       Invalid("Limit checkpoint_updates must not be negative: -1")},
      {Try(&Sessions::CreateSession, profile),
       Invalid("Unknown limits profile 'none': use 'aws' or 'aws-2025'.")},
      {Try(&Sessions::CreateSession, policy),
       Invalid("Unknown failure policy 'none'; use 'aws' or 'python-testing'.")},
      {Try(&Sessions::AdvanceTime, in_no_session(v1::AdvanceTimeRequest())), kNoSession},
      {Try(&Sessions::AdvanceTime, v1::AdvanceTimeRequest()),
       Invalid("Say how far to advance: duration, until or next_timer.")},
      {Try(&Sessions::AdvanceTime, backwards),
       Invalid("duration must be more than 0; time does not run backwards.")},
      {Try(&Sessions::WaitForExecution, negative), Invalid("timeout must not be negative.")},
      {Try(&Sessions::WaitForExecution, Of<v1::WaitForExecutionRequest>(kNoArn)),
       NoExecution(kNoArn)},
      {Try(&Sessions::WaitForOperation, Of<v1::WaitForOperationRequest>(kNoArn)),
       NoExecution(kNoArn)},
      {Try(&Sessions::InvokeNext, Of<v1::InvokeNextRequest>(kNoArn)), NoExecution(kNoArn)},
      {Try(&Sessions::InspectExecution, Of<v1::InspectExecutionRequest>(kNoArn)),
       NoExecution(kNoArn)},
  };
  for (const auto& [actual, expected] : kRows) EXPECT_EQ(actual, expected);
}

// "domain key=value ..." of the ErrorInfo.
std::string InfoOf(const absl::Status& status) {
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "none";
  std::string text = info.domain();
  const std::map<std::string, std::string> sorted(info.metadata().begin(), info.metadata().end());
  for (const auto& [key, value] : sorted) absl::StrAppend(&text, " ", key, "=", value);
  return text;
}

TEST_F(ApiTest, ErrorsCarryGoogleRpcDetails) {
  v1::CreateSessionRequest create;
  create.mutable_config()->mutable_limits()->set_open_executions(1);
  const std::string session = client().CreateSession(create);
  ScriptedWorker worker(client().functions());
  worker.Register(session, {"orders"});
  v1::StartExecutionRequest start;
  start.set_session(session);
  start.set_function_name("orders");
  start.set_durable_execution_name("order-17");
  const std::string arn = client().Start(start);
  const v1::ServeResponse::Invocation invocation = worker.ReceiveInvocation();

  const auto info = [&](auto method, const auto& request) {
    return InfoOf(client().Call(method, request).status());
  };
  v1::GetSessionRequest no_session;
  no_session.set_name("nowhere");
  EXPECT_EQ(info(&Sessions::GetSession, no_session), "rehearse http_status=404");
  EXPECT_EQ(info(&Executions::GetExecution, Of<v1::GetExecutionRequest>(kNoArn)),
            "lambda.amazonaws.com http_status=404");
  EXPECT_EQ(info(&Executions::DeleteExecution, Of<v1::DeleteExecutionRequest>(arn)),
            "lambda.amazonaws.com http_status=409");
  v1::CreateSessionRequest taken;
  taken.set_name(session);
  EXPECT_EQ(info(&Sessions::CreateSession, taken), "rehearse http_status=409");
  v1::StartExecutionRequest other_input = start;
  other_input.set_input("other");
  EXPECT_EQ(info(&Executions::StartExecution, other_input), "lambda.amazonaws.com http_status=409");
  other_input.set_input(std::string(2'000'000, 'x'));
  EXPECT_EQ(info(&Executions::StartExecution, other_input), "lambda.amazonaws.com http_status=413");
  v1::WaitForExecutionRequest wait = Of<v1::WaitForExecutionRequest>(arn);
  wait.mutable_timeout()->set_nanos(1);
  EXPECT_EQ(info(&Sessions::WaitForExecution, wait), "rehearse http_status=408");
  v1::CheckpointRequest stale = CheckpointOf(invocation, {}).checkpoint();
  stale.set_checkpoint_token("AAAA");
  EXPECT_EQ(info(&Executions::Checkpoint, stale),
            "lambda.amazonaws.com http_status=400 stale_checkpoint_token=true");

  v1::StartExecutionRequest second = start;
  second.set_durable_execution_name("order-18");
  const absl::Status throttled = client().Call(&Executions::StartExecution, second).status();
  EXPECT_EQ(InfoOf(throttled),
            "lambda.amazonaws.com http_status=429 "
            "throttle_reason=ConcurrentInvocationLimitExceeded");
  v1::RetryInfo retry;
  ASSERT_TRUE(retry.ParseFromString(
      std::string(*throttled.GetPayload("type.googleapis.com/google.rpc.RetryInfo"))));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
}

TEST_F(ApiTest, StaleTokenIsSpelledAsTheCallersSdkExpects) {
  ScriptedWorker worker(client().functions());
  worker.Register("default", {"orders"});
  client().Start("default", "orders");
  v1::CheckpointRequest stale = CheckpointOf(worker.ReceiveInvocation(), {}).checkpoint();
  stale.set_checkpoint_token("AAAA");
  for (const auto& [agent, text] : std::vector<std::pair<std::string, std::string>>{
           {"aws-durable-execution-sdk-python/2.0.0", "Invalid Checkpoint Token"},
           {"aws-durable-execution-sdk-python/2.0.1", "Invalid checkpoint token"},
           {"grpcurl", "Invalid checkpoint token"}}) {
    grpc::ChannelArguments arguments = worker::DefaultChannelArguments();
    arguments.SetUserAgentPrefix(agent);
    TestClient sdk(grpc::CreateCustomChannel(served_.address(), grpc::InsecureChannelCredentials(),
                                             arguments));
    EXPECT_EQ(TextOf(sdk.Call(&Executions::Checkpoint, stale)),
              absl::StrCat("FAILED_PRECONDITION InvalidParameterValueException: ", text));
  }
}

}  // namespace
}  // namespace rehearse
