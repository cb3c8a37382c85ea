// Every limit of the service, at its bound and one past it, as a client meets it.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/scripted_worker.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

constexpr int64_t kMiB = 1048576;
constexpr int64_t kSixMiB = 6291456;

class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() { idle_worker_.Register("default", {"orders"}); }

  // A session of its own for each execution, whose invocation runs on a worker of its own.
  struct Running {
    std::string session;
    std::string arn;
    std::string token;
    std::unique_ptr<ScriptedWorker> worker;
  };

  Running StartRunning(const v1::SessionConfig& config = {},
                       v1::InvocationType type = v1::INVOCATION_TYPE_EVENT) {
    Running running;
    v1::CreateSessionRequest session;
    *session.mutable_config() = config;
    running.session = client().CreateSession(session);
    running.worker = std::make_unique<ScriptedWorker>(client().functions());
    running.worker->Register(running.session, {"orders"});
    v1::StartExecutionRequest start;
    start.set_session(running.session);
    start.set_function_name("orders");
    start.set_invocation_type(type);
    running.arn = client().Start(start);
    running.token = running.worker->ReceiveInvocation().durable().checkpoint_token();
    return running;
  }

  std::string Start(const std::function<void(v1::StartExecutionRequest&)>& change) {
    v1::StartExecutionRequest request;
    request.set_function_name("orders");
    change(request);
    return TextOf(client().Call(&v1::DurableExecutions::Stub::StartExecution, request));
  }

  std::string Checkpoint(const Running& running, const std::vector<v1::OperationUpdate>& updates,
                         const std::function<void(v1::CheckpointRequest&)>& change = {}) {
    v1::CheckpointRequest request = CheckpointOf(running.arn, running.token, updates).checkpoint();
    if (change != nullptr) change(request);
    return TextOf(client().Call(&v1::DurableExecutions::Stub::Checkpoint, request));
  }

  // A step that succeeds, changed.
  std::string Step(const std::function<void(v1::OperationUpdate&)>& change) {
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    change(update);
    return Checkpoint(StartRunning(), {update});
  }

  std::string Started(v1::OperationType type,
                      const std::function<void(v1::OperationUpdate&)>& change) {
    v1::OperationUpdate update;
    update.set_id("a");
    update.set_type(type);
    update.set_action(v1::OPERATION_ACTION_START);
    if (type == v1::OPERATION_TYPE_CHAINED_INVOKE) {
      update.mutable_chained_invoke_options()->set_function_name("orders");
    }
    change(update);
    return Checkpoint(StartRunning(), {update});
  }

  // The id of an open callback.
  std::string OpenCallback(const v1::SessionConfig& config = {}) {
    running_.push_back(StartRunning(config));
    const Running& running = running_.back();
    const auto response =
        client().Call(&v1::DurableExecutions::Stub::Checkpoint,
                      CheckpointOf(running.arn, running.token, {CallbackUpdate("c")}).checkpoint());
    return response->new_execution_state().operations(0).callback_details().callback_id();
  }

  TestClient& client() { return served_.client(); }

  Served served_;
  ScriptedWorker idle_worker_{served_.client().functions()};
  std::vector<Running> running_;
};

std::string Text(int64_t length) { return std::string(static_cast<size_t>(length), 'x'); }

// `call` is made with the bound, answered by `within`, and with one more (or, for a lower bound,
// one less), answered by `past`.
struct LimitCase {
  const char* name;
  int64_t bound;
  int64_t step;
  std::function<std::string(int64_t)> call;
  std::string within;
  std::string past;
};

std::string Invalid(const std::string& message) {
  return absl::StrCat("INVALID_ARGUMENT InvalidParameterValueException: ", message);
}

void Check(const std::vector<LimitCase>& cases) {
  for (const LimitCase& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.call(row.bound), row.within);
    EXPECT_EQ(row.call(row.bound + row.step), row.past);
  }
}

