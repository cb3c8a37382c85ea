// Event: one entry of an execution's history, as plain data.
//
//   for (const durable::testing::Event& event : result.History()) {
//     if (event.type == durable::testing::EventType::kStepFailed) std::cout << event.name << ": "
//     << event.error->type;
//   }
#ifndef REHEARSE_CLIENT_CPP_TESTING_EVENT_H_
#define REHEARSE_CLIENT_CPP_TESTING_EVENT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/operation.h"

namespace durable::testing {

enum class EventType {
  kExecutionStarted,
  kExecutionSucceeded,
  kExecutionFailed,
  kExecutionTimedOut,
  kExecutionStopped,
  kExecutionPaused,
  kExecutionResumed,
  kContextStarted,
  kContextSucceeded,
  kContextFailed,
  kWaitStarted,
  kWaitSucceeded,
  kWaitCancelled,
  kStepStarted,
  kStepSucceeded,
  kStepFailed,
  kChainedInvokeStarted,
  kChainedInvokeSucceeded,
  kChainedInvokeFailed,
  kChainedInvokeTimedOut,
  kChainedInvokeStopped,
  kCallbackStarted,
  kCallbackSucceeded,
  kCallbackFailed,
  kCallbackTimedOut,
  kInvocationCompleted,
};

// As the contract spells it, for example "StepSucceeded".
absl::string_view EventTypeName(EventType type);

// As the short notation of histories spells it: S, C, W, B (callback), I (chained invoke) or X
// (execution), then S for started, X for succeeded, F failed, T timed out, C cancelled, P stopped;
// "IC" is a completed invocation. An execution that ended is XS, XF, XT or XP; one that paused or
// resumed XH or XR.
absl::string_view EventTypeCode(EventType type);

// Members that an event's type does not have are empty, zero or absent.
struct Event {
  // From 1.
  int64_t id = 0;
  EventType type = EventType::kExecutionStarted;
  // On the execution's clock.
  absl::Time time;
  std::string operation_id;
  std::string parent_id;
  std::string name;
  std::string sub_type;

  // The input of what started, the result of what succeeded, the reason of a pause or resume.
  absl::optional<std::string> payload;
  absl::optional<ErrorObject> error;

  // End of a step's attempt: its number, from 1, and the seconds until the next one if there is
  // one.
  int attempt = 0;
  absl::optional<int> next_attempt_delay_seconds;
  // Wait.
  int duration_seconds = 0;
  // Start of an execution or a callback; 0: none.
  int timeout_seconds = 0;
  // Start of a callback; 0: none.
  int heartbeat_timeout_seconds = 0;
  std::string callback_id;
  // Start of a chained invoke; the last two are empty when the target was not found, and for a
  // plain target.
  std::string function_name;
  std::string tenant_id;
  std::string executed_version;
  std::string durable_execution_arn;
  // End of an invocation: when it ran.
  std::string request_id;
  absl::Time start_time;
  absl::Time end_time;
};

}  // namespace durable::testing

#endif  // REHEARSE_CLIENT_CPP_TESTING_EVENT_H_
