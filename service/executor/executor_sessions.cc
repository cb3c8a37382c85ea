// Executor: sessions, time and waiting.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "service/executor/executor_impl.h"

namespace rehearse {
namespace {

template <typename Message, typename Value>
bool Contains(const Message& values, Value value) {
  return std::find(values.begin(), values.end(), static_cast<int>(value)) != values.end();
}

std::string StatusText(v1::ExecutionStatus status) {
  const std::string name = v1::ExecutionStatus_Name(status);
  return std::string(absl::StripPrefix(name, "EXECUTION_STATUS_"));
}

bool MatchesOperation(const v1::WaitForOperationRequest& request, const v1::Operation& operation) {
  if (request.has_operation_id() && request.operation_id() != operation.id()) return false;
  if (request.has_name() && request.name() != operation.name()) return false;
  if (request.type() != v1::OPERATION_TYPE_UNSPECIFIED && request.type() != operation.type())
    return false;
  return request.statuses().empty() || Contains(request.statuses(), operation.status());
}

const v1::Operation* FindOperation(const v1::WaitForOperationRequest& request,
                                   const Execution& execution) {
  const int64_t count = execution.operation_count();
  for (int64_t i = 0; i < count; ++i) {
    const v1::Operation& operation =
        execution.operation(request.latest() ? count - 1 - i : i).operation();
    if (MatchesOperation(request, operation)) return &operation;
  }
  return nullptr;
}

std::string TextOf(const v1::WaitForOperationRequest& request) {
  std::string text = "an operation";
  if (request.has_name()) absl::StrAppend(&text, " named \"", request.name(), "\"");
  if (request.has_operation_id()) absl::StrAppend(&text, " with id ", request.operation_id());
  if (request.type() != v1::OPERATION_TYPE_UNSPECIFIED) {
    absl::StrAppend(&text, " of type ",
                    absl::StripPrefix(v1::OperationType_Name(request.type()), "OPERATION_TYPE_"));
  }
  for (int i = 0; i < request.statuses_size(); ++i) {
    const auto status = static_cast<v1::OperationStatus>(request.statuses(i));
    absl::StrAppend(&text, i == 0 ? " that is " : " or ",
                    absl::StripPrefix(v1::OperationStatus_Name(status), "OPERATION_STATUS_"));
  }
  return text;
}

// A call that waits for something of one execution.
template <typename Response>
struct Wait {
  // What is waited for, as a time-out names it.
  std::string what;
  absl::Duration timeout;
  // Not answered while an invocation runs or is about to.
  bool invocation_ended = false;
  // The answer, once the live execution allows it.
  absl::AnyInvocable<absl::optional<Response>(const Execution&, const Moment&)> look;
  // The answer when the execution has finished without.
  absl::AnyInvocable<absl::StatusOr<Response>(Lane&, const TreeMember&)> finish;
  Executor::Done<Response> done;
};

// Answers the call now, or keeps it until it can be answered. What `look` has once found is the
// answer, even if it is gone again when the answer is sent.
template <typename Response>
void WaitFor(ExecutorContext& context, Lane& lane, TreeMember& member, Wait<Response> wait) {
  if (member.execution == nullptr) return wait.done(wait.finish(lane, member));
  // An invocation that only waits for one of its workers to be free has as good as begun.
  const InvocationOutlook outlook = lane.OutlookOf(member);
  if (!wait.invocation_ended || !outlook.queued || !outlook.has_place) {
    absl::optional<Response> now = wait.look(*member.execution, lane.Now(*member.tree));
    if (now.has_value()) return wait.done(*std::move(now));
  }
  struct Kept {
    Wait<Response> wait;
    absl::optional<Response> seen;
  };
  auto kept = std::make_shared<Kept>();
  kept->wait = std::move(wait);
  auto watch = [kept](const ExecutionNotice& notice) {
    kept->seen = kept->wait.look(notice.execution, notice.now);
    return notice.finished || kept->seen.has_value();
  };
  auto answer = [&lane, arn = member.arn, kept](Waiters::Verdict verdict) {
    if (kept->seen.has_value()) return kept->wait.done(*std::move(kept->seen));
    if (verdict == Waiters::Verdict::kShutDown) return kept->wait.done(errors::ShuttingDown());
    lane.EnterToRead(arn, [&lane, arn, kept](const absl::StatusOr<Lane::Found>& found) {
      Wait<Response>& wait = kept->wait;
      if (!found.ok()) return wait.done(found.status());
      TreeMember* const member = found->member;
      if (member == nullptr) return wait.done(errors::ExecutionNotFound(arn));
      if (member->execution == nullptr) return wait.done(wait.finish(lane, *member));
      const std::vector<v1::WaitingFor> reasons =
          WaitingForOf(*member->execution, lane.Now(*member->tree), lane.OutlookOf(*member));
      wait.done(errors::WaitTimedOut(wait.what, wait.timeout, WaitingForText(reasons)));
    });
  };
  if (context.replicas != nullptr) context.replicas->LookForWork();
  context.waiters.Add(lane.index(), member.arn, kept->wait.timeout, std::move(watch),
                      std::move(answer));
}

// "status PAUSED or SUCCEEDED of execution ..."; "the end of execution ...".
std::string TextOf(const v1::WaitForExecutionRequest& request) {
  std::string text;
  for (int i = 0; i < request.statuses_size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "status " : " or ",
                    StatusText(static_cast<v1::ExecutionStatus>(request.statuses(i))));
  }
  if (text.empty()) text = "the end";
  return absl::StrCat(text, " of execution ", request.durable_execution_arn());
}

}  // namespace

