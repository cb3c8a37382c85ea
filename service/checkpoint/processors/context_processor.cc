#include <utility>

#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/processors/update_target.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

void SucceedContext(ExecutionChange& change, const v1::OperationUpdate& update,
                    record::OperationRecord& record) {
  v1::ContextDetails& context = *record.mutable_operation()->mutable_context_details();
  context.set_replay_children(update.context_options().replay_children());
  if (update.has_payload()) context.set_result(update.payload());
  change.Close(record, v1::OPERATION_STATUS_SUCCEEDED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CONTEXT_SUCCEEDED, record.operation());
  SetPayload(update, event.mutable_context_succeeded_details()->mutable_result());
  change.AddEvent(std::move(event));
}

void FailContext(ExecutionChange& change, const v1::OperationUpdate& update,
                 record::OperationRecord& record) {
  v1::ContextDetails& context = *record.mutable_operation()->mutable_context_details();
  context.set_replay_children(false);
  if (update.has_error()) *context.mutable_error() = update.error();
  change.Close(record, v1::OPERATION_STATUS_FAILED);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CONTEXT_FAILED, record.operation());
  SetError(update.error(), event.mutable_context_failed_details()->mutable_error());
  change.AddEvent(std::move(event));
}

}  // namespace

void ProcessContext(ExecutionChange& change, const v1::OperationUpdate& update) {
  record::OperationRecord& record = TouchTarget(change, update);
  switch (update.action()) {
    case v1::OPERATION_ACTION_START:
      record.mutable_operation()->mutable_context_details()->set_replay_children(false);
      change.AddEvent(OperationEvent(v1::EVENT_TYPE_CONTEXT_STARTED, record.operation()));
      break;
    case v1::OPERATION_ACTION_SUCCEED:
      SucceedContext(change, update, record);
      break;
    default:
      FailContext(change, update, record);
  }
}

}  // namespace rehearse
