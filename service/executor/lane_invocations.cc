// Lane: the gate, places to run, and the ends of invocations.
#include <utility>

#include "service/executor/invocation_output.h"
#include "service/executor/lane.h"

namespace rehearse {

// Something an execution should be invoked for. One that finds the gate closed is not lost: the end
// of the invocation looks for changes that no handler has seen.
void Lane::Trigger(TreeMember& member) {
  if (member.tree->committing) {
    return Enter(std::string(ExecutionIdOf(member.arn)), [this](TreeMember* member) {
      if (member != nullptr) Trigger(*member);
    });
  }
  if (member.execution == nullptr || member.execution->closed() || member.active != nullptr) return;
  const record::ExecutionProgress& progress = member.execution->progress();
  if (MayInvoke(progress) && !member.tree->session->config().stepped()) return AcquirePlace(member);
  if (progress.invocation_owed() || member.execution->invocation_in_flight()) return;
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  OweInvocation(change);
  Commit(member, std::move(change), [this, &member](absl::Status status) {
    if (!status.ok()) RetryLater(member, [this](TreeMember* member) { Trigger(*member); });
  });
}

bool Lane::InvokeOwed(TreeMember& member) {
  if (member.active != nullptr || !MayInvoke(member.execution->progress()) ||
      !member.execution->progress().invocation_owed()) {
    return false;
  }
  AcquirePlace(member);
  return true;
}

void Lane::AcquirePlace(TreeMember& member) {
  BeginActive(member);
  AskForPlace(member);
}

void Lane::BeginActive(TreeMember& member) {
  member.active = std::make_unique<ActiveInvocation>();
  member.active->ticket = next_ticket_++;
  ++member.tree->active_count;
}

void Lane::AskForPlace(TreeMember& member) {
  const int64_t ticket = member.active->ticket;
  const record::ExecutionRecord& record = member.execution->record();
  const std::string& function = record.registered_function_name();
  // Deregistered since the start: no worker will come for it.
  if (!IsRegistered(*member.tree->session, function)) {
    return OnPlace(member, errors::FunctionNotFound(function));
  }
  member.active->request = RequestPlace({record.session(), function}, record.execution_id());
  if (member.active->request.parked) return;
  context_.invoker.Acquire(
      {record.session(), function}, [this, id = record.execution_id(), ticket](
                                        absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
        context_.scheduler.Post(index_, [this, id, ticket, lease = std::move(lease)]() mutable {
          Enter(id, [this, ticket, lease = std::move(lease)](TreeMember* member) mutable {
            const bool wanted =
                member != nullptr && member->active != nullptr && member->active->ticket == ticket;
            if (wanted) OnPlace(*member, std::move(lease));
          });
        });
      });
}

void Lane::ReleaseActive(TreeMember& member) {
  EndIdle(member);
  if (member.active->timeout_timer != 0) {
    context_.scheduler.Cancel(index_, member.active->timeout_timer);
  }
  member.active.reset();
  --member.tree->active_count;
}

void Lane::OnPlace(TreeMember& member, absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
  member.active->request.parked = false;
  if (member.execution->invocation_in_flight()) {
    // A restart interrupted it; the place only says that another one could begin.
    v1::ErrorObject error;
    error.set_error_type("Runtime.ExitError");
    error.set_error_message("The service was restarted while the invocation ran.");
    return OnInvocationEnded(member,
                             {InvocationResult::Outcome::kBroken, absl::nullopt, std::move(error)});
  }
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  std::vector<std::string> updated;
  if (lease.ok()) {
    updated = BeginInvocation(change, NewUuid(context_.ids), NewSecret(context_.ids));
  } else {
    FailUnknownFunction(change);
  }
  Commit(member, std::move(change),
         [this, &member, lease = std::move(lease),
          updated = std::move(updated)](absl::Status status) mutable {
           if (!status.ok()) {
             return RetryLater(member, [this, ticket = member.active->ticket,
                                        lease = std::move(lease)](TreeMember* member) mutable {
               if (member->active != nullptr && member->active->ticket == ticket) {
                 OnPlace(*member, std::move(lease));
               }
             });
           }
           if (!lease.ok()) return ReleaseActive(member);
           member.active->lease = *std::move(lease);
           SendInvocation(member, std::move(updated));
         });
}

ResolvedFunction Lane::FunctionOf(const TreeMember& member) const {
  const record::ExecutionRecord& record = member.execution->record();
  ResolvedFunction function;
  absl::optional<v1::FunctionSpec> spec =
      member.tree->session->FindFunction(record.registered_function_name());
  if (spec.has_value()) function.spec = *std::move(spec);
  function.version = record.version();
  return function;
}

void Lane::SendInvocation(TreeMember& member, std::vector<std::string> updated_operation_ids) {
  const Execution& execution = *member.execution;
  const record::ExecutionRecord& record = execution.record();
  const absl::Duration timeout = FunctionOf(member).timeout();
  const absl::Time deadline = context_.scheduler.Now() + timeout;
  const std::string request_id = execution.progress().invocation().request_id();

  v1::ServeResponse::Invocation invocation;
  invocation.set_request_id(request_id);
  invocation.set_function_name(record.registered_function_name());
  invocation.set_invoked_function_arn(
      FunctionArn(context_.options.location, record.function_name(), record.version()));
  invocation.set_version(record.version());
  SetTimestamp(deadline, invocation.mutable_deadline());
  if (record.has_tenant_id()) invocation.set_tenant_id(record.tenant_id());
  if (record.has_x_amzn_trace_id()) invocation.set_x_amzn_trace_id(record.x_amzn_trace_id());
  if (record.has_client_context()) invocation.set_client_context(record.client_context());
  v1::DurableExecutionInvocationInput& input = *invocation.mutable_durable();
  input.set_durable_execution_arn(record.arn());
  input.set_checkpoint_token(CurrentCheckpointToken(execution));
  *input.mutable_initial_execution_state() =
      InitialState(execution, member.tree->session->limits());
  for (std::string& id : updated_operation_ids) input.add_updated_operation_ids(std::move(id));

  ArmInvocationTimeout(member, deadline);
  member.active->lease->Start(
      std::move(invocation), [this, id = record.execution_id(), request_id](InvocationEnd end) {
        context_.scheduler.Post(index_, [this, id, request_id, end = std::move(end)]() mutable {
          EnterInvocation(
              id, request_id,
              [this, result = ToInvocationResult(std::move(end))](TreeMember* member) mutable {
                OnInvocationEnded(*member, std::move(result));
              });
        });
      });
}

void Lane::EnterInvocation(const std::string& id, const std::string& request_id, Work work) {
  Enter(id, [request_id, work = std::move(work)](TreeMember* member) mutable {
    if (member != nullptr && member->execution != nullptr && member->active != nullptr &&
        member->execution->progress().invocation().request_id() == request_id) {
      work(member);
    }
  });
}

void Lane::ArmInvocationTimeout(TreeMember& member, absl::Time deadline) {
  member.active->timeout_timer = context_.scheduler.PostAt(
      index_, deadline,
      [this, id = std::string(ExecutionIdOf(member.arn)),
       request_id = member.execution->progress().invocation().request_id()] {
        EnterInvocation(id, request_id,
                        [this](TreeMember* member) { OnInvocationTimedOut(*member); });
      });
}

void Lane::OnInvocationTimedOut(TreeMember& member) {
  member.active->timeout_timer = 0;
  if (member.active->result.has_value()) return;
  if (member.active->lease != nullptr) {
    member.active->lease->Abort(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT);
  }
  InvocationResult result{InvocationResult::Outcome::kBroken, absl::nullopt,
                          InvocationTimedOut(Now(*member.tree).time,
                                             member.execution->progress().invocation().request_id(),
                                             FunctionOf(member).timeout())};
  OnInvocationEnded(member, std::move(result));
}

void Lane::OnInvocationEnded(TreeMember& member, InvocationResult result) {
  if (member.active->result.has_value()) return;
  EndIdle(member);
  member.active->result = std::move(result);
  StoreEnd(member);
}

void Lane::StoreEnd(TreeMember& member) {
  ExecutionChange change(*member.execution, Now(*member.tree), ExecutionChange::Origin::kOutside);
  const Session& session = *member.tree->session;
  const NextStep next =
      EndInvocation(change, *member.active->result, session.failure_policy(), session.limits());
  Commit(member, std::move(change), [this, &member, next](absl::Status status) {
    if (!status.ok()) {
      return RetryLater(member, [this, ticket = member.active->ticket](TreeMember* member) {
        if (member->active != nullptr && member->active->ticket == ticket) StoreEnd(*member);
      });
    }
    std::vector<std::pair<std::string, ChainedOutcome>> held =
        std::move(member.active->held_outcomes);
    ReleaseActive(member);
    if (next == NextStep::kFinished) return;
    if (!held.empty()) return CommitOutcomes(member, std::move(held), [] {});
    if (next == NextStep::kInvoke) Trigger(member);
  });
}

void Lane::Idle(TreeMember& member, absl::string_view request_id, IdleWait idle) {
  const record::ExecutionProgress& progress = member.execution->progress();
  if (member.active == nullptr || progress.invocation().request_id() != request_id) {
    return idle.done(errors::Conflict("The invocation is not in flight any more."));
  }
  EndIdle(member);
  const bool over = Now(*member.tree).time >= idle.until ||
                    member.execution->AnyTouchedAfter(progress.seen_sequence());
  const absl::Time until = idle.until;
  member.active->idle = std::move(idle);
  ++member.tree->idle_count;
  if (over || shut_down_) return EndIdle(member);
  member.tree->clock.Arm({Timer::Kind::kIdle, until, member.index, 0});
  // What was held back for the history's sake is what the worker waits for.
  if (!member.active->held_outcomes.empty()) return ReleaseHeldOutcomes(member, [] {});
  Settle(*member.tree);
}

void Lane::EndIdle(TreeMember& member) {
  if (member.active == nullptr || !member.active->idle.has_value()) return;
  IdleWait idle = *std::move(member.active->idle);
  member.active->idle.reset();
  --member.tree->idle_count;
  v1::ServeResponse::IdleEnded ended;
  SetTimestamp(Now(*member.tree).time, ended.mutable_now());
  idle.done(std::move(ended));
}

InvocationOutlook Lane::OutlookOf(const TreeMember& member) const {
  InvocationOutlook outlook;
  if (member.execution == nullptr) return outlook;
  const record::ExecutionRecord& record = member.execution->record();
  const FunctionKey function = {record.session(), record.registered_function_name()};
  outlook.has_place = context_.invoker.HasPlace(function);
  if (member.tree->detached) {
    const record::ExecutionProgress& progress = member.execution->progress();
    outlook.running = progress.has_invocation();
    outlook.queued = !outlook.running && AwaitsInvocation(progress);
    if (outlook.queued && !outlook.has_place) {
      outlook.has_place = !context_.replicas->FindPlace(function).value_or("").empty();
    }
  } else {
    // One that a restart interrupted waits for a place as one that has not begun.
    outlook.running = member.active != nullptr && member.active->lease != nullptr &&
                      member.execution->invocation_in_flight();
    outlook.queued = member.active != nullptr && !outlook.running;
  }
  outlook.stepped = member.tree->session->config().stepped();
  outlook.skips_deadlines = member.tree->session->config().skip_deadlines();
  return outlook;
}

}  // namespace rehearse
