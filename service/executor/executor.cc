#include "service/executor/executor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/text.h"
#include "service/executor/executor_impl.h"
#include "service/history/events.h"
#include "service/history/paging.h"

namespace rehearse {
namespace {

v1::ErrorObject StopError(const v1::StopExecutionRequest& request) {
  if (request.has_error()) return request.error();
  v1::ErrorObject error;
  error.set_error_message("Execution was stopped.");
  return error;
}

// What checkpoint and state calls answer in place of ExecutionNotFound.
absl::Status NoSuchExecution(absl::string_view arn) {
  return errors::InvalidParameter(absl::StrCat("Durable Execution does not exist: ", arn));
}

}  // namespace

Executor::Executor(ExecutorOptions options, Scheduler& scheduler, ExecutionStore& store,
                   Invoker& invoker, IdSource& ids)
    : impl_(std::make_unique<Impl>(options, scheduler, store, invoker, ids)) {}

Executor::~Executor() = default;

ExecutionNotifier& Executor::notifier() { return impl_->context().notifier; }

void Executor::StartExecution(v1::StartExecutionRequest request,
                              Done<v1::StartExecutionResponse> done) {
  absl::StatusOr<InvocationTarget> target = impl_->TargetOf(request, ValidateStart);
  if (!target.ok()) return done(target.status());
  const ResolvedFunction& function = target->function;
  if (!function.spec.durable()) {
    return done(errors::InvalidParameter(
        absl::StrCat("Function '", target->reference.name,
                     "' is not durable; only a durable function has executions.")));
  }

  IdSource& ids = impl_->context().ids;
  StartPlan plan;
  plan.session = target->session;
  plan.named = request.has_durable_execution_name();
  if (request.has_input()) plan.input = std::move(*request.mutable_input());
  record::ExecutionRecord& record = plan.record;
  record.set_session(target->session->name());
  record.set_function_name(target->reference.name);
  record.set_registered_function_name(function.spec.function_name());
  record.set_version(function.version);
  // Starts of one name meet on one lane: the name decides the tag.
  const uint16_t tag = static_cast<uint16_t>(
      plan.named ? StableHash64(absl::StrCat(record.session(), "\n", record.function_name(), "\n",
                                             request.durable_execution_name()),
                                0)
                 : ids.Next());
  record.set_execution_id(NewExecutionId(ids, tag));
  record.set_name(plan.named ? request.durable_execution_name() : NewUuid(ids));
  record.set_arn(ExecutionArn{impl_->location(), record.function_name(), record.version(),
                              record.name(), record.execution_id()}
                     .ToString());
  record.set_invocation_type(request.invocation_type());
  if (request.has_tenant_id()) record.set_tenant_id(request.tenant_id());
  if (request.has_x_amzn_trace_id()) record.set_x_amzn_trace_id(request.x_amzn_trace_id());
  if (request.has_client_context()) record.set_client_context(request.client_context());
  *record.mutable_durable_config() = function.spec.durable_config();
  record.mutable_durable_config()->MergeFrom(request.durable_config());

  Lane& lane = impl_->LaneOf(record.execution_id());
  impl_->context().scheduler.Post(
      lane.index(), [&lane, plan = std::move(plan), done = std::move(done)]() mutable {
        lane.StartExecution(std::move(plan), std::move(done));
      });
}

absl::StatusOr<ResolvedFunction> Executor::ResolveFunction(
    absl::string_view session, absl::string_view function_name,
    const absl::optional<std::string>& qualifier) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (!found.ok()) return found.status();
  absl::StatusOr<FunctionReference> reference = impl_->LocalFunction(function_name, qualifier);
  if (!reference.ok()) return reference.status();
  return impl_->Resolve(**found, *reference);
}

