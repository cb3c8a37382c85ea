// Runtime: a process that runs a function, with the Runtime API that it talks to on a loopback port
// of its own.
//
//   absl::StatusOr<std::unique_ptr<Runtime>> runtime = Runtime::Start(options);
//   v1::ServeRequest::Outcome outcome = (*runtime)->Invoke(invocation);
//
// Thread-safe, but for one invocation at a time.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/http/http_server.h"
#include "service/lambda_host/runtime_api.h"
#include "service/lambda_host/runtime_process.h"

namespace rehearse::lambda_host {

class Runtime {
 public:
  struct Options {
    // The environment without AWS_LAMBDA_RUNTIME_API.
    RuntimeProcess::Options process;
    // Told, in a line, of the process's end. Called on the process's thread.
    std::function<void(absl::string_view)> log;
  };

  // Starts the process and does not wait for it to get ready. Errors as RuntimeProcess's.
  static absl::StatusOr<std::unique_ptr<Runtime>> Start(const Options& options);
  // Ends the process: SIGTERM, and SIGKILL when it is still there 2 s later.
  ~Runtime();

  // Waits while the process still starts, and for its answer. Runtime.ExitError when the process
  // ends without one. A process that is behind the invocation's deadline, which the service watches
  // over, is killed.
  v1::ServeRequest::Outcome Invoke(const v1::ServeResponse::Invocation& invocation);

  // Kills the process; the invocation that runs fails.
  void Kill();
  // Asks the process to end, as the destructor does, and does not wait.
  void Terminate();

  // No more invocations are of use.
  bool ended() const { return api_.ended(); }
  // Whether the process has got ready.
  bool initialized() const { return api_.initialized(); }

 private:
  explicit Runtime(std::function<void(absl::string_view)> log) : log_(std::move(log)) {}
  void OnExit(absl::string_view how) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::function<void(absl::string_view)> log_;
  RuntimeApi api_;
  absl::Mutex mutex_;
  // Of the newest invocation; empty before the first.
  std::string request_id_ ABSL_GUARDED_BY(mutex_);
  bool asked_to_end_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<RuntimeProcess> process_;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_H_
