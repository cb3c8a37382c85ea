// What plugins are told, and when: the requirements of the plugin suite, one test each in their
// order, then the rules about threads and about what plugins may do.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// One hook that was called. Only the members that the hook gives are set.
struct HookRecord {
  std::string hook;
  std::string plugin;
  std::thread::id thread;
  std::string name;
  OperationType type = OperationType::kStep;
  std::string sub_type;
  std::string id;
  std::string parent_id;
  OperationStatus status = OperationStatus::kStarted;
  absl::optional<std::string> result;
  absl::optional<ErrorObject> error;
  absl::optional<absl::Time> start_time;
  absl::optional<absl::Time> end_time;
  int attempt = 0;
  bool is_replayed = false;
  bool is_replay_children = false;
  UserFunctionEnd::Outcome outcome = UserFunctionEnd::Outcome::kSucceeded;
  InvocationInfo invocation;
  size_t operations = 0;
  InvocationOutput output;
  std::vector<std::string> changed;
};

// What happened, in order; hooks of several plugins and threads and lines of the durable code.
class Journal {
 public:
  void Add(HookRecord record) {
    record.thread = std::this_thread::get_id();
    absl::MutexLock lock(&mutex_);
    records_.push_back(std::move(record));
  }
  void Add(absl::string_view line) {
    HookRecord record;
    record.hook = std::string(line);
    Add(std::move(record));
  }
  std::vector<HookRecord> All() const {
    absl::MutexLock lock(&mutex_);
    return records_;
  }
  // Those of one hook, of operations with that name unless it is empty.
  std::vector<HookRecord> Of(absl::string_view hook, absl::string_view name = "") const {
    std::vector<HookRecord> found;
    for (HookRecord& record : All()) {
      const bool matches = record.hook == hook && (name.empty() || record.name == name);
      if (matches) found.push_back(std::move(record));
    }
    return found;
  }
  // All as "hook name", without the hooks of changes, which have no place in the order.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const HookRecord& record : All()) {
      if (record.hook == "change") continue;
      lines.push_back(record.name.empty() ? record.hook
                                          : absl::StrCat(record.hook, " ", record.name));
    }
    return lines;
  }
  void Clear() {
    absl::MutexLock lock(&mutex_);
    records_.clear();
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<HookRecord> records_ ABSL_GUARDED_BY(mutex_);
};

HookRecord RecordOf(absl::string_view hook, const Operation& operation) {
  HookRecord record;
  record.hook = std::string(hook);
  record.name = operation.name;
  record.type = operation.type;
  record.sub_type = operation.sub_type;
  record.id = operation.id;
  record.parent_id = operation.parent_id;
  record.status = operation.status;
  record.result = operation.payload;
  record.error = operation.error;
  record.start_time = operation.start_time;
  record.end_time = operation.end_time;
  record.attempt = operation.attempt;
  return record;
}

// Writes every hook into a journal.
class Recorder : public Plugin {
 public:
  explicit Recorder(Journal& journal, std::string name = "")
      : journal_(journal), name_(std::move(name)) {}

  void OnInvocationStart(const InvocationInfo& info) override {
    Add(Invocation("invocation start", info));
  }
  void OnInvocationEnd(const InvocationInfo& info, const InvocationOutput& output) override {
    HookRecord record = Invocation("invocation end", info);
    record.output = output;
    Add(std::move(record));
  }
  void OnOperationStart(const OperationInfo& info) override {
    HookRecord record = RecordOf("start", info.operation);
    record.is_replayed = info.is_replayed;
    Add(std::move(record));
  }
  void OnOperationEnd(const OperationInfo& info) override {
    HookRecord record = RecordOf("end", info.operation);
    record.is_replayed = info.is_replayed;
    Add(std::move(record));
  }
  void OnOperationChange(const OperationChangeInfo& info) override {
    for (const auto& operation : info.changed_operations) {
      HookRecord record = RecordOf("change", *operation);
      record.invocation.durable_execution_arn = info.durable_execution_arn;
      record.operations = info.operations.All().size();
      EXPECT_NE(info.operations.Find(operation->id), nullptr);
      Add(std::move(record));
    }
  }
  void OnUserFunctionStart(const UserFunctionInfo& info) override {
    Add(UserFunction("user function start", info));
  }
  void OnUserFunctionEnd(const UserFunctionInfo& info, const UserFunctionEnd& end) override {
    HookRecord record = UserFunction("user function end", info);
    record.outcome = end.outcome;
    record.error = end.error;
    record.end_time = end.end_time;
    Add(std::move(record));
  }

