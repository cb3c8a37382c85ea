// Hosts the handlers of the conformance suite: every function that DURABLE_FUNCTION registered, in
// as many sessions as are asked for. Beyond what a durable::Worker does it can lose invocations, as
// if the process had died in them.
//
//   HostOptions options;
//   options.server = "127.0.0.1:9013";
//   FunctionHost host(options);
//   absl::Status serving = host.WaitUntilServing(absl::Seconds(60));
#ifndef REHEARSE_TESTS_CONFORMANCE_FUNCTION_HOST_H_
#define REHEARSE_TESTS_CONFORMANCE_FUNCTION_HOST_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/invocation.h"
#include "service/worker/worker_pool.h"

namespace rehearse::conformance {

// For bodies of steps: the process that runs this thread's invocation is gone. Nothing that the
// body returns reaches the service; return the status.
absl::Status DieHere();

// For handlers that behave differently once: true in the first call with this execution.
bool FirstTime(const durable::DurableContext& context);

// How a function is served.
struct FunctionSettings {
  durable::RuntimeOptions runtime;
  // How long an execution of it may take, in whole seconds; zero: for ever.
  absl::Duration execution_timeout;
};

// Changes the settings of a function. Before main; the first call for a function counts, and
// returns true.
bool ConfigureFunction(absl::string_view function,
                       std::function<void(FunctionSettings&)> configure);

struct HostOptions {
  std::string server = "127.0.0.1:9013";
  // Empty name: the service's default session.
  std::vector<std::string> sessions = {""};
  // Invocations at a time, in each session.
  int concurrency = 8;
  // Every execution loses its stream once, at this message between worker and service: 1 is the
  // arrival of its first invocation, then come each request, its answer, and the outcome, and so on
  // through its later invocations. 0: never.
  int cut = 0;
  // Functions see suspensions as statuses, as those that are built without exceptions.
  bool suspend_by_status = false;
};

class FunctionHost {
 public:
  explicit FunctionHost(const HostOptions& options);
  FunctionHost(const FunctionHost&) = delete;
  FunctionHost& operator=(const FunctionHost&) = delete;

  absl::Status WaitUntilServing(absl::Duration timeout);
  void Shutdown();

 private:
  v1::ServeRequest::Outcome Run(worker::InvocationChannel& channel);
  // Counts a message of the execution. True when the stream is to be lost there.
  bool CountMessage(absl::string_view durable_execution_arn);

  const int cut_;
  const std::map<std::string, FunctionSettings> settings_;

  absl::Mutex mutex_;
  std::map<std::string, int, std::less<>> messages_ ABSL_GUARDED_BY(mutex_);

  // Last, so that invocations end first.
  std::vector<std::unique_ptr<worker::WorkerPool>> pools_;
};

}  // namespace rehearse::conformance

#endif  // REHEARSE_TESTS_CONFORMANCE_FUNCTION_HOST_H_
