// Validation of requests to the executor: what can be said without looking at any execution.
//
//   absl::Status status = ValidateStart(request, limits);
#ifndef REHEARSE_SERVICE_EXECUTOR_VALIDATION_H_
#define REHEARSE_SERVICE_EXECUTOR_VALIDATION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/base/limits.h"

namespace rehearse {

absl::Status ValidateStart(const v1::StartExecutionRequest& request, const Limits& limits);
absl::Status ValidateInvoke(const v1::InvokeFunctionRequest& request, const Limits& limits);
absl::Status ValidateList(const v1::ListExecutionsRequest& request);
absl::Status ValidatePause(const v1::PauseExecutionRequest& request);
absl::Status ValidateResume(const v1::ResumeExecutionRequest& request);
absl::Status ValidateAdvance(const v1::AdvanceTimeRequest& request);
// Bytes over all members.
absl::Status ValidateError(const v1::ErrorObject& error, const Limits& limits);

// The wall time a wait may take; absent: 60 s.
absl::StatusOr<absl::Duration> WaitTimeout(bool given, const google::protobuf::Duration& timeout);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_VALIDATION_H_