 private:
  static HookRecord Invocation(absl::string_view hook, const InvocationInfo& info) {
    HookRecord record;
    record.hook = std::string(hook);
    record.invocation = info;
    record.operations = info.operations->All().size();
    return record;
  }
  static HookRecord UserFunction(absl::string_view hook, const UserFunctionInfo& info) {
    HookRecord record = RecordOf(hook, info.operation);
    record.attempt = info.attempt;
    record.is_replayed = info.is_replayed;
    record.is_replay_children = info.is_replay_children;
    record.start_time = info.start_time;
    return record;
  }
  void Add(HookRecord record) {
    record.plugin = name_;
    journal_.Add(std::move(record));
  }

  Journal& journal_;
  const std::string name_;
};

class PluginTest : public ::testing::Test {
 protected:
  PluginTest() { service_.options().plugins = {Recording()}; }

  PluginFactory Recording(const std::string& name = "") {
    return {
        [this, name](const InvocationInfo&) { return std::make_unique<Recorder>(journal_, name); },
        ""};
  }

  FakeService service_;
  Journal journal_;
};

// Durable functions of the suite.

std::string Greeting(StepContext&) { return "hello"; }

absl::StatusOr<std::string> Greet(DurableContext& ctx, const Json&) {
  return ctx.Step("greet", Greeting);
}

absl::Status Pause(DurableContext& ctx, const Json&) { return ctx.Wait("pause", absl::Seconds(2)); }

absl::StatusOr<std::string> FailsFirst(StepContext& step) {
  if (step.attempt() == 1) return MakeError("TransientError", "boom");
  return "done";
}

StepOptions RetryOnce() {
  return StepOptions().set_retry([](const ErrorInfo&, int attempt) {
    return RetryDecision{attempt < 2, absl::Seconds(1)};
  });
}

absl::StatusOr<std::string> Flaky(DurableContext& ctx, const Json&) {
  return ctx.Step("flaky", FailsFirst, RetryOnce());
}

absl::StatusOr<std::string> Boom(StepContext&) { return MakeError("TransientError", "boom"); }

absl::StatusOr<std::string> Fails(DurableContext& ctx, const Json&) {
  return ctx.Step("fails", Boom, StepOptions().set_retry(NoRetry()));
}

// 10-1
TEST_F(PluginTest, InvocationHooksSurroundTheHandler) {
  service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.Step("greet", [&](StepContext&) { journal_.Add("body"); });
  });
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "start greet", "user function start greet", "body",
                          "user function end greet", "end greet", "invocation end"));
  EXPECT_TRUE(journal_.Of("invocation start")[0].invocation.is_first_invocation);
  EXPECT_EQ(journal_.Of("invocation end")[0].output.status, InvocationStatus::kSucceeded);
}

// 10-2
TEST_F(PluginTest, OperationStartsAndEndsOnceUnderItsRecordedId) {
  service_.Run(Greet);
  ASSERT_THAT(journal_.Of("start"), SizeIs(1));
  ASSERT_THAT(journal_.Of("end"), SizeIs(1));
  EXPECT_EQ(journal_.Of("start")[0].id, OperationId("1"));
  EXPECT_EQ(journal_.Of("end")[0].id, OperationId("1"));
  EXPECT_EQ(journal_.Of("end")[0].status, OperationStatus::kSucceeded);
}

// 10-3
TEST_F(PluginTest, EveryAttemptStartsAndEnds) {
  service_.Run(Flaky);
  service_.CompleteTimers();
  service_.Run(Flaky);
  const std::vector<HookRecord> starts = journal_.Of("user function start");
  const std::vector<HookRecord> ends = journal_.Of("user function end");
  ASSERT_THAT(starts, SizeIs(2));
  ASSERT_THAT(ends, SizeIs(2));
  EXPECT_EQ(starts[0].attempt, 1);
  EXPECT_EQ(ends[0].attempt, 1);
  EXPECT_EQ(ends[0].outcome, UserFunctionEnd::Outcome::kFailed);
  EXPECT_EQ(starts[1].attempt, 2);
  EXPECT_EQ(ends[1].attempt, 2);
  EXPECT_EQ(ends[1].outcome, UserFunctionEnd::Outcome::kSucceeded);
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "start flaky", "user function start flaky",
                          "user function end flaky", "invocation end", "invocation start",
                          "start flaky", "user function start flaky", "user function end flaky",
                          "end flaky", "invocation end"));
}

