#include "client/cpp/durable/internal/update_size.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace durable {
namespace internal {
namespace {

// The longest text of an enum in an update, quotes included: "CHAINED_INVOKE" and "SUCCEED".
constexpr size_t kTypeBytes = 16;
constexpr size_t kActionBytes = 9;

// Bytes of `text` as a JSON string, quotes included.
size_t QuotedBytes(absl::string_view text) {
  size_t bytes = 2;
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
      bytes += 2;
    } else if (c < 0x20) {
      bytes += 6;
    } else {
      bytes += 1;
    }
  }
  return bytes;
}

// `"name":value,`
size_t MemberBytes(absl::string_view name, size_t value_bytes) {
  return name.size() + 4 + value_bytes;
}

size_t TextBytes(absl::string_view name, absl::string_view text) {
  return text.empty() ? 0 : MemberBytes(name, QuotedBytes(text));
}

size_t NumberBytes(absl::string_view name, int64_t number) {
  return number == 0 ? 0 : MemberBytes(name, absl::AlphaNum(number).size());
}

// The options object around `inner` bytes of members; nothing when there are none.
size_t OptionsBytes(absl::string_view name, size_t inner) {
  return inner == 0 ? 0 : MemberBytes(name, 2 + inner);
}

size_t ErrorBytes(const ErrorObject& error) {
  size_t stack = 2;
  for (const std::string& line : error.stack_trace) stack += QuotedBytes(line) + 1;
  return 2 + TextBytes("ErrorType", error.type) + TextBytes("ErrorMessage", error.message) +
         TextBytes("ErrorData", error.data) + MemberBytes("StackTrace", stack);
}

}  // namespace

size_t UpdateBytes(const OperationUpdate& update) {
  size_t bytes = 2 + TextBytes("Id", update.id) + TextBytes("ParentId", update.parent_id) +
                 TextBytes("Name", update.name) + TextBytes("SubType", update.sub_type) +
                 MemberBytes("Type", kTypeBytes) + MemberBytes("Action", kActionBytes);
  if (update.payload.has_value()) bytes += MemberBytes("Payload", QuotedBytes(*update.payload));
  if (update.error.has_value()) bytes += MemberBytes("Error", ErrorBytes(*update.error));
  bytes +=
      OptionsBytes("ContextOptions", update.replay_children ? MemberBytes("ReplayChildren", 4) : 0);
  bytes += OptionsBytes("StepOptions",
                        NumberBytes("NextAttemptDelaySeconds", update.next_attempt_delay_seconds));
  bytes += OptionsBytes("WaitOptions", NumberBytes("WaitSeconds", update.wait_seconds));
  bytes += OptionsBytes("CallbackOptions", NumberBytes("TimeoutSeconds", update.timeout_seconds) +
                                               NumberBytes("HeartbeatTimeoutSeconds",
                                                           update.heartbeat_timeout_seconds));
  bytes +=
      OptionsBytes("ChainedInvokeOptions", TextBytes("FunctionName", update.function_name) +
                                               TextBytes("TenantId", update.tenant_id) +
                                               TextBytes("XAmznTraceId", update.x_amzn_trace_id));
  return bytes;
}

}  // namespace internal
}  // namespace durable
