// The plain data that the durable SDK and a service exchange: operations, updates to them,
// checkpoint and state requests, and one invocation's input and output. No generated types; a
// transport converts at its edge.
//
//   durable::OperationUpdate update;
//   update.id = "6b86b273ff34fce1";
//   update.type = durable::OperationType::kWait;
//   update.action = durable::OperationAction::kStart;
//   update.wait_seconds = 60;
//
// Conventions: an empty string means that the member is absent, except for payloads, where an
// absent payload and an empty one differ (absl::optional). Durations on the wire are whole seconds.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_OPERATION_H_
#define REHEARSE_CLIENT_CPP_DURABLE_OPERATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace durable {

enum class OperationType { kExecution, kContext, kStep, kWait, kCallback, kChainedInvoke };

enum class OperationStatus {
  kStarted,
  kPending,
  kReady,
  kSucceeded,
  kFailed,
  kCancelled,
  kTimedOut,
  kStopped,
};

enum class OperationAction { kStart, kSucceed, kFail, kRetry };

// True for the statuses that an operation never leaves.
inline bool IsTerminal(OperationStatus status) {
  return status != OperationStatus::kStarted && status != OperationStatus::kPending &&
         status != OperationStatus::kReady;
}

// An error as it is recorded.
struct ErrorObject {
  std::string type;
  std::string message;
  std::string data;
  std::vector<std::string> stack_trace;
};

// What the service knows about one operation.
struct Operation {
  std::string id;
  std::string parent_id;
  std::string name;
  OperationType type = OperationType::kStep;
  std::string sub_type;
  OperationStatus status = OperationStatus::kStarted;
  // Of the first START, and of the end.
  absl::optional<absl::Time> start_time;
  absl::optional<absl::Time> end_time;
  // EXECUTION: the input. All others: the recorded result.
  absl::optional<std::string> payload;
  absl::optional<ErrorObject> error;
  // CONTEXT: the result was too large to keep; the body runs again over its recorded operations.
  bool replay_children = false;
  // STEP: attempts that have ended.
  int attempt = 0;
  // STEP: when the next attempt is due; InfiniteFuture when none is scheduled.
  absl::Time next_attempt_time = absl::InfiniteFuture();
  // WAIT: when it ends.
  absl::Time scheduled_end_time = absl::InfiniteFuture();
  // CALLBACK: what the outsider answers to.
  std::string callback_id;
};

// One requested change to one operation.
struct OperationUpdate {
  std::string id;
  std::string parent_id;
  std::string name;
  OperationType type = OperationType::kStep;
  std::string sub_type;
  OperationAction action = OperationAction::kStart;
  absl::optional<std::string> payload;
  absl::optional<ErrorObject> error;
  // CONTEXT SUCCEED.
  bool replay_children = false;
  // STEP RETRY; at least 1 there.
  int64_t next_attempt_delay_seconds = 0;
  // WAIT START; at least 1 there.
  int64_t wait_seconds = 0;
  // CALLBACK START; 0 is no limit.
  int64_t timeout_seconds = 0;
  int64_t heartbeat_timeout_seconds = 0;
  // CHAINED_INVOKE START.
  std::string function_name;
  std::string tenant_id;
  // The trace header for the invoked function; without one it inherits the execution's.
  std::string x_amzn_trace_id;
};

// Some operations of an execution; more follow when `next_marker` is not empty.
struct StatePage {
  std::vector<Operation> operations;
  std::string next_marker;
};

struct CheckpointRequest {
  std::string durable_execution_arn;
  std::string checkpoint_token;
  // Unique per request. A transport that retries sends it unchanged, so that a lost answer is
  // harmless.
  std::string client_token;
  std::vector<OperationUpdate> updates;
};

struct CheckpointResponse {
  // Empty: the updates were applied and no further call can succeed in this invocation.
  std::string checkpoint_token;
  StatePage new_state;
};

struct GetStateRequest {
  std::string durable_execution_arn;
  std::string checkpoint_token;
  std::string marker;
  // 1 to 1000.
  int max_items = 1000;
};

struct InvocationInput {
  std::string durable_execution_arn;
  std::string checkpoint_token;
  StatePage initial_state;
  // Operations that changed while no handler was told.
  std::vector<std::string> updated_operation_ids;
  // Names this invocation in logs; may be empty.
  std::string request_id;
};

enum class InvocationStatus {
  kSucceeded,
  kFailed,
  kPending,
  // There is no answer: the invocation itself failed with `error` and the service runs it again.
  kRetry,
};

struct InvocationOutput {
  InvocationStatus status = InvocationStatus::kPending;
  // kSucceeded. Empty text when the result was too large for an answer and was checkpointed
  // instead.
  absl::optional<std::string> result;
  // kFailed and kRetry. Absent when the error was too large for an answer and was checkpointed
  // instead.
  absl::optional<ErrorObject> error;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_OPERATION_H_