// Throws from every hook, after it has recorded it.
class Throwing final : public Recorder {
 public:
  using Recorder::Recorder;
  void OnInvocationStart(const InvocationInfo& info) override {
    Recorder::OnInvocationStart(info);
    throw std::runtime_error("invocation start");
  }
  void OnInvocationEnd(const InvocationInfo& info, const InvocationOutput& output) override {
    Recorder::OnInvocationEnd(info, output);
    throw std::runtime_error("invocation end");
  }
  void OnOperationStart(const OperationInfo& info) override {
    Recorder::OnOperationStart(info);
    throw std::runtime_error("start");
  }
  void OnOperationEnd(const OperationInfo& info) override {
    Recorder::OnOperationEnd(info);
    throw 1;
  }
  void OnOperationChange(const OperationChangeInfo& info) override {
    Recorder::OnOperationChange(info);
    throw std::runtime_error("change");
  }
  void OnUserFunctionStart(const UserFunctionInfo& info) override {
    Recorder::OnUserFunctionStart(info);
    throw std::runtime_error("user function start");
  }
  void OnUserFunctionEnd(const UserFunctionInfo& info, const UserFunctionEnd& end) override {
    Recorder::OnUserFunctionEnd(info, end);
    throw std::runtime_error("user function end");
  }
};

PluginFactory FactoryOfThrowing(Journal& journal, const std::string& name) {
  return {
      [&journal, name](const InvocationInfo&) { return std::make_unique<Throwing>(journal, name); },
      ""};
}

// 10-4
TEST_F(PluginTest, HooksThatThrowChangeNothing) {
  service_.options().plugins = {FactoryOfThrowing(journal_, "")};
  EXPECT_EQ(service_.Run(Greet).result, "\"hello\"");
  for (const char* hook : {"invocation start", "invocation end", "start", "end",
                           "user function start", "user function end"}) {
    EXPECT_THAT(journal_.Of(hook), SizeIs(1)) << hook;
  }
  EXPECT_THAT(journal_.Of("change"), Not(IsEmpty()));
  EXPECT_THAT(service_.DiagnosticMessages(),
              AllOf(Contains("a plugin's OnInvocationStart threw: invocation start"),
                    Contains("a plugin's OnOperationEnd threw: an object that is no "
                             "std::exception")));
}

// 10-5
TEST_F(PluginTest, PluginsAreCalledInTheirOrder) {
  service_.options().plugins = {Recording("first"), Recording("second")};
  service_.Run(Greet);
  for (const char* hook : {"invocation start", "invocation end", "start", "end",
                           "user function start", "user function end"}) {
    const std::vector<HookRecord> records = journal_.Of(hook);
    ASSERT_THAT(records, SizeIs(2)) << hook;
    EXPECT_EQ(records[0].plugin, "first") << hook;
    EXPECT_EQ(records[1].plugin, "second") << hook;
  }
}

// 10-6
TEST_F(PluginTest, OnlyTheFirstInvocationIsTheFirst) {
  service_.Run(Pause);
  service_.CompleteTimers();
  service_.Run(Pause);
  const std::vector<HookRecord> starts = journal_.Of("invocation start");
  ASSERT_THAT(starts, SizeIs(2));
  EXPECT_TRUE(starts[0].invocation.is_first_invocation);
  EXPECT_FALSE(starts[1].invocation.is_first_invocation);
  EXPECT_EQ(journal_.Of("invocation end")[1].output.status, InvocationStatus::kSucceeded);
}

// 10-7
TEST_F(PluginTest, InvocationEndTellsOfTheFailure) {
  service_.Run(Fails);
  ASSERT_THAT(journal_.Of("invocation end"), SizeIs(1));
  const InvocationOutput output = journal_.Of("invocation end")[0].output;
  EXPECT_EQ(output.status, InvocationStatus::kFailed);
  EXPECT_EQ(output.error->message, "boom");
}

// 10-8
TEST_F(PluginTest, ChangesAreToldOnce) {
  service_.Run(Greet);
  int succeeded = 0;
  for (const HookRecord& record : journal_.Of("change", "greet")) {
    if (record.status == OperationStatus::kSucceeded) ++succeeded;
  }
  EXPECT_EQ(succeeded, 1);
}

// 10-9, 10-10
TEST_F(PluginTest, WaitThatTheServiceEndedEndsOnceInTheNextInvocation) {
  service_.Run(Pause);
  ASSERT_THAT(journal_.Of("start"), SizeIs(1));
  EXPECT_EQ(journal_.Of("start")[0].type, OperationType::kWait);
  EXPECT_THAT(journal_.Of("end"), IsEmpty());
  service_.CompleteTimers();
  journal_.Clear();
  const Handler waits_twice = [](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(2)));
    return ctx.Wait("again", absl::Seconds(2));
  };
  service_.Run(waits_twice);
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "end pause", "start again", "invocation end"));
  EXPECT_EQ(journal_.Of("end")[0].status, OperationStatus::kSucceeded);
  EXPECT_FALSE(journal_.Of("end")[0].is_replayed);
  service_.CompleteTimers();
  journal_.Clear();
  service_.Run(waits_twice);
  EXPECT_THAT(journal_.Lines(), ElementsAre("invocation start", "end again", "invocation end"));
}

