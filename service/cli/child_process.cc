#include "service/cli/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace rehearse {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int StatusOf(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command)
    : folder_(::testing::TempDir() + "/child-XXXXXX") {
  if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << "mkdtemp: " << strerror(errno);
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2: " << strerror(errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[0], STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (folder_ + "/out").c_str(),
                                   O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder_ + "/err").c_str(),
                                   O_WRONLY | O_CREAT, 0600);
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[0]);
  stdin_ = pipe_ends[1];
  if (error != 0) ADD_FAILURE() << "cannot run " << command[0] << ": " << strerror(error);
}

ChildProcess::~ChildProcess() {
  if (running()) {
    Signal(SIGKILL);
    AwaitExit();
  }
  CloseStdin();
}

void ChildProcess::Signal(int signal) { kill(pid_, signal); }

void ChildProcess::CloseStdin() {
  if (stdin_ >= 0) close(stdin_);
  stdin_ = -1;
}

int ChildProcess::AwaitExit() {
  if (pid_ == 0) return status_;
  int wait_status = 0;
  while (waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  status_ = StatusOf(wait_status);
  return status_;
}

bool ChildProcess::running() {
  int wait_status = 0;
  if (pid_ == 0) return false;
  if (waitpid(pid_, &wait_status, WNOHANG) == 0) return true;
  pid_ = 0;
  status_ = StatusOf(wait_status);
  return false;
}

std::string ChildProcess::out() const { return Read(folder_ + "/out"); }
std::string ChildProcess::err() const { return Read(folder_ + "/err"); }

}  // namespace rehearse
