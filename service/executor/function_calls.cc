#include "service/executor/function_calls.h"

#include <map>
#include <utility>
#include <vector>

#include "service/base/moment.h"
#include "service/executor/invocation_output.h"

namespace rehearse {
namespace {

constexpr int kLane = 0;

}  // namespace

void FunctionCalls::Start(std::string session, std::string name, ResolvedFunction function,
                          v1::InvokeFunctionRequest request, Done done) {
  auto call = std::make_unique<Call>();
  call->timeout = function.timeout();
  call->done = std::move(done);
  v1::ServeResponse::Invocation& invocation = call->invocation;
  invocation.set_request_id(NewUuid(context_.ids));
  invocation.set_function_name(function.spec.function_name());
  invocation.set_invoked_function_arn(
      FunctionArn(context_.options.location, name, function.version));
  invocation.set_version(function.version);
  if (request.has_tenant_id()) invocation.set_tenant_id(request.tenant_id());
  if (request.has_x_amzn_trace_id()) invocation.set_x_amzn_trace_id(request.x_amzn_trace_id());
  if (request.has_client_context()) invocation.set_client_context(request.client_context());
  call->function = {std::move(session), function.spec.function_name()};
  call->request = std::move(request);
  context_.scheduler.Post(kLane,
                          [this, call = std::move(call)]() mutable { Add(std::move(call)); });
}

void FunctionCalls::Add(std::unique_ptr<Call> call) {
  if (shut_down_) return call->done(errors::ShuttingDown());
  const int64_t id = next_id_++;
  const FunctionKey function = call->function;
  calls_[id] = std::move(call);
  context_.invoker.Acquire(
      function, [this, id](absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
        context_.scheduler.Post(kLane, [this, id, lease = std::move(lease)]() mutable {
          OnPlace(id, std::move(lease));
        });
      });
}

void FunctionCalls::OnPlace(int64_t id, absl::StatusOr<std::unique_ptr<InvocationLease>> lease) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  if (!lease.ok()) return Remove(id)->done(lease.status());
  Call& call = *it->second;
  const absl::Time deadline = context_.scheduler.Now() + call.timeout;
  SetTimestamp(deadline, call.invocation.mutable_deadline());
  call.invocation.set_payload(std::move(*call.request.mutable_payload()));
  call.timeout_timer = context_.scheduler.PostAt(kLane, deadline, [this, id] { OnTimeout(id); });
  call.lease = *std::move(lease);
  call.lease->Start(call.invocation, [this, id](InvocationEnd end) {
    context_.scheduler.Post(
        kLane, [this, id, end = std::move(end)]() mutable { OnEnded(id, std::move(end)); });
  });
}

void FunctionCalls::OfferQueued(Forward forward) {
  context_.scheduler.Post(kLane, [this, forward = std::move(forward)] {
    std::map<FunctionKey, std::vector<int64_t>> waiting;
    for (const auto& [id, call] : calls_) {
      if (call->lease == nullptr) waiting[call->function].push_back(id);
    }
    for (const auto& [function, ids] : waiting) {
      if (context_.invoker.HasPlace(function)) continue;
      const std::string address = context_.replicas->FindPlace(function).value_or("");
      if (address.empty()) continue;
      // A lease that comes for them after all is given back at once.
      for (const int64_t id : ids) {
        const std::unique_ptr<Call> call = Remove(id);
        forward(address, call->request, std::move(call->done));
      }
    }
  });
}

void FunctionCalls::OnTimeout(int64_t id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  Call& call = *it->second;
  call.lease->Abort(v1::ServeResponse::Abort::INVOCATION_TIMED_OUT);
  OnEnded(id, {InvocationEnd::Kind::kFunctionError, "",
               InvocationTimedOut(context_.scheduler.Now(), call.invocation.request_id(),
                                  call.timeout)});
}

void FunctionCalls::OnEnded(int64_t id, InvocationEnd end) {
  const std::unique_ptr<Call> call = Remove(id);
  if (call == nullptr) return;
  v1::InvokeFunctionResponse response;
  response.set_executed_version(call->invocation.version());
  if (end.kind == InvocationEnd::Kind::kAnswered) {
    response.set_payload(std::move(end.payload));
  } else {
    *response.mutable_error() = std::move(end.error);
  }
  call->done(std::move(response));
}

std::unique_ptr<FunctionCalls::Call> FunctionCalls::Remove(int64_t id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return nullptr;
  std::unique_ptr<Call> call = std::move(it->second);
  calls_.erase(it);
  if (call->timeout_timer != 0) context_.scheduler.Cancel(kLane, call->timeout_timer);
  return call;
}

void FunctionCalls::Shutdown() {
  context_.scheduler.Post(kLane, [this] {
    shut_down_ = true;
    const absl::flat_hash_map<int64_t, std::unique_ptr<Call>> calls = std::move(calls_);
    calls_.clear();
    for (const auto& entry : calls) {
      Call& call = *entry.second;
      if (call.lease != nullptr) call.lease->Abort(v1::ServeResponse::Abort::SESSION_ENDED);
      call.done(errors::ShuttingDown());
    }
  });
}

}  // namespace rehearse
