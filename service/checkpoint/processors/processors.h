// Processors: apply one validated update to the execution, one function per operation type.
//
// Each stages the new state of the operation and its event. The caller has checked every rule, so
// there is nothing to refuse.
//
//   ExecutionChange change(execution, moment, ExecutionChange::Origin::kCheckpoint);
//   ProcessStep(change, update);
#ifndef REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_PROCESSORS_H_
#define REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_PROCESSORS_H_

#include <vector>

#include "rehearse/v1/operation.pb.h"
#include "service/base/ids.h"
#include "service/checkpoint/effects.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

// step_processor.cc: an attempt starts, succeeds, fails, or is to be repeated.
void ProcessStep(ExecutionChange& change, const v1::OperationUpdate& update);

// wait_processor.cc: a timer starts or is cancelled.
void ProcessWait(ExecutionChange& change, const v1::OperationUpdate& update);

// context_processor.cc: a scope opens or closes.
void ProcessContext(ExecutionChange& change, const v1::OperationUpdate& update);

// callback_processor.cc: a callback opens, with a fresh id; its deadlines are in deadline time.
void ProcessCallback(ExecutionChange& change, const v1::OperationUpdate& update, IdSource& ids);

// chained_invoke_processor.cc: another function is to be invoked, or the operation fails at once
// when it cannot be.
void ProcessChainedInvoke(ExecutionChange& change, const v1::OperationUpdate& update,
                          const ChainedTargets& targets, std::vector<Effect>& effects);

// execution_processor.cc: the execution closes. Its terminal event waits for the end of the
// invocation.
void ProcessExecution(ExecutionChange& change, const v1::OperationUpdate& update,
                      std::vector<Effect>& effects);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_PROCESSORS_H_
