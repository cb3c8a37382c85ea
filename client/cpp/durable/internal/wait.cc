// DurableContext::Wait.
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace {

// The service's bound: 366 days.
constexpr int64_t kMaxWaitSeconds = 31'622'400;

}  // namespace

absl::Status DurableContext::Wait(absl::string_view name, absl::Duration duration) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_ASSIGN_OR_RETURN(const int64_t seconds,
                           internal::WholeSeconds("a wait", duration, 1, kMaxWaitSeconds));
  return internal::CallForUser(context_.invocation(), [&]() -> absl::Status {
    DURABLE_RETURN_IF_ERROR(context_.Enter(internal::Describe("wait", name)));
    internal::OperationCall call(context_, {OperationType::kWait, "Wait", name});
    if (call.record() == nullptr) {
      OperationUpdate start = call.Update(OperationAction::kStart);
      start.wait_seconds = seconds;
      call.SendAndReload(std::move(start));
    }
    if (!IsTerminal(call.record()->status)) call.Suspend(call.record()->scheduled_end_time);
    call.Finish();
    if (call.HasStatus(OperationStatus::kSucceeded)) return absl::OkStatus();
    return MakeError("InvalidStateError", absl::StrCat(internal::Describe("wait", name),
                                                       " ended without its time passing"));
  });
}

}  // namespace durable