TEST_F(LimitsTest, OfStart) {
  using Request = v1::StartExecutionRequest;
  const auto start = [this](auto change) {
    return [this, change](int64_t n) { return Start([&](Request& r) { change(r, n); }); };
  };
  const std::string unknown_function =
      absl::StrCat("NOT_FOUND ResourceNotFoundException: Function not found: ", Text(256),
                   "; no worker has registered it");
  Check({
      {"function name", 256, 1, start([](Request& r, int64_t n) { r.set_function_name(Text(n)); }),
       unknown_function, Invalid("FunctionName must be 1-256 characters long, not 257.")},
      {"qualifier", 128, 1, start([](Request& r, int64_t n) { r.set_qualifier(Text(n)); }), "OK",
       Invalid("Qualifier must be 1-128 characters long, not 129.")},
      {"empty qualifier", 1, -1, start([](Request& r, int64_t n) { r.set_qualifier(Text(n)); }),
       "OK", Invalid("Qualifier must be 1-128 characters long, not 0.")},
      {"name", 64, 1, start([](Request& r, int64_t n) { r.set_durable_execution_name(Text(n)); }),
       "OK",
       Invalid(absl::StrCat("DurableExecutionName '", Text(65),
                            "' must be 1-64 characters of A-Z a-z 0-9 - _."))},
      {"empty name", 1, -1,
       start([](Request& r, int64_t n) { r.set_durable_execution_name(Text(n)); }), "OK",
       Invalid("DurableExecutionName '' must be 1-64 characters of A-Z a-z 0-9 - _.")},
      {"tenant", 256, 1, start([](Request& r, int64_t n) { r.set_tenant_id(Text(n)); }), "OK",
       Invalid("TenantId must be 1-256 characters long, not 257.")},
      {"trace header", 8192, 1,
       start([](Request& r, int64_t n) { r.set_x_amzn_trace_id(Text(n)); }), "OK",
       Invalid("XAmznTraceId must be 0-8192 characters long, not 8193.")},
      {"execution timeout", 31622400, 1, start([](Request& r, int64_t n) {
         r.mutable_durable_config()->set_execution_timeout(static_cast<int>(n));
       }),
       "OK", Invalid("ExecutionTimeout is 31622401; it must be between 1 and 31622400.")},
      {"no execution timeout", 1, -1, start([](Request& r, int64_t n) {
         r.mutable_durable_config()->set_execution_timeout(static_cast<int>(n));
       }),
       "OK", Invalid("ExecutionTimeout is 0; it must be between 1 and 31622400.")},
      {"retention", 90, 1, start([](Request& r, int64_t n) {
         r.mutable_durable_config()->set_retention_period_in_days(static_cast<int>(n));
       }),
       "OK", Invalid("RetentionPeriodInDays is 91; it must be between 1 and 90.")},
      {"no retention", 1, -1, start([](Request& r, int64_t n) {
         r.mutable_durable_config()->set_retention_period_in_days(static_cast<int>(n));
       }),
       "OK", Invalid("RetentionPeriodInDays is 0; it must be between 1 and 90.")},
      {"input of an asynchronous run", kMiB, 1,
       start([](Request& r, int64_t n) { r.set_input(Text(n)); }), "OK",
       "OUT_OF_RANGE RequestTooLargeException: Execution input payload size must be less than or "
       "equal to 1048576 bytes."},
      {"input of a synchronous run", kSixMiB, 1, start([](Request& r, int64_t n) {
         r.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
         r.set_input(Text(n));
       }),
       "OK",
       "OUT_OF_RANGE RequestTooLargeException: Execution input payload size must be less than or "
       "equal to 6291456 bytes."},
  });
}

