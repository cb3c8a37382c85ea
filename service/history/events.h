// Events: the history's records, made from the operation they tell of.
//
//   change.AddEvent(OperationEvent(v1::EVENT_TYPE_STEP_STARTED, operation));   // details set,
//   empty
//
// Ids and timestamps are given when an event is appended (checkpoint/execution_change.h).
#ifndef REHEARSE_SERVICE_HISTORY_EVENTS_H_
#define REHEARSE_SERVICE_HISTORY_EVENTS_H_

#include "rehearse/v1/event.pb.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {

// An event of `type` with the operation's id, parent id, name and sub type, and its details member
// present and empty.
v1::Event OperationEvent(v1::EventType type, const v1::Operation& operation);

// Fills a wrapper with what a message carries, as it is; `source` is anything with an optional
// payload. The wrapper is present even when there is no payload, and so is an error's payload when
// the error has no members.
template <typename Source, typename Wrapper>
void SetPayload(const Source& source, Wrapper* wrapper) {
  wrapper->set_truncated(false);
  if (source.has_payload()) wrapper->set_payload(source.payload());
}
void SetError(const v1::ErrorObject& error, v1::EventError* wrapper);

// Whether `type` closes an execution.
bool IsExecutionTerminal(v1::EventType type);

// Leaves out every payload and reason and marks the wrappers truncated.
void StripExecutionData(v1::Event& event);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HISTORY_EVENTS_H_
