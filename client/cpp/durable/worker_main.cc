// WorkerMain.
#include <csignal>
#include <cstdio>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/worker.h"

namespace durable {
namespace {

// Blocks SIGINT and SIGTERM in this thread and those it starts, and shuts the worker down when one
// arrives.
class SignalWatcher {
 public:
  SignalWatcher() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // `worker` outlives Stop().
  void Watch(Worker& worker) {
    thread_ = std::thread([this, &worker] {
      int signal = 0;
      sigwait(&signals_, &signal);
      worker.Shutdown();
    });
  }

  void Stop() {
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): it waits for just this signal.
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

 private:
  sigset_t signals_;
  std::thread thread_;
};

int Serve(WorkerOptions options) {
  SignalWatcher signals;
  Worker worker(std::move(options));
  for (const auto& [name, handler] : RegisteredFunctions()) worker.Register(name, handler);
  signals.Watch(worker);
  const absl::Status status = worker.Run();
  signals.Stop();
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int WorkerMain(int argc, char** argv) {
  // Debian's Abseil looks for lock cycles even in optimized programs, and pays for it at every
  // lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  WorkerOptions options;
  CLI::App app("Serves the durable functions of this program to a service.");
  app.add_option("--server", options.server, "host:port of the service")
      ->envname("REHEARSE_SERVER")
      ->capture_default_str();
  app.add_option("--session", options.session, "session to serve; empty is the default one");
  app.add_option("--concurrency", options.concurrency, "invocations at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  return Serve(std::move(options));
}

}  // namespace durable
