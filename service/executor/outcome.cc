#include "service/executor/outcome.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace rehearse {

ChainedOutcome OutcomeOf(const Execution& child) {
  const record::ExecutionProgress& progress = child.progress();
  ChainedOutcome outcome;
  switch (progress.status()) {
    case v1::EXECUTION_STATUS_SUCCEEDED:
      outcome.status = v1::OPERATION_STATUS_SUCCEEDED;
      if (progress.has_result()) outcome.result = progress.result();
      return outcome;
    case v1::EXECUTION_STATUS_TIMED_OUT:
      outcome.status = v1::OPERATION_STATUS_TIMED_OUT;
      outcome.error.emplace();
      outcome.error->set_error_type("ChainedInvoke.Timeout");
      outcome.error->set_error_message(
          absl::StrCat("CHAINED_INVOKE timed out after ",
                       child.record().durable_config().execution_timeout(), " seconds."));
      return outcome;
    case v1::EXECUTION_STATUS_STOPPED:
      outcome.status = v1::OPERATION_STATUS_STOPPED;
      outcome.error = progress.error();
      return outcome;
    default:
      outcome.status = v1::OPERATION_STATUS_FAILED;
      outcome.error = progress.error();
      if (!progress.has_error()) outcome.error->set_error_message("Chained invoke failed.");
      return outcome;
  }
}

ChainedOutcome OutcomeOf(PlainResult result) {
  ChainedOutcome outcome;
  outcome.status =
      result.error.has_value() ? v1::OPERATION_STATUS_FAILED : v1::OPERATION_STATUS_SUCCEEDED;
  outcome.result = std::move(result.result);
  outcome.error = std::move(result.error);
  return outcome;
}

}  // namespace rehearse