TEST_F(LimitsTest, OfCheckpointRequests) {
  const auto request = [this](std::function<void(v1::CheckpointRequest&, int64_t)> change) {
    return [this, change](int64_t n) {
      return Checkpoint(StartRunning(), {}, [&](v1::CheckpointRequest& r) { change(r, n); });
    };
  };
  Check({
      {"updates", 1000, 1, request([](v1::CheckpointRequest& r, int64_t n) {
         for (int64_t i = 0; i < n; ++i) {
           *r.add_updates() = StepUpdate(absl::StrCat("s-", i), v1::OPERATION_ACTION_START);
         }
       }),
       "OK", Invalid("A checkpoint may hold at most 1000 updates.")},
      {"size", kSixMiB, 1, request([](v1::CheckpointRequest& r, int64_t n) {
         while (static_cast<int64_t>(r.ByteSizeLong()) < n - kMiB / 2) {
           v1::OperationUpdate& update = *r.add_updates();
           update = StepUpdate(absl::StrCat("s-", r.updates_size()), v1::OPERATION_ACTION_SUCCEED);
           update.set_payload(Text(kMiB / 2));
         }
         v1::OperationUpdate& last = *r.add_updates();
         last = StepUpdate("last", v1::OPERATION_ACTION_SUCCEED);
         last.set_payload(Text(kMiB / 4));
         last.set_payload(Text(kMiB / 4 + n - static_cast<int64_t>(r.ByteSizeLong())));
         EXPECT_EQ(static_cast<int64_t>(r.ByteSizeLong()), n);
       }),
       "OK", Invalid("Checkpoint request size must be less than or equal to 6291456 bytes.")},
      {"client token", 64, 1,
       request([](v1::CheckpointRequest& r, int64_t n) { r.set_client_token(Text(n)); }), "OK",
       Invalid("ClientToken must have 1 to 64 characters of visible ASCII.")},
      {"empty client token", 1, -1,
       request([](v1::CheckpointRequest& r, int64_t n) { r.set_client_token(Text(n)); }), "OK",
       Invalid("ClientToken must have 1 to 64 characters of visible ASCII.")},
      {"checkpoint token", 2048, 1,
       request([](v1::CheckpointRequest& r, int64_t n) { r.set_checkpoint_token(Text(n)); }),
       "FAILED_PRECONDITION InvalidParameterValueException: Invalid checkpoint token",
       Invalid("CheckpointToken must have 1 to 2048 characters of base64.")},
  });
}

TEST_F(LimitsTest, OfUpdates) {
  using Update = v1::OperationUpdate;
  const auto step = [this](auto change) {
    return [this, change](int64_t n) { return Step([&](Update& u) { change(u, n); }); };
  };
  const auto start = [this](v1::OperationType type, auto change) {
    return [this, type, change](int64_t n) {
      return Started(type, [&](Update& u) { change(u, static_cast<int>(n)); });
    };
  };
  const auto retry = step([](Update& u, int64_t n) {
    u.set_action(v1::OPERATION_ACTION_RETRY);
    u.mutable_step_options()->set_next_attempt_delay_seconds(static_cast<int>(n));
  });
  const auto wait = start(v1::OPERATION_TYPE_WAIT,
                          [](Update& u, int n) { u.mutable_wait_options()->set_wait_seconds(n); });
  const auto timeout = start(v1::OPERATION_TYPE_CALLBACK, [](Update& u, int n) {
    u.mutable_callback_options()->set_timeout_seconds(n);
  });
  const auto heartbeat = start(v1::OPERATION_TYPE_CALLBACK, [](Update& u, int n) {
    u.mutable_callback_options()->set_heartbeat_timeout_seconds(n);
  });
  const std::string delay = " must be 1 to 31622400.";
  Check({
      {"id", 64, 1, step([](Update& u, int64_t n) { u.set_id(Text(n)); }), "OK",
       Invalid("Updates[0].Id must have 1 to 64 characters of A-Z a-z 0-9 - _.")},
      {"empty id", 1, -1, step([](Update& u, int64_t n) { u.set_id(Text(n)); }), "OK",
       Invalid("Updates[0].Id must have 1 to 64 characters of A-Z a-z 0-9 - _.")},
      {"parent id", 64, 1, step([](Update& u, int64_t n) { u.set_parent_id(Text(n)); }),
       Invalid(absl::StrCat("Operation 'a': parent '", Text(64),
                            "' is not a CONTEXT of this execution; start it before, or earlier in "
                            "the same checkpoint.")),
       Invalid("Updates[0].ParentId must have 1 to 64 characters of A-Z a-z 0-9 - _.")},
      {"name", 256, 1, step([](Update& u, int64_t n) { u.set_name(Text(n)); }), "OK",
       Invalid("Updates[0].Name must have 1 to 256 characters of printable ASCII.")},
      {"sub type", 32, 1, step([](Update& u, int64_t n) { u.set_sub_type(Text(n)); }), "OK",
       Invalid("Updates[0].SubType must have 1 to 32 characters of A-Z a-z 0-9 - _.")},
      {"step payload", kMiB, 1, step([](Update& u, int64_t n) { u.set_payload(Text(n)); }), "OK",
       Invalid("STEP output payload size must be less than or equal to 1048576 bytes.")},
      {"context payload", kMiB, 1, step([](Update& u, int64_t n) {
         u.set_type(v1::OPERATION_TYPE_CONTEXT);
         u.set_payload(Text(n));
       }),
       "OK", Invalid("CONTEXT output payload size must be less than or equal to 1048576 bytes.")},
      {"chained invoke input", kMiB, 1,
       start(v1::OPERATION_TYPE_CHAINED_INVOKE, [](Update& u, int n) { u.set_payload(Text(n)); }),
       "OK",
       Invalid("CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.")},
      {"error", kMiB, 1, step([](Update& u, int64_t n) {
         u.set_action(v1::OPERATION_ACTION_FAIL);
         u.mutable_error()->set_error_type("Type");
         u.mutable_error()->add_stack_trace("line");
         u.mutable_error()->set_error_message(Text(n - 8));
       }),
       "OK", Invalid("STEP error size must be less than or equal to 1048576 bytes.")},
      {"result of an asynchronous run", kMiB, 1, step([](Update& u, int64_t n) {
         u.set_type(v1::OPERATION_TYPE_EXECUTION);
         u.set_payload(Text(n));
       }),
       "OK", Invalid("Execution output payload size must be less than or equal to 1048576 bytes.")},
      {"retry delay", 31622400, 1, retry, "OK",
       Invalid("Updates[0].StepOptions.NextAttemptDelaySeconds" + delay)},
      {"no retry delay", 1, -1, retry, "OK",
       Invalid("Updates[0].StepOptions.NextAttemptDelaySeconds" + delay)},
      {"wait", 31622400, 1, wait, "OK", Invalid("Updates[0].WaitOptions.WaitSeconds" + delay)},
      {"no wait", 1, -1, wait, "OK", Invalid("Updates[0].WaitOptions.WaitSeconds" + delay)},
      {"callback timeout", 99999999, 1, timeout, "OK",
       Invalid("Updates[0].CallbackOptions.TimeoutSeconds must be 0 to 99999999.")},
      {"negative callback timeout", 0, -1, timeout, "OK",
       Invalid("Updates[0].CallbackOptions.TimeoutSeconds must be 0 to 99999999.")},
      {"callback heartbeat", 99999999, 1, heartbeat, "OK",
       Invalid("Updates[0].CallbackOptions.HeartbeatTimeoutSeconds must be 0 to 99999999.")},
      {"chained tenant", 256, 1,
       start(v1::OPERATION_TYPE_CHAINED_INVOKE,
             [](Update& u, int n) { u.mutable_chained_invoke_options()->set_tenant_id(Text(n)); }),
       "OK",
       Invalid("Updates[0].ChainedInvokeOptions.TenantId must have 1 to 256 characters of A-Z a-z "
               "0-9 . _ : / = + - @ space.")},
      {"chained trace header", 8192, 1,
       start(v1::OPERATION_TYPE_CHAINED_INVOKE,
             [](Update& u, int n) {
               u.mutable_chained_invoke_options()->set_x_amzn_trace_id(Text(n));
             }),
       "OK",
       Invalid("Updates[0].ChainedInvokeOptions.XAmznTraceId must have 0 to 8192 characters.")},
  });
}