void Executor::InvokeFunction(v1::InvokeFunctionRequest request,
                              Done<v1::InvokeFunctionResponse> done) {
  absl::StatusOr<InvocationTarget> target = impl_->TargetOf(request, ValidateInvoke);
  if (!target.ok()) return done(target.status());
  if (target->function.spec.durable()) {
    return done(errors::InvalidParameter(absl::StrCat("Function '", target->reference.name,
                                                      "' is durable; start an execution of it.")));
  }
  const FunctionKey key = {target->session->name(), target->function.spec.function_name()};
  ReplicaGroup* const replicas = impl_->context().replicas;
  if (replicas != nullptr && !impl_->context().invoker.HasPlace(key)) {
    const absl::StatusOr<std::string> address = replicas->FindPlace(key);
    if (!address.ok()) return done(address.status());
    if (!address->empty()) return impl_->Forward(*address, request, std::move(done));
  }
  if (request.invocation_type() == v1::INVOCATION_TYPE_EVENT) {
    v1::InvokeFunctionResponse accepted;
    accepted.set_executed_version(target->function.version);
    done(std::move(accepted));
    done = [](absl::StatusOr<v1::InvokeFunctionResponse>) {};
  }
  impl_->function_calls().Start(target->session->name(), target->reference.name,
                                std::move(target->function), std::move(request), std::move(done));
}

void Executor::Checkpoint(v1::CheckpointRequest request, StaleTokenSpelling spelling,
                          Done<v1::CheckpointResponse> done) {
  auto respelled =
      [spelling, done = std::move(done)](absl::StatusOr<v1::CheckpointResponse> response) mutable {
        // Another replica does not know how the caller spells it.
        if (IsStaleCheckpointToken(response.status())) {
          return done(errors::StaleCheckpointToken(spelling));
        }
        done(std::move(response));
      };
  impl_->OnOwnedOf<v1::CheckpointRequest, v1::CheckpointResponse>(
      std::move(request), absl::nullopt, NoSuchExecution, std::move(respelled),
      [impl = impl_.get(), spelling](Lane& lane, TreeMember& member, v1::CheckpointRequest request,
                                     Done<v1::CheckpointResponse> done) {
        if (member.execution != nullptr) {
          return lane.Checkpoint(member, std::move(request), spelling, std::move(done));
        }
        // Finished: a repeated checkpoint still gets its answer, everything else is stale.
        absl::StatusOr<std::unique_ptr<Execution>> execution =
            impl->context().store.Load(member.arn);
        if (!execution.ok()) return done(execution.status());
        const ChainedTargets no_targets;
        absl::StatusOr<CheckpointOutcome> outcome = ProcessCheckpoint(
            **execution, {request, lane.Now(*member.tree), member.tree->session->limits(),
                          impl->context().ids, no_targets, spelling});
        if (!outcome.ok()) return done(outcome.status());
        done(std::move(outcome->response));
      });
}

void Executor::GetExecutionState(v1::GetExecutionStateRequest request, StaleTokenSpelling spelling,
                                 Done<v1::GetExecutionStateResponse> done) {
  const std::string arn = request.durable_execution_arn();
  impl_->OnExecution<v1::GetExecutionStateResponse>(
      arn, absl::nullopt, NoSuchExecution, std::move(done),
      [request = std::move(request), spelling](Lane&, TreeMember& member,
                                               Done<v1::GetExecutionStateResponse> done) mutable {
        if (member.execution == nullptr) return done(errors::StaleCheckpointToken(spelling));
        done(ReadState(*member.execution, request, member.tree->session->limits(), spelling));
      });
}

void Executor::GetExecution(v1::GetExecutionRequest request, Done<v1::GetExecutionResponse> done) {
  const bool include_data =
      !request.has_include_execution_data() || request.include_execution_data();
  impl_->OnExecutionOf<v1::GetExecutionRequest, v1::GetExecutionResponse>(
      request, std::move(done),
      [impl = impl_.get(), include_data](Lane& lane, TreeMember& member,
                                         Done<v1::GetExecutionResponse> done) {
        absl::StatusOr<v1::Execution> execution = impl->Describe(lane, member, include_data);
        if (!execution.ok()) return done(execution.status());
        v1::GetExecutionResponse response;
        *response.mutable_execution() = *std::move(execution);
        if (member.execution != nullptr) {
          for (v1::WaitingFor& reason :
               WaitingForOf(*member.execution, lane.Now(*member.tree), lane.OutlookOf(member))) {
            *response.add_waiting_for() = std::move(reason);
          }
        }
        done(std::move(response));
      });
}

