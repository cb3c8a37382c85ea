// Worker: serves durable functions to a service. It opens one stream per invocation that it may run
// at a time and connects again whenever the service comes back.
//
//   // Serves everything that DURABLE_FUNCTION registered.
//   int main(int argc, char** argv) { return durable::WorkerMain(argc, argv); }
//
// or by hand:
//
//   durable::Worker worker(durable::WorkerOptions{});
//   worker.Register("greet", Greet);
//   absl::Status status = worker.Run();
#ifndef REHEARSE_CLIENT_CPP_DURABLE_WORKER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_WORKER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/invocation.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace durable {

struct WorkerOptions {
  // "host:port" of the service.
  std::string server = "127.0.0.1:9013";
  // A channel to use in place of `server`, for example one inside the process.
  std::shared_ptr<grpc::Channel> channel;
  // Empty: the service's default session.
  std::string session;
  // Invocations at a time, each on a thread of its own. At least 1.
  int concurrency = 1;
  // Tells workers apart in the service's listings; at most 256 characters.
  std::string name;
  // How long running invocations may take to end after Shutdown; then they are cut off and run
  // again elsewhere.
  absl::Duration shutdown_grace = absl::Seconds(10);
  RuntimeOptions runtime;
};

// What the service is told about a function.
struct FunctionOptions {
  // How long an execution may take, in whole seconds; zero: for ever.
  absl::Duration execution_timeout;
  // How long one invocation may take, on the wall clock; zero: the service's default, 900 s.
  absl::Duration invocation_timeout;
};

class Worker {
 public:
  explicit Worker(WorkerOptions options);
  // Shuts down.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before Start or Run. A name may have a qualifier, "name:qualifier".
  void Register(absl::string_view function_name, Handler handler, FunctionOptions options = {});

  // Begins to connect and serve. FAILED_PRECONDITION when no function is registered or it was
  // called before; INVALID_ARGUMENT when DURABLE_EXECUTION_PLUGINS, which adds to the runtime's
  // plugins, names one that it must not (see ResolvePlugins).
  absl::Status Start();
  // Returns when the service has taken every stream, or its refusal. DEADLINE_EXCEEDED after
  // `timeout`. After Start.
  absl::Status WaitUntilServing(absl::Duration timeout);
  // Start, then block until Shutdown (OK) or until the service refuses the worker for good.
  absl::Status Run();
  // Takes no more invocations and lets those that run end. Any thread; may be called again.
  void Shutdown();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The main function of a worker program: serves RegisteredFunctions() until SIGINT or SIGTERM.
// Flags: --server (default: the environment's REHEARSE_SERVER, else 127.0.0.1:9013), --session,
// --concurrency, --help. Returns the exit status.
int WorkerMain(int argc, char** argv);

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_WORKER_H_
