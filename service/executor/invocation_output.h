// InvocationOutput: what a durable function's answer means.
//
//   InvocationResult result = ParseInvocationOutput(R"({"Status": "SUCCEEDED", "Result": "42"})");
#ifndef REHEARSE_SERVICE_EXECUTOR_INVOCATION_OUTPUT_H_
#define REHEARSE_SERVICE_EXECUTOR_INVOCATION_OUTPUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "service/checkpoint/lifecycle.h"
#include "service/invoker/invoker.h"

namespace rehearse {

// Reads {Status, Result?, Error?}. What breaks the contract comes back as kInvalidOutput with the
// error to record. Unknown members are ignored.
InvocationResult ParseInvocationOutput(absl::string_view payload);

// An ended invocation of a durable function as a result.
InvocationResult ToInvocationResult(InvocationEnd end);

// The error of an invocation that ran into its time limit, in classic Lambda's words.
v1::ErrorObject InvocationTimedOut(absl::Time now, absl::string_view request_id,
                                   absl::Duration timeout);

// How a plain function's invocation ends the chained invoke that caused it. `max_result_bytes`
// bounds the answer.
struct PlainResult {
  absl::optional<std::string> result;
  absl::optional<v1::ErrorObject> error;
};
PlainResult ToPlainResult(InvocationEnd end, int64_t max_result_bytes);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_INVOCATION_OUTPUT_H_
