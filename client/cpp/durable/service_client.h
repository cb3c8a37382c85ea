// The seam between the durable engine and whatever carries its requests to a service. A worker
// stream implements it, and a test may, to inject faults:
//
//   class UnreachableService : public durable::ServiceClient {
//    public:
//     absl::StatusOr<durable::CheckpointResponse> Checkpoint(
//         const durable::CheckpointRequest&) override {
//       return absl::UnavailableError("no route to the service");
//     }
//     absl::StatusOr<durable::StatePage> GetState(const durable::GetStateRequest&) override {
//       return absl::UnavailableError("no route to the service");
//     }
//   };
#ifndef REHEARSE_CLIENT_CPP_DURABLE_SERVICE_CLIENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_SERVICE_CLIENT_H_

#include "absl/status/statusor.h"
#include "client/cpp/durable/operation.h"

namespace durable {

// The engine has at most one call of an invocation in flight, made from any of its threads.
// Retrying a lost call (same request, same client token) is the implementation's business; an error
// returned from here ends the invocation:
//   * UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, ABORTED, and
//     FAILED_PRECONDITION or INVALID_ARGUMENT with a message that begins "Invalid checkpoint
//     token": the service runs the invocation again;
//   * CANCELLED: the execution is over; user code is unwound and nobody waits for an answer;
//   * anything else: the execution fails with that error.
class ServiceClient {
 public:
  virtual ~ServiceClient() = default;

  virtual absl::StatusOr<CheckpointResponse> Checkpoint(const CheckpointRequest& request) = 0;
  virtual absl::StatusOr<StatePage> GetState(const GetStateRequest& request) = 0;

  // True once it is known that the next call will be CANCELLED, so that long bodies can stop early.
  // Any thread.
  virtual bool cancelled() const { return false; }
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_SERVICE_CLIENT_H_
