#include <utility>

#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/processors/update_target.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

// In deadline time: whoever holds the callback id may answer until then.
void SetDeadlines(const v1::CallbackOptions& options, absl::Time now,
                  record::OperationRecord& record) {
  record.set_timeout_seconds(options.timeout_seconds());
  record.set_heartbeat_timeout_seconds(options.heartbeat_timeout_seconds());
  if (options.timeout_seconds() > 0) {
    SetTimestamp(now + absl::Seconds(options.timeout_seconds()), record.mutable_timeout_deadline());
  }
  if (options.heartbeat_timeout_seconds() > 0) {
    SetTimestamp(now + absl::Seconds(options.heartbeat_timeout_seconds()),
                 record.mutable_heartbeat_deadline());
  }
}

}  // namespace

void ProcessCallback(ExecutionChange& change, const v1::OperationUpdate& update, IdSource& ids) {
  record::OperationRecord& record = TouchTarget(change, update);
  v1::Operation& operation = *record.mutable_operation();
  operation.mutable_callback_details()->set_callback_id(
      EncodeCallbackId({change.base().record().execution_id(), record.index(), NewSecret(ids)}));
  SetDeadlines(update.callback_options(), change.moment().deadline_time, record);
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CALLBACK_STARTED, operation);
  v1::CallbackStartedDetails& details = *event.mutable_callback_started_details();
  details.set_callback_id(operation.callback_details().callback_id());
  if (record.timeout_seconds() > 0) details.set_timeout(record.timeout_seconds());
  if (record.heartbeat_timeout_seconds() > 0) {
    details.set_heartbeat_timeout(record.heartbeat_timeout_seconds());
  }
  change.AddEvent(std::move(event));
}

}  // namespace rehearse
