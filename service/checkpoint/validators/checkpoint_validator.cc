#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/checkpoint/closing.h"
#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {
namespace {

constexpr int kFewUpdates = 8;

bool IsExecutionUpdate(const v1::OperationUpdate& update) {
  return update.type() == v1::OPERATION_TYPE_EXECUTION;
}

// Whether `second` may follow `first` in a batch: the start of a step or a context, and then its
// end.
bool MayFollow(const v1::OperationUpdate& first, const v1::OperationUpdate& second) {
  return (second.type() == v1::OPERATION_TYPE_STEP ||
          second.type() == v1::OPERATION_TYPE_CONTEXT) &&
         first.action() == v1::OPERATION_ACTION_START &&
         second.action() != v1::OPERATION_ACTION_START;
}

absl::Status ValidateRepetition(const v1::OperationUpdate& first,
                                const v1::OperationUpdate& second) {
  if (MayFollow(first, second)) return absl::OkStatus();
  return OperationError(second,
                        "occurs again in the same checkpoint; only the START of a STEP or CONTEXT "
                        "may be followed by one update that ends it.");
}

// The usual few updates are compared with each other, without memory of their own.
absl::Status ValidateFewRepetitions(const OperationUpdates& updates) {
  for (int i = 1; i < updates.size(); ++i) {
    for (int previous = i - 1; previous >= 0 && !IsExecutionUpdate(updates[i]); --previous) {
      if (updates[previous].id() != updates[i].id()) continue;
      absl::Status status = ValidateRepetition(updates[previous], updates[i]);
      if (!status.ok()) return status;
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateManyRepetitions(const OperationUpdates& updates) {
  absl::flat_hash_map<absl::string_view, const v1::OperationUpdate*> previous;
  previous.reserve(updates.size());
  for (const v1::OperationUpdate& update : updates) {
    if (IsExecutionUpdate(update)) continue;
    const auto inserted = previous.insert({update.id(), &update});
    if (inserted.second) continue;
    absl::Status status = ValidateRepetition(*inserted.first->second, update);
    if (!status.ok()) return status;
    inserted.first->second = &update;
  }
  return absl::OkStatus();
}

absl::Status ValidateParent(const ExecutionChange& change, const v1::OperationUpdate& update) {
  if (!update.has_parent_id()) return absl::OkStatus();
  const record::OperationRecord* parent = change.Find(update.parent_id());
  if (parent != nullptr && parent->operation().type() == v1::OPERATION_TYPE_CONTEXT) {
    return absl::OkStatus();
  }
  return OperationError(update, absl::StrCat("parent '", update.parent_id(),
                                             "' is not a CONTEXT of this execution; start it "
                                             "before, or earlier in the same checkpoint."));
}

absl::Status CannotChange(const v1::OperationUpdate& update, absl::string_view what,
                          absl::string_view from, absl::string_view to) {
  return OperationError(update,
                        absl::StrCat(what, " cannot change from '", from, "' to '", to, "'."));
}

absl::Status ValidateUnchanged(const v1::Operation& current, const v1::OperationUpdate& update) {
  if (update.type() != current.type()) {
    return CannotChange(update, "Type", NameOf(current.type()), NameOf(update.type()));
  }
  if (update.has_sub_type() && update.sub_type() != current.sub_type()) {
    return CannotChange(update, "SubType", current.sub_type(), update.sub_type());
  }
  if (update.has_name() && update.name() != current.name()) {
    return CannotChange(update, "Name", current.name(), update.name());
  }
  if (update.has_parent_id() && update.parent_id() != current.parent_id()) {
    return CannotChange(update, "ParentId", current.parent_id(), update.parent_id());
  }
  return absl::OkStatus();
}

int64_t MaxPayloadBytes(const v1::OperationUpdate& update, const record::ExecutionRecord& record,
                        const Limits& limits) {
  switch (update.type()) {
    case v1::OPERATION_TYPE_EXECUTION:
      return MaxResultBytes(record, limits);
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return limits.chained_invoke_payload_bytes;
    default:
      return limits.operation_payload_bytes;
  }
}

absl::Status ValidateSizes(const v1::OperationUpdate& update, const record::ExecutionRecord& record,
                           const Limits& limits) {
  const absl::string_view type = IsExecutionUpdate(update) ? "Execution" : NameOf(update.type());
  const auto too_large = [type](absl::string_view what, int64_t max_bytes) {
    return errors::InvalidParameter(absl::StrCat(
        type, " ", what, " size must be less than or equal to ", max_bytes, " bytes."));
  };
  if (ErrorObjectBytes(update.error()) > limits.error_object_bytes) {
    return too_large("error", limits.error_object_bytes);
  }
  const int64_t max_payload_bytes = MaxPayloadBytes(update, record, limits);
  if (static_cast<int64_t>(update.payload().size()) > max_payload_bytes) {
    return too_large(
        update.action() == v1::OPERATION_ACTION_START ? "input payload" : "output payload",
        max_payload_bytes);
  }
  return absl::OkStatus();
}

absl::Status ValidateState(const v1::Operation* current, const v1::OperationUpdate& update,
                           absl::string_view execution_arn) {
  switch (update.type()) {
    case v1::OPERATION_TYPE_STEP:
      return ValidateStep(current, update);
    case v1::OPERATION_TYPE_CONTEXT:
      return ValidateContext(current, update);
    case v1::OPERATION_TYPE_WAIT:
      return ValidateWait(current, update);
    case v1::OPERATION_TYPE_CALLBACK:
      return ValidateCallback(current, update);
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return ValidateChainedInvoke(current, update, execution_arn);
    default:
      return ValidateExecution(update);
  }
}

}  // namespace

absl::Status ValidateBatch(const OperationUpdates& updates) {
  for (int i = 0; i < updates.size(); ++i) {
    if (!IsExecutionUpdate(updates[i]) || i == updates.size() - 1) continue;
    return IsExecutionUpdate(updates[updates.size() - 1])
               ? errors::InvalidParameter("A checkpoint may hold only one EXECUTION update.")
               : errors::InvalidParameter(
                     "The EXECUTION update must be the last update of a checkpoint.");
  }
  return updates.size() <= kFewUpdates ? ValidateFewRepetitions(updates)
                                       : ValidateManyRepetitions(updates);
}

absl::Status ValidateUpdate(const ExecutionChange& change, const v1::OperationUpdate& update,
                            const Limits& limits) {
  const v1::Operation* current = nullptr;
  // An EXECUTION update acts on the execution whatever its id says.
  if (!IsExecutionUpdate(update)) {
    absl::Status status = ValidateParent(change, update);
    if (!status.ok()) return status;
    const record::OperationRecord* record = change.Find(update.id());
    if (record != nullptr) {
      current = &record->operation();
      status = ValidateUnchanged(*current, update);
      if (!status.ok()) return status;
    }
  }
  absl::Status status = ValidateSizes(update, change.base().record(), limits);
  if (!status.ok()) return status;
  status = ValidateTransition(update);
  if (!status.ok()) return status;
  return ValidateState(current, update, change.base().arn());
}

}  // namespace rehearse
