// Every bound of the service, with where its number comes from.
//
//   absl::StatusOr<Limits> limits = LimitsProfile("aws");
//   if (payload.size() > limits->operation_payload_bytes) ...
#ifndef REHEARSE_SERVICE_BASE_LIMITS_H_
#define REHEARSE_SERVICE_BASE_LIMITS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rehearse/v1/test_sessions.pb.h"

namespace rehearse {

// Bounds that differ between profiles or that a session may override. Sizes are bytes; 0 means no
// limit where said.
struct Limits {
  // AWS API model, autumn 2026: 1 MB for STEP, CONTEXT, WAIT and CALLBACK; 262,144 before.
  int64_t operation_payload_bytes = 1048576;
  // AWS API model: 1 MB, input and result.
  int64_t chained_invoke_payload_bytes = 1048576;
  // AWS API model, autumn 2026: 1 MB; 262,144 before.
  int64_t callback_result_bytes = 1048576;
  // AWS API model, autumn 2026: 1 MB over all members; 262,144 before.
  int64_t error_object_bytes = 1048576;
  // AWS API model: 6 MB input and result of a synchronous invocation.
  int64_t sync_payload_bytes = 6291456;
  // AWS API model: 1 MB input and result of an asynchronous invocation.
  int64_t async_payload_bytes = 1048576;
  // Lambda's body limit, about 6 MB.
  int64_t checkpoint_request_bytes = 6291456;
  // Ours. SDKs send at most 250.
  int64_t checkpoint_updates = 1000;
  // AWS has a quota whose number is not published. 0: none.
  int64_t operations_per_execution = 0;
  // AWS has a quota whose number is not published. 0: none.
  int64_t stored_bytes_per_execution = 0;
  // As the official Python runner pages: 5 MiB.
  int64_t state_page_bytes = 5 * 1024 * 1024;
  // Ours: bounds queues. 0: none.
  int64_t open_executions = 1000000;
};

// `aws`: the service today. `aws-2025`: before autumn 2026. Anything else is InvalidParameter,
// naming the two.
absl::StatusOr<Limits> LimitsProfile(absl::string_view name);
// InvalidParameter for a negative value.
absl::StatusOr<Limits> ApplyOverrides(Limits limits, const v1::LimitOverrides& overrides);

// Bounds that are the same in every profile. Where nothing else is said, the number is the AWS API
// model's; lengths are in characters.
inline constexpr int kMaxOperationIdLength = 64;
inline constexpr int kMaxOperationNameLength = 256;
inline constexpr int kMaxSubTypeLength = 32;
inline constexpr int kMaxPayloadLength = 6291456;  // of every payload, whatever the profile says
inline constexpr int kMaxExecutionNameLength = 64;
inline constexpr int kMaxArnLength = 1024;
inline constexpr int kMaxFunctionNameLength = 256;
inline constexpr int kMaxQualifierLength = 128;
inline constexpr int kMaxTenantIdLength = 256;
inline constexpr int kMaxTraceHeaderLength = 8192;
inline constexpr int kMaxClientTokenLength = 64;
inline constexpr int kMaxCheckpointTokenLength = 2048;  // ours have 56
inline constexpr int kMaxCallbackIdLength = 1024;       // ours have 56
inline constexpr int kMaxReasonLength = 1024;           // of a pause or a resumption
inline constexpr int kMaxSessionNameLength = 64;        // ours: as an execution's name
inline constexpr int kMaxStatusFilters = 10;
inline constexpr int kDefaultPageItems = 100;  // state, history and lists
inline constexpr int kMaxPageItems = 1000;
// Waits, retry delays and the execution timeout, pauses included: 366 days at most.
inline constexpr int kMinDelaySeconds = 1;
inline constexpr int kMaxDelaySeconds = 31622400;
inline constexpr int kMaxCallbackTimeoutSeconds = 99999999;  // 0: none
inline constexpr int kMaxInvocationTimeoutSeconds = 5400;    // of managed instances; else 900
// AWS documentation: the longest a function runs on demand, and how long a caller may wait.
inline constexpr int kDefaultInvocationTimeoutSeconds = 900;
inline constexpr int kMaxRetentionDays = 90;
inline constexpr int kDefaultRetentionDays = 14;     // AWS documentation; its API model says 30
inline constexpr int kMaxFunctionsPerWorker = 1000;  // ours
inline constexpr int kMaxWorkerNameLength = 256;     // ours

// For how long a client token is remembered.
inline constexpr absl::Duration kClientTokenWindow = absl::Minutes(15);
// Answers kept per execution for repeated client tokens; ours.
inline constexpr int kMaxCheckpointReplies = 16;
// For how long the next page of a list or a history can be read.
inline constexpr absl::Duration kMarkerLife = absl::Hours(24);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_LIMITS_H_
