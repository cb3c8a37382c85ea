// LoadClient: starts executions one after the other without a thread of its own; many of them keep
// many in flight.
//
//   LoadClient client(*executions, *sessions, {"s-1", "steps", /*wait_for_end=*/true}, [&] { return
//   !stop; });
#ifndef REHEARSE_TESTS_BENCHMARK_LOAD_CLIENT_H_
#define REHEARSE_TESTS_BENCHMARK_LOAD_CLIENT_H_

#include <functional>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "grpcpp/client_context.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"

namespace rehearse::benchmark {

class LoadClient {
 public:
  struct Options {
    std::string session;
    std::string function;
    // Waits for each execution's result before it goes on.
    bool wait_for_end = false;
  };
  // Asked before each execution, on gRPC's threads: whether to start it.
  using Continue = std::function<bool()>;

  LoadClient(v1::DurableExecutions::Stub& executions, v1::TestSessions::Stub& sessions,
             Options options, Continue go_on);
  // Waits until `go_on` has answered false.
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

 private:
  void Start();
  void WaitForEnd();

  v1::DurableExecutions::Stub& executions_;
  v1::TestSessions::Stub& sessions_;
  const Options options_;
  const Continue go_on_;
  // Of the call under way.
  absl::optional<grpc::ClientContext> context_;
  v1::StartExecutionRequest start_;
  v1::StartExecutionResponse started_;
  v1::WaitForExecutionRequest wait_;
  v1::WaitForExecutionResponse ended_;
  absl::Notification stopped_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_LOAD_CLIENT_H_
