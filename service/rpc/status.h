// How the service's errors look on gRPC. The one place where an absl::Status becomes something of
// gRPC.
//
//   reactor->Finish(ToGrpcStatus(errors::SessionNotFound("s-1")));
//
// Code and message are the status's own; its payloads travel as details under their type URLs, so
// that every client that knows google.rpc finds an ErrorInfo (and a RetryInfo) in
// `grpc-status-details-bin`.
#ifndef REHEARSE_SERVICE_RPC_STATUS_H_
#define REHEARSE_SERVICE_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"
#include "rehearse/v1/error_details.pb.h"

namespace rehearse {

v1::Status ToStatusMessage(const absl::Status& status);
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_STATUS_H_
