#include "service/executor/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/text.h"
#include "service/checkpoint/execution.h"

namespace rehearse {
namespace {

absl::Status ValidateSessionName(absl::string_view name) {
  if (name.size() > kMaxSessionNameLength || !IsId(name)) {
    return errors::InvalidParameter(absl::StrCat("Session name '", name, "' must be 1-",
                                                 kMaxSessionNameLength,
                                                 " characters of A-Z a-z 0-9 - _."));
  }
  return absl::OkStatus();
}

absl::Status ValidateRange(absl::string_view function, absl::string_view member, int64_t value,
                           int64_t min, int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return errors::InvalidParameter(absl::StrCat(member, " of function '", function, "' is ", value,
                                               "; it must be between ", min, " and ", max, "."));
}

absl::Status ValidateFunction(const v1::FunctionSpec& spec) {
  const std::string& name = spec.function_name();
  absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(name);
  if (!reference.ok()) return reference.status();
  if (reference->region.has_value() || reference->account.has_value()) {
    return errors::InvalidParameter(
        absl::StrCat("Function '", name, "' must be registered as name or name:qualifier."));
  }
  if (!spec.version().empty() &&
      (!IsFunctionVersion(spec.version()) || spec.version().size() > kMaxQualifierLength)) {
    return errors::InvalidParameter(absl::StrCat("Version '", spec.version(), "' of function '",
                                                 name, "' must be 1-", kMaxQualifierLength,
                                                 " digits, $LATEST or $LATEST.PUBLISHED."));
  }
  const v1::DurableConfig& config = spec.durable_config();
  if (config.has_execution_timeout()) {
    absl::Status status =
        ValidateRange(name, "ExecutionTimeout", config.execution_timeout(), 1, kMaxDelaySeconds);
    if (!status.ok()) return status;
  }
  if (config.has_retention_period_in_days()) {
    absl::Status status = ValidateRange(name, "RetentionPeriodInDays",
                                        config.retention_period_in_days(), 1, kMaxRetentionDays);
    if (!status.ok()) return status;
  }
  if (!spec.has_timeout()) return absl::OkStatus();
  const int64_t nanos = spec.timeout().seconds() * 1000000000 + spec.timeout().nanos();
  if (nanos > 0 && spec.timeout().seconds() <= kMaxInvocationTimeoutSeconds)
    return absl::OkStatus();
  return ValidateRange(name, "timeout in seconds", spec.timeout().seconds(), 1,
                       kMaxInvocationTimeoutSeconds);
}

v1::SessionConfig BuiltInDefaults() {
  v1::SessionConfig config;
  config.set_clock_mode(v1::CLOCK_MODE_REAL);
  config.set_limits_profile("aws");
  config.set_failure_policy("aws");
  return config;
}

v1::SessionConfig FillIn(v1::SessionConfig config, const v1::SessionConfig& defaults) {
  if (config.clock_mode() == v1::CLOCK_MODE_UNSPECIFIED) {
    config.set_clock_mode(defaults.clock_mode());
    config.set_skip_deadlines(config.skip_deadlines() || defaults.skip_deadlines());
  }
  if (config.limits_profile().empty()) config.set_limits_profile(defaults.limits_profile());
  if (config.failure_policy().empty()) config.set_failure_policy(defaults.failure_policy());
  return config;
}

}  // namespace

absl::Duration ResolvedFunction::timeout() const {
  if (!spec.has_timeout()) return absl::Seconds(kDefaultInvocationTimeoutSeconds);
  return absl::Seconds(spec.timeout().seconds()) + absl::Nanoseconds(spec.timeout().nanos());
}

absl::StatusOr<std::shared_ptr<Session>> Session::Create(std::string name, v1::SessionConfig config,
                                                         absl::Time now) {
  absl::StatusOr<Limits> profile = LimitsProfile(config.limits_profile());
  if (!profile.ok()) return profile.status();
  absl::StatusOr<Limits> limits = ApplyOverrides(*profile, config.limits());
  if (!limits.ok()) return limits.status();
  absl::StatusOr<FailurePolicy> policy = FailurePolicyPreset(config.failure_policy());
  if (!policy.ok()) return policy.status();
  return std::shared_ptr<Session>(
      new Session(std::move(name), std::move(config), *limits, *policy, now));
}

Session::Session(std::string name, v1::SessionConfig config, Limits limits, FailurePolicy policy,
                 absl::Time create_time)
    : name_(std::move(name)),
      config_(std::move(config)),
      limits_(limits),
      failure_policy_(policy),
      create_time_(create_time),
      last_use_nanos_(absl::ToUnixNanos(create_time)) {}

record::SessionRecord Session::Record() const {
  record::SessionRecord record;
  record.set_name(name_);
  *record.mutable_config() = config_;
  SetTimestamp(create_time_, record.mutable_create_time());
  record.set_revision(revision_ + 1);
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, spec] : functions_) *record.add_functions() = spec;
  return record;
}

