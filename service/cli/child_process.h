// ChildProcess: a program in a process of its own, for tests.
//
//   ChildProcess up({"service/cli/rehearse", "up", "--grpc-address=127.0.0.1:0",
//   "--ready-file=..."}); up.Signal(SIGTERM); EXPECT_EQ(up.AwaitExit(), 0);
#ifndef REHEARSE_SERVICE_CLI_CHILD_PROCESS_H_
#define REHEARSE_SERVICE_CLI_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace rehearse {

class ChildProcess {
 public:
  // Starts command[0], a path, with a pipe as its standard input. What it writes goes to a file.
  explicit ChildProcess(const std::vector<std::string>& command);
  // Kills a process that still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void Signal(int signal);
  // As the death of a parent that held its other end.
  void CloseStdin();

  // Blocks until the process has ended. Returns its status, or -N when signal N ended it.
  int AwaitExit();
  bool running();

  // What the process has written so far.
  std::string out() const;
  std::string err() const;

 private:
  pid_t pid_ = 0;
  int stdin_ = -1;
  int status_ = -1;
  std::string folder_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_CHILD_PROCESS_H_