TEST_F(LimitsTest, OfResultsOfSynchronousRuns) {
  const auto result = [this](int64_t n) {
    // The request's own limit is hardly larger than the result's.
    v1::SessionConfig config;
    config.mutable_limits()->set_checkpoint_request_bytes(2 * kSixMiB);
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    update.set_type(v1::OPERATION_TYPE_EXECUTION);
    update.set_payload(Text(n));
    return Checkpoint(StartRunning(config, v1::INVOCATION_TYPE_REQUEST_RESPONSE), {update});
  };
  const auto outcome = [this](int64_t n) {
    const Running running = StartRunning({}, v1::INVOCATION_TYPE_REQUEST_RESPONSE);
    running.worker->Send(
        OutcomeOf(absl::StrCat(R"({"Status":"SUCCEEDED","Result":")", Text(n), "\"}")));
    const v1::Execution execution = client().AwaitEnd(running.arn);
    return absl::StrCat(v1::ExecutionStatus_Name(execution.status()), " ",
                        execution.error().error_message());
  };
  Check({
      {"result", kSixMiB, 1, result, "OK",
       Invalid("Updates[0].Payload must have 0 to 6291456 characters.")},
      {"result of the handler", kSixMiB, 1, outcome, "EXECUTION_STATUS_SUCCEEDED ",
       "EXECUTION_STATUS_FAILED Execution output payload size must be less than or equal to "
       "6291456 bytes."},
  });
}

