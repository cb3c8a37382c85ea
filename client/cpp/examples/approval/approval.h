// A human approves an expense. The function asks, then waits for the answer for up to a week - and
// as long as the approver's page stays open it sends heartbeats; when they stop, another approver
// is asked.
//
//   {"id": "e-1", "cents": 120000, "approvers": ["ann", "bob"]}
//       ->  {"decision": "approved", "by": "ann"}   or   {"decision": "expired", "by": ""}
#ifndef REHEARSE_CLIENT_CPP_EXAMPLES_APPROVAL_APPROVAL_H_
#define REHEARSE_CLIENT_CPP_EXAMPLES_APPROVAL_APPROVAL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

struct Expense {
  std::string id;
  int cents = 0;
  std::vector<std::string> approvers;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Expense, id, cents, approvers)

struct Decision {
  // "approved", "rejected" or "expired".
  std::string decision;
  std::string by;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Decision, decision, by)

class ExpenseApproval {
 public:
  // Asks somebody to answer the callback with "approved" or "rejected", for example by mail.
  using Mailer = std::function<absl::Status(const std::string& approver, const Expense& expense,
                                            absl::string_view callback_id)>;

  explicit ExpenseApproval(Mailer mailer) : mailer_(std::move(mailer)) {}

  absl::StatusOr<Decision> operator()(durable::DurableContext& ctx, const Expense& expense) const;

 private:
  Mailer mailer_;
};

#endif  // REHEARSE_CLIENT_CPP_EXAMPLES_APPROVAL_APPROVAL_H_
