#include "service/checkpoint/pipeline_model.h"

#include <set>
#include <utility>

namespace rehearse {
namespace {

using Type = v1::OperationType;
using Action = v1::OperationAction;
using Status = v1::OperationStatus;

constexpr Status kNone = v1::OPERATION_STATUS_UNSPECIFIED;
constexpr Status kStarted = v1::OPERATION_STATUS_STARTED;
constexpr Status kReady = v1::OPERATION_STATUS_READY;

struct Rule {
  Type type;
  Action action;
  std::set<Status> from;
  Status to;
};

const std::vector<Rule>& Rules() {
  static const auto* const rules = new std::vector<Rule>{
      {v1::OPERATION_TYPE_STEP, v1::OPERATION_ACTION_START, {kNone, kReady}, kStarted},
      {v1::OPERATION_TYPE_STEP,
       v1::OPERATION_ACTION_SUCCEED,
       {kNone, kStarted, kReady},
       v1::OPERATION_STATUS_SUCCEEDED},
      {v1::OPERATION_TYPE_STEP,
       v1::OPERATION_ACTION_FAIL,
       {kNone, kStarted, kReady},
       v1::OPERATION_STATUS_FAILED},
      {v1::OPERATION_TYPE_STEP,
       v1::OPERATION_ACTION_RETRY,
       {kNone, kStarted, kReady},
       v1::OPERATION_STATUS_PENDING},
      {v1::OPERATION_TYPE_CONTEXT, v1::OPERATION_ACTION_START, {kNone}, kStarted},
      {v1::OPERATION_TYPE_CONTEXT,
       v1::OPERATION_ACTION_SUCCEED,
       {kNone, kStarted},
       v1::OPERATION_STATUS_SUCCEEDED},
      {v1::OPERATION_TYPE_CONTEXT,
       v1::OPERATION_ACTION_FAIL,
       {kNone, kStarted},
       v1::OPERATION_STATUS_FAILED},
      {v1::OPERATION_TYPE_WAIT, v1::OPERATION_ACTION_START, {kNone}, kStarted},
      {v1::OPERATION_TYPE_WAIT,
       v1::OPERATION_ACTION_CANCEL,
       {kStarted},
       v1::OPERATION_STATUS_CANCELLED},
      {v1::OPERATION_TYPE_CALLBACK, v1::OPERATION_ACTION_START, {kNone}, kStarted},
      {v1::OPERATION_TYPE_CHAINED_INVOKE, v1::OPERATION_ACTION_START, {kNone}, kStarted},
      {v1::OPERATION_TYPE_EXECUTION,
       v1::OPERATION_ACTION_SUCCEED,
       {kNone},
       v1::OPERATION_STATUS_SUCCEEDED},
      {v1::OPERATION_TYPE_EXECUTION,
       v1::OPERATION_ACTION_FAIL,
       {kNone},
       v1::OPERATION_STATUS_FAILED},
  };
  return *rules;
}

const Rule* RuleOf(const v1::OperationUpdate& update) {
  for (const Rule& rule : Rules()) {
    if (rule.type == update.type() && rule.action == update.action()) return &rule;
  }
  return nullptr;
}

bool MayCarry(const v1::OperationUpdate& update) {
  if (update.id().find(' ') != std::string::npos) return false;
  switch (update.action()) {
    case v1::OPERATION_ACTION_SUCCEED:
      return !update.has_error();
    case v1::OPERATION_ACTION_FAIL:
      return !update.has_payload();
    case v1::OPERATION_ACTION_RETRY:
      return update.step_options().next_attempt_delay_seconds() > 0 &&
             !(update.has_error() && update.has_payload());
    case v1::OPERATION_ACTION_START:
      return (update.type() != v1::OPERATION_TYPE_WAIT ||
              update.wait_options().wait_seconds() > 0) &&
             (update.type() != v1::OPERATION_TYPE_CHAINED_INVOKE ||
              !update.chained_invoke_options().function_name().empty());
    default:
      return true;
  }
}

bool KeepsBatchRules(const PipelineModel::Updates& updates) {
  std::map<std::string, std::vector<Action>> actions;
  for (int i = 0; i < updates.size(); ++i) {
    const v1::OperationUpdate& update = updates[i];
    if (update.type() == v1::OPERATION_TYPE_EXECUTION) {
      if (i + 1 < updates.size()) return false;
      continue;
    }
    std::vector<Action>& before = actions[update.id()];
    if (!before.empty()) {
      const bool repeatable =
          update.type() == v1::OPERATION_TYPE_STEP || update.type() == v1::OPERATION_TYPE_CONTEXT;
      if (!repeatable || before.size() > 1 || before[0] != v1::OPERATION_ACTION_START ||
          update.action() == v1::OPERATION_ACTION_START) {
        return false;
      }
    }
    before.push_back(update.action());
  }
  return true;
}

bool IsClosed(Status status) { return status >= v1::OPERATION_STATUS_SUCCEEDED; }

}  // namespace

bool PipelineModel::Checkpoint(const Updates& updates, absl::Time now) {
  if (!KeepsBatchRules(updates)) return false;
  const std::map<std::string, Operation> before = operations_;
  for (const v1::OperationUpdate& update : updates) {
    if (Apply(update, now)) continue;
    operations_ = before;
    return false;
  }
  return true;
}

bool PipelineModel::Apply(const v1::OperationUpdate& update, absl::Time now) {
  const Rule* rule = RuleOf(update);
  if (rule == nullptr || !MayCarry(update)) return false;
  if (update.type() == v1::OPERATION_TYPE_EXECUTION) {
    execution_status_ = rule->to;
    return true;
  }
  if (update.has_parent_id()) {
    const auto parent = operations_.find(update.parent_id());
    if (parent == operations_.end() || parent->second.type != v1::OPERATION_TYPE_CONTEXT) {
      return false;
    }
  }
  const auto found = operations_.find(update.id());
  Operation operation = found == operations_.end() ? Operation() : found->second;
  if (found == operations_.end()) {
    operation.type = update.type();
    operation.parent_id = update.parent_id();
    operation.name = update.name();
    operation.sub_type = update.sub_type();
  } else if (operation.type != update.type() ||
             (update.has_parent_id() && operation.parent_id != update.parent_id()) ||
             (update.has_name() && operation.name != update.name()) ||
             (update.has_sub_type() && operation.sub_type != update.sub_type())) {
    return false;
  }
  if (rule->from.count(operation.status) == 0) return false;
  operation.status = rule->to;
  if (operation.type == v1::OPERATION_TYPE_STEP && rule->to != kStarted) ++operation.attempt;
  operation.due = absl::InfiniteFuture();
  if (operation.status == v1::OPERATION_STATUS_PENDING) {
    operation.due = now + absl::Seconds(update.step_options().next_attempt_delay_seconds());
  } else if (operation.type == v1::OPERATION_TYPE_WAIT && operation.status == kStarted) {
    operation.due = now + absl::Seconds(update.wait_options().wait_seconds());
  }
  operation.replay_children =
      rule->to == v1::OPERATION_STATUS_SUCCEEDED && update.context_options().replay_children();
  operations_[update.id()] = operation;
  return true;
}

std::vector<std::string> PipelineModel::Fire(absl::Time now) {
  std::vector<std::string> fired;
  for (auto& [id, operation] : operations_) {
    if (operation.due > now) continue;
    const bool wait = operation.type == v1::OPERATION_TYPE_WAIT;
    operation.status = wait ? v1::OPERATION_STATUS_SUCCEEDED : kReady;
    operation.due = absl::InfiniteFuture();
    fired.push_back(id);
  }
  return fired;
}

bool PipelineModel::IsPruned(const std::string& id) const {
  const auto found = operations_.find(id);
  if (found == operations_.end() || found->second.parent_id.empty()) return false;
  const Operation& parent = operations_.at(found->second.parent_id);
  return (IsClosed(parent.status) && !parent.replay_children) || IsPruned(found->second.parent_id);
}

}  // namespace rehearse