TEST_F(LimitsTest, OfCallbacks) {
  const auto success = [this](int64_t n) {
    v1::SendCallbackSuccessRequest request;
    request.set_callback_id(OpenCallback());
    request.set_result(Text(n));
    return TextOf(client().Call(&v1::DurableExecutions::Stub::SendCallbackSuccess, request));
  };
  const auto failure = [this](int64_t n) {
    v1::SendCallbackFailureRequest request;
    request.set_callback_id(OpenCallback());
    request.mutable_error()->set_error_data(Text(n));
    return TextOf(client().Call(&v1::DurableExecutions::Stub::SendCallbackFailure, request));
  };
  const auto id = [this](int64_t n) {
    v1::SendCallbackHeartbeatRequest request;
    request.set_callback_id(Text(n));
    return TextOf(client().Call(&v1::DurableExecutions::Stub::SendCallbackHeartbeat, request));
  };
  Check({
      {"result", kMiB, 1, success, "OK",
       Invalid("CALLBACK output payload size must be less than or equal to 1048576 bytes.")},
      {"error", kMiB, 1, failure, "OK",
       Invalid("CALLBACK error size must be less than or equal to 1048576 bytes.")},
      {"id", 1024, 1, id, "NOT_FOUND ResourceNotFoundException: Callback does not exist",
       Invalid("CallbackId must be 1-1024 characters long.")},
      {"empty id", 1, -1, id, "NOT_FOUND ResourceNotFoundException: Callback does not exist",
       Invalid("CallbackId must be 1-1024 characters long.")},
  });
}

TEST_F(LimitsTest, OfStopPauseAndResume) {
  const auto stop = [this](int64_t n) {
    v1::StopExecutionRequest request;
    request.set_durable_execution_arn(client().Start("default", "orders"));
    request.mutable_error()->set_error_message(Text(n));
    return TextOf(client().Call(&v1::DurableExecutions::Stub::StopExecution, request));
  };
  const auto pause = [this](const std::string& token, const std::string& reason) {
    v1::PauseExecutionRequest request;
    request.set_durable_execution_arn(client().Start("default", "orders"));
    request.set_client_token(token);
    request.set_reason(reason);
    return TextOf(client().Call(&v1::DurableExecutions::Stub::PauseExecution, request));
  };
  const auto resume = [this](const std::string& token, const std::string& reason) {
    v1::PauseExecutionRequest pause;
    pause.set_durable_execution_arn(client().Start("default", "orders"));
    EXPECT_EQ(TextOf(client().Call(&v1::DurableExecutions::Stub::PauseExecution, pause)), "OK");
    v1::ResumeExecutionRequest request;
    request.set_durable_execution_arn(pause.durable_execution_arn());
    request.set_client_token(token);
    request.set_reason(reason);
    return TextOf(client().Call(&v1::DurableExecutions::Stub::ResumeExecution, request));
  };
  const std::string reason = Invalid("Reason must be 0-1024 characters long, not 1025.");
  const std::string token = Invalid("ClientToken must be 1-64 characters long, not 65.");
  Check({
      {"error of stop", kMiB, 1, stop, "OK",
       Invalid("Error object size must be less than or equal to 1048576 bytes.")},
      {"reason of pause", 1024, 1, [&](int64_t n) { return pause("t", Text(n)); }, "OK", reason},
      {"token of pause", 64, 1, [&](int64_t n) { return pause(Text(n), ""); }, "OK", token},
      {"reason of resume", 1024, 1, [&](int64_t n) { return resume("t", Text(n)); }, "OK", reason},
      {"token of resume", 64, 1, [&](int64_t n) { return resume(Text(n), ""); }, "OK", token},
  });
}

// Asks for a page of `n` items.
template <typename Request, typename Method>
std::string AskForPage(TestClient& client, Method method, Request request, int64_t n) {
  request.set_max_items(static_cast<int>(n));
  return TextOf(client.Call(method, request));
}

