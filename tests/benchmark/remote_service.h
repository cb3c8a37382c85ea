// RemoteService: the shipped binary in a process of its own, and stubs for it.
#ifndef REHEARSE_TESTS_BENCHMARK_REMOTE_SERVICE_H_
#define REHEARSE_TESTS_BENCHMARK_REMOTE_SERVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/channel.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/worker/channel.h"
#include "tests/benchmark/server_process.h"
#include "tests/benchmark/worker_script.h"

namespace rehearse::benchmark {

struct RemoteService {
  explicit RemoteService(std::vector<std::string> command = ServerProcess::RehearseUp())
      : process(std::move(command)) {}

  ServerProcess process;
  std::shared_ptr<grpc::Channel> channel = worker::CreateChannel(process.Address("grpc"));
  v1::DurableExecutions::Stub executions{channel};
  v1::FunctionHost::Stub host{channel};
  v1::TestSessions::Stub sessions{channel};
};

// Slots of one worker, each with a script of its own; ready when constructed.
class Slots {
 public:
  Slots(RemoteService& service, int count, const std::string& session, const std::string& function,
        const std::function<WorkerStream::Next()>& new_script);

 private:
  std::vector<std::unique_ptr<WorkerStream>> streams_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_REMOTE_SERVICE_H_
