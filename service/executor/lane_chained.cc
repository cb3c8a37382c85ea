// Lane: the targets of chained invokes - child executions and plain functions.
#include <utility>

#include "service/base/check.h"
#include "service/executor/invocation_output.h"
#include "service/executor/lane.h"
#include "service/executor/outcome.h"

namespace rehearse {

ChainedTargets Lane::ResolveTargets(const TreeMember& member,
                                    const v1::CheckpointRequest& request) const {
  ChainedTargets targets;
  for (std::string& name : ChainedTargetNames(request)) {
    const absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(name);
    // A malformed name is refused by the pipeline, in its place among the other rules.
    if (!reference.ok()) continue;
    absl::StatusOr<ResolvedFunction> function = member.tree->session->Resolve(*reference);
    if (!function.ok() && context_.replicas != nullptr && context_.refresh_sessions().ok()) {
      function = member.tree->session->Resolve(*reference);
    }
    ChainedTargetResolution& target = targets[std::move(name)];
    if (!function.ok()) {
      target.error.emplace();
      target.error->set_error_type(ErrorNameOf(function.status()));
      target.error->set_error_message(std::string(function.status().message()));
      continue;
    }
    target.registered_function_name = function->spec.function_name();
    target.version = function->version;
    target.durable = function->spec.durable();
  }
  return targets;
}

ExecutionDelta Lane::ChildOf(const TreeMember& parent,
                             const record::OperationRecord& operation) const {
  const record::ChainedTarget& target = operation.chained_target();
  const absl::optional<ExecutionArn> arn = ExecutionArn::Parse(target.child_arn());
  REHEARSE_CHECK(arn.has_value());
  const record::ExecutionRecord& parent_record = parent.execution->record();
  record::ExecutionRecord child;
  child.set_arn(target.child_arn());
  child.set_execution_id(arn->execution_id);
  child.set_name(arn->execution_name);
  child.set_session(parent_record.session());
  child.set_root_arn(parent_record.root_arn().empty() ? parent_record.arn()
                                                      : parent_record.root_arn());
  child.set_function_name(arn->function_name);
  child.set_registered_function_name(target.registered_function_name());
  child.set_version(target.version());
  child.set_invocation_type(v1::INVOCATION_TYPE_EVENT);
  if (target.has_tenant_id()) child.set_tenant_id(target.tenant_id());
  if (target.has_x_amzn_trace_id()) {
    child.set_x_amzn_trace_id(target.x_amzn_trace_id());
  } else if (parent_record.has_x_amzn_trace_id()) {
    child.set_x_amzn_trace_id(parent_record.x_amzn_trace_id());
  }
  const absl::optional<v1::FunctionSpec> spec =
      parent.tree->session->FindFunction(target.registered_function_name());
  if (spec.has_value()) *child.mutable_durable_config() = spec->durable_config();
  child.mutable_parent()->set_arn(parent_record.arn());
  child.mutable_parent()->set_operation_id(operation.operation().id());
  return rehearse::StartExecution(std::move(child),
                                  target.has_input() ? target.input() : kAbsentChainedInput,
                                  Now(*parent.tree));
}

void Lane::StartPlain(TreeMember& parent, const std::string& operation_id) {
  ExecutionTree& tree = *parent.tree;
  const record::OperationRecord& operation = *parent.execution->Find(operation_id);
  auto plain = std::make_unique<PlainInvocation>();
  plain->ticket = next_ticket_++;
  plain->function = {parent.execution->record().session(),
                     operation.chained_target().registered_function_name()};
  plain->parent_arn = parent.arn;
  plain->operation_id = operation_id;
  tree.plain.push_back(std::move(plain));
  ++tree.active_count;
  AskForPlainPlace(*tree.plain.back());
}

void Lane::AskForPlainPlace(PlainInvocation& plain) {
  const std::string parent_id(ExecutionIdOf(plain.parent_arn));
  plain.request = RequestPlace(plain.function, parent_id);
  if (plain.request.parked) return;
  const FunctionKey function = plain.function;
  context_.invoker.Acquire(function, [this, parent_id, ticket = plain.ticket](
                                         absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
    context_.scheduler.Post(index_, [this, parent_id, ticket, lease = std::move(lease)]() mutable {
      Enter(parent_id, [this, ticket, lease = std::move(lease)](TreeMember* parent) mutable {
        if (parent == nullptr) return;
        for (const std::unique_ptr<PlainInvocation>& plain : parent->tree->plain) {
          if (plain->ticket == ticket && plain->lease == nullptr) {
            return OnPlainPlace(*parent->tree, *plain, std::move(lease));
          }
        }
      });
    });
  });
}

void Lane::OnPlainPlace(ExecutionTree& tree, PlainInvocation& plain,
                        absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
  const int64_t ticket = plain.ticket;
  plain.request.parked = false;
  if (!lease.ok()) {
    InvocationEnd end{InvocationEnd::Kind::kFunctionError, "", {}};
    end.error.set_error_type(ErrorNameOf(lease.status()));
    end.error.set_error_message(std::string(lease.status().message()));
    return OnPlainEnded(tree, ticket, std::move(end));
  }
  TreeMember* parent = FindByArn(plain.parent_arn);
  if (parent == nullptr || parent->execution == nullptr) {
    return OnPlainEnded(tree, ticket, {InvocationEnd::Kind::kAnswered, "", {}});
  }
  const record::ExecutionRecord& record = parent->execution->record();
  const record::ChainedTarget& target =
      parent->execution->Find(plain.operation_id)->chained_target();
  ResolvedFunction function;
  absl::optional<v1::FunctionSpec> spec =
      tree.session->FindFunction(target.registered_function_name());
  if (spec.has_value()) function.spec = *std::move(spec);
  const absl::Duration timeout = function.timeout();
  const absl::Time deadline = context_.scheduler.Now() + timeout;

  plain.request_id = NewUuid(context_.ids);
  plain.lease = *std::move(lease);
  v1::ServeResponse::Invocation invocation;
  invocation.set_request_id(plain.request_id);
  invocation.set_function_name(target.registered_function_name());
  const absl::StatusOr<FunctionReference> name = FunctionReference::Parse(target.function_name());
  invocation.set_invoked_function_arn(FunctionArn(context_.options.location,
                                                  name.ok() ? name->name : target.function_name(),
                                                  target.version()));
  invocation.set_version(target.version());
  SetTimestamp(deadline, invocation.mutable_deadline());
  if (target.has_tenant_id()) invocation.set_tenant_id(target.tenant_id());
  if (target.has_x_amzn_trace_id()) {
    invocation.set_x_amzn_trace_id(target.x_amzn_trace_id());
  } else if (record.has_x_amzn_trace_id()) {
    invocation.set_x_amzn_trace_id(record.x_amzn_trace_id());
  }
  invocation.set_payload(target.has_input() ? target.input() : kAbsentChainedInput);

  auto ended = [this, parent_id = record.execution_id(), ticket](InvocationEnd end) {
    Enter(parent_id, [this, ticket, end = std::move(end)](TreeMember* parent) mutable {
      if (parent != nullptr) OnPlainEnded(*parent->tree, ticket, std::move(end));
    });
  };
  plain.timeout_timer = context_.scheduler.PostAt(
      index_, deadline,
      [this, ended, request_id = plain.request_id, lease = plain.lease.get(), timeout, &tree] {
        lease->Abort(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT);
        ended({InvocationEnd::Kind::kFunctionError, "",
               InvocationTimedOut(Now(tree).time, request_id, timeout)});
      });
  plain.lease->Start(std::move(invocation), [this, ended](InvocationEnd end) {
    context_.scheduler.Post(index_,
                            [ended, end = std::move(end)]() mutable { ended(std::move(end)); });
  });
}

void Lane::OnPlainEnded(ExecutionTree& tree, int64_t ticket, InvocationEnd end) {
  for (auto it = tree.plain.begin(); it != tree.plain.end(); ++it) {
    if ((*it)->ticket != ticket) continue;
    const std::unique_ptr<PlainInvocation> plain = std::move(*it);
    tree.plain.erase(it);
    ReleasePlain(tree, *plain);
    DeliverOutcome(tree, plain->parent_arn, plain->operation_id,
                   OutcomeOf(ToPlainResult(std::move(end),
                                           tree.session->limits().chained_invoke_payload_bytes)));
    return Settle(tree);
  }
}

void Lane::DeliverOutcome(ExecutionTree& tree, absl::string_view parent_arn,
                          std::string operation_id, ChainedOutcome outcome) {
  if (tree.committing) {
    return Enter(std::string(ExecutionIdOf(parent_arn)),
                 [this, operation_id = std::move(operation_id),
                  outcome = std::move(outcome)](TreeMember* parent) mutable {
                   if (parent == nullptr) return;
                   DeliverOutcome(*parent->tree, parent->arn, std::move(operation_id),
                                  std::move(outcome));
                 });
  }
  TreeMember* parent = FindByArn(parent_arn);
  if (parent == nullptr || parent->execution == nullptr || parent->execution->closed()) return;
  if (!parent->execution->invocation_in_flight()) {
    return CommitOutcomes(*parent, {{std::move(operation_id), std::move(outcome)}}, [] {});
  }
  // The real service's histories show a chained result behind the end of the invocation that asked
  // for it.
  if (parent->active->held_outcomes.empty()) {
    context_.scheduler.PostAt(
        index_, context_.scheduler.Now() + context_.options.settle_limit,
        [this, id = std::string(ExecutionIdOf(parent_arn)), ticket = parent->active->ticket] {
          Enter(id, [this, ticket](TreeMember* parent) {
            if (parent != nullptr && parent->active != nullptr &&
                parent->active->ticket == ticket) {
              ReleaseHeldOutcomes(*parent, [] {});
            }
          });
        });
  }
  parent->active->held_outcomes.emplace_back(std::move(operation_id), std::move(outcome));
  if (parent->active->idle.has_value()) ReleaseHeldOutcomes(*parent, [] {});
}

void Lane::ReleaseHeldOutcomes(TreeMember& parent, absl::AnyInvocable<void()> then) {
  if (parent.active->held_outcomes.empty()) return then();
  CommitOutcomes(parent, std::exchange(parent.active->held_outcomes, {}), std::move(then));
}

void Lane::CommitOutcomes(TreeMember& parent,
                          std::vector<std::pair<std::string, ChainedOutcome>> outcomes,
                          absl::AnyInvocable<void()> then) {
  ExecutionChange change(*parent.execution, Now(*parent.tree), ExecutionChange::Origin::kOutside);
  for (const auto& [operation_id, outcome] : outcomes) {
    CompleteChainedInvoke(change, operation_id, outcome);
  }
  Commit(parent, std::move(change),
         [this, &parent, outcomes = std::move(outcomes),
          then = std::move(then)](absl::Status status) mutable {
           if (status.ok()) {
             Trigger(parent);
           } else {
             RetryLater(parent, [this, outcomes = std::move(outcomes)](TreeMember* parent) mutable {
               CommitOutcomes(*parent, std::move(outcomes), [] {});
             });
           }
           then();
         });
}

}  // namespace rehearse
