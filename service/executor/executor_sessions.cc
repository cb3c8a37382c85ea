// Executor: sessions, time and waiting.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "service/executor/executor_impl.h"

namespace rehearse {
namespace {

// An execution as a waiting call sees it: live, or finished and gone from the lane.
struct Sight {
  Lane& lane;
  TreeMember& member;
};

// Answers the call if it can be answered now. `closing`: it cannot become true any more if it is
// not now.
using Attempt = absl::AnyInvocable<bool(const Sight&, bool closing)>;
using Refuse = absl::AnyInvocable<void(absl::Status)>;

template <typename Message, typename Value>
bool Contains(const Message& values, Value value) {
  return std::find(values.begin(), values.end(), static_cast<int>(value)) != values.end();
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

// Keeps a call until `attempt` has answered it. `watch` tells cheaply whether trying again is worth
// it.
void WaitFor(ExecutorContext& context, const Sight& sight, std::string what, absl::Duration timeout,
             Waiters::Condition watch, Attempt attempt, Refuse refuse) {
  if (attempt(sight, /*closing=*/sight.member.execution == nullptr)) return;
  Lane& lane = sight.lane;
  const std::string arn = sight.member.arn;
  context.waiters.Add(
      lane.index(), arn, timeout, std::move(watch),
      [&context, &lane, arn, what = std::move(what), timeout, attempt = std::move(attempt),
       refuse = std::move(refuse)](Waiters::Verdict verdict) mutable {
        if (verdict == Waiters::Verdict::kShutDown) return refuse(errors::ShuttingDown());
        lane.Enter(
            std::string(ExecutionIdOf(arn)),
            [&lane, arn, what = std::move(what), timeout, verdict, attempt = std::move(attempt),
             refuse = std::move(refuse)](TreeMember* member) mutable {
              if (member == nullptr) return refuse(errors::ExecutionNotFound(arn));
              const Sight sight{lane, *member};
              if (attempt(sight, /*closing=*/member->execution == nullptr)) return;
              const std::vector<v1::WaitingFor> reasons = WaitingForOf(
                  *member->execution, lane.Now(*member->tree), lane.OutlookOf(*member));
              refuse(errors::WaitTimedOut(what, timeout, WaitingForText(reasons)));
            });
      });
}

}  // namespace

absl::StatusOr<v1::CreateSessionResponse> Executor::CreateSession(
    const v1::CreateSessionRequest& request) {
  if (impl_->shut_down()) return errors::ShuttingDown();
  ExecutorContext& context = impl_->context();
  const std::string name = request.name().empty() ? NewUuid(context.ids) : request.name();
  absl::StatusOr<std::shared_ptr<Session>> session =
      context.sessions.Create(name, request.config(), context.scheduler.Now());
  if (!session.ok()) return session.status();
  impl_->WatchIdleness(*session);
  v1::CreateSessionResponse response;
  *response.mutable_session() = (*session)->Describe();
  return response;
}

absl::StatusOr<v1::GetSessionResponse> Executor::GetSession(const v1::GetSessionRequest& request) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->UseSession(request.name());
  if (!session.ok()) return session.status();
  v1::GetSessionResponse response;
  *response.mutable_session() = (*session)->Describe();
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
  for (const std::shared_ptr<Session>& session : sessions)
    *response.add_sessions() = session->Describe();
  return response;
}

void Executor::DeleteSession(v1::DeleteSessionRequest request,
                             Done<v1::DeleteSessionResponse> done) {
  impl_->DeleteSession(request.name(), std::move(done));
}

absl::Status Executor::HoldSession(absl::string_view session) {
  absl::StatusOr<std::shared_ptr<Session>> found = impl_->UseSession(session);
  if (!found.ok()) return found.status();
  ++(*found)->holds;
  return absl::OkStatus();
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
  // What is asked of a live execution; a finished one meets it with its status or never.
  auto met = [request](const record::ExecutionProgress& progress) {
    if (request.invocation_ended() && progress.has_invocation()) return false;
    return Contains(request.statuses(), progress.status());
  };
  auto work = [impl = impl_.get(), request, met, timeout = *timeout](
                  Lane& lane, TreeMember& member, Done<v1::WaitForExecutionResponse> done) {
    auto shared = std::make_shared<Done<v1::WaitForExecutionResponse>>(std::move(done));
    Attempt attempt = [impl, request, met, shared](const Sight& sight, bool closing) {
      if (!closing && !met(sight.member.execution->progress())) return false;
      absl::StatusOr<v1::Execution> execution =
          impl->Describe(sight.lane, sight.member, /*include_data=*/true);
      if (!execution.ok()) {
        (*shared)(execution.status());
      } else if (!request.statuses().empty() &&
                 !Contains(request.statuses(), execution->status())) {
        const std::string status = v1::ExecutionStatus_Name(execution->status());
        (*shared)(errors::Conflict(absl::StrCat(
            "The execution has closed as ", absl::StripPrefix(status, "EXECUTION_STATUS_"), ".")));
      } else {
        v1::WaitForExecutionResponse response;
        *response.mutable_execution() = *std::move(execution);
        (*shared)(std::move(response));
      }
      return true;
    };
    WaitFor(
        impl->context(), {lane, member}, absl::StrCat("execution ", member.arn), timeout,
        [met](const ExecutionNotice& notice) {
          return notice.finished || met(notice.execution.progress());
        },
        std::move(attempt), [shared](absl::Status status) { (*shared)(std::move(status)); });
  };
  impl_->OnExecutionOf<v1::WaitForExecutionRequest, v1::WaitForExecutionResponse>(
      request, std::move(done), std::move(work));
}

void Executor::WaitForOperation(v1::WaitForOperationRequest request,
                                Done<v1::WaitForOperationResponse> done) {
  absl::StatusOr<absl::Duration> timeout = WaitTimeout(request.has_timeout(), request.timeout());
  if (!timeout.ok()) return done(timeout.status());
  auto find = [request](const Execution& execution) -> const v1::Operation* {
    if (request.invocation_ended() && execution.invocation_in_flight()) return nullptr;
    return FindOperation(request, execution);
  };
  auto work = [impl = impl_.get(), request, find, timeout = *timeout](
                  Lane& lane, TreeMember& member, Done<v1::WaitForOperationResponse> done) {
    auto shared = std::make_shared<Done<v1::WaitForOperationResponse>>(std::move(done));
    Attempt attempt = [impl, request, find, shared](const Sight& sight, bool closing) {
      std::unique_ptr<Execution> stored;
      if (closing) {
        absl::StatusOr<std::unique_ptr<Execution>> loaded =
            impl->context().store.Load(sight.member.arn);
        if (!loaded.ok()) {
          (*shared)(loaded.status());
          return true;
        }
        stored = *std::move(loaded);
      }
      const v1::Operation* operation = find(closing ? *stored : *sight.member.execution);
      if (operation != nullptr) {
        v1::WaitForOperationResponse response;
        *response.mutable_operation() = *operation;
        (*shared)(std::move(response));
      } else if (closing) {
        const std::string status = v1::ExecutionStatus_Name(stored->progress().status());
        (*shared)(errors::Conflict(absl::StrCat("The execution has closed as ",
                                                absl::StripPrefix(status, "EXECUTION_STATUS_"),
                                                " without ", TextOf(request), ".")));
      }
      return operation != nullptr || closing;
    };
    WaitFor(
        impl->context(), {lane, member},
        absl::StrCat(TextOf(request), " of execution ", member.arn), timeout,
        [find](const ExecutionNotice& notice) {
          return notice.finished || find(notice.execution) != nullptr;
        },
        std::move(attempt), [shared](absl::Status status) { (*shared)(std::move(status)); });
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
    auto ended = [invoked, count](const record::ExecutionProgress& progress) {
      return !invoked || (progress.invocation_count() >= count && !progress.has_invocation());
    };
    auto shared = std::make_shared<Done<v1::InvokeNextResponse>>(std::move(done));
    auto request_id = std::make_shared<std::string>();
    Attempt attempt = [impl, invoked, ended, shared, request_id](const Sight& sight, bool closing) {
      if (!closing && !ended(sight.member.execution->progress())) return false;
      absl::StatusOr<v1::Execution> execution =
          impl->Describe(sight.lane, sight.member, /*include_data=*/true);
      if (!execution.ok()) {
        (*shared)(execution.status());
        return true;
      }
      v1::InvokeNextResponse response;
      response.set_invoked(invoked);
      response.set_request_id(*request_id);
      *response.mutable_execution() = *std::move(execution);
      (*shared)(std::move(response));
      return true;
    };
    WaitFor(
        impl->context(), {lane, member},
        absl::StrCat("the next invocation of execution ", member.arn), timeout,
        [ended, request_id](const ExecutionNotice& notice) {
          const record::ExecutionProgress& progress = notice.execution.progress();
          if (progress.has_invocation()) *request_id = progress.invocation().request_id();
          return notice.finished || ended(progress);
        },
        std::move(attempt), [shared](absl::Status status) { (*shared)(std::move(status)); });
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