void Executor::GetExecutionHistory(v1::GetExecutionHistoryRequest request,
                                   Done<v1::GetExecutionHistoryResponse> done) {
  impl_->OnExecutionOf<v1::GetExecutionHistoryRequest, v1::GetExecutionHistoryResponse>(
      request, std::move(done),
      [impl = impl_.get(), request](Lane& lane, TreeMember& member,
                                    Done<v1::GetExecutionHistoryResponse> done) {
        absl::StatusOr<StoredExecution> stored = impl->context().store.LoadHeader(member.arn);
        if (!stored.ok()) return done(stored.status());
        const absl::Time now = lane.Now(*member.tree).time;
        absl::StatusOr<HistoryPage> page = PageOf(request, stored->progress.event_count(), now);
        if (!page.ok()) return done(page.status());
        absl::StatusOr<std::vector<v1::Event>> events =
            impl->context().store.ReadEvents(member.arn, page->first_id, page->last_id);
        if (!events.ok()) return done(events.status());
        done(ToHistoryResponse(request, *page, *std::move(events),
                               member.tree->session->limits().state_page_bytes, now));
      });
}

absl::StatusOr<std::vector<v1::Event>> Executor::ReadEvents(
    const absl::optional<std::string>& session, absl::string_view arn, int64_t first_id,
    int max_items, bool include_execution_data) {
  absl::StatusOr<StoredExecution> stored = impl_->context().store.LoadHeader(arn);
  if (!stored.ok()) return stored.status();
  if (!InSession(session, stored->record.session())) return errors::ExecutionNotFound(arn);
  ExecutorContext& context = impl_->context();
  // Whoever reads them watches the execution, and wants to know of the next ones soon.
  if (context.replicas != nullptr && !context.owned.Contains(std::string(arn))) {
    context.replicas->LookForWork();
  }
  absl::StatusOr<std::vector<v1::Event>> events =
      context.store.ReadEvents(arn, first_id, first_id + max_items - 1);
  if (!events.ok() || include_execution_data) return events;
  for (v1::Event& event : *events) StripExecutionData(event);
  return events;
}

void Executor::ListExecutions(v1::ListExecutionsRequest request,
                              Done<v1::ListExecutionsResponse> done) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->UseSession(request.session());
  if (!session.ok()) return done(session.status());
  absl::Status valid = ValidateList(request);
  if (!valid.ok()) return done(std::move(valid));
  absl::StatusOr<int> max_items = PageItems(request.max_items());
  if (!max_items.ok()) return done(max_items.status());
  ExecutionQuery query;
  query.session = (*session)->name();
  if (!request.function_name().empty()) {
    absl::StatusOr<FunctionReference> reference =
        impl_->LocalFunction(request.function_name(), QualifierOf(request));
    if (!reference.ok()) return done(reference.status());
    query.function_name = reference->name;
    query.version = reference->qualifier;
  }
  if (request.has_durable_execution_name()) query.name = request.durable_execution_name();
  for (int status : request.statuses())
    query.statuses.push_back(static_cast<v1::ExecutionStatus>(status));
  if (request.has_started_after()) query.started_after = ToAbsl(request.started_after());
  if (request.has_started_before()) query.started_before = ToAbsl(request.started_before());
  query.oldest_first = request.reverse_order();
  const absl::Time now = impl_->context().scheduler.Now();
  const Marker::Kind kind =
      query.oldest_first ? Marker::Kind::kReverseExecutions : Marker::Kind::kExecutions;
  if (!request.marker().empty()) {
    absl::StatusOr<Marker> marker = DecodeMarker(request.marker(), kind, now);
    if (!marker.ok()) return done(marker.status());
    query.after = ExecutionPosition{absl::FromUnixNanos(marker->position), marker->key};
  }
  query.max_items = *max_items + 1;
  absl::StatusOr<std::vector<StoredExecution>> found = impl_->context().store.List(query);
  if (!found.ok()) return done(found.status());
  v1::ListExecutionsResponse response;
  const bool more = static_cast<int>(found->size()) > *max_items;
  if (more) found->pop_back();
  for (const StoredExecution& execution : *found) {
    *response.add_durable_executions() = SummarizeExecution(impl_->location(), execution);
  }
  if (more) {
    const record::ExecutionRecord& last = found->back().record;
    response.set_next_marker(
        EncodeMarker({kind, now, absl::ToUnixNanos(ToAbsl(last.start_time())), 0, last.arn()}));
  }
  done(std::move(response));
}

