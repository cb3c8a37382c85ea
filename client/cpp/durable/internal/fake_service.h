// A service in memory for the engine's tests: it applies updates by the service's rules, hands out
// single-use tokens, and lets a test move what only the outside can move, or put faults in the way.
//
//   FakeService service;
//   EXPECT_EQ(service.Run(handler).status, InvocationStatus::kPending);
//   service.CompleteTimers();
//   EXPECT_EQ(service.Run(handler).result, "7");
//   EXPECT_THAT(service.Updates(), ElementsAre("WAIT START pause", ...));
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FAKE_SERVICE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FAKE_SERVICE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/invocation.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/service_client.h"

namespace durable {
namespace internal {

class FakeService : public ServiceClient {
 public:
  // An answer in place of the service's own; nullopt lets the call through. Called without a lock.
  using CheckpointFault =
      std::function<absl::optional<absl::StatusOr<CheckpointResponse>>(const CheckpointRequest&)>;

  static constexpr char kArn[] =
      "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/n/e";
  // The service's clock, which stands still.
  static absl::Time Now() { return absl::FromUnixSeconds(1'800'000'000); }

  explicit FakeService(absl::optional<std::string> input = std::string("null"));

  // One invocation over what is recorded so far.
  InvocationOutput Run(const Handler& handler);
  InvocationInput Input();
  RuntimeOptions& options() { return options_; }
  // Pages of state, and of answers to checkpoints, hold so many operations.
  void set_page_size(size_t size) { page_size_ = size; }
  void set_checkpoint_fault(CheckpointFault fault) { checkpoint_fault_ = std::move(fault); }
  void set_state_fault(std::function<absl::Status(const GetStateRequest&)> fault) {
    state_fault_ = std::move(fault);
  }

  // Answers a request of which this is true without a token, as if the execution was paused.
  void set_withdraws(std::function<bool(const CheckpointRequest&)> withdraws) {
    withdraws_ = std::move(withdraws);
  }
  // Timers are due at `due` instead of the usual time after Now().
  void set_timers_due(absl::Time due) { timers_due_ = due; }
  // A request without updates ends all waits and makes all pending steps ready, and answers so.
  void set_completes_timers_when_asked() { completes_timers_when_asked_ = true; }

  // Records. Put replaces the one with the same id.
  void Put(Operation operation);
  // The record at `path`; absent when there is none.
  absl::optional<Operation> At(absl::string_view path);
  // Ends all waits, makes all pending steps ready.
  void CompleteTimers();
  // Ends the open callback or chained invoke at `path`. A running invocation is told with the
  // answer to its next checkpoint.
  void End(absl::string_view path, OperationStatus status, absl::optional<std::string> payload,
           absl::optional<ErrorObject> error = absl::nullopt);

  // Accepted updates as "TYPE ACTION name", or "TYPE ACTION" without a name; one per line of
  // history.
  std::vector<std::string> Updates();
  // The same, one vector per checkpoint call.
  std::vector<std::vector<std::string>> Batches();
  // The last accepted update for `path` with that action; fails the test when there is none.
  OperationUpdate UpdateAt(absl::string_view path, OperationAction action);
  std::vector<CheckpointRequest> Requests();
  std::vector<GetStateRequest> StateRequests();
  // What user code logged, and what the SDK said.
  std::vector<std::string> LogMessages();
  std::vector<LogRecord> LogRecords();
  std::vector<std::string> DiagnosticMessages();

  absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) override;
  absl::StatusOr<StatePage> GetState(const GetStateRequest& request) override;

 private:
  std::string MintToken() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Operation* Find(absl::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Validate(const OperationUpdate& update) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndTimers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Requires a valid update. Returns the operation as it is now.
  Operation Apply(const OperationUpdate& update) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `operations` from `begin` on, as one page.
  StatePage Page(const std::vector<Operation>& operations, size_t begin,
                 absl::string_view marker_prefix) const;

  RuntimeOptions options_;
  size_t page_size_ = 1000;
  absl::optional<absl::Time> timers_due_;
  bool completes_timers_when_asked_ = false;
  CheckpointFault checkpoint_fault_;
  std::function<absl::Status(const GetStateRequest&)> state_fault_;
  std::function<bool(const CheckpointRequest&)> withdraws_;

  absl::Mutex mutex_;
  std::vector<Operation> operations_ ABSL_GUARDED_BY(mutex_);
  // What the last checkpoint answered, for its further pages.
  std::vector<Operation> delta_ ABSL_GUARDED_BY(mutex_);
  // Changed from outside, and no handler was told.
  std::vector<std::string> updated_ids_ ABSL_GUARDED_BY(mutex_);
  int tokens_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  std::vector<CheckpointRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<GetStateRequest> state_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<LogRecord> logs_ ABSL_GUARDED_BY(mutex_);
  std::vector<LogRecord> diagnostics_ ABSL_GUARDED_BY(mutex_);
};

// "TYPE ACTION name".
std::string Summarize(const OperationUpdate& update);

// A record as a test wants it found, to be completed and Put.
Operation Record(absl::string_view path, OperationType type, absl::string_view sub_type,
                 absl::string_view name, OperationStatus status);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FAKE_SERVICE_H_
