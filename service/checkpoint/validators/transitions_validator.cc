#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/checkpoint/validators/rules.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {
namespace {

// The actions of a type, as bits.
unsigned ActionsOf(v1::OperationType type) {
  const auto bits = [](std::initializer_list<v1::OperationAction> actions) {
    unsigned set = 0;
    for (const v1::OperationAction action : actions) set |= 1u << action;
    return set;
  };
  constexpr v1::OperationAction kStart = v1::OPERATION_ACTION_START;
  constexpr v1::OperationAction kSucceed = v1::OPERATION_ACTION_SUCCEED;
  constexpr v1::OperationAction kFail = v1::OPERATION_ACTION_FAIL;
  switch (type) {
    case v1::OPERATION_TYPE_STEP:
      return bits({kStart, kSucceed, kFail, v1::OPERATION_ACTION_RETRY});
    case v1::OPERATION_TYPE_CONTEXT:
      return bits({kStart, kSucceed, kFail});
    case v1::OPERATION_TYPE_WAIT:
      return bits({kStart, v1::OPERATION_ACTION_CANCEL});
    case v1::OPERATION_TYPE_CALLBACK:
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return bits({kStart});
    case v1::OPERATION_TYPE_EXECUTION:
      return bits({kSucceed, kFail});
    default:
      return 0;
  }
}

}  // namespace

absl::Status ValidateTransition(const v1::OperationUpdate& update) {
  const unsigned actions = ActionsOf(update.type());
  if ((actions & (1u << update.action())) != 0) return absl::OkStatus();
  std::vector<absl::string_view> names;
  for (int action = 1; action < v1::OperationAction_ARRAYSIZE; ++action) {
    if ((actions & (1u << action)) != 0) {
      names.push_back(NameOf(static_cast<v1::OperationAction>(action)));
    }
  }
  return OperationError(
      update, absl::StrCat("action ", NameOf(update.action()), " is not valid for ",
                           NameOf(update.type()), "; use ", absl::StrJoin(names, " or "), "."));
}

}  // namespace rehearse