// 10-11
TEST_F(PluginTest, EndsCarryTheParentAndInnerOnesComeFirst) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext("outer", [](DurableContext& child) {
      return child.Step("inner", [](StepContext&) { return 1; });
    });
  });
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "start outer", "user function start outer",
                          "start inner", "user function start inner", "user function end inner",
                          "end inner", "user function end outer", "end outer", "invocation end"));
  EXPECT_EQ(journal_.Of("end", "inner")[0].parent_id, OperationId("1"));
  EXPECT_EQ(journal_.Of("end", "outer")[0].parent_id, "");
}

// 10-13
TEST_F(PluginTest, EndedOperationsAreNotToldAgainAndPendingOnesAreReplayed) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    DURABLE_RETURN_IF_ERROR(ctx.Step("a", [](StepContext&) {}));
    return ctx.Step("b", FailsFirst, RetryOnce());
  };
  service_.Run(handler);
  EXPECT_THAT(journal_.Of("end", "b"), IsEmpty());
  journal_.Clear();
  service_.CompleteTimers();
  service_.Run(handler);
  EXPECT_THAT(journal_.Lines(), ElementsAre("invocation start", "start b", "user function start b",
                                            "user function end b", "end b", "invocation end"));
  EXPECT_TRUE(journal_.Of("start", "b")[0].is_replayed);
  EXPECT_EQ(journal_.Of("end", "b")[0].status, OperationStatus::kSucceeded);
}

// 10-14
TEST_F(PluginTest, EndCarriesTheRecordedResultOrError) {
  service_.Run([](DurableContext& ctx, const Json&) -> absl::StatusOr<std::string> {
    DURABLE_RETURN_IF_ERROR(
        ctx.Step("a", [](StepContext&) { return std::string("task-a"); }).status());
    return ctx.Step("b", Boom, StepOptions().set_retry(NoRetry()));
  });
  EXPECT_EQ(journal_.Of("end", "a")[0].result, "\"task-a\"");
  EXPECT_EQ(journal_.Of("end", "b")[0].error->message, "boom");
}

// 10-15
TEST_F(PluginTest, ExhaustedRetriesEndOnce) {
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.Step("b", Boom, RetryOnce());
  };
  service_.Run(handler);
  service_.CompleteTimers();
  service_.Run(handler);
  ASSERT_THAT(journal_.Of("end"), SizeIs(1));
  EXPECT_EQ(journal_.Of("end")[0].status, OperationStatus::kFailed);
  EXPECT_EQ(journal_.Of("end")[0].attempt, 2);
}

// 10-16
TEST_F(PluginTest, SuspendedInvocationEndsPending) {
  service_.Run(Pause);
  service_.CompleteTimers();
  service_.Run(Pause);
  EXPECT_EQ(journal_.Of("invocation end")[0].output.status, InvocationStatus::kPending);
  EXPECT_EQ(journal_.Of("invocation end")[1].output.status, InvocationStatus::kSucceeded);
}

// 10-17
TEST_F(PluginTest, FaultyPluginDoesNotTouchTheNextOne) {
  service_.options().plugins = {FactoryOfThrowing(journal_, "faulty"), Recording("healthy")};
  service_.Run(Greet);
  for (const char* hook : {"invocation start", "invocation end", "start", "end",
                           "user function start", "user function end"}) {
    EXPECT_THAT(journal_.Of(hook), SizeIs(2)) << hook;
  }
}

// 10-19
TEST_F(PluginTest, InvocationInfoIsComplete) {
  service_.Run(Pause);
  service_.CompleteTimers();
  service_.Run(Pause);
  for (const char* hook : {"invocation start", "invocation end"}) {
    const std::vector<HookRecord> records = journal_.Of(hook);
    ASSERT_THAT(records, SizeIs(2));
    for (const HookRecord& record : records) {
      EXPECT_EQ(record.invocation.request_id, "request-1");
      EXPECT_EQ(record.invocation.durable_execution_arn, FakeService::kArn);
      EXPECT_EQ(record.invocation.execution_start_time, FakeService::Now());
      EXPECT_EQ(record.invocation.input, "null");
      EXPECT_FALSE(record.output.error.has_value());
    }
    EXPECT_THAT(records[0].invocation.updated_operations, IsEmpty());
    ASSERT_THAT(records[1].invocation.updated_operations, SizeIs(1));
    EXPECT_EQ(records[1].invocation.updated_operations[0]->name, "pause");
  }
  EXPECT_EQ(journal_.Of("invocation start")[0].operations, 1u);
  EXPECT_EQ(journal_.Of("invocation end")[0].operations, 2u);
}