absl::Status Executor::Recover() {
  ExecutorContext& context = impl_->context();
  const absl::StatusOr<std::vector<record::SessionRecord>> sessions = context.store.Sessions();
  if (!sessions.ok()) return sessions.status();
  for (const record::SessionRecord& record : *sessions) {
    absl::StatusOr<std::shared_ptr<Session>> session =
        context.sessions.Restore(record, context.scheduler.Now());
    if (!session.ok()) return session.status();
    if ((*session)->name() != kDefaultSession) impl_->WatchIdleness(*session);
  }
  // What replicas share comes by claims.
  if (context.replicas != nullptr) return absl::OkStatus();
  absl::Status recovered = impl_->RecoverExecutions();
  if (!recovered.ok()) return recovered;
  for (const std::unique_ptr<Lane>& lane : impl_->lanes()) {
    context.scheduler.Post(lane->index(), [lane = lane.get()] { lane->FinishRecovery(); });
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CreateSessionResponse> Executor::CreateSession(
    const v1::CreateSessionRequest& request) {
  if (impl_->shut_down()) return errors::ShuttingDown();
  absl::Status valid = impl_->ValidateForReplicas(request.config());
  if (!valid.ok()) return valid;
  ExecutorContext& context = impl_->context();
  const std::string name = request.name().empty() ? NewUuid(context.ids) : request.name();
  absl::StatusOr<std::shared_ptr<Session>> session =
      context.sessions.Create(name, request.config(), context.scheduler.Now());
  if (!session.ok()) return session.status();
  absl::Status stored = impl_->StoreNewSession(**session);
  if (!stored.ok()) {
    context.sessions.Remove(name).IgnoreError();
    context.sessions.Forget(name);
    return stored;
  }
  impl_->WatchIdleness(*session);
  v1::CreateSessionResponse response;
  *response.mutable_session() = (*session)->Describe();
  return response;
}

absl::StatusOr<v1::GetSessionResponse> Executor::GetSession(const v1::GetSessionRequest& request) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->UseSession(request.name());
  if (!session.ok()) return session.status();
  absl::StatusOr<v1::Session> described = impl_->DescribeSession(**session);
  if (!described.ok()) return described.status();
  v1::GetSessionResponse response;
  *response.mutable_session() = *std::move(described);
  return response;
}

absl::StatusOr<v1::ListSessionsResponse> Executor::ListSessions(
    const v1::ListSessionsRequest& request) {
  absl::StatusOr<int> max_items = PageItems(request.max_items());
  if (!max_items.ok()) return max_items.status();
  const absl::Time now = impl_->context().scheduler.Now();
  absl::StatusOr<Marker> after = MarkerOf(request.marker(), Marker::Kind::kSessions, now);
  if (!after.ok()) return after.status();
  std::vector<std::shared_ptr<Session>> sessions =
      impl_->context().sessions.List(after->key, *max_items + 1);
  v1::ListSessionsResponse response;
  if (static_cast<int>(sessions.size()) > *max_items) {
    sessions.pop_back();
    response.set_next_marker(
        EncodeMarker({Marker::Kind::kSessions, now, 0, 0, sessions.back()->name()}));
  }
  for (const std::shared_ptr<Session>& session : sessions) {
    absl::StatusOr<v1::Session> described = impl_->DescribeSession(*session);
    if (!described.ok()) return described.status();
    *response.add_sessions() = *std::move(described);
  }
  return response;
}

void Executor::DeleteSession(v1::DeleteSessionRequest request,
                             Done<v1::DeleteSessionResponse> done) {
  impl_->DeleteSession(request.name(), std::move(done));
}

absl::StatusOr<std::string> Executor::HoldSession(absl::string_view session) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (!found.ok()) return found.status();
  ++(*found)->holds;
  return (*found)->name();
}

