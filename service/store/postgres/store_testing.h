// What the tests of PostgresStore share: stores on a server, and changes to store.
//
//   const std::string url = SharedPostgresServer().NewDatabase();
//   auto store = OpenStore(url);
//   EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_STORE_TESTING_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_STORE_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "service/store/postgres/cutting_proxy.h"
#include "service/store/postgres/postgres_server.h"
#include "service/store/postgres/postgres_store.h"

namespace rehearse {

absl::StatusOr<std::unique_ptr<PostgresStore>> OpenStore(
    const std::string& url, absl::Duration lease = absl::Hours(1),
    absl::AnyInvocable<void(absl::Status)> lost = nullptr);

// `url` of the test server, by way of the proxy.
std::string ThroughProxy(const std::string& url, const postgres::CuttingProxy& proxy);

// Each by itself.
void Execute(const std::string& url, const std::vector<std::string>& statements);
// The number that a query gives.
int64_t Count(const std::string& url, const std::string& query);

// An execution of `orders` in `default`, by itself or, with `root`, below the execution `root`.
ExecutionDelta Started(const std::string& arn, const std::string& root = "");
ExecutionDelta StepAdded(const std::string& arn, int64_t step);

// Answers of commits, in whatever order they come.
class Answers {
 public:
  ExecutionStore::Committed Add();
  // In the order of Add, when all have come.
  std::vector<absl::Status> Await();

 private:
  absl::Mutex mutex_;
  std::vector<absl::optional<absl::Status>> answers_;
};

absl::Status Commit(ExecutionStore& store, const ExecutionDelta& delta);

// Everything of the execution is there once: so many operations and events.
void ExpectWhole(ExecutionStore& store, const std::string& arn, int64_t count);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_STORE_TESTING_H_
