// OperationCall: one call of one operation by user code - its place, its record, and the updates it
// sends. Everything that all operations have in common is here, the check against the record
// included.
//
//   DURABLE_RETURN_IF_ERROR(context.Enter("wait"));
//   internal::OperationCall call(context, {OperationType::kWait, "Wait", name});
//   if (call.record() == nullptr) call.Start(call.Update(OperationAction::kStart));
//   ...
//   call.Finish();
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_CALL_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_CALL_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/internal/context.h"
#include "client/cpp/durable/internal/error_conversion.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/operation.h"

namespace durable {
namespace internal {

// What a call says an operation is; its record must agree.
struct OperationIdentity {
  OperationType type;
  absl::string_view sub_type;
  absl::string_view name;
  // A virtual context, which must have no record.
  bool is_virtual = false;
};

class OperationCall {
 public:
  // Takes the context's next number and looks up the record. Fails the execution and unwinds when
  // the record is of another operation. `identity`'s texts outlive the call.
  OperationCall(Context& context, OperationIdentity identity);
  OperationCall(const OperationCall&) = delete;
  OperationCall& operator=(const OperationCall&) = delete;

  Context& context() const { return context_; }
  const std::string& path() const { return path_; }
  const std::string& id() const { return id_; }
  absl::string_view name() const { return identity_.name; }

  // What is recorded; null when nothing is.
  const Operation* record() const { return record_.get(); }
  bool HasStatus(OperationStatus status) const {
    return record_ != nullptr && record_->status == status;
  }
  // The attempt that is next or under way, from 1: the record counts those that ended.
  int attempt() const { return record_ == nullptr ? 1 : record_->attempt + 1; }

  // An update that identifies this operation.
  OperationUpdate Update(OperationAction action) const;
  // Sends, waits until the service has it, and reads the record again.
  void SendAndReload(OperationUpdate update);
  // Sends, waits until the service has it.
  void Send(OperationUpdate update);
  // Queues; the next awaited update carries it.
  void Queue(OperationUpdate update);

  // Runs the operation's body, as user code of `context` on this thread. `attempt` counts from 1.
  UserOutcome RunUserFunction(Context& context, ActiveFrame::Kind kind, int attempt,
                              absl::FunctionRef<absl::Status()> body);

  // Unwinds until the operation has ended or is ready, at `resume_at` as far as known.
  [[noreturn]] void Suspend(absl::Time resume_at) const { context_.Suspend({resume_at, {id_}}); }

  // Records that the operation failed, and returns the error as a replay will: of `kind`.
  absl::Status SendFailure(ErrorKind kind, const ErrorInfo& info);
  // Records `update`, a RETRY, to run again after `delay`; then suspends.
  [[noreturn]] void SendRetry(OperationUpdate update, absl::Duration delay);

  // The value of a recorded payload. A transient failure fails the invocation and unwinds.
  absl::Status Read(const absl::optional<std::string>& payload, ResultSlot& slot) const;
  // The payload to record for the value in `slot`, which is replaced by what a replay will read. A
  // transient failure fails the invocation and unwinds.
  absl::StatusOr<std::string> Write(ResultSlot& slot) const;
  SerdesContext serdes_context() const { return {id_, context_.invocation().arn()}; }

  // Fails the execution: the code does not do what it did when `record()` was made.
  [[noreturn]] void FailNonDeterministic(absl::string_view why) const;

  // A virtual context, or one that replays its children, ended with `payload` or `error`: there is
  // no record to say so.
  void EndUnrecorded(absl::optional<std::string> payload, absl::optional<ErrorObject> error);
  // To be called when the operation returns to user code: its end is known by now, and the context
  // may have caught up with its records.
  void Finish();

 private:
  bool IsRecorded(absl::string_view path, absl::string_view id) const;
  void CheckAgainstRecord() const;
  void TellCall() const;
  void AdjustReplayBefore();

  PluginDispatcher& plugins() const { return context_.invocation().plugins(); }
  // The operation for plugins: its record, or what will become it.
  Operation Description() const;
  void NotifyIfOpen() const;
  void NotifyBefore(OperationUpdate& update) const;

  Context& context_;
  const OperationIdentity identity_;
  const std::string path_;
  const std::string id_;
  std::shared_ptr<const Operation> record_;
  // The record was there at the call, and open.
  const bool was_recorded_;
  const bool was_open_;
};

// `status`, unless it says that a serdes failed for now: that fails the invocation, which is
// retried, and unwinds.
absl::Status RequirePermanent(const Context& context, absl::Status status);

// Fails the execution and unwinds.
[[noreturn]] void FailNonDeterministic(const Context& context, absl::string_view why);

// 1 to 256 printable ASCII characters, or none. `reserved` are kept for a suffix.
absl::Status ValidateName(absl::string_view name, size_t reserved = 0);
// 1 to 32 letters, digits, '-' and '_', or none.
absl::Status ValidateSubType(absl::string_view sub_type);
// The sub type that was chosen, or the operation's own.
inline absl::string_view SubTypeOr(const std::string& chosen, absl::string_view standard) {
  return chosen.empty() ? standard : absl::string_view(chosen);
}
// `serdes` is for values of `type`.
absl::Status ValidateSerdes(const AnySerdes& serdes, const std::type_info& type);

// Whole seconds of `duration`, rounded up. kValidation outside [min, max].
absl::StatusOr<int64_t> WholeSeconds(absl::string_view what, absl::Duration duration, int64_t min,
                                     int64_t max);

// How an operation is called in messages: `step "charge"`, or `step` without a name.
std::string Describe(absl::string_view kind, absl::string_view name);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_CALL_H_
