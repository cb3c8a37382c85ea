#include "service/checkpoint/validators/rules.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

// Enum value names without what protobuf makes them start with.
template <typename Name>
absl::string_view WithoutPrefix(const Name& name, absl::string_view prefix) {
  return absl::string_view(name).substr(prefix.size());
}

std::string Describe(StatusSet allowed) {
  std::vector<absl::string_view> names;
  for (int status = 0; status < v1::OperationStatus_ARRAYSIZE; ++status) {
    if ((allowed & (1u << status)) == 0) continue;
    names.push_back(status == 0 ? "new" : NameOf(static_cast<v1::OperationStatus>(status)));
  }
  return absl::StrJoin(names, " or ");
}

}  // namespace

absl::string_view NameOf(v1::OperationType type) {
  return WithoutPrefix(v1::OperationType_Name(type), "OPERATION_TYPE_");
}

absl::string_view NameOf(v1::OperationAction action) {
  return WithoutPrefix(v1::OperationAction_Name(action), "OPERATION_ACTION_");
}

absl::string_view NameOf(v1::OperationStatus status) {
  return WithoutPrefix(v1::OperationStatus_Name(status), "OPERATION_STATUS_");
}

absl::Status OperationError(const v1::OperationUpdate& update, absl::string_view text) {
  return errors::InvalidParameter(absl::StrCat("Operation '", update.id(), "': ", text));
}

absl::Status RequireStatus(const v1::Operation* current, const v1::OperationUpdate& update,
                           StatusSet allowed) {
  const v1::OperationStatus status =
      current == nullptr ? v1::OPERATION_STATUS_UNSPECIFIED : current->status();
  if ((allowed & (1u << status)) != 0) return absl::OkStatus();
  return OperationError(
      update, absl::StrCat("cannot ", NameOf(update.action()), " a ", NameOf(update.type()),
                           current == nullptr ? " that does not exist" : " in status ",
                           current == nullptr ? "" : NameOf(status), "; it must be ",
                           Describe(allowed), "."));
}

absl::Status ForbidPayload(const v1::OperationUpdate& update) {
  if (!update.has_payload()) return absl::OkStatus();
  return OperationError(update, absl::StrCat("a Payload is not allowed on ", NameOf(update.type()),
                                             " ", NameOf(update.action()), "; give an Error."));
}

absl::Status ForbidError(const v1::OperationUpdate& update) {
  if (!update.has_error()) return absl::OkStatus();
  return OperationError(update, absl::StrCat("an Error is not allowed on ", NameOf(update.type()),
                                             " ", NameOf(update.action()), "; give a Payload."));
}

}  // namespace rehearse
