#include <string>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/text.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {
namespace {

using Predicate = bool (*)(absl::string_view);

bool IsCheckpointToken(absl::string_view text) {
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  return !text.empty() && ConsistsOf(text, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/';
  });
}

bool IsVisibleAscii(absl::string_view text) {
  return ConsistsOf(text, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

bool IsTenantId(absl::string_view text) {
  return ConsistsOf(text, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("._:/=+-@ ").find(c) != absl::string_view::npos;
  });
}

bool IsAnything(absl::string_view) { return true; }

// What a text member must be.
struct TextRule {
  absl::string_view member;
  size_t min_length;
  size_t max_length;
  Predicate matches;
  absl::string_view alphabet;
};

constexpr absl::string_view kIdAlphabet = " of A-Z a-z 0-9 - _";
constexpr TextRule kTokenRule = {"CheckpointToken", 1, kMaxCheckpointTokenLength, IsCheckpointToken,
                                 " of base64"};
constexpr TextRule kClientTokenRule = {"ClientToken", 1, kMaxClientTokenLength, IsVisibleAscii,
                                       " of visible ASCII"};
constexpr TextRule kIdRule = {"Id", 1, kMaxOperationIdLength, IsId, kIdAlphabet};
constexpr TextRule kParentIdRule = {"ParentId", 1, kMaxOperationIdLength, IsId, kIdAlphabet};
constexpr TextRule kNameRule = {"Name", 1, kMaxOperationNameLength, IsPrintableAscii,
                                " of printable ASCII"};
constexpr TextRule kSubTypeRule = {"SubType", 1, kMaxSubTypeLength, IsId, kIdAlphabet};
constexpr TextRule kPayloadRule = {"Payload", 0, kMaxPayloadLength, IsAnything, ""};
constexpr TextRule kTenantIdRule = {"ChainedInvokeOptions.TenantId", 1, kMaxTenantIdLength,
                                    IsTenantId, " of A-Z a-z 0-9 . _ : / = + - @ space"};
constexpr TextRule kTraceHeaderRule = {"ChainedInvokeOptions.XAmznTraceId", 0,
                                       kMaxTraceHeaderLength, IsAnything, ""};

bool Matches(const TextRule& rule, absl::string_view text) {
  return text.size() >= rule.min_length && text.size() <= rule.max_length && rule.matches(text);
}

// `where` goes in front of the member's name.
absl::Status Check(const TextRule& rule, absl::string_view text, absl::string_view where) {
  if (Matches(rule, text)) return absl::OkStatus();
  return errors::InvalidParameter(absl::StrCat(where, rule.member, " must have ", rule.min_length,
                                               " to ", rule.max_length, " characters",
                                               rule.alphabet, "."));
}

// Checks the members of one update and keeps the first error. The place is put into words only when
// it is needed.
class UpdateChecker {
 public:
  explicit UpdateChecker(int position) : position_(position) {}

  void Text(const TextRule& rule, bool present, absl::string_view text) {
    if (!present || !status_.ok() || Matches(rule, text)) return;
    status_ = Check(rule, text, Where());
  }

  void Range(absl::string_view member, bool present, int64_t value, int64_t min, int64_t max) {
    if (!present || !status_.ok() || (value >= min && value <= max)) return;
    Fail(absl::StrCat(member, " must be ", min, " to ", max, "."));
  }

  void Require(bool holds, absl::string_view text) {
    if (status_.ok() && !holds) Fail(text);
  }

  const absl::Status& status() const { return status_; }

 private:
  std::string Where() const { return absl::StrCat("Updates[", position_, "]."); }
  void Fail(absl::string_view text) {
    status_ = errors::InvalidParameter(absl::StrCat(Where(), text));
  }

  const int position_;
  absl::Status status_;
};

absl::Status CheckUpdate(const v1::OperationUpdate& update, int position) {
  UpdateChecker checker(position);
  checker.Text(kIdRule, true, update.id());
  checker.Text(kParentIdRule, update.has_parent_id(), update.parent_id());
  checker.Text(kNameRule, update.has_name(), update.name());
  checker.Text(kSubTypeRule, update.has_sub_type(), update.sub_type());
  checker.Require(
      update.type() > v1::OPERATION_TYPE_UNSPECIFIED && update.type() <= v1::OperationType_MAX,
      "Type must be EXECUTION, CONTEXT, STEP, WAIT, CALLBACK or CHAINED_INVOKE.");
  checker.Require(update.action() > v1::OPERATION_ACTION_UNSPECIFIED &&
                      update.action() <= v1::OperationAction_MAX,
                  "Action must be START, SUCCEED, FAIL, RETRY or CANCEL.");
  checker.Text(kPayloadRule, update.has_payload(), update.payload());
  const v1::StepOptions& step = update.step_options();
  checker.Range("StepOptions.NextAttemptDelaySeconds", step.has_next_attempt_delay_seconds(),
                step.next_attempt_delay_seconds(), kMinDelaySeconds, kMaxDelaySeconds);
  const v1::WaitOptions& wait = update.wait_options();
  checker.Range("WaitOptions.WaitSeconds", wait.has_wait_seconds(), wait.wait_seconds(),
                kMinDelaySeconds, kMaxDelaySeconds);
  const v1::CallbackOptions& callback = update.callback_options();
  checker.Range("CallbackOptions.TimeoutSeconds", callback.has_timeout_seconds(),
                callback.timeout_seconds(), 0, kMaxCallbackTimeoutSeconds);
  checker.Range("CallbackOptions.HeartbeatTimeoutSeconds", callback.has_heartbeat_timeout_seconds(),
                callback.heartbeat_timeout_seconds(), 0, kMaxCallbackTimeoutSeconds);
  const v1::ChainedInvokeOptions& chained = update.chained_invoke_options();
  checker.Text(kTenantIdRule, chained.has_tenant_id(), chained.tenant_id());
  checker.Text(kTraceHeaderRule, chained.has_x_amzn_trace_id(), chained.x_amzn_trace_id());
  return checker.status();
}

}  // namespace

absl::Status ValidateCheckpointToken(absl::string_view token) {
  return Check(kTokenRule, token, "");
}

absl::Status ValidateRequest(const v1::CheckpointRequest& request, const Limits& limits) {
  if (static_cast<int64_t>(request.ByteSizeLong()) > limits.checkpoint_request_bytes) {
    return errors::InvalidParameter(
        absl::StrCat("Checkpoint request size must be less than or equal to ",
                     limits.checkpoint_request_bytes, " bytes."));
  }
  if (request.updates_size() > limits.checkpoint_updates) {
    return errors::InvalidParameter(
        absl::StrCat("A checkpoint may hold at most ", limits.checkpoint_updates, " updates."));
  }
  absl::Status status = ValidateCheckpointToken(request.checkpoint_token());
  if (!status.ok()) return status;
  if (request.has_client_token()) {
    status = Check(kClientTokenRule, request.client_token(), "");
    if (!status.ok()) return status;
  }
  for (int i = 0; i < request.updates_size(); ++i) {
    status = CheckUpdate(request.updates(i), i);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rehearse
