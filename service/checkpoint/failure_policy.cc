#include "service/checkpoint/failure_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"

namespace rehearse {

absl::Duration FailurePolicy::DelayAfter(int failures) const {
  return std::min(initial_delay * std::pow(rate, failures - 1), max_delay);
}

absl::StatusOr<FailurePolicy> FailurePolicyPreset(absl::string_view name) {
  FailurePolicy policy;
  if (name == "aws") {
    policy.initial_delay = absl::Seconds(1);
    policy.rate = 2;
    policy.max_delay = absl::Seconds(60);
    return policy;
  }
  if (name == "python-testing") {
    policy.initial_delay = absl::Seconds(5);
    policy.max_delay = absl::Seconds(5);
    return policy;
  }
  return errors::InvalidParameter(
      absl::StrCat("Unknown failure policy '", name, "'; use 'aws' or 'python-testing'."));
}

}  // namespace rehearse
