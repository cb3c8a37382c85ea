#include "client/cpp/durable/worker.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/internal/proto_conversion.h"
#include "client/cpp/durable/internal/stream_service_client.h"
#include "client/cpp/durable/internal/user_agent.h"
#include "client/cpp/durable/plugin.h"
#include "client/cpp/durable/status_macros.h"
#include "service/worker/channel.h"
#include "service/worker/worker_pool.h"

namespace durable {
namespace {

namespace v1 = ::rehearse::v1;
using ::rehearse::worker::InvocationChannel;
using ::rehearse::worker::WorkerPool;

v1::FunctionSpec SpecOf(absl::string_view name, const FunctionOptions& options) {
  v1::FunctionSpec spec;
  spec.set_function_name(std::string(name));
  spec.set_durable(true);
  if (options.execution_timeout > absl::ZeroDuration()) {
    // What does not fit is over the bound as well: the service refuses it.
    spec.mutable_durable_config()->set_execution_timeout(static_cast<int32_t>(std::min<int64_t>(
        absl::ToInt64Seconds(absl::Ceil(options.execution_timeout, absl::Seconds(1))),
        std::numeric_limits<int32_t>::max())));
  }
  if (options.invocation_timeout > absl::ZeroDuration()) {
    spec.mutable_timeout()->set_seconds(
        absl::ToInt64Seconds(absl::Ceil(options.invocation_timeout, absl::Seconds(1))));
  }
  return spec;
}

}  // namespace

class Worker::Impl {
 public:
  explicit Impl(WorkerOptions options) : options_(std::move(options)) {}

  void Register(absl::string_view name, Handler handler, const FunctionOptions& options) {
    handlers_.insert_or_assign(std::string(name), std::move(handler));
    specs_.insert_or_assign(std::string(name), SpecOf(name, options));
  }

  absl::Status Start() {
    absl::MutexLock lock(&mutex_);
    if (handlers_.empty()) return absl::FailedPreconditionError("no function is registered");
    if (pool_ != nullptr) return absl::FailedPreconditionError("the worker was started before");
    if (shut_down_) return absl::OkStatus();
    DURABLE_RETURN_IF_ERROR(ResolvePluginsOfEnvironment());
    pool_ = std::make_shared<WorkerPool>(
        options_.channel != nullptr
            ? options_.channel
            : rehearse::worker::CreateChannel(options_.server, internal::kUserAgent),
        PoolOptions(), [this](InvocationChannel& channel) { return Serve(channel); });
    return absl::OkStatus();
  }

  absl::Status WaitUntilServing(absl::Duration timeout) {
    const std::shared_ptr<WorkerPool> pool = this->pool();
    if (pool == nullptr) return absl::FailedPreconditionError("the worker is not started");
    return pool->WaitUntilServing(timeout);
  }

  absl::Status Wait() {
    const std::shared_ptr<WorkerPool> pool = this->pool();
    return pool == nullptr ? absl::OkStatus() : pool->Wait();
  }

  void Shutdown() {
    {
      absl::MutexLock lock(&mutex_);
      shut_down_ = true;
    }
    const std::shared_ptr<WorkerPool> pool = this->pool();
    if (pool != nullptr) pool->Shutdown(options_.shutdown_grace);
  }

 private:
  std::shared_ptr<WorkerPool> pool() {
    absl::MutexLock lock(&mutex_);
    return pool_;
  }

  absl::Status ResolvePluginsOfEnvironment() {
    const char* names = std::getenv("DURABLE_EXECUTION_PLUGINS");
    DURABLE_ASSIGN_OR_RETURN(
        options_.runtime.plugins,
        ResolvePlugins(std::move(options_.runtime.plugins), names == nullptr ? "" : names));
    return absl::OkStatus();
  }

  rehearse::worker::WorkerOptions PoolOptions() {
    rehearse::worker::WorkerOptions options;
    options.session = options_.session;
    options.worker_name = options_.name;
    options.slots = options_.concurrency;
    for (const auto& [name, spec] : specs_) options.functions.push_back(spec);
    options.log = [this](absl::string_view line) {
      Logger(&options_.runtime.diagnostic_sink, nullptr, {}).Warning(line);
    };
    return options;
  }

  v1::ServeRequest::Outcome Serve(InvocationChannel& channel) {
    const auto handler = handlers_.find(channel.invocation().function_name());
    if (handler == handlers_.end()) {
      InvocationOutput unknown;
      unknown.status = InvocationStatus::kRetry;
      unknown.error =
          ErrorObject{"ExecutionError", "this worker does not serve the function", "", {}};
      return internal::ToProto(unknown);
    }
    internal::StreamServiceClient client(channel);
    return internal::ToProto(RunInvocation(
        handler->second, internal::FromProto(channel.invocation()), client, options_.runtime));
  }

  // Not changed once the worker is started.
  WorkerOptions options_;
  std::map<std::string, Handler> handlers_;
  std::map<std::string, v1::FunctionSpec> specs_;

  absl::Mutex mutex_;
  std::shared_ptr<WorkerPool> pool_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

Worker::Worker(WorkerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Worker::~Worker() { Shutdown(); }

void Worker::Register(absl::string_view function_name, Handler handler, FunctionOptions options) {
  impl_->Register(function_name, std::move(handler), options);
}

absl::Status Worker::Start() { return impl_->Start(); }

absl::Status Worker::WaitUntilServing(absl::Duration timeout) {
  return impl_->WaitUntilServing(timeout);
}

absl::Status Worker::Run() {
  DURABLE_RETURN_IF_ERROR(Start());
  return impl_->Wait();
}

void Worker::Shutdown() { impl_->Shutdown(); }

}  // namespace durable
