// The inside of Executor: what its methods share. They stand in executor.cc (executions and
// functions) and executor_sessions.cc (sessions, time, waiting).
#ifndef REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_
#define REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "service/base/marker.h"
#include "service/executor/describe.h"
#include "service/executor/executor.h"
#include "service/executor/function_calls.h"
#include "service/executor/lane.h"
#include "service/executor/remote_changes.h"
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

class Executor::Impl final : public Replica {
 public:
  Impl(const ExecutorOptions& options, Scheduler& scheduler, ExecutionStore& store,
       Invoker& invoker, IdSource& ids)
      : context_{options,
                 scheduler,
                 store,
                 invoker,
                 ids,
                 SessionRegistry(options.session_defaults, scheduler.Now()),
                 {},
                 Waiters(scheduler),
                 store.replicas(),
                 [this] { return RefreshSessions(); },
                 {}} {
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

  // Runs `work` with the live or finished execution of `arn` on its lane: for requests that only
  // read.
  template <typename Response, typename WorkFunction>
  void OnExecution(const std::string& arn, const absl::optional<std::string>& session,
                   Missing missing, Done<Response> done, WorkFunction work) {
    if (shut_down_) return done(errors::ShuttingDown());
    Lane& lane = LaneOf(ExecutionIdOf(arn));
    context_.scheduler.Post(lane.index(), [&lane, arn, session, missing, done = std::move(done),
                                           work = std::move(work)]() mutable {
      lane.EnterToRead(arn,
                       [&lane, arn, session = std::move(session), missing, done = std::move(done),
                        work = std::move(work)](absl::StatusOr<Lane::Found> found) mutable {
                         if (!found.ok()) return done(found.status());
                         if (!IsOf(found->member, arn, session)) return done(missing(arn));
                         work(lane, *found->member, std::move(done));
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

  // Runs `work` with the execution of this id, or null, on its lane; if another replica works on
  // the execution, that one answers the request instead.
  template <typename Response, typename Request, typename WorkFunction>
  void OnOwned(std::string id, Request request, Done<Response> done, WorkFunction work) {
    if (shut_down_) return done(errors::ShuttingDown());
    Lane& lane = LaneOf(id);
    context_.scheduler.Post(
        lane.index(), [this, &lane, id = std::move(id), request = std::move(request),
                       done = std::move(done), work = std::move(work)]() mutable {
          lane.EnterOwned(std::move(id),
                          [this, &lane, request = std::move(request), done = std::move(done),
                           work = std::move(work)](absl::StatusOr<Lane::Found> found) mutable {
                            if (!found.ok()) return done(found.status());
                            if (!found->owner.empty())
                              return Forward(found->owner, request, std::move(done));
                            work(lane, found->member, std::move(request), std::move(done));
                          });
        });
  }

  // As OnExecutionOf, for requests that change the execution.
  template <typename Request, typename Response, typename WorkFunction>
  void OnOwnedOf(Request request, const absl::optional<std::string>& session, Missing missing,
                 Done<Response> done, WorkFunction work) {
    std::string id(ExecutionIdOf(request.durable_execution_arn()));
    OnOwned<Response>(
        std::move(id), std::move(request), std::move(done),
        [session, missing, work = std::move(work)](Lane& lane, TreeMember* member, Request request,
                                                   Done<Response> done) mutable {
          const std::string& arn = request.durable_execution_arn();
          if (!IsOf(member, arn, session)) return done(missing(arn));
          work(lane, *member, std::move(request), std::move(done));
        });
  }
  template <typename Request, typename Response, typename WorkFunction>
  void OnOwnedOf(Request request, Done<Response> done, WorkFunction work) {
    const absl::optional<std::string> session = SessionOf(request);
    OnOwnedOf<Request, Response>(std::move(request), session, errors::ExecutionNotFound,
                                 std::move(done), std::move(work));
  }

  // Has the replica at `address` answer.
  template <typename Request, typename Response>
  void Forward(const std::string& address, const Request& request, Done<Response> done) {
    // The lease of a process that was here before has not ended yet.
    if (address == address_) {
      return done(
          errors::StoreUnavailable("the execution's replica is gone; another is to take over"));
    }
    context_.options.peers->Call(
        address, request, std::make_unique<Response>(),
        [done = std::move(done)](absl::Status status,
                                 std::unique_ptr<google::protobuf::Message> response) mutable {
          if (!status.ok()) return done(std::move(status));
          done(std::move(static_cast<Response&>(*response)));
        });
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
    std::string execution_id = id->execution_id;
    OnOwned<Response>(
        std::move(execution_id), request, std::move(done),
        [this, id = *std::move(id), stage = std::move(stage)](
            Lane& lane, TreeMember* member, Request request, Done<Response> done) mutable {
          if (member == nullptr || !InSession(SessionOf(request), member->tree->session->name())) {
            return done(errors::CallbackNotFound());
          }
          if (member->execution == nullptr) {
            return done(ClosedCallback(*member, id, request.callback_id()));
          }
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

  // Changes the session by `change`, and has the store keep it unless it is as it was.
  absl::Status ChangeSession(Session& session, absl::FunctionRef<absl::Status(Session&)> change) {
    absl::MutexLock lock(&store_session_mutex_);
    while (true) {
      absl::Status status = change(session);
      if (!status.ok() || session.stored.exchange(true)) return status;
      status = context_.store.PutSession(session.Record());
      if (status.ok()) {
        session.NoteStored();
        return status;
      }
      session.stored = false;
      if (!absl::IsAborted(status)) return status;
      // Another replica was first: once more, on top of what it has written.
      status = ReadSessions();
      if (!status.ok()) return status;
      if (session.ended) return errors::SessionNotFound(session.name());
    }
  }

  // Has the store keep a session that nobody has seen. SessionAlreadyExists when another replica
  // has made one of its name.
  absl::Status StoreNewSession(Session& session) {
    absl::MutexLock lock(&store_session_mutex_);
    absl::Status status = context_.store.PutSession(session.Record());
    if (absl::IsAborted(status)) return errors::SessionAlreadyExists(session.name());
    if (status.ok()) session.NoteStored();
    session.stored = status.ok();
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
    absl::StatusOr<std::shared_ptr<Session>> session = UseSession(name);
    if (session.ok()) session = context_.sessions.Remove(name);
    if (!session.ok()) return done(session.status());
    EndSession(name, [this, name, done = std::move(done)]() mutable {
      ForgetSession(name, std::move(done));
    });
  }

  // Ends what a removed session has here. `ended` is called when nothing is left of it.
  void EndSession(const std::string& name, absl::AnyInvocable<void()> ended) {
    context_.invoker.RemoveSession(name);
    struct Gathered {
      std::atomic<size_t> left;
      absl::AnyInvocable<void()> ended;
    };
    auto gathered = std::make_shared<Gathered>();
    gathered->left = lanes_.size();
    gathered->ended = std::move(ended);
    for (const std::unique_ptr<Lane>& lane : lanes_) {
      context_.scheduler.Post(lane->index(), [lane = lane.get(), name, gathered] {
        lane->RemoveSession(name, [gathered] {
          if (--gathered->left == 0) gathered->ended();
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
    WatchIdleness(std::move(session), due);
  }
  // ... for the first time at `due`.
  void WatchIdleness(std::shared_ptr<Session> session, absl::Time due) {
    context_.scheduler.Post(0, [this, session = std::move(session), due] {
      context_.scheduler.PostAt(0, due, [this, session] {
        absl::StatusOr<std::shared_ptr<Session>> current = context_.sessions.Find(session->name());
        if (!current.ok() || *current != session || shut_down_) return;
        const absl::Time now = context_.scheduler.Now();
        if (session->holds > 0) session->Touch(now);
        absl::Duration idle = now - session->last_use();
        if (context_.replicas != nullptr) {
          // Another replica may have it in use; so it has if the store cannot tell.
          idle = std::min(
              idle,
              context_.replicas->SessionIdleTime(session->name()).value_or(absl::ZeroDuration()));
        }
        const absl::Duration left = context_.options.session_idle_limit - idle;
        if (left > absl::ZeroDuration()) return WatchIdleness(session, now + left);
        DeleteSession(session->name(), [](absl::StatusOr<v1::DeleteSessionResponse>) {});
      });
    });
  }

  // The session, noted as in use.
  absl::StatusOr<std::shared_ptr<Session>> UseSession(absl::string_view name) {
    absl::StatusOr<std::shared_ptr<Session>> session = context_.sessions.Find(name);
    if (!session.ok() && context_.replicas != nullptr) {
      const absl::Status refreshed = RefreshSessions();
      if (!refreshed.ok()) return refreshed;
      session = context_.sessions.Find(name);
    }
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

  absl::StatusOr<ResolvedFunction> Resolve(Session& session, const FunctionReference& reference) {
    absl::StatusOr<ResolvedFunction> function = session.Resolve(reference);
    if (!function.ok() && context_.replicas != nullptr) {
      const absl::Status refreshed = RefreshSessions();
      if (!refreshed.ok()) return refreshed;
      function = session.Resolve(reference);
    }
    return function;
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
    absl::StatusOr<ResolvedFunction> function = Resolve(**session, *reference);
    if (!function.ok()) return function.status();
    return InvocationTarget{*std::move(session), *std::move(reference), *std::move(function)};
  }

  // --- executor_replicas.cc.
  std::vector<Place> Places() override;
  void OnClaimed(std::vector<std::string> root_ids) override;
  void OnSessionsChanged() override;
  bool OnRound() override;
  // Before Join.
  void set_address(std::string address) { address_ = std::move(address); }
  // Takes over what other replicas have done to sessions.
  absl::Status RefreshSessions() ABSL_LOCKS_EXCLUDED(store_session_mutex_);
  absl::Status ReadSessions() ABSL_EXCLUSIVE_LOCKS_REQUIRED(store_session_mutex_);
  // With the executions of all replicas.
  absl::StatusOr<v1::Session> DescribeSession(const Session& session) const;
  // InvalidParameter for what replicas that share a store do not do.
  absl::Status ValidateForReplicas(const v1::SessionConfig& config) const;

  std::vector<std::unique_ptr<Lane>>& lanes() { return lanes_; }
  FunctionCalls& function_calls() { return function_calls_; }
  std::atomic<bool>& shut_down() { return shut_down_; }

 private:
  // Whether the member is there and the one that is meant.
  static bool IsOf(const TreeMember* member, const std::string& arn,
                   const absl::optional<std::string>& session) {
    return member != nullptr && member->arn == arn &&
           InSession(session, member->tree->session->name());
  }
  void TouchSessions();

  ExecutorContext context_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  FunctionCalls function_calls_{context_};
  std::atomic<bool> shut_down_{false};
  // Held while a session is changed and written, so that the newest state is written last.
  absl::Mutex store_session_mutex_;
  // Where the other replicas reach this one.
  std::string address_;
  // Of the store's thread.
  RemoteChanges remote_changes_{context_};
  absl::Time next_touch_ = absl::InfinitePast();
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_EXECUTOR_IMPL_H_
