// Suite 10: plugins. Their functions are as plain as can be; what counts is what a plugin that
// prints each of its hooks has printed.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/plugin.h"
#include "client/cpp/testing/run_result.h"
#include "tests/conformance/function_host.h"

namespace rehearse::conformance {
namespace {

using ::durable::DurableContext;
using ::durable::InvocationInfo;
using ::durable::InvocationOutput;
using ::durable::Json;
using ::durable::LogField;
using ::durable::Operation;
using ::durable::OperationChangeInfo;
using ::durable::OperationInfo;
using ::durable::OperationType;
using ::durable::StepContext;
using ::durable::StepOptions;
using ::durable::UserFunctionEnd;
using ::durable::UserFunctionInfo;

// The plugin whose hooks throw.
constexpr char kFaulty[] = "CONFPLUGIN-FAULTY";

using Fields = std::vector<LogField>;

// In the order of the enumerators.
constexpr const char* kInvocationStatuses[] = {"SUCCEEDED", "FAILED", "PENDING", "RETRY"};
constexpr const char* kOperationTypes[] = {"EXECUTION", "CONTEXT",  "STEP",
                                           "WAIT",      "CALLBACK", "CHAINED_INVOKE"};
constexpr const char* kOutcomes[] = {"SUCCEEDED", "FAILED", "INCOMPLETE"};

template <size_t kCount, typename Enum>
std::string NameIn(const char* const (&names)[kCount], Enum value) {
  return names[static_cast<size_t>(value)];
}

std::string TextOf(absl::Time time) { return absl::FormatTime(time, absl::UTCTimeZone()); }

// What a record says of an operation; absent members are left out.
Fields FieldsOf(const Operation& operation) {
  Fields fields = {
      {"op", operation.id},
      {"type", NameIn(kOperationTypes, operation.type)},
      {"subType", operation.sub_type},
      {"status", std::string(durable::testing::OperationStatusName(operation.status))}};
  if (!operation.name.empty()) fields.push_back({"name", operation.name});
  if (!operation.parent_id.empty()) fields.push_back({"parent", operation.parent_id});
  if (operation.type == OperationType::kStep) fields.push_back({"attempt", operation.attempt});
  if (operation.start_time) fields.push_back({"startTimestamp", TextOf(*operation.start_time)});
  if (operation.end_time) fields.push_back({"endTimestamp", TextOf(*operation.end_time)});
  if (operation.payload) fields.push_back({"result", *operation.payload});
  if (operation.error) fields.push_back({"error", operation.error->message});
  return fields;
}

Fields FieldsOf(const InvocationInfo& info) {
  Fields fields = {{"first", info.is_first_invocation},
                   {"requestId", info.request_id},
                   {"operationsCount", info.operations->All().size()},
                   {"updatedOperationsCount", info.updated_operations.size()}};
  if (info.execution_start_time) {
    fields.push_back({"executionStartTimestamp", TextOf(*info.execution_start_time)});
  }
  return fields;
}

// `n` is the running attempt.
Fields FieldsOf(const UserFunctionInfo& info) {
  return {{"op", info.operation.id},
          {"type", NameIn(kOperationTypes, info.operation.type)},
          {"subType", info.operation.sub_type},
          {"name", info.operation.name},
          {"parent", info.operation.parent_id},
          {"n", info.attempt},
          {"replay", info.is_replayed},
          {"isReplayingChildren", info.is_replay_children},
          {"startTimestamp", TextOf(info.start_time)}};
}

// Prints a record per hook.
class Recorder final : public durable::Plugin {
 public:
  Recorder(std::string name, std::string arn) : name_(std::move(name)), arn_(std::move(arn)) {}

  void OnInvocationStart(const InvocationInfo& info) override {
    Print("invocation-start", FieldsOf(info));
  }
  void OnInvocationEnd(const InvocationInfo& info, const InvocationOutput& output) override {
    Fields fields = FieldsOf(info);
    fields.push_back({"status", NameIn(kInvocationStatuses, output.status)});
    if (output.error) fields.push_back({"error", output.error->message});
    Print("invocation-end", std::move(fields));
  }