void Executor::ReleaseSession(absl::string_view session) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (found.ok()) --(*found)->holds;
}

void Executor::AdvanceTime(v1::AdvanceTimeRequest request, Done<v1::AdvanceTimeResponse> done) {
  if (impl_->shut_down()) return done(errors::ShuttingDown());
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->UseSession(request.session());
  if (!session.ok()) return done(session.status());
  absl::Status valid = ValidateAdvance(request);
  if (!valid.ok()) return done(std::move(valid));
  if (impl_->context().replicas != nullptr) {
    return done(errors::InvalidParameter(
        "Replicas that share a store keep real time: it cannot be advanced."));
  }
  request.set_session((*session)->name());

  // Gathers what the lanes report.
  struct Gathered {
    absl::Mutex mutex;
    size_t left ABSL_GUARDED_BY(mutex);
    v1::AdvanceTimeResponse response ABSL_GUARDED_BY(mutex);
    Done<v1::AdvanceTimeResponse> done;
  };
  constexpr int kMaxFiredReported = 1000;
  auto gathered = std::make_shared<Gathered>();
  gathered->left = impl_->lanes().size();
  gathered->done = std::move(done);
  for (const std::unique_ptr<Lane>& lane : impl_->lanes()) {
    impl_->context().scheduler.Post(lane->index(), [lane = lane.get(), request, gathered] {
      lane->Advance(request.session(), request, [gathered](std::vector<v1::FiredTimer> fired) {
        absl::ReleasableMutexLock lock(&gathered->mutex);
        v1::AdvanceTimeResponse& response = gathered->response;
        response.set_fired_count(response.fired_count() + static_cast<int64_t>(fired.size()));
        for (v1::FiredTimer& timer : fired) {
          if (response.fired_size() < kMaxFiredReported) *response.add_fired() = std::move(timer);
        }
        if (--gathered->left > 0) return;
        v1::AdvanceTimeResponse complete = std::move(response);
        lock.Release();
        gathered->done(std::move(complete));
      });
    });
  }
}

