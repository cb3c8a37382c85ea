#include "client/cpp/testing/function_host.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "client/cpp/durable/internal/error_conversion.h"
#include "client/cpp/durable/internal/stream_service_client.h"
#include "client/cpp/durable/service_client.h"
#include "client/cpp/durable/status_macros.h"
#include "client/cpp/testing/conversion.h"

namespace durable::testing::internal {
namespace {

namespace worker = ::rehearse::worker;

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

bool ClosesStep(const OperationUpdate& update) {
  return update.type == OperationType::kStep && update.action != OperationAction::kStart;
}

// A ServiceClient that breaks the stream in place of recording the end of a step: as if the process
// had died in its body.
class CrashingClient final : public ServiceClient {
 public:
  // `crash`: whether the invocation dies at the end of this step.
  CrashingClient(ServiceClient& client, worker::InvocationChannel& channel,
                 std::function<bool(absl::string_view)> crash)
      : client_(client), channel_(channel), crash_(std::move(crash)) {}

  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override {
    const auto end = std::find_if(request.updates.begin(), request.updates.end(),
                                  [this](const OperationUpdate& update) {
                                    return ClosesStep(update) && crash_(update.name);
                                  });
    if (end == request.updates.end()) return client_.Checkpoint(request);
    CheckpointRequest before = request;
    before.updates.assign(request.updates.begin(), end);
    if (!before.updates.empty()) client_.Checkpoint(before).status().IgnoreError();
    channel_.Break();
    return absl::UnavailableError("the invocation was made to crash");
  }

  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override {
    return client_.GetState(request);
  }

  bool cancelled() const override { return client_.cancelled(); }

 private:
  ServiceClient& client_;
  worker::InvocationChannel& channel_;
  const std::function<bool(absl::string_view)> crash_;
};

RuntimeOptions RuntimeOf(const RunnerOptions& options) {
  RuntimeOptions runtime;
  runtime.log_sink = options.log_sink();
  runtime.plugins = options.plugins();
  return runtime;
}

rehearse::v1::ServeRequest::Outcome RunPlain(const PlainFunction& function,
                                             const std::string& payload) {
  rehearse::v1::ServeRequest::Outcome outcome;
  const absl::Status status = durable::internal::CallUserCode([&]() -> absl::Status {
                                absl::StatusOr<std::string> result = function(payload);
                                if (result.ok()) outcome.set_payload(*std::move(result));
                                return result.status();
                              }).status;
  if (status.ok()) return outcome;
  const ErrorInfo error = durable::internal::InfoOf(status);
  *outcome.mutable_error() =
      FromErrorObject({error.type, error.message, error.data, error.stack_trace});
  return outcome;
}

google::protobuf::Duration WholeSeconds(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1))));
  return proto;
}

}  // namespace

FunctionHost::FunctionHost(const RunnerOptions& options)
    : concurrency_(options.concurrency()),
      invocation_timeout_(options.invocation_timeout()),
      runtime_(RuntimeOf(options)) {}

void FunctionHost::Register(absl::string_view name, Function function,
                            absl::Duration execution_timeout) {
  rehearse::v1::FunctionSpec spec;
  spec.set_function_name(std::string(name));
  spec.set_durable(absl::holds_alternative<Handler>(function));
  *spec.mutable_timeout() = WholeSeconds(invocation_timeout_);
  if (execution_timeout > absl::ZeroDuration()) {
    spec.mutable_durable_config()->set_execution_timeout(
        static_cast<int>(WholeSeconds(execution_timeout).seconds()));
  }
  absl::MutexLock lock(&mutex_);
  functions_[std::string(name)] = std::make_shared<const Function>(std::move(function));
  unserved_.push_back(std::move(spec));
}

absl::Status FunctionHost::Serve(const std::shared_ptr<grpc::Channel>& channel,
                                 const std::string& session) {
  absl::MutexLock pools_lock(&pools_mutex_);
  worker::WorkerOptions options;
  {
    absl::MutexLock lock(&mutex_);
    options.functions.swap(unserved_);
  }
  if (!options.functions.empty()) {
    options.session = session;
    options.slots = concurrency_;
    pools_.push_back(std::make_unique<worker::WorkerPool>(
        channel, std::move(options),
        [this](worker::InvocationChannel& invocation) { return Run(invocation); }));
  }
  for (const auto& pool : pools_) DURABLE_RETURN_IF_ERROR(pool->WaitUntilServing(kConnectTimeout));
  return absl::OkStatus();
}

void FunctionHost::CrashNextInvocationAt(absl::string_view step_name) {
  absl::MutexLock lock(&mutex_);
  crashes_.emplace_back(step_name);
}

bool FunctionHost::TakeCrash(absl::string_view step_name) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find(crashes_.begin(), crashes_.end(), step_name);
  if (found == crashes_.end()) return false;
  crashes_.erase(found);
  return true;
}

void FunctionHost::Shutdown() {
  absl::MutexLock lock(&pools_mutex_);
  pools_.clear();
}

rehearse::v1::ServeRequest::Outcome FunctionHost::Run(worker::InvocationChannel& channel) {
  std::shared_ptr<const Function> function;
  {
    absl::MutexLock lock(&mutex_);
    function = functions_.at(channel.invocation().function_name());
  }
  if (const auto* plain = absl::get_if<PlainFunction>(function.get())) {
    return RunPlain(*plain, channel.invocation().payload());
  }
  return RunDurable(absl::get<Handler>(*function), channel);
}

rehearse::v1::ServeRequest::Outcome FunctionHost::RunDurable(const Handler& handler,
                                                             worker::InvocationChannel& channel) {
  durable::internal::StreamServiceClient client(channel);
  CrashingClient crashing(client, channel,
                          [this](absl::string_view step_name) { return TakeCrash(step_name); });
  return durable::internal::ToProto(RunInvocation(
      handler, durable::internal::FromProto(channel.invocation()), crashing, runtime_));
}

}  // namespace durable::testing::internal