  void OnOperationStart(const OperationInfo& info) override { Print("operation-start", info); }
  void OnOperationEnd(const OperationInfo& info) override { Print("operation-end", info); }

  // One record per changed operation.
  void OnOperationChange(const OperationChangeInfo& info) override {
    for (const auto& operation : info.changed_operations) {
      Fields fields = FieldsOf(*operation);
      fields.push_back({"changedCount", info.changed_operations.size()});
      fields.push_back({"operationsCount", info.operations.All().size()});
      fields.push_back({"inFullMap", info.operations.Find(operation->id) != nullptr});
      Print("operation-change", std::move(fields));
    }
  }

  void OnUserFunctionStart(const UserFunctionInfo& info) override {
    Print(absl::StrCat(HookOf(info), "-start"), FieldsOf(info));
  }
  void OnUserFunctionEnd(const UserFunctionInfo& info, const UserFunctionEnd& end) override {
    Fields fields = FieldsOf(info);
    fields.push_back({"outcome", NameIn(kOutcomes, end.outcome)});
    fields.push_back({"endTimestamp", TextOf(end.end_time)});
    if (end.error) fields.push_back({"error", end.error->message});
    Print(absl::StrCat(HookOf(info), "-end"), std::move(fields));
  }

 private:
  static const char* HookOf(const UserFunctionInfo& info) {
    return info.operation.type == OperationType::kContext ? "function" : "attempt";
  }

  void Print(absl::string_view hook, const OperationInfo& info) const {
    Fields fields = FieldsOf(info.operation);
    fields.push_back({"replay", info.is_replayed});
    Print(hook, std::move(fields));
  }

  void Print(absl::string_view hook, Fields fields) const {
    durable::LogRecord record;
    record.timestamp = absl::Now();
    record.fields = {{"plugin", name_}, {"hook", std::string(hook)}, {"durableExecutionArn", arn_}};
    for (LogField& field : fields) record.fields.push_back(std::move(field));
    sink_(record);
    if (name_ == kFaulty) throw std::runtime_error("every hook of this plugin throws");
  }

