// DurableFunctionTestRunner: runs a durable function in a test - on a real service, with waits that
// cost no time.
//
//   TEST(QuickStartTest, Greets) {
//     DurableFunctionTestRunner runner(QuickStart);
//     const auto result = runner.Run("input", absl::Seconds(10));
//     ASSERT_THAT(result, IsOk());
//     EXPECT_THAT(*result, Succeeded());
//   }
//
// The service is part of the program, or, with set_service("host:port"), a running one; tests pass
// both ways. Each runner has a session of its own: functions, executions and clock are apart from
// those of every other runner. Handlers run in the test's process, on threads of the runner.
//
//   DurableFunctionTestRunner runner(Approval);
//   const std::string arn = runner.RunAsync("order-17").value();
//   const std::string id = runner.WaitForCallback(arn, "approval", absl::Seconds(10)).value();
//   ASSERT_THAT(runner.SendCallbackSuccess(id, R"({"approved": true})"), IsOk());
//   const auto result = runner.WaitForResult(arn, absl::Seconds(10));
//
// docs/testing.md is a guide with more examples. All waiting is done by the service. Timeouts of
// the methods are wall time; a method that ran into one says in its error what the run waits for,
// and shows the history so far.
#ifndef REHEARSE_CLIENT_CPP_TESTING_RUNNER_H_
#define REHEARSE_CLIENT_CPP_TESTING_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/plugin.h"
#include "client/cpp/durable/serdes.h"
#include "client/cpp/testing/run_result.h"

namespace durable::testing {

class RunnerOptions {
 public:
  // "host:port" of a running service. Default: empty, the service in this process.
  RunnerOptions& set_service(absl::string_view service) {
    service_ = std::string(service);
    return *this;
  }
  // True: waits, retries and back-offs take no time. False: the wall clock. Default: true.
  RunnerOptions& set_skip_time(bool skip_time) {
    skip_time_ = skip_time;
    return *this;
  }
  // True: callback, heartbeat and execution deadlines are skipped, too, when nothing else is left.
  // Default: false.
  RunnerOptions& set_skip_deadlines(bool skip_deadlines) {
    skip_deadlines_ = skip_deadlines;
    return *this;
  }
  // True: time stands still until AdvanceTime moves it; set_skip_time is of no account then.
  // Default: false.
  RunnerOptions& set_manual_time(bool manual_time) {
    manual_time_ = manual_time;
    return *this;
  }
  // True: an invocation starts only when InvokeNext asks for it. Default: false.
  RunnerOptions& set_stepped(bool stepped) {
    stepped_ = stepped;
    return *this;
  }
  // On the execution's clock, rounded up to seconds; zero: none. Default: none, so that a test may
  // move time as far as it likes.
  RunnerOptions& set_execution_timeout(absl::Duration timeout) {
    execution_timeout_ = timeout;
    return *this;
  }
  // One invocation of any function of this runner, on the wall clock, rounded up to seconds.
  // Default: 900 s.
  RunnerOptions& set_invocation_timeout(absl::Duration timeout) {
    invocation_timeout_ = timeout;
    return *this;
  }
  // Default: "test-function".
  RunnerOptions& set_function_name(absl::string_view name) {
    function_name_ = std::string(name);
    return *this;
  }
  // Default: empty, each run gets a name of its own. A name that is in use starts nothing new: the
  // run with the same input is joined, another input is ALREADY_EXISTS.
  RunnerOptions& set_execution_name(absl::string_view name) {
    execution_name_ = std::string(name);
    return *this;
  }
  // Invocations that may run at the same time; functions registered after the first run have as
  // many again. Default: 4.
  RunnerOptions& set_concurrency(int concurrency) {
    concurrency_ = concurrency;
    return *this;
  }
  // True: a run that succeeded or failed is replayed over its final record before it is handed out.
  // The test fails, with a FAILED_PRECONDITION that names the operation, when the function would
  // start an operation that is not recorded, or does not reach one that is: its code between
  // operations is not deterministic. Code outside of steps runs once more. Default: false.
  RunnerOptions& set_replay_check(bool replay_check) {
    replay_check_ = replay_check;
    return *this;
  }
  // Limits on sizes and counts: "aws" or "aws-2025". Default: empty, the service's own choice.
  RunnerOptions& set_limits_profile(absl::string_view profile) {
    limits_profile_ = std::string(profile);
    return *this;
  }
  // What happens after a failed invocation: "aws" or "python-testing". Default: empty, the
  // service's own choice.
  RunnerOptions& set_failure_policy(absl::string_view policy) {
    failure_policy_ = std::string(policy);
    return *this;
  }
  // What watches the invocations of durable functions. Default: nothing.
  RunnerOptions& set_plugins(std::vector<PluginFactory> plugins) {
    plugins_ = std::move(plugins);
    return *this;
  }
  // Where ctx.logger() writes. Default: nowhere.
  RunnerOptions& set_log_sink(LogSink sink) {
    log_sink_ = std::move(sink);
    return *this;
  }

