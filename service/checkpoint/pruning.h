// Pruning: which operations a replay does not see.
#ifndef REHEARSE_SERVICE_CHECKPOINT_PRUNING_H_
#define REHEARSE_SERVICE_CHECKPOINT_PRUNING_H_

#include "service/checkpoint/record.pb.h"

namespace rehearse {

bool IsTerminal(v1::OperationStatus status);

// Whether a context around the operation, at any distance, has closed without replay_children.
// `state` is an Execution or an ExecutionChange. Costs O(depth).
template <typename State>
bool HasClosedAncestor(const State& state, const record::OperationRecord& operation) {
  const record::OperationRecord* current = &operation;
  while (current->operation().has_parent_id()) {
    current = state.Find(current->operation().parent_id());
    if (current == nullptr) return false;
    if (IsTerminal(current->operation().status()) &&
        !current->operation().context_details().replay_children()) {
      return true;
    }
  }
  return false;
}

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_PRUNING_H_
