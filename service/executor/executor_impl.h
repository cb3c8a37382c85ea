// The inside of Executor: what its methods share. They stand in executor.cc (executions and
// functions) and executor_sessions.cc (sessions, time, waiting).
#ifndef REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_
#define REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "service/base/marker.h"
#include "service/executor/describe.h"
#include "service/executor/executor.h"
#include "service/executor/function_calls.h"
#include "service/executor/lane.h"
#include "service/executor/validation.h"

namespace rehearse {

// Whether what `session` names is the session of an execution; absent: any.
inline bool InSession(const absl::optional<std::string>& session, const std::string& actual) {
  return !session.has_value() || *session == actual ||
         (session->empty() && actual == kDefaultSession);
}

template <typename Request>
absl::optional<std::string> SessionOf(const Request& request) {
  if (!request.has_session()) return absl::nullopt;
  return request.session();
}

// Where a list goes on; its beginning for an empty marker.
inline absl::StatusOr<Marker> MarkerOf(const std::string& text, Marker::Kind kind, absl::Time now) {
  if (text.empty()) return Marker{kind, now, 0, 0, ""};
  return DecodeMarker(text, kind, now);
}

template <typename Request>
absl::optional<std::string> QualifierOf(const Request& request) {
  if (!request.has_qualifier()) return absl::nullopt;
  return request.qualifier();
}

// What a request to invoke a function leads to.
struct InvocationTarget {
  std::shared_ptr<Session> session;
  FunctionReference reference;
  ResolvedFunction function;
};

class Executor::Impl {
 public:
  Impl(const ExecutorOptions& options, Scheduler& scheduler, ExecutionStore& store,
       Invoker& invoker, IdSource& ids)
      : context_{options, scheduler,
                 store,   invoker,
                 ids,     SessionRegistry(options.session_defaults, scheduler.Now()),
                 {},      Waiters(scheduler)} {
    context_.notifier.AddObserver(&context_.waiters);
    for (int i = 0; i < scheduler.lane_count(); ++i) {
      lanes_.push_back(std::make_unique<Lane>(i, context_));
    }
  }

  ExecutorContext& context() { return context_; }
  const Location& location() const { return context_.options.location; }

  // The lane of an execution id; ids that are not ours go to any.
  Lane& LaneOf(absl::string_view execution_id) {
    return *lanes_[TreeTagOf(execution_id).value_or(0) % lanes_.size()];
  }

  // The answer when there is no execution of this ARN.
  using Missing = absl::Status (*)(absl::string_view arn);

  // Runs `work` with the live or finished execution of `arn` on its lane.
  template <typename Response, typename WorkFunction>
  void OnExecution(const std::string& arn, const absl::optional<std::string>& session,
                   Missing missing, Done<Response> done, WorkFunction work) {
    if (shut_down_) return done(errors::ShuttingDown());
    std::string id(ExecutionIdOf(arn));
    Lane& lane = LaneOf(id);
    context_.scheduler.Post(
        lane.index(), [&lane, arn, session, missing, id = std::move(id), done = std::move(done),
                       work = std::move(work)]() mutable {
          lane.Enter(std::move(id),
                     [&lane, arn = std::move(arn), session = std::move(session), missing,
                      done = std::move(done), work = std::move(work)](TreeMember* member) mutable {
                       if (member == nullptr || member->arn != arn ||
                           !InSession(session, member->tree->session->name())) {
                         return done(missing(arn));
                       }
                       work(lane, *member, std::move(done));
                     });
        });
  }

  // As above, with an execution that callers from outside may name.
  template <typename Request, typename Response, typename WorkFunction>
  void OnExecutionOf(const Request& request, Done<Response> done, WorkFunction work) {
    const std::string& arn = request.durable_execution_arn();
    OnExecution<Response>(arn, SessionOf(request), errors::ExecutionNotFound, std::move(done),
                          std::move(work));
  }

  // Describes a member whose live state may be gone.
  absl::StatusOr<v1::Execution> Describe(Lane& lane, const TreeMember& member, bool include_data) {
    const Moment now = lane.Now(*member.tree);
    if (member.execution != nullptr) {
      return DescribeExecution(location(), *member.execution, now, include_data);
    }
    absl::StatusOr<StoredExecution> stored = context_.store.LoadHeader(member.arn);
    if (!stored.ok()) return stored.status();
    return DescribeExecution(location(), stored->record, stored->progress, stored->input,
                             absl::nullopt, include_data);
  }

