#include "service/lambda_host/lambda_host.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "service/lambda_host/environment.h"
#include "service/lambda_host/runtime_pool.h"
#include "service/worker/status.h"
#include "service/worker/worker_pool.h"

namespace rehearse::lambda_host {
namespace {

// For a call that only tidies up.
constexpr absl::Duration kDeregisterTimeout = absl::Seconds(5);
constexpr int kFunctionsPerPage = 1000;

std::string WorkerName() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", getpid()).substr(0, 256);
}

v1::ServeRequest::Outcome Failed(absl::string_view type, absl::string_view message) {
  v1::ServeRequest::Outcome outcome;
  outcome.mutable_error()->set_error_type(std::string(type));
  outcome.mutable_error()->set_error_message(std::string(message));
  return outcome;
}

// A handler whose execution has been stopped or has timed out runs on, as in Lambda: it learns of
// it at its next checkpoint.
bool EndsTheProcess(const absl::Status& aborted) {
  switch (worker::AbortReason(aborted)) {
    case v1::ServeResponse::Abort::EXECUTION_STOPPED:
    case v1::ServeResponse::Abort::EXECUTION_TIMED_OUT:
      return false;
    default:
      return true;
  }
}

Runtime::Options RuntimeOptionsOf(const LambdaFunction& function,
                                  const LambdaHost::Options& options) {
  const std::string& name = function.spec.function_name();
  Runtime::Options runtime;
  runtime.process.command = function.command;
  runtime.process.environment =
      ToStrings(RuntimeEnvironment(CurrentEnvironment(), function, options.endpoint_url));
  runtime.process.folder = function.folder;
  runtime.process.output = [name, output = options.output](int stream, absl::string_view line) {
    output(name, stream, line);
  };
  runtime.log = [name, log = options.log](absl::string_view line) {
    log(absl::StrCat(name, ": ", line));
  };
  return runtime;
}

worker::WorkerOptions WorkerOptionsOf(const LambdaFunction& function,
                                      const LambdaHost::Options& options) {
  worker::WorkerOptions worker_options;
  worker_options.session = options.session;
  worker_options.worker_name = WorkerName();
  worker_options.slots = function.concurrency;
  worker_options.functions = {function.spec};
  worker_options.log = [name = function.spec.function_name(), log = options.log](
                           absl::string_view line) { log(absl::StrCat(name, ": ", line)); };
  return worker_options;
}

// Whether nobody serves it any more.
bool IsAbandoned(v1::FunctionHost::Stub& stub, const std::string& session,
                 const std::string& function_name) {
  v1::ListFunctionsRequest request;
  request.set_session(session);
  request.set_max_items(kFunctionsPerPage);
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kDeregisterTimeout));
    v1::ListFunctionsResponse response;
    if (!stub.ListFunctions(&context, request, &response).ok()) return false;
    for (const v1::FunctionState& state : response.functions()) {
      if (state.function().function_name() == function_name) return state.slots() == 0;
    }
    if (!response.has_next_marker()) return false;
    request.set_marker(response.next_marker());
  }
}

void Deregister(v1::FunctionHost::Stub& stub, const std::string& session,
                const std::string& function_name) {
  if (!IsAbandoned(stub, session, function_name)) return;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeregisterTimeout));
  v1::DeregisterFunctionRequest request;
  request.set_session(session);
  request.set_function_name(function_name);
  v1::DeregisterFunctionResponse response;
  stub.DeregisterFunction(&context, request, &response);
}

}  // namespace

// One function: its processes and its streams.
class LambdaHost::Function {
 public:
  Function(LambdaFunction function, const Options& options)
      : function_(std::move(function)),
        runtimes_(RuntimeOptionsOf(function_, options),
                  static_cast<size_t>(function_.per_tenant
                                          ? std::max(function_.concurrency, kMaxIdleTenants)
                                          : function_.concurrency)) {}
  ~Function() {
    Stop(absl::ZeroDuration());
    if (watcher_.joinable()) watcher_.join();
  }