TEST_F(LimitsTest, OfPages) {
  const Running running = StartRunning();
  v1::GetExecutionHistoryRequest history;
  history.set_durable_execution_arn(running.arn);
  v1::InspectExecutionRequest inspect;
  inspect.set_durable_execution_arn(running.arn);
  v1::GetExecutionStateRequest state;
  state.set_durable_execution_arn(running.arn);
  state.set_checkpoint_token(running.token);
  using Executions = v1::DurableExecutions::Stub;
  using Sessions = v1::TestSessions::Stub;
  const std::function<std::string(int64_t)> kPages[] = {
      [&](int64_t n) { return AskForPage(client(), &Executions::GetExecutionHistory, history, n); },
      [&](int64_t n) { return AskForPage(client(), &Executions::GetExecutionState, state, n); },
      [&](int64_t n) {
        return AskForPage(client(), &Executions::ListExecutions, v1::ListExecutionsRequest(), n);
      },
      [&](int64_t n) { return AskForPage(client(), &Sessions::InspectExecution, inspect, n); },
      [&](int64_t n) {
        return AskForPage(client(), &Sessions::ListSessions, v1::ListSessionsRequest(), n);
      },
      [&](int64_t n) {
        return AskForPage(client(), &v1::FunctionHost::Stub::ListFunctions,
                          v1::ListFunctionsRequest(), n);
      }};
  const std::string refused = Invalid("MaxItems must be 0 to 1000.");
  for (const auto& page : kPages) {
    Check({{"most items", 1000, 1, page, "OK", refused}, {"fewest", 0, -1, page, "OK", refused}});
  }
  const auto statuses = [this](int64_t n) {
    v1::ListExecutionsRequest request;
    for (int64_t i = 0; i < n; ++i) request.add_statuses(v1::EXECUTION_STATUS_RUNNING);
    return TextOf(client().Call(&v1::DurableExecutions::Stub::ListExecutions, request));
  };
  Check({{"statuses", 10, 1, statuses, "OK",
          Invalid("The number of Statuses is 11; it must be between 0 and 10.")}});
}

TEST_F(LimitsTest, OfSessions) {
  const auto name = [this](int64_t n) {
    v1::CreateSessionRequest request;
    request.set_name(Text(n));
    return TextOf(client().Call(&v1::TestSessions::Stub::CreateSession, request));
  };
  Check({{"session name", 64, 1, name, "OK",
          Invalid(absl::StrCat("Session name '", Text(65),
                               "' must be 1-64 characters of A-Z a-z 0-9 - _."))}});
}

TEST_F(LimitsTest, ThatASessionOverrides) {
  const auto with = [](auto set) {
    v1::SessionConfig config;
    set(*config.mutable_limits());
    return config;
  };
  const auto payload = [this](v1::OperationType type, const v1::SessionConfig& config, int64_t n) {
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    update.set_type(type);
    update.set_payload(Text(n));
    if (type == v1::OPERATION_TYPE_CHAINED_INVOKE) {
      update.set_action(v1::OPERATION_ACTION_START);
      update.mutable_chained_invoke_options()->set_function_name("orders");
    }
    return Checkpoint(StartRunning(config), {update});
  };
  const auto many_steps = [this](const v1::SessionConfig& config, int64_t n) {
    std::vector<v1::OperationUpdate> updates;
    for (int64_t i = 0; i < n; ++i) {
      updates.push_back(StepUpdate(absl::StrCat("s-", i), v1::OPERATION_ACTION_SUCCEED));
      updates.back().set_payload("xx");
    }
    const Running running = StartRunning(config);
    const std::string text = Checkpoint(running, updates);
    const v1::Execution execution = client().Inspect(running.arn).execution();
    return execution.has_error() ? execution.error().error_message() : text;
  };
  const auto callback_result = [this](const v1::SessionConfig& config, int64_t n) {
    v1::SendCallbackSuccessRequest request;
    request.set_callback_id(OpenCallback(config));
    request.set_result(Text(n));
    return TextOf(client().Call(&v1::DurableExecutions::Stub::SendCallbackSuccess, request));
  };
  const auto step = [&](int64_t n) {
    return payload(v1::OPERATION_TYPE_STEP,
                   with([](v1::LimitOverrides& l) { l.set_operation_payload_bytes(10); }), n);
  };
  const auto chained = [&](int64_t n) {
    return payload(v1::OPERATION_TYPE_CHAINED_INVOKE,
                   with([](v1::LimitOverrides& l) { l.set_chained_invoke_payload_bytes(10); }), n);
  };
  const auto async = [&](int64_t n) {
    return payload(v1::OPERATION_TYPE_EXECUTION,
                   with([](v1::LimitOverrides& l) { l.set_async_payload_bytes(10); }), n);
  };
  const auto updates = [&](int64_t n) {
    return many_steps(with([](v1::LimitOverrides& l) { l.set_checkpoint_updates(10); }), n);
  };
  const auto operations = [&](int64_t n) {
    return many_steps(with([](v1::LimitOverrides& l) { l.set_operations_per_execution(10); }), n);
  };
  const auto stored = [&](int64_t n) {
    return many_steps(with([](v1::LimitOverrides& l) { l.set_stored_bytes_per_execution(20); }), n);
  };
  const auto callback = [&](int64_t n) {
    return callback_result(with([](v1::LimitOverrides& l) { l.set_callback_result_bytes(10); }), n);
  };
  const auto open = [&](int64_t n) {
    const Running running =
        StartRunning(with([](v1::LimitOverrides& l) { l.set_open_executions(3); }));
    std::string last;
    for (int64_t i = 1; i < n; ++i) {
      last = Start([&](v1::StartExecutionRequest& r) { r.set_session(running.session); });
    }
    return last;
  };
  Check({
      {"operation payload", 10, 1, step, "OK",
       Invalid("STEP output payload size must be less than or equal to 10 bytes.")},
      {"chained invoke payload", 10, 1, chained, "OK",
       Invalid("CHAINED_INVOKE input payload size must be less than or equal to 10 bytes.")},
      {"result of an asynchronous run", 10, 1, async, "OK",
       Invalid("Execution output payload size must be less than or equal to 10 bytes.")},
      {"updates", 10, 1, updates, "OK", Invalid("A checkpoint may hold at most 10 updates.")},
      {"operations", 10, 1, operations, "OK", "Execution has more than 10 operations."},
      {"stored bytes", 10, 1, stored, "OK", "Execution stores more than 20 bytes."},
      {"callback result", 10, 1, callback, "OK",
       Invalid("CALLBACK output payload size must be less than or equal to 10 bytes.")},
      {"open executions", 3, 1, open, "OK",
       "RESOURCE_EXHAUSTED TooManyRequestsException: The session has 3 open executions, its limit; "
       "stop some or wait."},
  });
}