// 10-20
TEST_F(PluginTest, OperationInfoIsComplete) {
  service_.Run(Greet);
  const HookRecord start = journal_.Of("start")[0];
  EXPECT_EQ(start.name, "greet");
  EXPECT_EQ(start.type, OperationType::kStep);
  EXPECT_EQ(start.sub_type, "Step");
  EXPECT_EQ(start.status, OperationStatus::kStarted);
  EXPECT_EQ(start.start_time, absl::nullopt);
  EXPECT_FALSE(start.is_replayed);
  const HookRecord end = journal_.Of("end")[0];
  EXPECT_EQ(end.status, OperationStatus::kSucceeded);
  EXPECT_EQ(end.attempt, 1);
  EXPECT_EQ(end.start_time, FakeService::Now());
  EXPECT_EQ(end.end_time, FakeService::Now());
  EXPECT_FALSE(end.error.has_value());
  EXPECT_FALSE(end.is_replayed);
}

// 10-21
TEST_F(PluginTest, AttemptInfoIsComplete) {
  service_.Run(Flaky);
  const HookRecord start = journal_.Of("user function start")[0];
  EXPECT_EQ(start.id, OperationId("1"));
  EXPECT_EQ(start.name, "flaky");
  EXPECT_EQ(start.type, OperationType::kStep);
  EXPECT_FALSE(start.is_replayed);
  const HookRecord end = journal_.Of("user function end")[0];
  EXPECT_EQ(end.error->type, "TransientError");
  EXPECT_EQ(end.error->message, "boom");
  EXPECT_EQ(end.start_time, start.start_time);
  EXPECT_GE(*end.end_time, *start.start_time);
  service_.CompleteTimers();
  service_.Run(Flaky);
  EXPECT_TRUE(journal_.Of("user function start")[1].is_replayed);
}

// 10-22
TEST_F(PluginTest, ChangeInfoIsComplete) {
  service_.Run(Greet);
  const HookRecord change = journal_.Of("change", "greet").back();
  EXPECT_EQ(change.invocation.durable_execution_arn, FakeService::kArn);
  EXPECT_EQ(change.operations, 2u);
  EXPECT_EQ(change.status, OperationStatus::kSucceeded);
  EXPECT_EQ(change.attempt, 1);
  EXPECT_EQ(change.start_time, FakeService::Now());
  EXPECT_EQ(change.end_time, FakeService::Now());
}

// 10-12
TEST_F(PluginTest, BranchesHaveTheParallelAsParent) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx
        .Parallel<int>(
            "both",
            {{"a", [](DurableContext&) { return 1; }}, {"b", [](DurableContext&) { return 2; }}},
            BatchOptions().set_max_concurrency(1))
        .status();
  });
  for (const char* branch : {"a", "b"}) {
    for (const char* hook : {"user function start", "user function end", "end"}) {
      ASSERT_THAT(journal_.Of(hook, branch), SizeIs(1)) << hook;
      EXPECT_EQ(journal_.Of(hook, branch)[0].parent_id, OperationId("1"));
    }
  }
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "start both", "user function start both", "start a",
                          "user function start a", "user function end a", "end a", "start b",
                          "user function start b", "user function end b", "end b",
                          "user function end both", "end both", "invocation end"));
}

// 10-18, 10-23
TEST_F(PluginTest, BranchThatStillWaitsIsMetAgainAndTheOtherIsNot) {
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx
        .Parallel<absl::monostate>(
            "both", {{"x",
                      [](DurableContext& branch) -> absl::StatusOr<absl::monostate> {
                        DURABLE_RETURN_IF_ERROR(branch.Wait("short", absl::Seconds(2)));
                        return absl::monostate();
                      }},
                     {"y",
                      [](DurableContext& branch) -> absl::StatusOr<absl::monostate> {
                        DURABLE_RETURN_IF_ERROR(branch.Wait("long", absl::Seconds(8)));
                        return absl::monostate();
                      }}})
        .status();
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  for (const char* hook : {"start", "user function start"}) {
    for (const char* name : {"both", "x", "y"}) {
      ASSERT_THAT(journal_.Of(hook, name), SizeIs(1)) << hook << name;
      EXPECT_FALSE(journal_.Of(hook, name)[0].is_replayed);
      EXPECT_FALSE(journal_.Of(hook, name)[0].is_replay_children);
    }
  }
  EXPECT_EQ(journal_.Of("start", "both")[0].sub_type, "Parallel");
  EXPECT_EQ(journal_.Of("start", "x")[0].sub_type, "ParallelBranch");
  journal_.Clear();
  service_.End("1-1-1", OperationStatus::kSucceeded, absl::nullopt);
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  ASSERT_THAT(journal_.Of("start", "long"), SizeIs(1));
  EXPECT_TRUE(journal_.Of("start", "long")[0].is_replayed);
  EXPECT_THAT(journal_.Of("start", "short"), IsEmpty());
  EXPECT_THAT(journal_.Of("end", "short"), SizeIs(1));
  EXPECT_THAT(journal_.Of("end", "x"), SizeIs(1));
  EXPECT_THAT(journal_.Of("user function start", "y"), SizeIs(1));
  journal_.Clear();
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kSucceeded);
  for (const char* name : {"short", "x"}) EXPECT_THAT(journal_.Of("end", name), IsEmpty());
  for (const char* name : {"long", "y", "both"}) EXPECT_THAT(journal_.Of("end", name), SizeIs(1));
}