void Executor::StopExecution(v1::StopExecutionRequest request,
                             Done<v1::StopExecutionResponse> done) {
  impl_->OnOwnedOf<v1::StopExecutionRequest, v1::StopExecutionResponse>(
      std::move(request), std::move(done),
      [impl = impl_.get()](Lane& lane, TreeMember& member, const v1::StopExecutionRequest& request,
                           Done<v1::StopExecutionResponse> done) {
        const v1::ErrorObject error = StopError(request);
        absl::Status valid = ValidateError(error, member.tree->session->limits());
        if (!valid.ok()) return done(std::move(valid));
        if (member.execution != nullptr && !member.execution->closed()) {
          return lane.Stop(member, error, std::move(done));
        }
        absl::StatusOr<v1::Execution> execution =
            impl->Describe(lane, member, /*include_data=*/false);
        if (!execution.ok()) return done(execution.status());
        v1::StopExecutionResponse response;
        *response.mutable_stop_timestamp() = execution->end_timestamp();
        done(std::move(response));
      });
}

void Executor::PauseExecution(v1::PauseExecutionRequest request,
                              Done<v1::PauseExecutionResponse> done) {
  absl::Status valid = ValidatePause(request);
  if (!valid.ok()) return done(std::move(valid));
  impl_->OnOwnedOf<v1::PauseExecutionRequest, v1::PauseExecutionResponse>(
      std::move(request), std::move(done),
      [](Lane& lane, TreeMember& member, const v1::PauseExecutionRequest& request,
         Done<v1::PauseExecutionResponse> done) {
        if (member.execution == nullptr) {
          return done(errors::Conflict("Cannot pause an execution that is closed."));
        }
        lane.Pause(member, request, std::move(done));
      });
}

void Executor::ResumeExecution(v1::ResumeExecutionRequest request,
                               Done<v1::ResumeExecutionResponse> done) {
  absl::Status valid = ValidateResume(request);
  if (!valid.ok()) return done(std::move(valid));
  impl_->OnOwnedOf<v1::ResumeExecutionRequest, v1::ResumeExecutionResponse>(
      std::move(request), std::move(done),
      [](Lane& lane, TreeMember& member, const v1::ResumeExecutionRequest& request,
         Done<v1::ResumeExecutionResponse> done) {
        if (member.execution == nullptr) {
          return done(errors::Conflict("Cannot resume an execution that is closed."));
        }
        lane.Resume(member, request, std::move(done));
      });
}

void Executor::DeleteExecution(v1::DeleteExecutionRequest request,
                               Done<v1::DeleteExecutionResponse> done) {
  impl_->OnOwnedOf<v1::DeleteExecutionRequest, v1::DeleteExecutionResponse>(
      std::move(request), std::move(done),
      [](Lane& lane, TreeMember& member, const v1::DeleteExecutionRequest&,
         Done<v1::DeleteExecutionResponse> done) {
        if (member.execution != nullptr) {
          return done(
              errors::Conflict("Cannot delete an execution that has not ended; stop it first."));
        }
        v1::DeleteExecutionResponse response;
        SetTimestamp(lane.Now(*member.tree).time, response.mutable_deletion_request_timestamp());
        absl::Status status = lane.Delete(member);
        if (!status.ok()) return done(std::move(status));
        done(std::move(response));
      });
}

void Executor::SendCallbackSuccess(v1::SendCallbackSuccessRequest request,
                                   Done<v1::SendCallbackSuccessResponse> done) {
  absl::optional<std::string> result;
  if (!request.result().empty()) result = request.result();
  impl_->OnCallback<v1::SendCallbackSuccessRequest, v1::SendCallbackSuccessResponse>(
      request, std::move(done),
      [id = request.callback_id(), result = std::move(result)](
          ExecutionChange& change, int64_t index, const Limits& limits) {
        return CompleteCallback(change, index, id, result, limits);
      });
}

void Executor::SendCallbackFailure(v1::SendCallbackFailureRequest request,
                                   Done<v1::SendCallbackFailureResponse> done) {
  impl_->OnCallback<v1::SendCallbackFailureRequest, v1::SendCallbackFailureResponse>(
      request, std::move(done),
      [id = request.callback_id(), error = request.error()](ExecutionChange& change, int64_t index,
                                                            const Limits& limits) {
        return FailCallback(change, index, id, error, limits);
      });
}

