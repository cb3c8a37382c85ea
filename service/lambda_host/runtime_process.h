// RuntimeProcess: a command in a process group of its own, whose output is passed on by line.
//
//   RuntimeProcess::Options options;
//   options.command = {"python3", "-m", "awslambdaric", "app.handler"};
//   options.environment = {"AWS_LAMBDA_RUNTIME_API=127.0.0.1:4242", "PATH=/usr/bin"};
//   options.output = [](int stream, absl::string_view line) { ... };
//   absl::StatusOr<std::unique_ptr<RuntimeProcess>> process = RuntimeProcess::Start(
//       options, [](absl::string_view how) { ... "exit status 1" ... });
//
// Whatever the command leaves running in its group dies with it, and all of it dies with us.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_PROCESS_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/lambda_host/line_splitter.h"

namespace rehearse::lambda_host {

class RuntimeProcess {
 public:
  // `stream` is STDOUT_FILENO or STDERR_FILENO, `line` has no line break. Called on the process's
  // thread.
  using Output = std::function<void(int stream, absl::string_view line)>;
  // Called once, on the process's thread, when the process has ended and its output has been passed
  // on. `how` is "exit status N" or "signal: NAME"; empty for exit status 0.
  using Exited = absl::AnyInvocable<void(absl::string_view how)>;

  struct Options {
    // The program, looked up in PATH, and its arguments.
    std::vector<std::string> command;
    // NAME=VALUE, the whole of it.
    std::vector<std::string> environment;
    // Working directory; empty: ours.
    std::string folder;
    Output output;
  };

  // Its standard input is empty. NotFound, PermissionDenied or Unavailable, with the reason, when
  // the command cannot be run.
  static absl::StatusOr<std::unique_ptr<RuntimeProcess>> Start(const Options& options,
                                                               Exited exited);
  // Kills what still runs and waits for its end. Not to be called on the process's thread.
  ~RuntimeProcess();
  RuntimeProcess(const RuntimeProcess&) = delete;
  RuntimeProcess& operator=(const RuntimeProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Sends `signal` to the process group, if the process has not ended. Thread-safe.
  void Signal(int signal) ABSL_LOCKS_EXCLUDED(mutex_);

  // False if the process has not ended by then.
  bool AwaitEnd(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Pipes;

  RuntimeProcess(Output output, Exited exited);
  absl::Status Fork(const Options& options, Pipes& pipes);
  // Returns when the process has ended.
  void Watch(const Pipes& pipes);
  // Kills what is left of the group before its number is free again.
  std::string Reap() ABSL_LOCKS_EXCLUDED(mutex_);

  const Output output_;
  Exited exited_;
  pid_t pid_ = 0;
  int pid_fd_ = -1;
  LineSplitter out_;
  LineSplitter err_;
  absl::Mutex mutex_;
  bool reaped_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Starts the process, too: a process dies with the thread that started it.
  std::thread thread_;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_PROCESS_H_
