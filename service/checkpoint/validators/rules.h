// Rules that several types share.
#ifndef REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_RULES_H_
#define REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_RULES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {

// A set of operation statuses, as bits; the bit of UNSPECIFIED stands for an operation that does
// not exist yet.
using StatusSet = unsigned;
inline constexpr StatusSet kNew = 1u << v1::OPERATION_STATUS_UNSPECIFIED;
inline constexpr StatusSet kStarted = 1u << v1::OPERATION_STATUS_STARTED;
inline constexpr StatusSet kReady = 1u << v1::OPERATION_STATUS_READY;

// AWS's spelling: "STEP", "RETRY", "PENDING".
absl::string_view NameOf(v1::OperationType type);
absl::string_view NameOf(v1::OperationAction action);
absl::string_view NameOf(v1::OperationStatus status);

// InvalidParameter("Operation '<id>': <text>").
absl::Status OperationError(const v1::OperationUpdate& update, absl::string_view text);

absl::Status RequireStatus(const v1::Operation* current, const v1::OperationUpdate& update,
                           StatusSet allowed);
absl::Status ForbidPayload(const v1::OperationUpdate& update);
absl::Status ForbidError(const v1::OperationUpdate& update);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_VALIDATORS_RULES_H_
