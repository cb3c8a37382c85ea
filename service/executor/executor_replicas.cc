// Executor: what it does as one of several replicas that share a store.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "service/executor/executor_impl.h"

namespace rehearse {
namespace {

// Sessions in use are noted in the store so many times until one that is not would be deleted.
constexpr int kTouchesPerIdleLimit = 5;

// Takes over what another replica has stored of a session that is known here.
absl::Status UpdateSession(ExecutorContext& context, Session& session,
                           const record::SessionRecord& record) {
  const std::vector<v1::FunctionSpec> before =
      session.ListFunctions("", std::numeric_limits<int>::max());
  absl::Status updated = session.Update(record);
  if (!updated.ok()) return updated;
  for (const v1::FunctionSpec& spec : before) {
    if (session.FindFunction(spec.function_name()).has_value()) continue;
    // Deregistered by another replica. Who has taken up an execution without knowing that may have
    // put it back, to await a place.
    const FunctionKey function = {session.name(), spec.function_name()};
    context.invoker.RemoveFunction(function);
    context.replicas->WakeAwaiting(function).IgnoreError();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Executor::Join(absl::string_view address) {
  impl_->set_address(std::string(address));
  ReplicaGroup& replicas = *impl_->context().replicas;
  impl_->context().invoker.SetFreedListener([&replicas] { replicas.LookForWork(); });
  return replicas.Join(address, *impl_);
}

std::vector<Replica::Place> Executor::Impl::Places() {
  std::vector<Place> places;
  for (Invoker::ServedFunction& served : context_.invoker.ServedFunctions()) {
    places.push_back({std::move(served.function), served.free});
  }
  return places;
}

void Executor::Impl::OnClaimed(std::vector<std::string> root_ids) {
  for (std::string& id : root_ids) {
    Lane& lane = LaneOf(id);
    context_.scheduler.Post(lane.index(), [&lane, id = std::move(id)]() mutable {
      lane.EnterOwned(std::move(id), [](const absl::StatusOr<Lane::Found>&) {});
    });
  }
}

void Executor::Impl::OnSessionsChanged() { RefreshSessions().IgnoreError(); }

bool Executor::Impl::OnRound() {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    context_.scheduler.Post(lane->index(), [lane = lane.get()] { lane->OfferQueued(); });
  }
  function_calls_.OfferQueued(
      [this](const std::string& address, const v1::InvokeFunctionRequest& request,
             FunctionCalls::Done done) { Forward(address, request, std::move(done)); });
  TouchSessions();
  return remote_changes_.Look();
}

void Executor::Impl::TouchSessions() {
  const absl::Time now = context_.scheduler.Now();
  const absl::Duration interval = context_.options.session_idle_limit / kTouchesPerIdleLimit;
  if (now < next_touch_) return;
  next_touch_ = now + interval;
  std::vector<std::string> names;
  for (const std::shared_ptr<Session>& session : context_.sessions.All()) {
    if (session->holds > 0 || now - session->last_use() < interval) {
      names.push_back(session->name());
    }
  }
  // Of no harm if it fails: the next one comes in time.
  context_.replicas->TouchSessions(names).IgnoreError();
}

absl::Status Executor::Impl::RefreshSessions() {
  absl::MutexLock lock(&store_session_mutex_);
  return ReadSessions();
}

absl::Status Executor::Impl::ReadSessions() {
  const absl::StatusOr<std::vector<record::SessionRecord>> records = context_.store.Sessions();
  if (!records.ok()) return records.status();
  for (const record::SessionRecord& record : *records) {
    const absl::StatusOr<std::shared_ptr<Session>> known = context_.sessions.Find(record.name());
    if (known.ok()) {
      // It is being created here as well: the store is about to say that this is too late.
      if ((*known)->revision() == 0 && record.name() != kDefaultSession) continue;
      absl::Status updated = UpdateSession(context_, **known, record);
      if (!updated.ok()) return updated;
      continue;
    }
    absl::StatusOr<std::shared_ptr<Session>> session =
        context_.sessions.Restore(record, context_.scheduler.Now());
    if (!session.ok()) return session.status();
    WatchIdleness(*std::move(session));
  }
  for (const std::shared_ptr<Session>& session : context_.sessions.All()) {
    const std::string& name = session->name();
    const bool stored = std::any_of(records->begin(), records->end(),
                                    [&](const auto& record) { return record.name() == name; });
    if (stored || session->revision() == 0 || !context_.sessions.Remove(name).ok()) continue;
    EndSession(name, [this, name] { context_.sessions.Forget(name); });
    context_.options.session_deleted(name);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Session> Executor::Impl::DescribeSession(const Session& session) const {
  v1::Session described = session.Describe();
  if (context_.replicas == nullptr) return described;
  const absl::StatusOr<ReplicaGroup::ExecutionCounts> counts =
      context_.replicas->CountExecutions(session.name());
  if (!counts.ok()) return counts.status();
  described.set_open_executions(counts->open);
  described.set_closed_executions(counts->closed);
  return described;
}

absl::Status Executor::Impl::ValidateForReplicas(const v1::SessionConfig& config) const {
  if (context_.replicas == nullptr) return absl::OkStatus();
  if (config.clock_mode() != v1::CLOCK_MODE_REAL &&
      config.clock_mode() != v1::CLOCK_MODE_UNSPECIFIED) {
    return errors::InvalidParameter(
        "Replicas that share a store keep real time: clock_mode must be CLOCK_MODE_REAL. For "
        "another "
        "clock use a service of its own, with --store=memory or --store=sqlite:PATH.");
  }
  if (config.stepped()) {
    return errors::InvalidParameter(
        "Replicas that share a store start invocations by themselves: stepped must not be set.");
  }
  return absl::OkStatus();
}

}  // namespace rehearse