  const std::string& service() const { return service_; }
  bool skip_time() const { return skip_time_; }
  bool skip_deadlines() const { return skip_deadlines_; }
  bool manual_time() const { return manual_time_; }
  bool stepped() const { return stepped_; }
  absl::Duration execution_timeout() const { return execution_timeout_; }
  absl::Duration invocation_timeout() const { return invocation_timeout_; }
  const std::string& function_name() const { return function_name_; }
  const std::string& execution_name() const { return execution_name_; }
  int concurrency() const { return concurrency_; }
  bool replay_check() const { return replay_check_; }
  const std::vector<PluginFactory>& plugins() const { return plugins_; }
  const std::string& limits_profile() const { return limits_profile_; }
  const std::string& failure_policy() const { return failure_policy_; }
  const LogSink& log_sink() const { return log_sink_; }

 private:
  std::string service_;
  bool skip_time_ = true;
  bool skip_deadlines_ = false;
  bool manual_time_ = false;
  bool stepped_ = false;
  absl::Duration execution_timeout_;
  absl::Duration invocation_timeout_ = absl::Seconds(900);
  std::string function_name_ = "test-function";
  std::string execution_name_;
  int concurrency_ = 4;
  bool replay_check_ = false;
  std::vector<PluginFactory> plugins_;
  std::string limits_profile_;
  std::string failure_policy_;
  LogSink log_sink_ = [](const LogRecord&) {};
};

// Targets of chained invokes that need no code: see RegisterFunction.
struct CannedResult {
  Json result;
};
struct CannedFailure {
  ErrorObject error;
};
// Times out after a second of the execution's clock. It is a deadline: it passes in real time
// unless AdvanceTime or set_skip_deadlines moves it.
struct CannedTimeout {};
struct CannedStop {
  ErrorObject error;
};

namespace internal {

// A function without durable operations: payload in, result or error out.
using PlainFunction = std::function<absl::StatusOr<std::string>(const std::string& payload)>;

// The typed `function`, R(const In&), as a PlainFunction.
template <typename F>
PlainFunction ErasePlain(F function);

// Whether F takes a DurableContext&.
template <typename F>
struct IsDurable : IsDurable<decltype(&F::operator())> {};
template <>
struct IsDurable<Handler> : std::true_type {};
template <typename R, typename First, typename... Rest>
struct IsDurable<R (*)(First, Rest...)> : std::is_same<First, DurableContext&> {};
template <typename R, typename C, typename First, typename... Rest>
struct IsDurable<R (C::*)(First, Rest...)> : std::is_same<First, DurableContext&> {};
template <typename R, typename C, typename First, typename... Rest>
struct IsDurable<R (C::*)(First, Rest...) const> : std::is_same<First, DurableContext&> {};

}  // namespace internal

// Thread-safe. Errors of the service arrive with its code and message.
class DurableFunctionTestRunner {
 public:
  // `handler`: R(DurableContext&, const In&), or a Handler. Connects when the first method is
  // called.
  explicit DurableFunctionTestRunner(Handler handler, RunnerOptions options = {});
  // Closes.
  ~DurableFunctionTestRunner();

  DurableFunctionTestRunner(const DurableFunctionTestRunner&) = delete;
  DurableFunctionTestRunner& operator=(const DurableFunctionTestRunner&) = delete;

  // Starts an execution and waits for its end. An execution that failed is an OK result with that
  // status; an error says that the run itself broke: DEADLINE_EXCEEDED when it was not over after
  // `timeout`.
  absl::StatusOr<RunResult> Run(const Json& input, absl::Duration timeout);

  // Starts an execution and returns its ARN.
  absl::StatusOr<std::string> RunAsync(const Json& input);

  // Waits until the execution is closed and its last invocation has ended.
  absl::StatusOr<RunResult> WaitForResult(absl::string_view durable_execution_arn,
                                          absl::Duration timeout);

  // What is recorded of an execution so far; also for chained ones.
  absl::StatusOr<RunResult> GetResult(absl::string_view durable_execution_arn);

  // Waits until an operation of that name, wherever it is, has one of `statuses`; with none, until
  // there is one. FAILED_PRECONDITION when the execution ends without it.
  absl::StatusOr<OperationView> WaitForOperation(absl::string_view durable_execution_arn,
                                                 absl::string_view name,
                                                 const std::vector<OperationStatus>& statuses,
                                                 absl::Duration timeout);

