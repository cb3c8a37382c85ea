// ServerProcess: a server in a process of its own, on a loopback port that it chooses.
//
//   ServerProcess server = ServerProcess({kRehearse, "up", "--grpc-address=127.0.0.1:0",
//   "--exit-with-stdin"}); auto channel = worker::CreateChannel(server.Address("grpc"));
#ifndef REHEARSE_TESTS_BENCHMARK_SERVER_PROCESS_H_
#define REHEARSE_TESTS_BENCHMARK_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace rehearse::benchmark {

// Paths below the runfiles, where `bazel run` and `bazel test` start programs.
inline constexpr char kRehearse[] = "service/cli/rehearse";
inline constexpr char kReferenceServer[] = "tests/benchmark/reference_server";

class ServerProcess {
 public:
  // Runs `command` with `--ready-file=PATH` added, and `hosted` behind `--` if there is any, and
  // returns when it has written that file: a JSON object, as of addresses. It ends with its
  // standard input, or with `end_signal` unless that is 0.
  explicit ServerProcess(std::vector<std::string> command, std::vector<std::string> hosted = {},
                         int end_signal = 0);
  // The shipped binary in real time and memory, or with other values of `--time` and `--store`.
  static std::vector<std::string> RehearseUp(const std::string& time = "real",
                                             const std::string& store = "memory");
  // Has the process end, and waits for that.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // "host:port" under `name` in the ready file.
  std::string Address(const std::string& name) const { return ready_.at(name).get<std::string>(); }

  // Physical memory in use.
  int64_t ResidentBytes() const;

 private:
  void Spawn(const std::vector<std::string>& command);
  void AwaitReadyFile(const std::string& path);

  pid_t pid_ = 0;
  int stdin_ = -1;
  const int end_signal_;
  nlohmann::json ready_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_SERVER_PROCESS_H_
