// Who may checkpoint: the invocation in flight, with its newest token.
#ifndef REHEARSE_SERVICE_CHECKPOINT_GATE_H_
#define REHEARSE_SERVICE_CHECKPOINT_GATE_H_

#include "absl/strings/string_view.h"
#include "service/base/ids.h"
#include "service/checkpoint/execution.h"

namespace rehearse {

// The token of the invocation in flight, which must exist, at this state.
inline std::string TokenOf(const record::ExecutionRecord& record,
                           const record::ExecutionProgress& progress) {
  return EncodeCheckpointToken(
      {record.execution_id(), progress.token_sequence(), progress.invocation().secret()});
}

// Whether the execution is open, an invocation is in flight that a pause has not cut off, and
// `token` is its newest.
inline bool IsCurrentToken(const Execution& execution, absl::string_view token) {
  return !execution.closed() && execution.invocation_in_flight() &&
         !execution.progress().invocation().withdrawn() &&
         TokenOf(execution.record(), execution.progress()) == token;
}

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_GATE_H_
