#include "client/cpp/examples/approval/approval.h"

#include "absl/time/time.h"

using durable::CallbackOptions;
using durable::DurableContext;
using durable::ErrorKind;
using durable::StepContext;

absl::StatusOr<Decision> ExpenseApproval::operator()(DurableContext& ctx,
                                                     const Expense& expense) const {
  for (const std::string& approver : expense.approvers) {
    const absl::StatusOr<std::string> answer = ctx.WaitForCallback(
        approver,
        [&](absl::string_view callback_id, StepContext&) {
          return mailer_(approver, expense, callback_id);
        },
        CallbackOptions().set_timeout(absl::Hours(7 * 24)).set_heartbeat_timeout(absl::Hours(24)));
    if (answer.ok()) return Decision{*answer, approver};
    // Nobody there: ask the next one. Everything else is a failure.
    if (!durable::IsError(answer.status(), ErrorKind::kCallbackTimeout)) return answer.status();
  }
  return Decision{"expired", ""};
}
