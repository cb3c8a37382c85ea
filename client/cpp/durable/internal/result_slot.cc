#include "client/cpp/durable/internal/result_slot.h"

#include "client/cpp/durable/errors.h"
#include "client/cpp/durable/internal/error_conversion.h"

namespace durable {
namespace internal {
namespace {

constexpr char kTransientUrl[] = "type.googleapis.com/durable.RetryableSerDesError";

absl::Status SerdesError(const absl::Status& cause) {
  if (absl::IsUnavailable(cause)) {
    absl::Status status(cause.code(), cause.message());
    status.SetPayload(kTransientUrl, absl::Cord());
    return status;
  }
  ErrorInfo info;
  info.kind = ErrorKind::kSerdes;
  info.type = std::string(TypeNameOf(info.kind));
  info.message = std::string(cause.message());
  return ToStatus(info);
}

}  // namespace

absl::StatusOr<std::string> Encode(const ResultSlot& slot, const SerdesContext& context) {
  return EncodeWith([&] { return slot.Serialize(context); });
}

absl::StatusOr<std::string> EncodeWith(absl::FunctionRef<absl::StatusOr<std::string>()> serialize) {
  std::string text;
  const UserOutcome outcome = CallUserCode([&]() -> absl::Status {
    absl::StatusOr<std::string> result = serialize();
    if (!result.ok()) return std::move(result).status();
    text = *std::move(result);
    return absl::OkStatus();
  });
  if (!outcome.status.ok()) return SerdesError(outcome.status);
  return text;
}

absl::Status Decode(ResultSlot& slot, absl::optional<absl::string_view> text,
                    const SerdesContext& context) {
  const UserOutcome outcome = CallUserCode([&] { return slot.Deserialize(text, context); });
  return outcome.status.ok() ? absl::OkStatus() : SerdesError(outcome.status);
}

bool IsTransientSerdesError(const absl::Status& status) {
  return status.GetPayload(kTransientUrl).has_value();
}

}  // namespace internal
}  // namespace durable
