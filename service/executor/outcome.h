// Outcomes of chained invokes, made from how their targets ended.
#ifndef REHEARSE_SERVICE_EXECUTOR_OUTCOME_H_
#define REHEARSE_SERVICE_EXECUTOR_OUTCOME_H_

#include "service/checkpoint/completions.h"
#include "service/executor/invocation_output.h"

namespace rehearse {

// What a target gets when the chained invoke has no payload (as AWS's Python runner does).
inline constexpr char kAbsentChainedInput[] = "{}";

// Of a child execution that has closed.
ChainedOutcome OutcomeOf(const Execution& child);
// Of a plain function.
ChainedOutcome OutcomeOf(PlainResult result);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_OUTCOME_H_