void Executor::WaitForExecution(v1::WaitForExecutionRequest request,
                                Done<v1::WaitForExecutionResponse> done) {
  absl::StatusOr<absl::Duration> timeout = WaitTimeout(request.has_timeout(), request.timeout());
  if (!timeout.ok()) return done(timeout.status());
  auto work = [impl = impl_.get(), request, timeout = *timeout](
                  Lane& lane, TreeMember& member, Done<v1::WaitForExecutionResponse> done) {
    Wait<v1::WaitForExecutionResponse> wait;
    wait.what = TextOf(request);
    wait.timeout = timeout;
    wait.invocation_ended = request.invocation_ended();
    wait.done = std::move(done);
    wait.look = [impl, request](const Execution& execution, const Moment& now) {
      const record::ExecutionProgress& progress = execution.progress();
      absl::optional<v1::WaitForExecutionResponse> response;
      // A closed execution is through when its history is.
      if (progress.terminal_event_pending() ||
          (request.invocation_ended() && progress.has_invocation()) ||
          !Contains(request.statuses(), progress.status())) {
        return response;
      }
      *response.emplace().mutable_execution() =
          DescribeExecution(impl->location(), execution, now, /*include_data=*/true);
      return response;
    };
    wait.finish = [impl, request](
                      Lane& lane,
                      const TreeMember& member) -> absl::StatusOr<v1::WaitForExecutionResponse> {
      absl::StatusOr<v1::Execution> execution = impl->Describe(lane, member, /*include_data=*/true);
      if (!execution.ok()) return execution.status();
      if (!request.statuses().empty() && !Contains(request.statuses(), execution->status())) {
        return errors::Conflict(
            absl::StrCat("The execution has closed as ", StatusText(execution->status()), "."));
      }
      v1::WaitForExecutionResponse response;
      *response.mutable_execution() = *std::move(execution);
      return response;
    };
    WaitFor(impl->context(), lane, member, std::move(wait));
  };
  impl_->OnExecutionOf<v1::WaitForExecutionRequest, v1::WaitForExecutionResponse>(
      request, std::move(done), std::move(work));
}

void Executor::WaitForOperation(v1::WaitForOperationRequest request,
                                Done<v1::WaitForOperationResponse> done) {
  absl::StatusOr<absl::Duration> timeout = WaitTimeout(request.has_timeout(), request.timeout());
  if (!timeout.ok()) return done(timeout.status());
  auto work = [impl = impl_.get(), request, timeout = *timeout](
                  Lane& lane, TreeMember& member, Done<v1::WaitForOperationResponse> done) {
    Wait<v1::WaitForOperationResponse> wait;
    wait.what = absl::StrCat(TextOf(request), " of execution ", member.arn);
    wait.timeout = timeout;
    wait.invocation_ended = request.invocation_ended();
    wait.done = std::move(done);
    wait.look = [request](const Execution& execution, const Moment&) {
      absl::optional<v1::WaitForOperationResponse> response;
      if (request.invocation_ended() && execution.invocation_in_flight()) return response;
      const v1::Operation* operation = FindOperation(request, execution);
      if (operation != nullptr) *response.emplace().mutable_operation() = *operation;
      return response;
    };
    wait.finish = [impl, request](
                      Lane&,
                      const TreeMember& member) -> absl::StatusOr<v1::WaitForOperationResponse> {
      absl::StatusOr<std::unique_ptr<Execution>> stored = impl->context().store.Load(member.arn);
      if (!stored.ok()) return stored.status();
      const v1::Operation* operation = FindOperation(request, **stored);
      if (operation == nullptr) {
        return errors::Conflict(absl::StrCat("The execution has closed as ",
                                             StatusText((*stored)->progress().status()),
                                             " without ", TextOf(request), "."));
      }
      v1::WaitForOperationResponse response;
      *response.mutable_operation() = *operation;
      return response;
    };
    WaitFor(impl->context(), lane, member, std::move(wait));
  };
  impl_->OnExecutionOf<v1::WaitForOperationRequest, v1::WaitForOperationResponse>(
      request, std::move(done), std::move(work));
}