  template <typename Request, typename Response>
  void OnCallback(
      const Request& request, Done<Response> done,
      absl::AnyInvocable<absl::Status(ExecutionChange&, int64_t, const Limits&)> stage) {
    if (shut_down_) return done(errors::ShuttingDown());
    if (request.callback_id().empty() || request.callback_id().size() > kMaxCallbackIdLength) {
      return done(errors::InvalidParameter(
          absl::StrCat("CallbackId must be 1-", kMaxCallbackIdLength, " characters long.")));
    }
    absl::optional<CallbackId> id = DecodeCallbackId(request.callback_id());
    if (!id.has_value()) return done(errors::CallbackNotFound());
    Lane& lane = LaneOf(id->execution_id);
    context_.scheduler.Post(lane.index(), [&lane, id = *std::move(id), session = SessionOf(request),
                                           callback_id = request.callback_id(), this,
                                           done = std::move(done),
                                           stage = std::move(stage)]() mutable {
      std::string execution_id = id.execution_id;
      lane.Enter(std::move(execution_id),
                 [&lane, id = std::move(id), session = std::move(session),
                  callback_id = std::move(callback_id), this, done = std::move(done),
                  stage = std::move(stage)](TreeMember* member) mutable {
                   if (member == nullptr || !InSession(session, member->tree->session->name())) {
                     return done(errors::CallbackNotFound());
                   }
                   if (member->execution == nullptr)
                     return done(ClosedCallback(*member, id, callback_id));
                   lane.ChangeCallback(
                       *member,
                       [&](ExecutionChange& change) {
                         return stage(change, id.operation_index, member->tree->session->limits());
                       },
                       [done = std::move(done)](absl::Status status) mutable {
                         if (!status.ok()) return done(std::move(status));
                         done(Response());
                       });
                 });
    });
  }

  // The answer to a call on a callback of a finished execution.
  absl::Status ClosedCallback(const TreeMember& member, const CallbackId& id,
                              const std::string& callback_id) {
    absl::StatusOr<std::unique_ptr<Execution>> execution = context_.store.Load(member.arn);
    if (!execution.ok()) return execution.status();
    if (id.operation_index < 0 || id.operation_index >= (*execution)->operation_count() ||
        (*execution)->operation(id.operation_index).operation().callback_details().callback_id() !=
            callback_id) {
      return errors::CallbackNotFound();
    }
    return errors::CallbackClosed();
  }

  // Has the store keep the session as it is now, unless it does already.
  absl::Status StoreSession(Session& session) {
    absl::MutexLock lock(&store_session_mutex_);
    if (session.stored.exchange(true)) return absl::OkStatus();
    absl::Status status = context_.store.PutSession(session.Record());
    if (!status.ok()) session.stored = false;
    return status;
  }

  // Hands what the store has to the lanes, a batch at a time.
  absl::Status RecoverExecutions() {
    constexpr size_t kBatch = 1000;
    using Batch = std::vector<std::pair<std::shared_ptr<Session>, RecoveredExecution>>;
    std::vector<Batch> batches(lanes_.size());
    const auto hand_over = [&](Lane& lane) {
      context_.scheduler.Post(lane.index(),
                              [&lane, batch = std::exchange(batches[lane.index()], {})]() mutable {
                                for (auto& [session, execution] : batch) {
                                  lane.Recover(std::move(session), std::move(execution));
                                }
                              });
    };
    absl::Status lost;
    absl::Status visited = context_.store.VisitExecutions([&](RecoveredExecution execution) {
      absl::StatusOr<std::shared_ptr<Session>> session =
          context_.sessions.Find(execution.record.session());
      if (!session.ok()) {
        lost = errors::Internal(absl::StrCat("The store is damaged: ", execution.record.arn(),
                                             " is of a session that is not there."));
        return;
      }
      Lane& lane = LaneOf(execution.record.execution_id());
      batches[lane.index()].emplace_back(*std::move(session), std::move(execution));
      if (batches[lane.index()].size() == kBatch) hand_over(lane);
    });
    for (const std::unique_ptr<Lane>& lane : lanes_) hand_over(*lane);
    return visited.ok() ? lost : visited;
  }

