#include "tests/conformance/function_host.h"

#include <cstdio>
#include <set>
#include <utility>

#include "absl/functional/function_ref.h"
#include "client/cpp/durable/internal/stream_service_client.h"
#include "client/cpp/durable/service_client.h"
#include "service/worker/channel.h"

namespace rehearse::conformance {
namespace {

using Configuration = std::function<void(FunctionSettings&)>;

constexpr absl::Duration kShutdownGrace = absl::Seconds(10);

// The invocation that runs on this thread.
thread_local worker::InvocationChannel* current_channel = nullptr;

std::map<std::string, Configuration>& Configurations() {
  static auto* const configurations = new std::map<std::string, Configuration>();
  return *configurations;
}

std::map<std::string, FunctionSettings> SettingsOfFunctions(const HostOptions& options) {
  std::map<std::string, FunctionSettings> all;
  for (const auto& [name, handler] : durable::RegisteredFunctions()) {
    FunctionSettings& settings = all[name];
    settings.runtime.log_sink = durable::JsonLinesSink(stdout);
    if (options.suspend_by_status) settings.runtime.suspend_by_status = true;
    const auto configuration = Configurations().find(name);
    if (configuration != Configurations().end()) configuration->second(settings);
  }
  return all;
}

v1::FunctionSpec SpecOf(const std::string& name, const FunctionSettings& settings) {
  v1::FunctionSpec spec;
  spec.set_function_name(name);
  spec.set_durable(true);
  if (settings.execution_timeout > absl::ZeroDuration()) {
    spec.mutable_durable_config()->set_execution_timeout(
        static_cast<int>(absl::ToInt64Seconds(settings.execution_timeout)));
  }
  return spec;
}

void LogCut(absl::string_view durable_execution_arn) {
  const std::string arn(durable_execution_arn);
  std::printf("{\"message\": \"cut\", \"executionArn\": \"%s\"}\n", arn.c_str());
  std::fflush(stdout);
}

absl::Status StreamLost() { return absl::UnavailableError("the stream was lost"); }

// A ServiceClient that loses the stream before a request or before its answer.
class LossyClient final : public durable::ServiceClient {
 public:
  // `lose`: called at every message; whether the stream is lost there.
  LossyClient(worker::InvocationChannel& channel, absl::FunctionRef<bool()> lose)
      : client_(channel), channel_(channel), lose_(lose) {}

  absl::StatusOr<durable::CheckpointResponse> Checkpoint(
      const durable::CheckpointRequest& request) override {
    return Exchange<durable::CheckpointResponse>([&] { return client_.Checkpoint(request); });
  }

  absl::StatusOr<durable::StatePage> GetState(const durable::GetStateRequest& request) override {
    return Exchange<durable::StatePage>([&] { return client_.GetState(request); });
  }

  bool cancelled() const override { return client_.cancelled(); }

 private:
  template <typename Response>
  absl::StatusOr<Response> Exchange(absl::FunctionRef<absl::StatusOr<Response>()> exchange) {
    if (lose_()) return Lose();
    absl::StatusOr<Response> response = exchange();
    if (lose_()) return Lose();
    return response;
  }

  absl::Status Lose() {
    channel_.Break();
    return StreamLost();
  }

  durable::internal::StreamServiceClient client_;
  worker::InvocationChannel& channel_;
  const absl::FunctionRef<bool()> lose_;
};

}  // namespace

absl::Status DieHere() {
  current_channel->Break();
  return StreamLost();
}

bool FirstTime(const durable::DurableContext& context) {
  static auto* const mutex = new absl::Mutex();
  static auto* const seen = new std::set<std::string>();
  absl::MutexLock lock(mutex);
  return seen->insert(context.durable_execution_arn()).second;
}

bool ConfigureFunction(absl::string_view function, Configuration configure) {
  return Configurations().emplace(std::string(function), std::move(configure)).second;
}

FunctionHost::FunctionHost(const HostOptions& options)
    : cut_(options.cut), settings_(SettingsOfFunctions(options)) {
  worker::WorkerOptions pool;
  pool.slots = options.concurrency;
  for (const auto& [name, settings] : settings_) pool.functions.push_back(SpecOf(name, settings));
  const std::shared_ptr<grpc::Channel> channel = worker::CreateChannel(options.server);
  for (const std::string& session : options.sessions) {
    pool.session = session;
    pools_.push_back(std::make_unique<worker::WorkerPool>(
        channel, pool, [this](worker::InvocationChannel& invocation) { return Run(invocation); }));
  }
}

absl::Status FunctionHost::WaitUntilServing(absl::Duration timeout) {
  for (const auto& pool : pools_) DURABLE_RETURN_IF_ERROR(pool->WaitUntilServing(timeout));
  return absl::OkStatus();
}

void FunctionHost::Shutdown() {
  for (const auto& pool : pools_) pool->Shutdown(kShutdownGrace);
}

v1::ServeRequest::Outcome FunctionHost::Run(worker::InvocationChannel& channel) {
  const std::string& name = channel.invocation().function_name();
  const std::string arn = channel.invocation().durable().durable_execution_arn();
  auto lose = [&] { return CountMessage(arn); };
  v1::ServeRequest::Outcome outcome;
  if (!lose()) {
    current_channel = &channel;
    LossyClient client(channel, lose);
    outcome = durable::internal::ToProto(durable::RunInvocation(
        durable::RegisteredFunctions().at(name), durable::internal::FromProto(channel.invocation()),
        client, settings_.at(name).runtime));
    current_channel = nullptr;
    if (!lose()) return outcome;
  }
  channel.Break();
  return outcome;
}

bool FunctionHost::CountMessage(absl::string_view durable_execution_arn) {
  if (cut_ == 0) return false;
  absl::MutexLock lock(&mutex_);
  if (++messages_[std::string(durable_execution_arn)] != cut_) return false;
  LogCut(durable_execution_arn);
  return true;
}

}  // namespace rehearse::conformance