void Executor::InvokeNext(v1::InvokeNextRequest request, Done<v1::InvokeNextResponse> done) {
  absl::StatusOr<absl::Duration> timeout = WaitTimeout(request.has_timeout(), request.timeout());
  if (!timeout.ok()) return done(timeout.status());
  auto work = [impl = impl_.get(), timeout = *timeout](Lane& lane, TreeMember& member,
                                                       Done<v1::InvokeNextResponse> done) {
    if (!member.tree->session->config().stepped()) {
      return done(
          errors::Conflict("The session is not stepped: its invocations start by themselves."));
    }
    // The invocation that is asked for is the next one to be counted.
    const int count =
        member.execution == nullptr ? 0 : member.execution->progress().invocation_count() + 1;
    const bool invoked = member.execution != nullptr && lane.InvokeOwed(member);
    auto request_id = std::make_shared<std::string>();
    Wait<v1::InvokeNextResponse> wait;
    wait.what = absl::StrCat("the end of the next invocation of execution ", member.arn);
    wait.timeout = timeout;
    wait.done = std::move(done);
    wait.look = [impl, invoked, count, request_id](const Execution& execution, const Moment& now) {
      const record::ExecutionProgress& progress = execution.progress();
      absl::optional<v1::InvokeNextResponse> response;
      if (invoked && progress.has_invocation() && progress.invocation_count() == count) {
        *request_id = progress.invocation().request_id();
      }
      if (invoked && (progress.invocation_count() < count || progress.has_invocation()))
        return response;
      response.emplace().set_invoked(invoked);
      response->set_request_id(*request_id);
      *response->mutable_execution() =
          DescribeExecution(impl->location(), execution, now, /*include_data=*/true);
      return response;
    };
    // Without an invocation: one that was asked for is not started any more.
    wait.finish = [impl, request_id](
                      Lane& lane,
                      const TreeMember& member) -> absl::StatusOr<v1::InvokeNextResponse> {
      absl::StatusOr<v1::Execution> execution = impl->Describe(lane, member, /*include_data=*/true);
      if (!execution.ok()) return execution.status();
      v1::InvokeNextResponse response;
      response.set_invoked(!request_id->empty());
      response.set_request_id(*request_id);
      *response.mutable_execution() = *std::move(execution);
      return response;
    };
    WaitFor(impl->context(), lane, member, std::move(wait));
  };
  impl_->OnExecutionOf<v1::InvokeNextRequest, v1::InvokeNextResponse>(request, std::move(done),
                                                                      std::move(work));
}

void Executor::InspectExecution(v1::InspectExecutionRequest request,
                                Done<v1::InspectExecutionResponse> done) {
  absl::StatusOr<int> max_items = PageItems(request.max_items());
  if (!max_items.ok()) return done(max_items.status());
  auto work = [impl = impl_.get(), request, max_items = *max_items](
                  Lane& lane, TreeMember& member, Done<v1::InspectExecutionResponse> done) {
    std::unique_ptr<Execution> stored;
    if (member.execution == nullptr) {
      absl::StatusOr<std::unique_ptr<Execution>> loaded = impl->context().store.Load(member.arn);
      if (!loaded.ok()) return done(loaded.status());
      stored = *std::move(loaded);
    }
    const Execution& execution = stored == nullptr ? *member.execution : *stored;
    const Moment now = lane.Now(*member.tree);
    const absl::StatusOr<Marker> marker =
        MarkerOf(request.marker(), Marker::Kind::kOperations, now.time);
    if (!marker.ok()) return done(marker.status());
    const int64_t first = marker->position;
    v1::InspectExecutionResponse response;
    *response.mutable_execution() =
        DescribeExecution(impl->location(), execution, now, /*include_data=*/true);
    response.set_session(execution.record().session());
    const int64_t end = std::min(first + max_items, execution.operation_count());
    for (int64_t i = first; i < end; ++i)
      *response.add_operations() = execution.operation(i).operation();
    if (end < execution.operation_count())
      response.set_next_marker(EncodeMarker({Marker::Kind::kOperations, now.time, end, 0, ""}));
    for (v1::WaitingFor& reason : WaitingForOf(execution, now, lane.OutlookOf(member))) {
      *response.add_waiting_for() = std::move(reason);
    }
    const record::ExecutionProgress& progress = execution.progress();
    SetTimestamp(now.time, response.mutable_now());
    response.set_invocation_count(progress.invocation_count());
    response.set_invocation_in_flight(progress.has_invocation());
    response.set_invocation_owed(progress.invocation_owed() || lane.OutlookOf(member).queued);
    response.set_consecutive_failures(progress.consecutive_failures());
    response.set_event_count(progress.event_count());
    if (execution.record().has_parent()) {
      response.set_parent_durable_execution_arn(execution.record().parent().arn());
    }
    done(std::move(response));
  };
  impl_->OnExecutionOf<v1::InspectExecutionRequest, v1::InspectExecutionResponse>(
      request, std::move(done), std::move(work));
}

}  // namespace rehearse