// Bodies that do not come to their end.

TEST_F(PluginTest, SuspendedBodyIsIncomplete) {
  for (const bool swallow : {false, true}) {
    FakeService service;
    Journal journal;
    service.options().plugins = {
        {[&](const InvocationInfo&) { return std::make_unique<Recorder>(journal); }, ""}};
    service.Run([&](DurableContext& ctx, const Json&) {
      return ctx.RunInChildContext("outer", [&](DurableContext& child) {
        try {
          return child.Wait("pause", absl::Seconds(1));
        } catch (...) {
          if (!swallow) throw;
          return absl::OkStatus();
        }
      });
    });
    ASSERT_THAT(journal.Of("user function end", "outer"), SizeIs(1));
    EXPECT_EQ(journal.Of("user function end", "outer")[0].outcome,
              UserFunctionEnd::Outcome::kIncomplete);
    EXPECT_THAT(journal.Of("end"), IsEmpty());
  }
}

TEST_F(PluginTest, BodyOfAFailedInvocationIsIncomplete) {
  service_.Run([&](DurableContext& ctx, const Json&) {
    return ctx.Step("outer", [&](StepContext&) {
      try {
        (void)ctx.Wait("misused", absl::Seconds(1));
      } catch (...) {
      }
    });
  });
  EXPECT_EQ(journal_.Of("user function end")[0].outcome, UserFunctionEnd::Outcome::kIncomplete);
  EXPECT_THAT(journal_.Of("end"), IsEmpty());
}

// Operations that are met again.

TEST_F(PluginTest, OpenOperationIsStartedAsReplayed) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::Status {
    return ctx.RunInChildContext("outer", [](DurableContext& child) {
      return child.WaitForCallback("answer", [](absl::string_view, StepContext&) {}).status();
    });
  };
  service_.Run(handler);
  journal_.Clear();
  service_.Run(handler);
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "start outer", "user function start outer",
                          "start answer", "user function start answer", "start answer-callback",
                          "user function end answer", "user function end outer", "invocation end"));
  for (const HookRecord& record : journal_.Of("start")) EXPECT_TRUE(record.is_replayed);
  service_.End("1-1-1", OperationStatus::kSucceeded, "text");
  journal_.Clear();
  service_.Run(handler);
  EXPECT_THAT(
      journal_.Lines(),
      ElementsAre("invocation start", "start outer", "user function start outer", "start answer",
                  "user function start answer", "end answer-callback", "user function end answer",
                  "end answer", "user function end outer", "end outer", "invocation end"));
}

TEST_F(PluginTest, InterruptedStepIsStartedAsReplayed) {
  service_.Put(Record("1", OperationType::kStep, "Step", "greet", OperationStatus::kStarted));
  service_.Run(Greet);
  ASSERT_THAT(journal_.Of("start"), SizeIs(1));
  EXPECT_TRUE(journal_.Of("start")[0].is_replayed);
}

TEST_F(PluginTest, AnsweredCallbackEndsWhenReplayReachesIt) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(ctx.CreateCallback("unread").status());
    return ctx.Wait("pause", absl::Seconds(1));
  };
  service_.Run(handler);
  service_.End("1", OperationStatus::kSucceeded, "text");
  journal_.Clear();
  service_.Run(handler);
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "end unread", "start pause", "invocation end"));
  journal_.Clear();
  service_.CompleteTimers();
  service_.Run(handler);
  EXPECT_THAT(journal_.Of("end", "unread"), IsEmpty());
}

TEST_F(PluginTest, OperationsThatTheCodeDoesNotReachEndBeforeTheInvocation) {
  Operation context =
      Record("9", OperationType::kContext, "RunInChildContext", "gone", OperationStatus::kStarted);
  Operation wait = Record("9-1", OperationType::kWait, "Wait", "inner", OperationStatus::kStarted);
  service_.Put(context);
  service_.Put(wait);
  service_.End("9", OperationStatus::kSucceeded, "null");
  service_.CompleteTimers();
  service_.Run([](DurableContext&, const Json&) {});
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "end inner", "end gone", "invocation end"));
}

// Contexts without a record.

