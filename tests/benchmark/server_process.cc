#include "tests/benchmark/server_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {
namespace {

constexpr absl::Duration kPollInterval = absl::Microseconds(100);
constexpr absl::Duration kStartLimit = absl::Seconds(30);

std::string NewFolder() {
  char path[] = "/tmp/rehearse-benchmark-XXXXXX";
  Require(mkdtemp(path) != nullptr, "mkdtemp failed");
  return path;
}

}  // namespace

ServerProcess::ServerProcess(std::vector<std::string> command, std::vector<std::string> hosted,
                             int end_signal)
    : end_signal_(end_signal) {
  const std::string folder = NewFolder();
  const std::string ready_file = absl::StrCat(folder, "/ready.json");
  command.push_back(absl::StrCat("--ready-file=", ready_file));
  if (!hosted.empty()) command.push_back("--");
  command.insert(command.end(), hosted.begin(), hosted.end());
  Spawn(command);
  AwaitReadyFile(ready_file);
  unlink(ready_file.c_str());
  rmdir(folder.c_str());
}

std::vector<std::string> ServerProcess::RehearseUp(const std::string& time,
                                                   const std::string& store) {
  return {kRehearse,
          "up",
          "--grpc-address=127.0.0.1:0",
          absl::StrCat("--time=", time),
          absl::StrCat("--store=", store),
          "--exit-with-stdin"};
}

ServerProcess::~ServerProcess() {
  close(stdin_);
  if (end_signal_ != 0) kill(pid_, end_signal_);
  int status = 0;
  Require(waitpid(pid_, &status, 0) == pid_ && status == 0, "a server did not end with status 0");
}

void ServerProcess::Spawn(const std::vector<std::string>& command) {
  int pipe_ends[2];
  Require(pipe2(pipe_ends, O_CLOEXEC) == 0, "pipe2 failed");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[0], STDIN_FILENO);
  // The table is all that this program writes to its standard output.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);

  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[0]);
  stdin_ = pipe_ends[1];
  Require(error == 0, absl::StrCat("cannot run ", command[0], ": ", strerror(error),
                                   "; start the benchmark with `bazel run`"));
}

void ServerProcess::AwaitReadyFile(const std::string& path) {
  const absl::Time give_up = absl::Now() + kStartLimit;
  while (true) {
    std::ifstream file(path);
    ready_ = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (ready_.is_object()) return;
    Require(absl::Now() < give_up, "a server did not become ready");
    absl::SleepFor(kPollInterval);
  }
}

int64_t ServerProcess::ResidentBytes() const {
  std::ifstream statm(absl::StrCat("/proc/", pid_, "/statm"));
  int64_t total_pages = 0;
  int64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  Require(statm.good(), "cannot read a server's memory use");
  return resident_pages * sysconf(_SC_PAGESIZE);
}

}  // namespace rehearse::benchmark
