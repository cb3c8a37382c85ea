// FailurePolicy: what follows failed invocations.
//
//   absl::StatusOr<FailurePolicy> policy = FailurePolicyPreset("aws");
//   policy->DelayAfter(1);   // before the second try
#ifndef REHEARSE_SERVICE_CHECKPOINT_FAILURE_POLICY_H_
#define REHEARSE_SERVICE_CHECKPOINT_FAILURE_POLICY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rehearse {

// Delays are on the execution's clock: they are skipped where time is.
struct FailurePolicy {
  // The execution fails when this many invocations in a row have failed.
  int max_consecutive_failures = 5;
  // The execution fails after this many further tries of a handler that suspends with nothing
  // pending.
  int max_empty_pendings = 3;
  // Exponential: initial, initial * rate, ... up to cap.
  absl::Duration initial_delay;
  double rate = 1;
  absl::Duration max_delay;

  // Delay behind the `failures`th failure in a row, from 1.
  absl::Duration DelayAfter(int failures) const;
};

// `aws`: 1 s doubling to 60 s (the service's own numbers are not published; that it backs off is).
// `python-testing`: 5 s each, as AWS's Python test runner. Anything else is InvalidParameter,
// naming the two.
absl::StatusOr<FailurePolicy> FailurePolicyPreset(absl::string_view name);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_FAILURE_POLICY_H_