TEST_F(PluginTest, VirtualContextStartsAndEnds) {
  const auto run = [](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "virtual", [](DurableContext& child) { return child.Step("inner", Greeting); },
        ChildOptions().set_virtual(true));
  };
  service_.Run(run);
  EXPECT_THAT(
      journal_.Lines(),
      ElementsAre("invocation start", "start virtual", "user function start virtual", "start inner",
                  "user function start inner", "user function end inner", "end inner",
                  "user function end virtual", "end virtual", "invocation end"));
  const HookRecord end = journal_.Of("end", "virtual")[0];
  EXPECT_EQ(end.status, OperationStatus::kSucceeded);
  EXPECT_EQ(end.result, "\"hello\"");
  EXPECT_FALSE(end.is_replayed);
}

TEST_F(PluginTest, VirtualContextEndsWithItsError) {
  service_.Run([](DurableContext& ctx, const Json&) {
    return ctx.RunInChildContext(
        "virtual", [](DurableContext&) { return MakeError("Bad", "bad"); },
        ChildOptions().set_virtual(true));
  });
  const HookRecord end = journal_.Of("end", "virtual")[0];
  EXPECT_EQ(end.status, OperationStatus::kFailed);
  EXPECT_EQ(end.error->type, "Bad");
}

TEST_F(PluginTest, ContextThatReplaysItsChildrenEndsAsReplayed) {
  const Handler handler = [](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(ctx.RunInChildContext("large",
                                                  [](DurableContext& child) {
                                                    (void)child.Step("inner", Greeting);
                                                    return std::string(300 * 1024, 'x');
                                                  })
                                .status());
    return ctx.Wait("pause", absl::Seconds(1));
  };
  service_.Run(handler);
  ASSERT_THAT(journal_.Of("end", "large"), SizeIs(1));
  EXPECT_FALSE(journal_.Of("end", "large")[0].is_replayed);
  service_.CompleteTimers();
  journal_.Clear();
  service_.Run(handler);
  EXPECT_THAT(journal_.Lines(),
              ElementsAre("invocation start", "user function start large",
                          "user function end large", "end large", "end pause", "invocation end"));
  EXPECT_TRUE(journal_.Of("user function start", "large")[0].is_replay_children);
  EXPECT_TRUE(journal_.Of("end", "large")[0].is_replayed);
}

// Updates that are not sent.

TEST_F(PluginTest, WithdrawnTokenStillEndsWhatTheServiceRecorded) {
  bool inside = false;
  service_.set_checkpoint_fault(
      [&](const CheckpointRequest& request) -> absl::optional<absl::StatusOr<CheckpointResponse>> {
        if (std::exchange(inside, true)) return absl::nullopt;
        absl::StatusOr<CheckpointResponse> response = service_.Checkpoint(request);
        response->checkpoint_token.clear();
        return response;
      });
  EXPECT_EQ(service_.Run(Greet).status, InvocationStatus::kPending);
  EXPECT_THAT(journal_.Of("end", "greet"), SizeIs(1));
  EXPECT_EQ(journal_.Of("invocation end")[0].output.status, InvocationStatus::kPending);
}

TEST_F(PluginTest, FailedCheckpointEndsNothing) {
  service_.set_checkpoint_fault([](const CheckpointRequest&) {
    return absl::make_optional<absl::StatusOr<CheckpointResponse>>(absl::UnavailableError("away"));
  });
  EXPECT_EQ(service_.Run(Greet).status, InvocationStatus::kRetry);
  EXPECT_THAT(journal_.Of("end"), IsEmpty());
  EXPECT_EQ(journal_.Of("invocation end")[0].output.status, InvocationStatus::kRetry);
}

// Factories.

TEST_F(PluginTest, FactoryMakesAPluginPerInvocation) {
  int made = 0;
  service_.options().plugins = {{[&](const InvocationInfo& info) {
                                   ++made;
                                   EXPECT_EQ(info.request_id, "request-1");
                                   EXPECT_THAT(journal_.All(), IsEmpty());
                                   return std::make_unique<Recorder>(journal_);
                                 },
                                 ""}};
  service_.Run(Pause);
  journal_.Clear();
  service_.CompleteTimers();
  service_.Run(Pause);
  EXPECT_EQ(made, 2);
}

TEST_F(PluginTest, FactoryThatFailsIsSkipped) {
  service_.options().plugins = {
      {[](const InvocationInfo&) -> std::unique_ptr<Plugin> { throw std::runtime_error("no"); },
       ""},
      {[](const InvocationInfo&) { return nullptr; }, ""},
      Recording("healthy")};
  EXPECT_EQ(service_.Run(Greet).result, "\"hello\"");
  EXPECT_THAT(journal_.Of("start"), SizeIs(1));
  EXPECT_THAT(service_.DiagnosticMessages(), ElementsAre("a plugin's factory threw: no"));
}