void Executor::SendCallbackHeartbeat(v1::SendCallbackHeartbeatRequest request,
                                     Done<v1::SendCallbackHeartbeatResponse> done) {
  impl_->OnCallback<v1::SendCallbackHeartbeatRequest, v1::SendCallbackHeartbeatResponse>(
      request, std::move(done),
      [id = request.callback_id()](ExecutionChange& change, int64_t index, const Limits&) {
        return HeartbeatCallback(change, index, id);
      });
}

absl::Status Executor::RegisterFunctions(absl::string_view session,
                                         const std::vector<v1::FunctionSpec>& functions) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (!found.ok()) return found.status();
  return impl_->ChangeSession(
      **found, [&](Session& session) { return session.RegisterFunctions(functions); });
}

absl::Status Executor::DeregisterFunction(absl::string_view session,
                                          absl::string_view function_name) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (!found.ok()) return found.status();
  absl::Status status = impl_->ChangeSession(
      **found, [&](Session& session) { return session.DeregisterFunction(function_name); });
  if (!status.ok()) return status;
  const FunctionKey function = {(*found)->name(), std::string(function_name)};
  impl_->context().invoker.RemoveFunction(function);
  if (impl_->context().replicas == nullptr) return absl::OkStatus();
  return impl_->context().replicas->WakeAwaiting(function);
}

absl::StatusOr<v1::ListFunctionsResponse> Executor::ListFunctions(
    const v1::ListFunctionsRequest& request) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->UseSession(request.session());
  if (!session.ok()) return session.status();
  absl::StatusOr<int> max_items = PageItems(request.max_items());
  if (!max_items.ok()) return max_items.status();
  const absl::Time now = impl_->context().scheduler.Now();
  absl::StatusOr<Marker> after = MarkerOf(request.marker(), Marker::Kind::kFunctions, now);
  if (!after.ok()) return after.status();
  std::vector<v1::FunctionSpec> functions = (*session)->ListFunctions(after->key, *max_items + 1);
  v1::ListFunctionsResponse response;
  if (static_cast<int>(functions.size()) > *max_items) {
    functions.pop_back();
    response.set_next_marker(
        EncodeMarker({Marker::Kind::kFunctions, now, 0, 0, functions.back().function_name()}));
  }
  for (v1::FunctionSpec& function : functions) {
    *response.add_functions()->mutable_function() = std::move(function);
  }
  return response;
}

void Executor::Idle(absl::string_view arn, absl::string_view request_id, absl::Time until,
                    Done<v1::ServeResponse::IdleEnded> done) {
  impl_->OnExecution<v1::ServeResponse::IdleEnded>(
      std::string(arn), absl::nullopt, errors::ExecutionNotFound, std::move(done),
      [request_id = std::string(request_id), until](Lane& lane, TreeMember& member,
                                                    Done<v1::ServeResponse::IdleEnded> done) {
        if (member.execution == nullptr) return done(errors::ExecutionNotFound(member.arn));
        lane.Idle(member, request_id, {until, std::move(done)});
      });
}

void Executor::EndIdle(absl::string_view arn, absl::string_view request_id) {
  impl_->OnExecution<v1::ServeResponse::IdleEnded>(
      std::string(arn), absl::nullopt, errors::ExecutionNotFound,
      [](absl::StatusOr<v1::ServeResponse::IdleEnded>) {},
      [request_id = std::string(request_id)](Lane& lane, TreeMember& member,
                                             Done<v1::ServeResponse::IdleEnded>) {
        if (member.execution != nullptr &&
            member.execution->progress().invocation().request_id() == request_id) {
          lane.EndIdle(member);
        }
      });
}

void Executor::Shutdown() {
  if (impl_->shut_down().exchange(true)) return;
  if (impl_->context().replicas != nullptr) impl_->context().replicas->Leave();
  for (const std::unique_ptr<Lane>& lane : impl_->lanes()) {
    impl_->context().scheduler.Post(lane->index(), [lane = lane.get()] { lane->Shutdown(); });
  }
  impl_->function_calls().Shutdown();
  impl_->context().waiters.Shutdown();
}

}  // namespace rehearse