  const std::string& name() const { return function_.spec.function_name(); }

  absl::Status Warm() { return runtimes_.Warm(); }

  void Connect(const Options& options) {
    workers_ = std::make_unique<worker::WorkerPool>(
        options.channel, WorkerOptionsOf(function_, options),
        [this](worker::InvocationChannel& channel) { return Run(channel); });
    watcher_ = std::thread([this, refused = options.refused] {
      const absl::Status end = workers_->Wait();
      if (!end.ok()) refused(end);
    });
  }

  absl::Status WaitUntilServing(absl::Duration timeout) {
    return workers_->WaitUntilServing(timeout);
  }

  void Stop(absl::Duration grace) {
    if (workers_ != nullptr) workers_->Shutdown(grace);
    runtimes_.Stop();
  }

 private:
  v1::ServeRequest::Outcome Run(worker::InvocationChannel& channel) {
    const v1::ServeResponse::Invocation& invocation = channel.invocation();
    if (function_.per_tenant && !invocation.has_tenant_id()) {
      return Failed("InvalidParameterValueException",
                    "The invoked function is enabled with tenancy configuration. Add a valid "
                    "tenant ID in your request and try again.");
    }
    const std::string tenant = function_.per_tenant ? invocation.tenant_id() : "";
    const absl::StatusOr<std::shared_ptr<Runtime>> runtime = runtimes_.Take(tenant);
    if (!runtime.ok()) {
      return Failed("Runtime.InvalidEntrypoint",
                    absl::StrCat("RequestId: ", invocation.request_id(),
                                 " Error: ", std::string(runtime.status().message())));
    }
    channel.OnAbort([weak = std::weak_ptr<Runtime>(*runtime)](const absl::Status& aborted) {
      const std::shared_ptr<Runtime> running = weak.lock();
      if (running != nullptr && EndsTheProcess(aborted)) running->Kill();
    });
    v1::ServeRequest::Outcome outcome = (*runtime)->Invoke(invocation);
    runtimes_.GiveBack(tenant, *runtime);
    return outcome;
  }

  const LambdaFunction function_;
  RuntimePool runtimes_;
  std::unique_ptr<worker::WorkerPool> workers_;
  std::thread watcher_;
};

absl::StatusOr<std::unique_ptr<LambdaHost>> LambdaHost::Start(Options options) {
  std::unique_ptr<LambdaHost> host(new LambdaHost(std::move(options)));
  for (const auto& function : host->functions_) {
    absl::Status warm = function->Warm();
    if (!warm.ok()) return warm;
  }
  for (const auto& function : host->functions_) function->Connect(host->options_);
  return host;
}

LambdaHost::LambdaHost(Options options) : options_(std::move(options)) {
  for (const LambdaFunction& function : options_.functions) {
    functions_.push_back(std::make_unique<Function>(function, options_));
  }
}

LambdaHost::~LambdaHost() { Stop(absl::ZeroDuration()); }

absl::Status LambdaHost::WaitUntilServing(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  for (const auto& function : functions_) {
    absl::Status serving = function->WaitUntilServing(deadline - absl::Now());
    if (!serving.ok()) return serving;
  }
  return absl::OkStatus();
}

void LambdaHost::Stop(absl::Duration grace) {
  if (std::exchange(stopped_, true)) return;
  // All at the same time.
  std::vector<std::thread> stopping;
  for (const auto& function : functions_) {
    stopping.emplace_back([&function, grace] { function->Stop(grace); });
  }
  for (std::thread& thread : stopping) thread.join();
  const std::unique_ptr<v1::FunctionHost::Stub> stub = v1::FunctionHost::NewStub(options_.channel);
  for (const auto& function : functions_) Deregister(*stub, options_.session, function->name());
}

}  // namespace rehearse::lambda_host
