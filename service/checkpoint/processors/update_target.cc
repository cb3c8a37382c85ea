#include "service/checkpoint/processors/update_target.h"

#include "service/checkpoint/closing.h"

namespace rehearse {

record::OperationRecord& TouchTarget(ExecutionChange& change, const v1::OperationUpdate& update) {
  change.CountStored(static_cast<int64_t>(update.payload().size()) +
                     ErrorObjectBytes(update.error()));
  if (change.Find(update.id()) != nullptr) return *change.Touch(update.id());
  record::OperationRecord& record = *change.Create(update.id());
  v1::Operation& operation = *record.mutable_operation();
  operation.set_type(update.type());
  if (update.has_parent_id()) operation.set_parent_id(update.parent_id());
  if (update.has_name()) operation.set_name(update.name());
  if (update.has_sub_type()) operation.set_sub_type(update.sub_type());
  return record;
}

}  // namespace rehearse
