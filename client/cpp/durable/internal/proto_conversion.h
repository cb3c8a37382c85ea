// Between the plain structs of operation.h and the messages of rehearse.v1. The only place of the
// SDK that knows both.
//
//   v1::CheckpointRequest message = internal::ToProto(request);
//   CheckpointResponse response = internal::FromProto(channel.Checkpoint(message));
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PROTO_CONVERSION_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PROTO_CONVERSION_H_

#include "client/cpp/durable/operation.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/operation.pb.h"

namespace durable {
namespace internal {

rehearse::v1::OperationUpdate ToProto(const OperationUpdate& update);
rehearse::v1::CheckpointRequest ToProto(const CheckpointRequest& request);
rehearse::v1::GetExecutionStateRequest ToProto(const GetStateRequest& request);
// The answer of a durable function: the JSON object {Status, Result?, Error?}; or, for kRetry, the
// invocation's error.
rehearse::v1::ServeRequest::Outcome ToProto(const InvocationOutput& output);

Operation FromProto(rehearse::v1::Operation message);
CheckpointResponse FromProto(rehearse::v1::CheckpointResponse message);
StatePage FromProto(rehearse::v1::GetExecutionStateResponse message);
// Without an ARN when the invocation is none of a durable function.
InvocationInput FromProto(const rehearse::v1::ServeResponse::Invocation& message);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_PROTO_CONVERSION_H_