  void DeleteSession(std::string name, Done<v1::DeleteSessionResponse> done) {
    absl::StatusOr<std::shared_ptr<Session>> session = context_.sessions.Remove(name);
    if (!session.ok()) return done(session.status());
    context_.invoker.RemoveSession(name);
    struct Gathered {
      std::atomic<size_t> left;
      Done<v1::DeleteSessionResponse> done;
    };
    auto gathered = std::make_shared<Gathered>();
    gathered->left = lanes_.size();
    gathered->done = std::move(done);
    for (const std::unique_ptr<Lane>& lane : lanes_) {
      context_.scheduler.Post(lane->index(), [this, lane = lane.get(), name, gathered] {
        lane->RemoveSession(name, [this, name, gathered] {
          if (--gathered->left == 0) ForgetSession(name, std::move(gathered->done));
        });
      });
    }
  }

  // Takes what is left of a session from the store; if that refuses, as long as it does.
  void ForgetSession(const std::string& name, Done<v1::DeleteSessionResponse> done) {
    absl::Status status = context_.store.DeleteSession(name);
    if (status.ok()) {
      context_.sessions.Forget(name);
      return done(v1::DeleteSessionResponse());
    }
    if (shut_down_) return done(std::move(status));
    context_.scheduler.Post(0, [this, name, done = std::move(done)]() mutable {
      context_.scheduler.PostAt(
          0, context_.scheduler.Now() + kStoreRetryDelay,
          [this, name, done = std::move(done)]() mutable { ForgetSession(name, std::move(done)); });
    });
  }

  // Looks now and then whether a session that nobody uses has to go.
  void WatchIdleness(std::shared_ptr<Session> session) {
    const absl::Time due = session->last_use() + context_.options.session_idle_limit;
    context_.scheduler.Post(0, [this, session = std::move(session), due] {
      context_.scheduler.PostAt(0, due, [this, session] {
        absl::StatusOr<std::shared_ptr<Session>> current = context_.sessions.Find(session->name());
        if (!current.ok() || *current != session || shut_down_) return;
        const absl::Time now = context_.scheduler.Now();
        if (session->holds > 0) session->Touch(now);
        if (now - session->last_use() < context_.options.session_idle_limit)
          return WatchIdleness(session);
        DeleteSession(session->name(), [](absl::StatusOr<v1::DeleteSessionResponse>) {});
      });
    });
  }

  // The session, noted as in use.
  absl::StatusOr<std::shared_ptr<Session>> UseSession(absl::string_view name) {
    absl::StatusOr<std::shared_ptr<Session>> session = context_.sessions.Find(name);
    if (session.ok()) (*session)->Touch(context_.scheduler.Now());
    return session;
  }

  absl::StatusOr<FunctionReference> LocalFunction(absl::string_view name,
                                                  const absl::optional<std::string>& qualifier) {
    absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(name);
    if (!reference.ok()) return reference.status();
    if (reference->region.value_or(location().region) != location().region ||
        reference->account.value_or(location().account) != location().account) {
      return errors::FunctionNotFound(name);
    }
    if (!qualifier.has_value()) return reference;
    if (reference->qualifier.has_value() && reference->qualifier != qualifier) {
      return errors::InvalidParameter(absl::StrCat("The qualifier in FunctionName '", name,
                                                   "' differs from Qualifier '", *qualifier, "'."));
    }
    reference->qualifier = qualifier;
    return reference;
  }

  template <typename Request>
  absl::StatusOr<InvocationTarget> TargetOf(const Request& request,
                                            absl::Status (*validate)(const Request&,
                                                                     const Limits&)) {
    if (shut_down_) return errors::ShuttingDown();
    absl::StatusOr<std::shared_ptr<Session>> session = UseSession(request.session());
    if (!session.ok()) return session.status();
    absl::Status valid = validate(request, (*session)->limits());
    if (!valid.ok()) return valid;
    absl::StatusOr<FunctionReference> reference =
        LocalFunction(request.function_name(), QualifierOf(request));
    if (!reference.ok()) return reference.status();
    absl::StatusOr<ResolvedFunction> function = (*session)->Resolve(*reference);
    if (!function.ok()) return function.status();
    return InvocationTarget{*std::move(session), *std::move(reference), *std::move(function)};
  }

  std::vector<std::unique_ptr<Lane>>& lanes() { return lanes_; }
  FunctionCalls& function_calls() { return function_calls_; }
  std::atomic<bool>& shut_down() { return shut_down_; }

 private:
  ExecutorContext context_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  FunctionCalls function_calls_{context_};
  std::atomic<bool> shut_down_{false};
  // Held while a session is written, so that the newest state is written last.
  absl::Mutex store_session_mutex_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_