absl::StatusOr<std::shared_ptr<Session>> Session::Restore(const record::SessionRecord& record,
                                                          absl::Time now) {
  absl::StatusOr<std::shared_ptr<Session>> session =
      Create(record.name(), record.config(), ToAbsl(record.create_time()));
  if (!session.ok()) return session;
  absl::Status updated = (*session)->Update(record);
  if (!updated.ok()) return updated;
  (*session)->Touch(now);
  return session;
}

absl::Status Session::Update(const record::SessionRecord& record) {
  if (record.revision() <= revision_ && revision_ > 0) return absl::OkStatus();
  absl::btree_map<std::string, v1::FunctionSpec> functions;
  for (const v1::FunctionSpec& spec : record.functions()) {
    absl::Status valid = ValidateFunction(spec);
    if (!valid.ok()) return valid;
    functions[spec.function_name()] = spec;
  }
  absl::MutexLock lock(&mutex_);
  functions_ = std::move(functions);
  revision_ = record.revision();
  stored = true;
  return absl::OkStatus();
}

ClockConfig Session::clock_config() const {
  ClockConfig config;
  config.skip_deadlines = config_.skip_deadlines();
  if (config_.clock_mode() == v1::CLOCK_MODE_SKIP) config.mode = ClockMode::kSkip;
  if (config_.clock_mode() == v1::CLOCK_MODE_MANUAL) config.mode = ClockMode::kManual;
  return config;
}

absl::Status Session::RegisterFunctions(const std::vector<v1::FunctionSpec>& functions) {
  for (const v1::FunctionSpec& spec : functions) {
    absl::Status status = ValidateFunction(spec);
    if (!status.ok()) return status;
  }
  absl::MutexLock lock(&mutex_);
  for (const v1::FunctionSpec& spec : functions) {
    const auto [entry, added] = functions_.try_emplace(spec.function_name(), spec);
    // Every stream of a worker registers what it serves again.
    if (!added && entry->second.SerializeAsString() == spec.SerializeAsString()) continue;
    entry->second = spec;
    stored = false;
  }
  return absl::OkStatus();
}

absl::Status Session::DeregisterFunction(absl::string_view function_name) {
  absl::MutexLock lock(&mutex_);
  const auto it = functions_.find(function_name);
  if (it == functions_.end()) return errors::FunctionNotFound(function_name);
  functions_.erase(it);
  stored = false;
  return absl::OkStatus();
}

absl::StatusOr<ResolvedFunction> Session::Resolve(const FunctionReference& function) const {
  absl::MutexLock lock(&mutex_);
  auto it = functions_.end();
  if (function.qualifier.has_value()) {
    it = functions_.find(absl::StrCat(function.name, ":", *function.qualifier));
  }
  if (it == functions_.end()) it = functions_.find(function.name);
  if (it == functions_.end()) return errors::FunctionNotFound(function.name);
  ResolvedFunction resolved;
  resolved.spec = it->second;
  if (function.qualifier.has_value() && IsFunctionVersion(*function.qualifier)) {
    resolved.version = *function.qualifier;
  } else {
    resolved.version = it->second.version().empty() ? "$LATEST" : it->second.version();
  }
  return resolved;
}

