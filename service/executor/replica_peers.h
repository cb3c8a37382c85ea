// ReplicaPeers: the other replicas, as those that answer requests for executions they work on.
//
//   peers.Call("10.0.0.7:9013", request, std::make_unique<v1::StopExecutionResponse>(),
//              [](absl::Status status, std::unique_ptr<google::protobuf::Message> response) { ...
//              });
#ifndef REHEARSE_SERVICE_EXECUTOR_REPLICA_PEERS_H_
#define REHEARSE_SERVICE_EXECUTOR_REPLICA_PEERS_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace rehearse {

// Thread-safe.
class ReplicaPeers {
 public:
  using Answered =
      absl::AnyInvocable<void(absl::Status, std::unique_ptr<google::protobuf::Message> response)>;

  virtual ~ReplicaPeers() = default;

  // Has the replica at `address` answer `request`: a call of DurableExecutions, which is known by
  // the type of its request. `answered` is called once, on any thread: with `response` filled in,
  // with the replica's error, or with errors::StoreUnavailable when it cannot be reached - whether
  // it has done what was asked is not known then.
  virtual void Call(const std::string& address, const google::protobuf::Message& request,
                    std::unique_ptr<google::protobuf::Message> response, Answered answered) = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_REPLICA_PEERS_H_
