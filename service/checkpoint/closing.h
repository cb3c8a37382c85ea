// Closing: what every end of an execution has in common, whoever decides it.
//
//   CloseExecution(change, v1::EXECUTION_STATUS_SUCCEEDED, result, absl::nullopt);
//   AddTerminalEvent(...);   // or progress.terminal_event_pending while an invocation is in flight
#ifndef REHEARSE_SERVICE_CHECKPOINT_CLOSING_H_
#define REHEARSE_SERVICE_CHECKPOINT_CLOSING_H_

#include <string>

#include "absl/types/optional.h"
#include "service/base/limits.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

// Gives an open execution its terminal status, result or error and end time, closes its EXECUTION
// operation, and clears what only an open execution has: pause, time-out, back-off, owed
// invocation. Writes no event. Other operations stay as they are.
void CloseExecution(ExecutionChange& change, v1::ExecutionStatus status,
                    absl::optional<std::string> result,
                    const absl::optional<v1::ErrorObject>& error);

// Bytes the execution's result may have: larger for a caller who waits. A chained child counts as
// asynchronous.
int64_t MaxResultBytes(const record::ExecutionRecord& record, const Limits& limits);

// Bytes over all members.
int64_t ErrorObjectBytes(const v1::ErrorObject& error);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_CLOSING_H_
