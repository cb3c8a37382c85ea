#include <utility>

#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/processors/update_target.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

void StartWait(ExecutionChange& change, const v1::OperationUpdate& update,
               record::OperationRecord& record) {
  const int wait_seconds = update.wait_options().wait_seconds();
  v1::Operation& operation = *record.mutable_operation();
  record.set_delay_seconds(wait_seconds);
  SetTimestamp(change.moment().time + absl::Seconds(wait_seconds),
               operation.mutable_wait_details()->mutable_scheduled_end_timestamp());
  v1::Event event = OperationEvent(v1::EVENT_TYPE_WAIT_STARTED, operation);
  v1::WaitStartedDetails& details = *event.mutable_wait_started_details();
  details.set_duration(wait_seconds);
  *details.mutable_scheduled_end_timestamp() = operation.wait_details().scheduled_end_timestamp();
  change.AddEvent(std::move(event));
}

void CancelWait(ExecutionChange& change, const v1::OperationUpdate& update,
                record::OperationRecord& record) {
  change.Close(record, v1::OPERATION_STATUS_CANCELLED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_WAIT_CANCELLED, record.operation());
  if (update.has_error()) {
    SetError(update.error(), event.mutable_wait_cancelled_details()->mutable_error());
  }
  change.AddEvent(std::move(event));
}

}  // namespace

void ProcessWait(ExecutionChange& change, const v1::OperationUpdate& update) {
  record::OperationRecord& record = TouchTarget(change, update);
  if (update.action() == v1::OPERATION_ACTION_START) {
    StartWait(change, update, record);
  } else {
    CancelWait(change, update, record);
  }
}

}  // namespace rehearse