TEST_F(LimitsTest, PagesOfStateHoldWhatTheSessionAllows) {
  v1::SessionConfig config;
  config.mutable_limits()->set_state_page_bytes(2500);
  const Running running = StartRunning(config);
  std::vector<v1::OperationUpdate> updates;
  for (int i = 0; i < 4; ++i) {
    updates.push_back(StepUpdate(absl::StrCat("s-", i), v1::OPERATION_ACTION_SUCCEED));
    updates.back().set_payload(Text(1000));
  }
  v1::CheckpointRequest checkpoint = CheckpointOf(running.arn, running.token, updates).checkpoint();
  const auto answer = client().Call(&v1::DurableExecutions::Stub::Checkpoint, checkpoint);
  ASSERT_EQ(TextOf(answer), "OK");
  v1::GetExecutionStateRequest request;
  request.set_durable_execution_arn(running.arn);
  request.set_checkpoint_token(answer->checkpoint_token());
  std::vector<int> sizes;
  do {
    const auto page = client().Call(&v1::DurableExecutions::Stub::GetExecutionState, request);
    ASSERT_EQ(TextOf(page), "OK");
    sizes.push_back(page->operations_size());
    request.set_marker(page->next_marker());
  } while (!request.marker().empty());
  EXPECT_THAT(sizes, ::testing::ElementsAre(3, 2));
}

TEST_F(LimitsTest, ProfileOf2025HasSmallerPayloads) {
  v1::SessionConfig config;
  config.set_limits_profile("aws-2025");
  const auto step = [&](int64_t n) {
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
    update.set_payload(Text(n));
    return Checkpoint(StartRunning(config), {update});
  };
  const auto error = [&](int64_t n) {
    v1::OperationUpdate update = StepUpdate("a", v1::OPERATION_ACTION_FAIL);
    update.mutable_error()->set_error_message(Text(n));
    return Checkpoint(StartRunning(config), {update});
  };
  Check({
      {"step payload", 262144, 1, step, "OK",
       Invalid("STEP output payload size must be less than or equal to 262144 bytes.")},
      {"error", 262144, 1, error, "OK",
       Invalid("STEP error size must be less than or equal to 262144 bytes.")},
  });
}

}  // namespace
}  // namespace rehearse
