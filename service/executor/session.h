// Session: what one test runner holds - functions, a clock mode, limits - apart from every other
// session's.
//
//   SessionRegistry registry(defaults);
//   absl::StatusOr<std::shared_ptr<Session>> session = registry.Create("s-1", config, now);
//   (*session)->RegisterFunctions({spec});
//   absl::StatusOr<ResolvedFunction> function = (*session)->Resolve(reference);
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_EXECUTOR_SESSION_H_
#define REHEARSE_SERVICE_EXECUTOR_SESSION_H_

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/base/arn.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution.h"
#include "service/checkpoint/failure_policy.h"
#include "service/clock/clock_domain.h"

namespace rehearse {

inline constexpr char kDefaultSession[] = "default";

// A function reference resolved against what a session's workers serve.
struct ResolvedFunction {
  v1::FunctionSpec spec;
  // Version that an execution started now is pinned to.
  std::string version;

  absl::Duration timeout() const;
};

class Session {
 public:
  // InvalidParameter for unknown profile, policy or limits.
  static absl::StatusOr<std::shared_ptr<Session>> Create(std::string name, v1::SessionConfig config,
                                                         absl::Time now);

  const std::string& name() const { return name_; }
  const v1::SessionConfig& config() const { return config_; }
  const Limits& limits() const { return limits_; }
  const FailurePolicy& failure_policy() const { return failure_policy_; }
  ClockConfig clock_config() const;

  // As it is stored next, with the next revision; `Restore` makes it again.
  record::SessionRecord Record() const;
  // The record has been stored.
  void NoteStored() { ++revision_; }
  // InvalidParameter when the record is of no session.
  static absl::StatusOr<std::shared_ptr<Session>> Restore(const record::SessionRecord& record,
                                                          absl::Time now);
  // Whether the store has it as it is. Cleared by what changes it.
  std::atomic<bool> stored{false};
  // How often the store was given it.
  int64_t revision() const { return revision_; }
  // Takes over the functions of a record that was stored later.
  absl::Status Update(const record::SessionRecord& record);

  // All or nothing; InvalidParameter names the member that is wrong.
  absl::Status RegisterFunctions(const std::vector<v1::FunctionSpec>& functions);
  // FunctionNotFound.
  absl::Status DeregisterFunction(absl::string_view function_name);
  // The registration for `name:qualifier` wins over the one for `name`. FunctionNotFound.
  absl::StatusOr<ResolvedFunction> Resolve(const FunctionReference& function) const;
  // A registration by its own name, in its newest form.
  absl::optional<v1::FunctionSpec> FindFunction(absl::string_view registered_name) const;
  // In order of name, behind `after`, at most `max_items`.
  std::vector<v1::FunctionSpec> ListFunctions(absl::string_view after, int max_items) const;

  // Counted by whoever starts and finishes executions.
  std::atomic<int64_t> open_executions{0};
  std::atomic<int64_t> closed_executions{0};

  void Touch(absl::Time now) { last_use_nanos_ = absl::ToUnixNanos(now); }
  absl::Time last_use() const { return absl::FromUnixNanos(last_use_nanos_); }
  // Open streams.
  std::atomic<int> holds{0};
  // Set once, by SessionRegistry::Remove.
  std::atomic<bool> ended{false};

  v1::Session Describe() const;

 private:
  Session(std::string name, v1::SessionConfig config, Limits limits, FailurePolicy policy,
          absl::Time create_time);

  const std::string name_;
  const v1::SessionConfig config_;
  const Limits limits_;
  const FailurePolicy failure_policy_;
  absl::Time create_time_;
  std::atomic<int64_t> last_use_nanos_;
  std::atomic<int64_t> revision_{0};
  mutable absl::Mutex mutex_;
  absl::btree_map<std::string, v1::FunctionSpec> functions_ ABSL_GUARDED_BY(mutex_);
};

class SessionRegistry {
 public:
  // `defaults` fills what a session's config leaves unset and configures `default`; what it leaves
  // unset itself is REAL time and `aws`. Its limits and names must be valid.
  SessionRegistry(v1::SessionConfig defaults, absl::Time now);

  // `name` empty is not allowed here. SessionAlreadyExists, InvalidParameter.
  absl::StatusOr<std::shared_ptr<Session>> Create(absl::string_view name, v1::SessionConfig config,
                                                  absl::Time now);
  // A session that was there before the restart; of `default`, what its workers serve. Internal
  // when that cannot be.
  absl::StatusOr<std::shared_ptr<Session>> Restore(const record::SessionRecord& record,
                                                   absl::Time now);
  // Empty: `default`. SessionNotFound.
  absl::StatusOr<std::shared_ptr<Session>> Find(absl::string_view name) const;
  // Ends the session, which is not found from now on; its name stays taken until Forget.
  // SessionNotFound; InvalidParameter for `default`.
  absl::StatusOr<std::shared_ptr<Session>> Remove(absl::string_view name);
  // Nothing is left of a removed session: its name is free.
  void Forget(absl::string_view name);
  // In order of name, behind `after`, at most `max_items`.
  std::vector<std::shared_ptr<Session>> List(absl::string_view after, int max_items) const;
  std::vector<std::shared_ptr<Session>> All() const {
    return List("", std::numeric_limits<int>::max());
  }

 private:
  const v1::SessionConfig defaults_;
  mutable absl::Mutex mutex_;
  absl::btree_map<std::string, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_SESSION_H_
