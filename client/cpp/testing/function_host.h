// FunctionHost: the functions of a runner, and the workers that run them.
//
//   FunctionHost host(options);
//   host.Register("orders", Handler(Orders));
//   absl::Status serving = host.Serve(channel, "s-3f2a");   // again after further registrations
#ifndef REHEARSE_CLIENT_CPP_TESTING_FUNCTION_HOST_H_
#define REHEARSE_CLIENT_CPP_TESTING_FUNCTION_HOST_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/variant.h"
#include "client/cpp/durable/invocation.h"
#include "client/cpp/testing/runner.h"
#include "grpcpp/channel.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/worker/worker_pool.h"

namespace durable::testing::internal {

// Thread-safe.
class FunctionHost {
 public:
  using Function = absl::variant<Handler, PlainFunction>;

  explicit FunctionHost(const RunnerOptions& options);

  // `execution_timeout` of zero: none.
  void Register(absl::string_view name, Function function, absl::Duration execution_timeout);

  // Connects whatever was registered and is not served yet; returns when the service knows all
  // functions.
  absl::Status Serve(const std::shared_ptr<grpc::Channel>& channel, const std::string& session);

  // See DurableFunctionTestRunner.
  void CrashNextInvocationAt(absl::string_view step_name);

  // Ends all connections and waits for what runs on them.
  void Shutdown();

 private:
  rehearse::v1::ServeRequest::Outcome Run(rehearse::worker::InvocationChannel& channel);
  rehearse::v1::ServeRequest::Outcome RunDurable(const Handler& handler,
                                                 rehearse::worker::InvocationChannel& channel);
  // Takes one crash off the list if `step_name` is on it.
  bool TakeCrash(absl::string_view step_name);

  const int concurrency_;
  const absl::Duration invocation_timeout_;
  const RuntimeOptions runtime_;

  absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions_
      ABSL_GUARDED_BY(mutex_);
  std::vector<rehearse::v1::FunctionSpec> unserved_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> crashes_ ABSL_GUARDED_BY(mutex_);

  // Held while a pool connects, never by an invocation.
  absl::Mutex pools_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::unique_ptr<rehearse::worker::WorkerPool>> pools_ ABSL_GUARDED_BY(pools_mutex_);
};

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_FUNCTION_HOST_H_
