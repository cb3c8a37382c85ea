// The contract of ExecutionStore as tests. Every store's test instantiates them:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ExecutionStoreContractTest,
//   testing::Values(MakeMemoryStoreFixture));
#ifndef REHEARSE_SERVICE_STORE_EXECUTION_STORE_CONTRACT_H_
#define REHEARSE_SERVICE_STORE_EXECUTION_STORE_CONTRACT_H_

#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "service/store/execution_store.h"

namespace rehearse {

// A store, empty at first, and the place where it keeps its data.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual ExecutionStore& store() = 0;
  // Closes the store and opens it again; a store that does not outlive its process keeps it.
  virtual void Reopen() = 0;
};

using StoreFactory = std::function<std::unique_ptr<StoreFixture>()>;

class ExecutionStoreContractTest : public testing::TestWithParam<StoreFactory> {
 protected:
  ExecutionStoreContractTest() : fixture_(GetParam()()) {}

  ExecutionStore& store() { return fixture_->store(); }
  void Reopen() { fixture_->Reopen(); }

  // Commits, and returns what the store answered; fails the test unless it answered once.
  absl::Status Commit(std::vector<const ExecutionDelta*> deltas);

 private:
  std::unique_ptr<StoreFixture> fixture_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_EXECUTION_STORE_CONTRACT_H_
