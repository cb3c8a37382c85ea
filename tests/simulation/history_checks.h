// What every history is, whatever has happened: dense, in order of time, and nothing is there
// twice.
//
//   CheckHistory(store, arn, /*closed=*/true);         // as expectations of GoogleTest
#ifndef REHEARSE_TESTS_SIMULATION_HISTORY_CHECKS_H_
#define REHEARSE_TESTS_SIMULATION_HISTORY_CHECKS_H_

#include <cstdint>
#include <random>
#include <string>

#include "absl/container/btree_set.h"
#include "service/base/ids.h"
#include "service/store/execution_store.h"

namespace rehearse {

class SeededIds final : public IdSource {
 public:
  explicit SeededIds(uint64_t seed) : random_(seed) {}
  uint64_t Next() override { return random_(); }

 private:
  std::mt19937_64 random_;
};

// `closed`: the terminal event is there, at the end.
void CheckHistory(ExecutionStore& store, const std::string& arn, bool closed);
// The operation, whose success was acknowledged, is there and has succeeded.
void CheckKept(ExecutionStore& store, const std::string& arn, const std::string& operation_id);
// Whether one of `arns` is a child of the execution and paused.
bool ChildIsHeld(ExecutionStore& store, const absl::btree_set<std::string>& arns,
                 const std::string& arn);
std::string HistoryText(ExecutionStore& store, const std::string& arn);

}  // namespace rehearse

#endif  // REHEARSE_TESTS_SIMULATION_HISTORY_CHECKS_H_
