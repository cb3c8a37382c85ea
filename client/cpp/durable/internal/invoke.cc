// DurableContext::Invoke.
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace {

constexpr size_t kMaxTenantIdBytes = 256;

// What happened to the invoked function, for a record that says it did not succeed.
absl::Status InvokeError(const Operation& record) {
  ErrorInfo info = internal::FromRecord(ErrorKind::kInvoke, record.error.value_or(ErrorObject()));
  info.kind = ErrorKind::kInvoke;
  if (record.status == OperationStatus::kTimedOut) info.outcome = InvokeOutcome::kTimedOut;
  if (record.status == OperationStatus::kStopped) info.outcome = InvokeOutcome::kStopped;
  return internal::ToStatus(info);
}

absl::Status Start(internal::OperationCall& call, absl::string_view function,
                   const InvokeOptions& options, internal::PayloadWriter write_payload) {
  absl::StatusOr<std::string> payload =
      internal::EncodeWith([&] { return write_payload(call.serdes_context()); });
  if (!payload.ok()) {
    return internal::RequirePermanent(call.context(), std::move(payload).status());
  }
  OperationUpdate start = call.Update(OperationAction::kStart);
  start.payload = *std::move(payload);
  start.function_name = std::string(function);
  start.tenant_id = options.tenant_id();
  call.SendAndReload(std::move(start));
  return absl::OkStatus();
}

absl::Status Run(internal::OperationCall& call, absl::string_view function,
                 const InvokeOptions& options, internal::PayloadWriter write_payload,
                 internal::ResultSlot& slot) {
  if (call.record() == nullptr) {
    DURABLE_RETURN_IF_ERROR(Start(call, function, options, write_payload));
  }
  const Operation& record = *call.record();
  if (!IsTerminal(record.status)) call.Suspend(absl::InfiniteFuture());
  if (record.status == OperationStatus::kSucceeded) return call.Read(record.payload, slot);
  return InvokeError(record);
}

}  // namespace

absl::Status DurableContext::RunInvoke(absl::string_view name, absl::string_view function,
                                       const InvokeOptions& options,
                                       const std::type_info& payload_type,
                                       internal::PayloadWriter write_payload,
                                       internal::ResultSlot& slot) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_RETURN_IF_ERROR(internal::ValidateSerdes(options.payload_serdes(), payload_type));
  DURABLE_RETURN_IF_ERROR(internal::ValidateSerdes(options.result_serdes(), slot.type()));
  if (function.empty()) return internal::ValidationError("a function to invoke has a name");
  if (options.tenant_id().size() > kMaxTenantIdBytes) {
    return internal::ValidationError(
        absl::StrCat("a tenant id has at most ", kMaxTenantIdBytes, " characters"));
  }
  return internal::CallForUser(context_.invocation(), [&]() -> absl::Status {
    DURABLE_RETURN_IF_ERROR(context_.Enter(internal::Describe("invoke", name)));
    internal::OperationCall call(context_, {OperationType::kChainedInvoke, "ChainedInvoke", name});
    absl::Status status = Run(call, function, options, write_payload, slot);
    call.Finish();
    return status;
  });
}

}  // namespace durable
