// Clients: callers and workers that keep a service busy with checkpoints until it goes away, and
// write down what it has acknowledged.
//
//   Clients clients(up.address(), names, log);
//   log.AwaitCount(log.count() + 1000);
//   up.process().Signal(SIGKILL);
//   clients.Join();
#ifndef REHEARSE_TESTS_CRASH_CLIENTS_H_
#define REHEARSE_TESTS_CRASH_CLIENTS_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/worker/worker_pool.h"
#include "tests/crash/acknowledged.h"

namespace rehearse::crash {

// Names of executions: each client goes on with its own where it was.
class Names {
 public:
  explicit Names(int clients, std::string prefix = "client")
      : prefix_(std::move(prefix)), next_(clients, 0) {}
  int clients() const { return static_cast<int>(next_.size()); }
  std::string NameOf(int client) const;
  void EndOf(int client) { ++next_[client]; }

 private:
  const std::string prefix_;
  std::vector<int> next_;
};

class Clients {
 public:
  // `names` and `log` outlive this. One caller and one worker for each name at a time.
  Clients(const std::string& address, Names& names, Acknowledged& log);
  ~Clients();

  // Waits until every client has noticed that the service is gone.
  void Join();
  // Lets every client end the execution it is at.
  void Finish();
  // Another server goes on with what this one is at: what it has acknowledged counts, but what it
  // says of executions may be old.
  void NoteReplaced() { replaced_ = true; }

 private:
  void Call(int client);
  // An invocation: goes on where its execution is.
  v1::ServeRequest::Outcome Run(worker::InvocationChannel& channel);

  Names& names_;
  Acknowledged& log_;
  const std::shared_ptr<grpc::Channel> channel_;
  v1::DurableExecutions::Stub executions_;
  v1::TestSessions::Stub sessions_;
  std::atomic<bool> finish_{false};
  std::atomic<bool> replaced_{false};
  std::unique_ptr<worker::WorkerPool> workers_;
  std::vector<std::thread> callers_;
};

}  // namespace rehearse::crash

#endif  // REHEARSE_TESTS_CRASH_CLIENTS_H_
