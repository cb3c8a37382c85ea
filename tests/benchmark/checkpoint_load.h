// CheckpointLoad: as many checkpoints as services answer with so many clients at once, each of
// which is a worker stream that runs an execution of its own.
//
//   CheckpointLoad load({&service}, /*clients=*/64, /*steps=*/200);
//   double checkpoints_per_second = load.Run();
#ifndef REHEARSE_TESTS_BENCHMARK_CHECKPOINT_LOAD_H_
#define REHEARSE_TESTS_BENCHMARK_CHECKPOINT_LOAD_H_

#include <memory>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {

class CheckpointLoad {
 public:
  // The services outlive it, and have the same number of clients each.
  CheckpointLoad(std::vector<RemoteService*> services, int clients, int steps);

  // Runs an execution of `steps` checkpoints for each client. Checkpoints per second, of all.
  double Run();

 private:
  WorkerStream::Next NewScript();

  const std::vector<RemoteService*> services_;
  const int clients_;
  const int steps_;
  std::unique_ptr<absl::BlockingCounter> ended_;
  std::vector<std::unique_ptr<Slots>> slots_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_CHECKPOINT_LOAD_H_
