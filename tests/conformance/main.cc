// handlers: serves the conformance suite's functions until SIGINT or SIGTERM. Functions log JSON
// lines on standard output, each with the ARN of its execution; the line {"message": "serving"}
// says that the service knows all functions.
#include <csignal>
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "tests/conformance/function_host.h"

namespace {

using ::rehearse::conformance::FunctionHost;
using ::rehearse::conformance::HostOptions;

// The driver starts it together with the service.
constexpr absl::Duration kConnectTimeout = absl::Seconds(60);

absl::Status Serve(const HostOptions& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // Before the first thread, so that all of them leave signals to sigwait.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  FunctionHost host(options);
  DURABLE_RETURN_IF_ERROR(host.WaitUntilServing(kConnectTimeout));
  std::puts(R"({"message": "serving"})");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  host.Shutdown();
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil looks for lock cycles even in optimized programs, and pays for it at every
  // lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  HostOptions options;
  CLI::App app("Serves the functions of the conformance suite to a service.");
  app.add_option("--server", options.server, "host:port of the service")->capture_default_str();
  app.add_option("--session", options.sessions, "session to serve; may be repeated");
  app.add_option("--concurrency", options.concurrency, "invocations at a time in each session")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--cut", options.cut, "message at which every execution loses its stream once")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--suspend-by-status", options.suspend_by_status,
               "functions see suspensions as statuses instead of unwinding");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Serve(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
