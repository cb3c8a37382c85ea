#include "client/cpp/durable/internal/context.h"

#include <exception>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "client/cpp/durable/internal/unwind.h"

namespace durable {
namespace internal {
namespace {

thread_local const ActiveFrame* current_frame = nullptr;

std::vector<LogField> ContextFields(const Context::ChildTraits& traits,
                                    const std::string& parent_id) {
  std::vector<LogField> fields = {{"operationId", traits.operation_id}};
  if (!traits.name.empty()) fields.push_back({"operationName", std::string(traits.name)});
  if (!parent_id.empty()) fields.push_back({"parentId", parent_id});
  return fields;
}

std::string Describe(const Context& context) {
  return context.path().empty() ? "the root context" : absl::StrCat("context ", context.path());
}

FatalError Misuse(absl::string_view operation, absl::string_view why) {
  FatalError fatal;
  fatal.error.type = "ContextMisuse";
  fatal.error.message = absl::StrCat(operation, " was called ", why);
  return fatal;
}

}  // namespace

bool IsLifted(const Blockage& blockage, const StateStore& store) {
  return absl::c_any_of(blockage.awaited, [&](const std::string& id) {
    const std::shared_ptr<const Operation> record = store.Find(id);
    return record != nullptr &&
           (IsTerminal(record->status) || record->status == OperationStatus::kReady);
  });
}

Context::Context(Invocation& invocation)
    : invocation_(invocation),
      replays_closed_(false),
      scope_(nullptr),
      replaying_(invocation.store().HasOperations()),
      logger_(invocation.MakeLogger(replaying_, {})),
      facade_(*this),
      next_number_(1) {}

Context::Context(Context& parent, const ChildTraits& traits)
    : invocation_(parent.invocation_),
      path_(traits.path),
      parent_id_(traits.is_virtual ? parent.parent_id_ : traits.operation_id),
      replays_closed_(parent.replays_closed_ || traits.replays_closed),
      scope_(&parent.scope_),
      replaying_(parent.replaying() || replays_closed_ || traits.replaying),
      logger_(invocation_.MakeLogger(replaying_, ContextFields(traits, parent.parent_id_))),
      facade_(*this),
      next_number_(traits.first_number) {}

absl::Status Context::Enter(absl::string_view operation) {
  const ActiveFrame* frame = ActiveFrame::Current();
  absl::string_view misuse;
  if (frame == nullptr || &frame->context().invocation_ != &invocation_) {
    misuse = "on a thread that does not run its context's body";
  } else if (frame->unwinding()) {
    misuse = "by a destructor while an exception is in flight";
  }
  if (!misuse.empty()) {
    FatalError fatal = Misuse(operation, misuse);
    invocation_.diagnostics().Error(fatal.error.message);
    absl::Status status = SuspendedError(fatal.error.message);
    invocation_.Fail(std::move(fatal));
    return status;
  }
  RequireLive();
  if (blocked()) throw Unwind(Unwind::Reason::kSuspended);
  if (frame->kind() == ActiveFrame::Kind::kStepBody) {
    invocation_.FailAndUnwind(Misuse(operation, "inside the body of a step"));
  }
  if (&frame->context() != this) {
    invocation_.FailAndUnwind(Misuse(
        operation,
        absl::StrCat("on ", Describe(*this), " while ", Describe(frame->context()), " is active")));
  }
  return absl::OkStatus();
}

std::string Context::TakePath() { return OperationPath(path_, next_number_++); }

std::string Context::PeekPath() const { return OperationPath(path_, next_number_); }

void Context::Suspend(Blockage blockage) {
  Block(std::move(blockage));
  throw Unwind(Unwind::Reason::kSuspended);
}

void Context::FailAndUnwind(FatalError fatal) const {
  if (orphaned()) throw Unwind(Unwind::Reason::kOrphaned);
  invocation_.FailAndUnwind(std::move(fatal));
}

void Context::RequireLive() const {
  if (invocation_.has_failed()) throw Unwind(Unwind::Reason::kFatal);
  if (orphaned()) throw Unwind(Unwind::Reason::kOrphaned);
}

void Context::UnwindUnlessAccepted(CheckpointResult result) {
  switch (result) {
    case CheckpointResult::kAccepted:
      return;
    case CheckpointResult::kWithdrawn:
      Suspend({});
    case CheckpointResult::kOrphaned:
      scope_.Close();
      throw Unwind(Unwind::Reason::kOrphaned);
    case CheckpointResult::kFailed:
      throw Unwind(Unwind::Reason::kFatal);
  }
}

ActiveFrame::ActiveFrame(Context& context, Kind kind)
    : context_(context),
      kind_(kind),
      exceptions_at_entry_(std::uncaught_exceptions()),
      outer_(current_frame) {
  current_frame = this;
}

ActiveFrame::~ActiveFrame() { current_frame = outer_; }

const ActiveFrame* ActiveFrame::Current() { return current_frame; }

bool ActiveFrame::unwinding() const { return std::uncaught_exceptions() > exceptions_at_entry_; }

}  // namespace internal

bool StepContext::abandoned() const {
  return context_.orphaned() || context_.invocation().abandoned();
}

const Logger& DurableContext::logger() const { return context_.logger(); }

const std::string& DurableContext::durable_execution_arn() const {
  return context_.invocation().arn();
}

const std::string& DurableContext::request_id() const { return context_.invocation().request_id(); }

}  // namespace durable