  const std::string name_;
  const std::string arn_;
  const durable::LogSink sink_ = durable::JsonLinesSink(stdout);
};

StepOptions NoRetry() { return StepOptions().set_retry(durable::NoRetry()); }

StepOptions TwoAttempts() {
  return StepOptions().set_retry(durable::ExponentialBackoff()
                                     .set_max_attempts(2)
                                     .set_initial_delay(absl::Seconds(1))
                                     .set_jitter(durable::Jitter::kNone)
                                     .Build());
}

absl::StatusOr<std::string> Greet(DurableContext& ctx, const std::string& name) {
  return ctx.Step("greet", [&](StepContext& step) {
    step.logger().Info(absl::StrCat("Greeting step running for: ", name));
    return absl::StrCat("Hello, ", name, "!");
  });
}
DURABLE_FUNCTION("10-1", Greet);
DURABLE_FUNCTION("10-2", Greet);
DURABLE_FUNCTION("10-4", Greet);
DURABLE_FUNCTION("10-5", Greet);
DURABLE_FUNCTION("10-8", Greet);
DURABLE_FUNCTION("10-17", Greet);
DURABLE_FUNCTION("10-20", Greet);
DURABLE_FUNCTION("10-22", Greet);

absl::StatusOr<std::string> SucceedInSecondAttempt(StepContext& step) {
  if (step.attempt() == 1) return durable::MakeError("FlakyError", "not yet");
  return std::string("Operation succeeded");
}

absl::StatusOr<std::string> Retry(DurableContext& ctx, const Json&) {
  return ctx.Step("flaky", SucceedInSecondAttempt, TwoAttempts());
}
DURABLE_FUNCTION("10-3", Retry);
DURABLE_FUNCTION("10-21", Retry);

absl::Status Pause(DurableContext& ctx, const Json&) { return ctx.Wait("pause", absl::Seconds(2)); }
DURABLE_FUNCTION("10-6", Pause);
DURABLE_FUNCTION("10-9", Pause);
DURABLE_FUNCTION("10-10", Pause);
DURABLE_FUNCTION("10-16", Pause);
DURABLE_FUNCTION("10-19", Pause);

absl::Status Boom(StepContext&) { return durable::MakeError("BoomError", "boom"); }

absl::Status Fail(DurableContext& ctx, const Json&) { return ctx.Step("fail", Boom, NoRetry()); }
DURABLE_FUNCTION("10-7", Fail);

absl::StatusOr<std::string> StepInChild(DurableContext& ctx, const std::string& name) {
  return ctx.RunInChildContext("child", [&](DurableContext& child) { return Greet(child, name); });
}
DURABLE_FUNCTION("10-11", StepInChild);

using Branch = durable::Branch<std::string>;

absl::StatusOr<int> RunBranches(DurableContext& ctx, const std::vector<Branch>& branches,
                                const durable::BatchOptions& options = {}) {
  DURABLE_ASSIGN_OR_RETURN(durable::BatchResult<std::string> batch,
                           ctx.Parallel("parallel", branches, options));
  return batch.success_count();
}

absl::StatusOr<std::string> ReturnDone(DurableContext&) { return std::string("done"); }

Branch::Body WaitFor(const std::string& name, absl::Duration duration) {
  return [name, duration](DurableContext& branch) -> absl::StatusOr<std::string> {
    DURABLE_RETURN_IF_ERROR(branch.Wait(name, duration));
    return std::string("waited");
  };
}

absl::StatusOr<int> TwoBranches(DurableContext& ctx, const Json&) {
  return RunBranches(ctx, {{"first", ReturnDone}, {"second", ReturnDone}},
                     durable::BatchOptions().set_max_concurrency(1));
}
DURABLE_FUNCTION("10-12", TwoBranches);

absl::StatusOr<std::string> SecondStepRetried(DurableContext& ctx, const Json&) {
  DURABLE_RETURN_IF_ERROR(
      ctx.Step("a", [](StepContext&) { return std::string("task-a"); }).status());
  return ctx.Step("b", SucceedInSecondAttempt, TwoAttempts());
}
DURABLE_FUNCTION("10-13", SecondStepRetried);

absl::StatusOr<std::string> SecondStepFails(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(std::string a,
                           ctx.Step("a", [](StepContext&) { return std::string("task-a"); }));
  const absl::Status failed = ctx.Step("b", Boom, NoRetry());
  return absl::StrCat(a, ", then ", failed.message());
}
DURABLE_FUNCTION("10-14", SecondStepFails);

absl::Status Exhaust(DurableContext& ctx, const Json&) {
  return ctx.Step("fail", Boom, TwoAttempts());
}
DURABLE_FUNCTION("10-15", Exhaust);

absl::StatusOr<int> ShortAndLong(DurableContext& ctx, const Json&) {
  return RunBranches(ctx, {WaitFor("short", absl::Seconds(2)), WaitFor("long", absl::Seconds(8))});
}
DURABLE_FUNCTION("10-18", ShortAndLong);

absl::StatusOr<int> QuickAndSlow(DurableContext& ctx, const Json&) {
  return RunBranches(ctx, {{"quick", ReturnDone}, {"slow", WaitFor("pause", absl::Seconds(1))}});
}
DURABLE_FUNCTION("10-23", QuickAndSlow);

bool Watch(const std::string& function, const std::vector<std::string>& plugins) {
  return ConfigureFunction(function, [plugins](FunctionSettings& settings) {
    for (const std::string& name : plugins) {
      settings.runtime.plugins.push_back({[name](const InvocationInfo& info) {
                                            return std::make_unique<Recorder>(
                                                name, info.durable_execution_arn);
                                          },
                                          /*exclusive_group=*/""});
    }
  });
}

bool WatchAll() {
  bool watched = Watch("10-4", {kFaulty}) && Watch("10-5", {"CONFPLUGIN-A", "CONFPLUGIN-B"}) &&
                 Watch("10-17", {kFaulty, "CONFPLUGIN"});
  // ConfigureFunction leaves those as they are.
  for (int number = 1; number <= 23; ++number) Watch(absl::StrCat("10-", number), {"CONFPLUGIN"});
  return watched;
}
[[maybe_unused]] const bool watched = WatchAll();

}  // namespace
}  // namespace rehearse::conformance