  // Shows every event from the first on, as it is recorded, until `on_event` returns false or the
  // execution is closed.
  absl::Status Watch(absl::string_view durable_execution_arn,
                     absl::FunctionRef<bool(const Event& event)> on_event, absl::Duration timeout);

  // Waits for an open callback and for the end of the invocation that created it, and returns the
  // callback's id. `name` is that of CreateCallback or WaitForCallback; empty: the newest callback.
  absl::StatusOr<std::string> WaitForCallback(absl::string_view durable_execution_arn,
                                              absl::string_view name, absl::Duration timeout);
  absl::Status SendCallbackSuccess(absl::string_view callback_id, absl::string_view payload);
  absl::Status SendCallbackFailure(absl::string_view callback_id, const ErrorObject& error);
  absl::Status SendCallbackHeartbeat(absl::string_view callback_id);

  // Makes a target for chained invokes: durable, R(DurableContext&, const In&), or plain, R(const
  // In&), with R as for the body of a step. A name that is known gets the new function for later
  // invocations. `execution_timeout` is for durable ones; zero: none. A failure to reach the
  // service shows in the next call of another method.
  template <typename F>
  void RegisterFunction(absl::string_view name, F function,
                        absl::Duration execution_timeout = absl::ZeroDuration()) {
    if constexpr (internal::IsDurable<F>::value) {
      Register(name, Handler(std::move(function)), execution_timeout);
    } else {
      Register(name, internal::ErasePlain(std::move(function)));
    }
  }
  // A target that always ends like this.
  void RegisterFunction(absl::string_view name, CannedResult canned);
  void RegisterFunction(absl::string_view name, CannedFailure canned);
  void RegisterFunction(absl::string_view name, CannedTimeout canned);
  void RegisterFunction(absl::string_view name, CannedStop canned);

  // Moves the time of every execution of this runner; all timers fire, deadlines included, in due
  // order. Returns when all have arrived.
  absl::Status AdvanceTime(absl::Duration duration);
  // Moves each execution to its next timer, deadlines included, if it has one. Returns how many
  // timers fired.
  absl::StatusOr<int64_t> AdvanceToNextTimer();

  // Holds an execution; returns when no invocation of it runs.
  absl::Status Pause(absl::string_view durable_execution_arn, absl::Duration timeout);
  absl::Status Resume(absl::string_view durable_execution_arn);
  absl::Status Stop(absl::string_view durable_execution_arn, const ErrorObject& error);

  // Stepped runners: runs the invocation that is due and returns when it has ended. False: none was
  // due.
  absl::StatusOr<bool> InvokeNext(absl::string_view durable_execution_arn, absl::Duration timeout);

  // Invocations that have started so far, crashed ones included.
  absl::StatusOr<int> InvocationCount(absl::string_view durable_execution_arn);

  // The next time a step of this name is started, the invocation dies while its body runs: to the
  // service, the process is gone. The body itself goes on to its end; its result is lost. Each call
  // is for one crash.
  void CrashNextInvocationAt(absl::string_view step_name);

  // Ends the session, and waits for handlers that still run. Later calls of other methods fail.
  // Calling it again is harmless.
  void Close();

  // Name of the session.
  absl::StatusOr<std::string> session();

 private:
  class Impl;

  void Register(absl::string_view name, Handler handler, absl::Duration execution_timeout);
  void Register(absl::string_view name, internal::PlainFunction function);

  std::unique_ptr<Impl> impl_;
};

namespace internal {

template <typename F>
struct PlainInputOf : PlainInputOf<decltype(&F::operator())> {};
template <typename R, typename In>
struct PlainInputOf<R (*)(In)> {
  using Type = std::decay_t<In>;
};
template <typename R, typename C, typename In>
struct PlainInputOf<R (C::*)(In)> : PlainInputOf<R (*)(In)> {};
template <typename R, typename C, typename In>
struct PlainInputOf<R (C::*)(In) const> : PlainInputOf<R (*)(In)> {};

template <typename F>
PlainFunction ErasePlain(F function) {
  using In = typename PlainInputOf<F>::Type;
  return
      [function = std::move(function)](const std::string& payload) -> absl::StatusOr<std::string> {
        const durable::internal::AnySerdes none;
        const SerdesContext context;
        durable::internal::TypedSlot<In> input(none);
        absl::Status status = durable::internal::Decode(input, payload, context);
        if (!status.ok()) return status;
        durable::internal::TypedSlot<durable::internal::ValueOf<const F, const In&>> result(none);
        status = result.Capture(function, input.get());
        if (!status.ok()) return status;
        return durable::internal::Encode(result, context);
      };
}

}  // namespace internal
}  // namespace durable::testing

#endif  // REHEARSE_CLIENT_CPP_TESTING_RUNNER_H_
