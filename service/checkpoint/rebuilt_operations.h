// The operations of an execution, rebuilt from nothing but its history, as the cloud runners of the
// official SDKs do it.
#ifndef REHEARSE_SERVICE_CHECKPOINT_REBUILT_OPERATIONS_H_
#define REHEARSE_SERVICE_CHECKPOINT_REBUILT_OPERATIONS_H_

#include <map>
#include <string>
#include <vector>

#include "rehearse/v1/event.pb.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {

// By id. Three things no event tells, so they are as if they were not: a step that is READY is
// still PENDING, a context has no replay_children, and an error that was not given is empty.
std::map<std::string, v1::Operation> RebuiltOperations(const std::vector<v1::Event>& events);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_REBUILT_OPERATIONS_H_
