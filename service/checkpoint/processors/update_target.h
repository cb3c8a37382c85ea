// What all processors share: finding or making the operation of an update, and recording what the
// update carries.
#ifndef REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_UPDATE_TARGET_H_
#define REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_UPDATE_TARGET_H_

#include "rehearse/v1/operation.pb.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

// The operation of the update, staged as changed: the existing one, or a new one that takes its
// parent, name and sub type from this first update. Counts the bytes of the update's payload and
// error as stored.
record::OperationRecord& TouchTarget(ExecutionChange& change, const v1::OperationUpdate& update);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_PROCESSORS_UPDATE_TARGET_H_
