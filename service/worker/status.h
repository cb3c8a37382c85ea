// The service's errors as absl::Status. Details become payloads under their type URLs.
//
//   absl::Status status = FromGrpcStatus(stub->GetExecution(&context, request, &response));
//   if (!status.ok()) LOG_IT << status.message() << ErrorReason(status);   //
//   "ResourceNotFoundException"
#ifndef REHEARSE_SERVICE_WORKER_STATUS_H_
#define REHEARSE_SERVICE_WORKER_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"
#include "rehearse/v1/error_details.pb.h"
#include "rehearse/v1/function_host.pb.h"

namespace rehearse::worker {

// Of a ServeResponse that refuses a request.
absl::Status FromProtoStatus(const v1::Status& status);

// Of a unary call or the end of a stream.
absl::Status FromGrpcStatus(const grpc::Status& status);

// The AWS error name in the ErrorInfo payload, for example "ResourceNotFoundException"; empty when
// there is none.
std::string ErrorReason(const absl::Status& status);

// CANCELLED, for an invocation that the service has aborted.
absl::Status FromAbort(const v1::ServeResponse::Abort& abort);

// Why; REASON_UNSPECIFIED when it is not such a status.
v1::ServeResponse::Abort::Reason AbortReason(const absl::Status& status);

}  // namespace rehearse::worker

#endif  // REHEARSE_SERVICE_WORKER_STATUS_H_