absl::optional<v1::FunctionSpec> Session::FindFunction(absl::string_view registered_name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = functions_.find(registered_name);
  if (it == functions_.end()) return absl::nullopt;
  return it->second;
}

std::vector<v1::FunctionSpec> Session::ListFunctions(absl::string_view after, int max_items) const {
  absl::MutexLock lock(&mutex_);
  std::vector<v1::FunctionSpec> functions;
  for (auto it = functions_.upper_bound(after);
       it != functions_.end() && static_cast<int>(functions.size()) < max_items; ++it) {
    functions.push_back(it->second);
  }
  return functions;
}

v1::Session Session::Describe() const {
  v1::Session session;
  session.set_name(name_);
  *session.mutable_config() = config_;
  SetTimestamp(create_time_, session.mutable_create_time());
  session.set_open_executions(open_executions);
  session.set_closed_executions(closed_executions);
  return session;
}

SessionRegistry::SessionRegistry(v1::SessionConfig defaults, absl::Time now)
    : defaults_(FillIn(std::move(defaults), BuiltInDefaults())) {
  sessions_[kDefaultSession] = *Session::Create(kDefaultSession, defaults_, now);
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Create(absl::string_view name,
                                                                 v1::SessionConfig config,
                                                                 absl::Time now) {
  absl::Status valid = ValidateSessionName(name);
  if (!valid.ok()) return valid;
  absl::StatusOr<std::shared_ptr<Session>> session =
      Session::Create(std::string(name), FillIn(std::move(config), defaults_), now);
  if (!session.ok()) return session.status();
  absl::MutexLock lock(&mutex_);
  if (!sessions_.try_emplace(std::string(name), *session).second) {
    return errors::SessionAlreadyExists(name);
  }
  return session;
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Restore(
    const record::SessionRecord& record, absl::Time now) {
  absl::StatusOr<std::shared_ptr<Session>> session = Session::Restore(record, now);
  absl::MutexLock lock(&mutex_);
  if (session.ok() && record.name() == kDefaultSession) {
    // Its clock and limits are those that this process was told.
    session = sessions_[kDefaultSession];
    absl::Status updated = (*session)->Update(record);
    if (!updated.ok()) session = updated;
  } else if (session.ok()) {
    sessions_[record.name()] = *session;
  }
  if (session.ok()) return session;
  return errors::Internal(absl::StrCat("The store is damaged: session '", record.name(),
                                       "' cannot be restored: ", session.status().message()));
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = sessions_.find(name.empty() ? absl::string_view(kDefaultSession) : name);
  if (it == sessions_.end() || it->second->ended) return errors::SessionNotFound(name);
  return it->second;
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Remove(absl::string_view name) {
  if (name.empty() || name == kDefaultSession) {
    return errors::InvalidParameter("The session 'default' cannot be deleted.");
  }
  absl::MutexLock lock(&mutex_);
  const auto it = sessions_.find(name);
  if (it == sessions_.end() || it->second->ended) return errors::SessionNotFound(name);
  it->second->ended = true;
  return it->second;
}

void SessionRegistry::Forget(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto it = sessions_.find(name);
  if (it != sessions_.end() && it->second->ended) sessions_.erase(it);
}

std::vector<std::shared_ptr<Session>> SessionRegistry::List(absl::string_view after,
                                                            int max_items) const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Session>> sessions;
  for (auto it = sessions_.upper_bound(after);
       it != sessions_.end() && static_cast<int>(sessions.size()) < max_items; ++it) {
    if (!it->second->ended) sessions.push_back(it->second);
  }
  return sessions;
}

}  // namespace rehearse
