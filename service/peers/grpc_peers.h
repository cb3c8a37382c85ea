// GrpcPeers: requests to other replicas over gRPC, one channel for each.
//
//   GrpcPeers peers;
//   options.peers = &peers;                     // of an Executor
#ifndef REHEARSE_SERVICE_PEERS_GRPC_PEERS_H_
#define REHEARSE_SERVICE_PEERS_GRPC_PEERS_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/generic/generic_stub.h"
#include "service/executor/replica_peers.h"

namespace rehearse {

// Thread-safe. Calls that are under way outlive it.
class GrpcPeers final : public ReplicaPeers {
 public:
  void Call(const std::string& address, const google::protobuf::Message& request,
            std::unique_ptr<google::protobuf::Message> response, Answered answered) override;

 private:
  std::shared_ptr<grpc::GenericStub> StubOf(const std::string& address);

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<grpc::GenericStub>> stubs_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_PEERS_GRPC_PEERS_H_