// Threads.

TEST_F(PluginTest, HooksRunOnTheThreadOfTheHandlerButForChanges) {
  service_.Run(Greet);
  for (const HookRecord& record : journal_.All()) {
    EXPECT_EQ(record.thread == std::this_thread::get_id(), record.hook != "change");
  }
}

// Holds the first change back until it is told to go on.
class SlowAtChanges final : public Recorder {
 public:
  SlowAtChanges(Journal& journal, absl::Notification& entered, absl::Notification& go_on)
      : Recorder(journal), entered_(entered), go_on_(go_on) {}
  void OnOperationChange(const OperationChangeInfo& info) override {
    if (!entered_.HasBeenNotified()) entered_.Notify();
    go_on_.WaitForNotification();
    Recorder::OnOperationChange(info);
    EXPECT_THAT(info.changed_operations, SizeIs(std::exchange(first_, false) ? 1 : 2));
  }

 private:
  absl::Notification& entered_;
  absl::Notification& go_on_;
  bool first_ = true;
};

TEST_F(PluginTest, SlowChangeHookDelaysNoCheckpointAndGetsTheRestAsOne) {
  absl::Notification entered;
  absl::Notification go_on;
  service_.options().plugins = {{[&](const InvocationInfo&) {
                                   return std::make_unique<SlowAtChanges>(journal_, entered, go_on);
                                 },
                                 ""}};
  service_.Run([&](DurableContext& ctx, const Json&) -> absl::Status {
    DURABLE_RETURN_IF_ERROR(ctx.Step("one", [](StepContext&) {}));
    entered.WaitForNotification();
    DURABLE_RETURN_IF_ERROR(ctx.Step("two", [](StepContext&) {}));
    DURABLE_RETURN_IF_ERROR(ctx.Step("three", [](StepContext&) {}));
    go_on.Notify();
    return absl::OkStatus();
  });
  std::vector<std::string> changed;
  for (const HookRecord& record : journal_.Of("change")) changed.push_back(record.name);
  EXPECT_THAT(changed, ElementsAre("one", "two", "three"));
  EXPECT_EQ(journal_.All().back().hook, "invocation end");
}

// Trace headers.

class Tracing final : public Plugin {
 public:
  explicit Tracing(std::string header) : header_(std::move(header)) {}
  PropagationMetadata ProvidePropagationMetadata(const PropagationInfo& info) override {
    EXPECT_EQ(info.durable_execution_arn, FakeService::kArn);
    EXPECT_EQ(info.operation.name, "call");
    EXPECT_EQ(info.function_name, "other");
    return {header_};
  }

 private:
  const std::string header_;
};

std::string SentTraceHeader(FakeService& service, const std::vector<std::string>& headers) {
  service.options().plugins.clear();
  for (const std::string& header : headers) {
    service.options().plugins.push_back(
        {[header](const InvocationInfo&) { return std::make_unique<Tracing>(header); }, ""});
  }
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.Invoke<Json>("call", "other", 1);
  };
  service.Run(handler);
  return service.UpdateAt("1", OperationAction::kStart).x_amzn_trace_id;
}

TEST(TraceHeaderTest, FirstOneThatIsNotBlankIsSent) {
  FakeService service;
  EXPECT_EQ(SentTraceHeader(service, {"", " ", "Root=1", "Root=1", "Root=2"}), "Root=1");
  EXPECT_THAT(service.DiagnosticMessages(), ElementsAre(HasSubstr("\"Root=2\" is not")));
}

TEST(TraceHeaderTest, WithoutOneNoneIsSent) {
  FakeService service;
  EXPECT_EQ(SentTraceHeader(service, {""}), "");
}

TEST(TraceHeaderTest, TooLongOneIsIgnored) {
  FakeService at_bound;
  EXPECT_EQ(SentTraceHeader(at_bound, {std::string(8192, 'x')}), std::string(8192, 'x'));
  FakeService service;
  EXPECT_EQ(SentTraceHeader(service, {std::string(8193, 'x'), "Root=1"}), "Root=1");
  EXPECT_THAT(service.DiagnosticMessages(), ElementsAre(HasSubstr("longer than 8192")));
}

TEST(TraceHeaderTest, ReplayAsksForNone) {
  FakeService service;
  EXPECT_EQ(SentTraceHeader(service, {"Root=1"}), "Root=1");
  const size_t sent = service.Updates().size();
  EXPECT_EQ(SentTraceHeader(service, {"Root=2"}), "Root=1");
  EXPECT_EQ(service.Updates().size(), sent);
}

}  // namespace
}  // namespace internal
}  // namespace durable
