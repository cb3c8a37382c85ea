#include "service/lambda_host/runtime_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

namespace rehearse::lambda_host {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
// More than a pipe holds: nobody who goes on writing is listened to for ever.
constexpr int kMaxReads = 16;

// For exec, which takes pointers to what it does not change.
std::vector<char*> PointersTo(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct ExecPlan {
  pid_t parent;
  char* const* argv;
  char* const* environment;
  const char* folder;
  int out;
  int err;
};

// In the child, between fork and exec, where only what is safe in a signal handler may be called.
// Returns the reason if it cannot run the command.
int Exec(const ExecPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int empty = open("/dev/null", O_RDONLY);
  dup2(empty, STDIN_FILENO);
  dup2(plan.out, STDOUT_FILENO);
  dup2(plan.err, STDERR_FILENO);
  // Sockets of ours, above all those of the other runtimes, would keep their ports in use.
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (plan.folder[0] != '\0' && chdir(plan.folder) != 0) return errno;
  execvpe(plan.argv[0], plan.argv, plan.environment);
  return errno;
}

absl::Status StartError(const std::string& program, int error) {
  const std::string text = absl::StrCat("cannot run ", program, ": ", strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(text);
  if (error == EACCES) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

void CloseAll(std::initializer_list<int> fds) {
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
}

// Passes on what is there. False at the end of the stream.
bool Drain(int fd, LineSplitter& lines) {
  std::string buffer(kReadBytes, '\0');
  for (int i = 0; i < kMaxReads; ++i) {
    const ssize_t bytes = read(fd, buffer.data(), buffer.size());
    if (bytes <= 0) return bytes < 0 && (errno == EAGAIN || errno == EINTR);
    lines.Add(absl::string_view(buffer.data(), static_cast<size_t>(bytes)));
  }
  return true;
}

std::string Describe(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::StrCat("signal: ", absl::AsciiStrToLower(sigdescr_np(WTERMSIG(wait_status))));
  }
  const int status = WEXITSTATUS(wait_status);
  return status == 0 ? "" : absl::StrCat("exit status ", status);
}

}  // namespace

// Read ends are ours and do not block.
struct RuntimeProcess::Pipes {
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  // What keeps the command from running; closed by exec.
  int start[2] = {-1, -1};

  ~Pipes() { CloseAll({out[0], out[1], err[0], err[1], start[0], start[1]}); }

  bool Open() {
    for (int* ends : {out, err, start}) {
      if (pipe2(ends, O_CLOEXEC) != 0) return false;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    return true;
  }

  void CloseWriteEnds() {
    CloseAll({std::exchange(out[1], -1), std::exchange(err[1], -1), std::exchange(start[1], -1)});
  }
};

absl::StatusOr<std::unique_ptr<RuntimeProcess>> RuntimeProcess::Start(const Options& options,
                                                                      Exited exited) {
  std::unique_ptr<RuntimeProcess> process(new RuntimeProcess(options.output, std::move(exited)));
  absl::Status started;
  absl::Notification settled;
  process->thread_ = std::thread([&options, &started, &settled, self = process.get()] {
    Pipes pipes;
    started = self->Fork(options, pipes);
    const bool runs = started.ok();
    settled.Notify();
    if (runs) self->Watch(pipes);
  });
  settled.WaitForNotification();
  if (!started.ok()) return started;
  return process;
}

RuntimeProcess::RuntimeProcess(Output output, Exited exited)
    : output_(std::move(output)),
      exited_(std::move(exited)),
      out_([this](absl::string_view line) { output_(STDOUT_FILENO, line); }),
      err_([this](absl::string_view line) { output_(STDERR_FILENO, line); }) {}

RuntimeProcess::~RuntimeProcess() {
  if (pid_ != 0) Signal(SIGKILL);
  thread_.join();
  CloseAll({pid_fd_});
}

void RuntimeProcess::Signal(int signal) {
  absl::MutexLock lock(&mutex_);
  if (!reaped_) kill(-pid_, signal);
}

bool RuntimeProcess::AwaitEnd(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&ended_), limit);
}

absl::Status RuntimeProcess::Fork(const Options& options, Pipes& pipes) {
  if (!pipes.Open()) return StartError(options.command[0], errno);
  const std::vector<char*> argv = PointersTo(options.command);
  const std::vector<char*> environment = PointersTo(options.environment);
  const ExecPlan plan = {getpid(),     argv.data(), environment.data(), options.folder.c_str(),
                         pipes.out[1], pipes.err[1]};
  const pid_t pid = fork();
  if (pid == 0) {
    const int error = Exec(plan);
    // Too short to be written in part.
    const ssize_t ignored = write(pipes.start[1], &error, sizeof(error));
    static_cast<void>(ignored);
    _exit(127);
  }
  if (pid < 0) return StartError(options.command[0], errno);
  pipes.CloseWriteEnds();
  int error = 0;
  if (read(pipes.start[0], &error, sizeof(error)) == sizeof(error)) {
    waitpid(pid, nullptr, 0);
    return StartError(options.command[0], error);
  }
  pid_ = pid;
  // The header of Debian 12's glibc declares pidfd_open for C only.
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return absl::OkStatus();
}

void RuntimeProcess::Watch(const Pipes& pipes) {
  pollfd events[] = {{pipes.out[0], POLLIN, 0}, {pipes.err[0], POLLIN, 0}, {pid_fd_, POLLIN, 0}};
  while (events[2].revents == 0) {
    if (poll(events, 3, -1) < 0) continue;
    if (events[0].revents != 0 && !Drain(pipes.out[0], out_)) events[0].fd = -1;
    if (events[1].revents != 0 && !Drain(pipes.err[0], err_)) events[1].fd = -1;
  }
  const std::string how = Reap();
  Drain(pipes.out[0], out_);
  Drain(pipes.err[0], err_);
  out_.Flush();
  err_.Flush();
  exited_(how);
  absl::MutexLock lock(&mutex_);
  ended_ = true;
}

std::string RuntimeProcess::Reap() {
  int wait_status = 0;
  absl::MutexLock lock(&mutex_);
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return Describe(wait_status);
}

}  // namespace rehearse::lambda_host
