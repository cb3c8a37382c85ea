#include "client/cpp/durable/internal/operation_call.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "client/cpp/durable/internal/unwind.h"

namespace durable {
namespace internal {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxSubTypeBytes = 32;

absl::string_view TypeText(OperationType type) {
  switch (type) {
    case OperationType::kExecution:
      return "EXECUTION";
    case OperationType::kContext:
      return "CONTEXT";
    case OperationType::kStep:
      return "STEP";
    case OperationType::kWait:
      return "WAIT";
    case OperationType::kCallback:
      return "CALLBACK";
    case OperationType::kChainedInvoke:
      return "CHAINED_INVOKE";
  }
  return "";
}

std::string Quoted(absl::string_view text) {
  return text.empty() ? "none" : absl::StrCat("\"", text, "\"");
}

}  // namespace

OperationCall::OperationCall(Context& context, OperationIdentity identity)
    : context_(context),
      identity_(identity),
      path_(context.TakePath()),
      id_(OperationId(path_)),
      record_(context.invocation().store().Find(id_)),
      was_recorded_(record_ != nullptr),
      was_open_(was_recorded_ && !IsTerminal(record_->status)) {
  CheckAgainstRecord();
  TellCall();
  AdjustReplayBefore();
  if (plugins().active()) NotifyIfOpen();
}

OperationUpdate OperationCall::Update(OperationAction action) const {
  OperationUpdate update;
  update.id = id_;
  update.parent_id = context_.parent_id();
  update.name = std::string(identity_.name);
  update.type = identity_.type;
  update.sub_type = std::string(identity_.sub_type);
  update.action = action;
  return update;
}

void OperationCall::Send(OperationUpdate update) {
  if (plugins().active()) NotifyBefore(update);
  context_.SendSync(std::move(update));
}

void OperationCall::Queue(OperationUpdate update) {
  if (plugins().active()) NotifyBefore(update);
  context_.SendAsync(std::move(update));
}

void OperationCall::SendAndReload(OperationUpdate update) {
  Send(std::move(update));
  record_ = context_.invocation().store().Find(id_);
  if (record_ == nullptr) {
    FatalError fatal;
    fatal.error.type = "InvalidStateError";
    fatal.error.message = absl::StrCat("the service accepted operation ", path_,
                                       " and did not answer with its record");
    context_.FailAndUnwind(std::move(fatal));
  }
  CheckAgainstRecord();
}

absl::Status OperationCall::SendFailure(ErrorKind kind, const ErrorInfo& info) {
  const ErrorObject error = ToErrorObject(info);
  OperationUpdate update = Update(OperationAction::kFail);
  update.error = error;
  Send(std::move(update));
  return ToStatus(FromRecord(kind, error));
}

void OperationCall::SendRetry(OperationUpdate update, absl::Duration delay) {
  update.next_attempt_delay_seconds = RetryDelaySeconds(delay);
  SendAndReload(std::move(update));
  Suspend(record()->next_attempt_time);
}

absl::Status OperationCall::Read(const absl::optional<std::string>& payload,
                                 ResultSlot& slot) const {
  absl::optional<absl::string_view> text;
  if (payload.has_value()) text = *payload;
  return RequirePermanent(context_, Decode(slot, text, serdes_context()));
}

absl::StatusOr<std::string> OperationCall::Write(ResultSlot& slot) const {
  absl::StatusOr<std::string> text = Encode(slot, serdes_context());
  if (!text.ok()) return RequirePermanent(context_, std::move(text).status());
  absl::Status status = RequirePermanent(context_, Decode(slot, *text, serdes_context()));
  if (!status.ok()) return status;
  return text;
}

void OperationCall::FailNonDeterministic(absl::string_view why) const {
  internal::FailNonDeterministic(
      context_,
      absl::StrCat("operation ", path_, " (", TypeText(identity_.type), ", sub type ",
                   Quoted(identity_.sub_type), ", name ", Quoted(identity_.name), "): ", why));
}

UserOutcome OperationCall::RunUserFunction(Context& context, ActiveFrame::Kind kind, int attempt,
                                           absl::FunctionRef<absl::Status()> body) {
  const auto run = [&] {
    const ActiveFrame frame(context, kind);
    return CallUserCode(body);
  };
  if (!plugins().active()) return run();
  const Operation operation = Description();
  const UserFunctionInfo info = {operation, was_recorded_, attempt, operation.replay_children,
                                 absl::Now()};
  plugins().UserFunctionStarts(info);
  UserFunctionEnd end;
  end.outcome = UserFunctionEnd::Outcome::kIncomplete;
  UserOutcome outcome;
  try {
    outcome = run();
  } catch (const Unwind&) {
    end.end_time = absl::Now();
    plugins().UserFunctionEnds(info, end);
    throw;
  }
  end.end_time = absl::Now();
  if (context.blocked() || context_.invocation().has_failed() || IsSuspended(outcome.status)) {
    // Unwound, or it would have been.
  } else if (outcome.status.ok()) {
    end.outcome = UserFunctionEnd::Outcome::kSucceeded;
  } else {
    end.outcome = UserFunctionEnd::Outcome::kFailed;
    end.error = ToErrorObject(InfoOf(outcome.status));
  }
  plugins().UserFunctionEnds(info, end);
  return outcome;
}

void OperationCall::EndUnrecorded(absl::optional<std::string> payload,
                                  absl::optional<ErrorObject> error) {
  if (!plugins().active()) return;
  Operation operation = Description();
  operation.status = error.has_value() ? OperationStatus::kFailed : OperationStatus::kSucceeded;
  operation.payload = std::move(payload);
  operation.error = std::move(error);
  plugins().OperationEndsUnrecorded({operation, was_recorded_});
}

Operation OperationCall::Description() const {
  if (record_ != nullptr) return *record_;
  Operation operation;
  operation.id = id_;
  operation.parent_id = context_.parent_id();
  operation.name = std::string(identity_.name);
  operation.type = identity_.type;
  operation.sub_type = std::string(identity_.sub_type);
  return operation;
}

// A virtual context starts whenever it is run. A step that is ready will be started.
void OperationCall::NotifyIfOpen() const {
  if (identity_.is_virtual) {
    plugins().OperationIsMet({Description(), context_.replaying()});
  } else if (was_open_ && record_->status != OperationStatus::kReady) {
    plugins().OperationIsMet({*record_, true});
  }
}

// Nothing is told of an update that will be refused.
void OperationCall::NotifyBefore(OperationUpdate& update) const {
  if (update.action != OperationAction::kStart) return;
  context_.RequireLive();
  Operation operation = Description();
  operation.status = OperationStatus::kStarted;
  plugins().OperationStarts({operation, was_recorded_});
  if (update.type != OperationType::kChainedInvoke) return;
  update.x_amzn_trace_id =
      plugins().TraceHeader({context_.invocation().arn(), operation, update.function_name});
}

void OperationCall::Finish() {
  plugins().OperationIsObserved(id_);
  if (!context_.replaying()) return;
  const std::string next = context_.PeekPath();
  if (was_open_ || !IsRecorded(next, OperationId(next))) context_.StopReplaying();
}

// A virtual context has no record of its own: its first operation stands for it.
bool OperationCall::IsRecorded(absl::string_view path, absl::string_view id) const {
  const StateStore& store = context_.invocation().store();
  return store.Find(id) != nullptr || store.Find(OperationId(OperationPath(path, 1))) != nullptr;
}

void OperationCall::CheckAgainstRecord() const {
  if (identity_.is_virtual) {
    if (record_ != nullptr) {
      FailNonDeterministic(
          "the code runs a virtual context, and there is a record where none may be");
    }
    return;
  }
  if (record_ == nullptr || !IsTerminal(record_->status)) {
    // A callback that was created and not awaited stays open for ever.
    const bool left_open = record_ != nullptr && record_->type == OperationType::kCallback;
    if (context_.replays_closed() && !left_open) {
      FailNonDeterministic("its context is closed, and it had not ended then");
    }
    if (record_ == nullptr) return;
  }
  std::vector<std::string> differences;
  const auto compare = [&](absl::string_view what, absl::string_view recorded,
                           absl::string_view called) {
    if (recorded == called) return;
    differences.push_back(absl::StrCat("the record has ", what, " ", Quoted(recorded),
                                       ", the code has ", Quoted(called)));
  };
  compare("type", TypeText(record_->type), TypeText(identity_.type));
  compare("sub type", record_->sub_type, identity_.sub_type);
  compare("name", record_->name, identity_.name);
  compare("parent", record_->parent_id, context_.parent_id());
  if (!differences.empty()) FailNonDeterministic(absl::StrJoin(differences, "; "));
}

void OperationCall::TellCall() const {
  const auto& on_call = context_.invocation().options().on_call;
  if (on_call == nullptr || identity_.is_virtual) return;
  const absl::Status allowed = on_call(Update(OperationAction::kStart));
  if (!allowed.ok()) internal::FailNonDeterministic(context_, allowed.message());
}

void OperationCall::AdjustReplayBefore() {
  if (!context_.replaying()) return;
  const bool recorded = identity_.is_virtual ? IsRecorded(path_, id_) : record_ != nullptr;
  const bool runs_again = was_open_ && identity_.type == OperationType::kStep;
  if (!recorded || runs_again) context_.StopReplaying();
}

absl::Status RequirePermanent(const Context& context, absl::Status status) {
  if (!IsTransientSerdesError(status)) return status;
  FatalError fatal;
  fatal.error.type = "RetryableSerDesError";
  fatal.error.message = std::string(status.message());
  fatal.retry = true;
  context.FailAndUnwind(std::move(fatal));
}

void FailNonDeterministic(const Context& context, absl::string_view why) {
  FatalError fatal;
  fatal.error.type = "NonDeterministicExecutionError";
  fatal.error.message = std::string(why);
  context.FailAndUnwind(std::move(fatal));
}

absl::Status ValidateName(absl::string_view name, size_t reserved) {
  const size_t max = kMaxNameBytes - reserved;
  if (name.size() <= max && absl::c_all_of(name, absl::ascii_isprint)) return absl::OkStatus();
  return ValidationError(absl::StrCat("a name has at most ", max, " printable ASCII characters"));
}

absl::Status ValidateSubType(absl::string_view sub_type) {
  const auto allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  if (sub_type.size() <= kMaxSubTypeBytes && absl::c_all_of(sub_type, allowed)) {
    return absl::OkStatus();
  }
  return ValidationError(
      absl::StrCat("a sub type has at most ", kMaxSubTypeBytes, " letters, digits, '-' and '_'"));
}

absl::Status ValidateSerdes(const AnySerdes& serdes, const std::type_info& type) {
  if (serdes.Fits(type)) return absl::OkStatus();
  return ValidationError("set_serdes was called for another type than the operation's");
}

absl::StatusOr<int64_t> WholeSeconds(absl::string_view what, absl::Duration duration, int64_t min,
                                     int64_t max) {
  const absl::Duration rounded = absl::Ceil(duration, absl::Seconds(1));
  if (duration >= absl::Seconds(min) && rounded <= absl::Seconds(max)) {
    return absl::ToInt64Seconds(rounded);
  }
  return ValidationError(absl::StrCat(what, " is ", absl::FormatDuration(duration),
                                      "; allowed are ", min, " to ", max, " seconds"));
}

std::string Describe(absl::string_view kind, absl::string_view name) {
  return name.empty() ? std::string(kind) : absl::StrCat(kind, " \"", name, "\"");
}

}  // namespace internal
}  // namespace durable
