// DurableContext::Parallel and Map: a context whose operations are its branches.
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/batch_items.h"
#include "client/cpp/durable/internal/batch_summary.h"
#include "client/cpp/durable/internal/branch_scheduler.h"
#include "client/cpp/durable/internal/completion_policy.h"
#include "client/cpp/durable/internal/operation_call.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "client/cpp/durable/internal/operations.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/status_macros.h"

namespace durable {
namespace internal {
namespace {

struct BatchPlan {
  const BatchKind& kind;
  const BatchOptions& options;
  // By index.
  const std::vector<std::string>& names;
};

class BatchRun {
 public:
  BatchRun(OperationCall& call, const BatchPlan& plan, BatchItems& items)
      : call_(call), plan_(plan), items_(items) {}

  absl::Status Run() {
    const Operation* record = call_.record();
    if (record == nullptr) {
      call_.Queue(call_.Update(OperationAction::kStart));
    } else if (IsTerminal(record->status)) {
      if (record->status != OperationStatus::kSucceeded) {
        return ErrorOf(record->error.value_or(ErrorObject()));
      }
      return record->replay_children ? Reassemble() : ReadResult();
    }
    return RunBranches();
  }

 private:
  int size() const { return static_cast<int>(plan_.names.size()); }
  bool is_flat() const { return plan_.options.nesting() == Nesting::kFlat; }

  static absl::Status ErrorOf(const ErrorObject& error) {
    return ToStatus(FromRecord(ErrorKind::kChildContext, error));
  }

  Context::ChildTraits Traits(bool replays_closed) const {
    return {call_.path(), call_.id(), call_.name(), /*is_virtual=*/false, replays_closed};
  }
  // A context at the place of one branch: its next operation is that branch.
  Context::ChildTraits TraitsBefore(int index, bool replaying) const {
    Context::ChildTraits traits = Traits(/*replays_closed=*/false);
    traits.is_virtual = true;
    traits.first_number = index + 1;
    traits.replaying = replaying;
    return traits;
  }

  // Any thread. `again` as in BranchScheduler.
  BranchEnd RunBranch(Context& batch, int index, bool again) {
    static const std::function<std::string(const void*)> no_summary;
    const ChildOperation operation = {plan_.names[index], plan_.kind.branch_sub_type, is_flat(),
                                      no_summary,
                                      [](const ErrorObject&) { return ErrorKind::kChildContext; }};
    Context place(batch, TraitsBefore(index, again));
    BranchEnd end;
    end.index = index;
    try {
      const ActiveFrame frame(place, ActiveFrame::Kind::kContextBody);
      end.error = RunChildOperation(
          place, operation, [&](DurableContext& context) { return items_.Run(index, context); },
          items_.slot(index));
      end.kind = end.error.ok() ? BranchEnd::Kind::kSucceeded : BranchEnd::Kind::kFailed;
    } catch (const Unwind& unwind) {
      if (unwind.reason() == Unwind::Reason::kSuspended) {
        end.kind = BranchEnd::Kind::kSuspended;
        end.blockage = place.blockage();
      } else {
        end.kind = BranchEnd::Kind::kUnwound;
        end.reason = unwind.reason();
      }
    }
    return end;
  }

  absl::Status RunBranches() {
    Context batch(call_.context(), Traits(/*replays_closed=*/false));
    absl::optional<CompletionPolicy> policy;
    absl::optional<BranchScheduler> scheduler;
    UserOutcome outcome;
    try {
      const auto schedule = [&] {
        policy.emplace(plan_.options.completion().value_or(CompletionConfig()),
                       plan_.options.completion_predicate(), plan_.names);
        scheduler.emplace(batch, *policy, size(),
                          plan_.options.max_concurrency().value_or(std::numeric_limits<int>::max()),
                          [&](int index, bool again) { return RunBranch(batch, index, again); });
        scheduler->Run();
        return absl::OkStatus();
      };
      outcome =
          call_.RunUserFunction(batch, ActiveFrame::Kind::kContextBody, /*attempt=*/1, schedule);
    } catch (const Unwind&) {
      if (batch.blocked()) call_.context().Block(batch.blockage());
      throw;
    }
    batch.scope().Close();
    if (!outcome.status.ok()) return Fail(InfoOf(outcome.status));
    items_.Assemble(scheduler->outcomes(), scheduler->reason());
    return Succeed(scheduler->outcomes(), scheduler->reason());
  }

  absl::Status Succeed(const std::vector<ItemOutcome>& outcomes, CompletionReason reason) {
    absl::StatusOr<std::string> payload = call_.Write(items_.result());
    if (!payload.ok()) return Fail(InfoOf(payload.status()));
    OperationUpdate update = call_.Update(OperationAction::kSucceed);
    update.payload = *std::move(payload);
    if (update.payload->size() > kMaxInlineResultBytes) {
      update.replay_children = true;
      const UserOutcome outcome = CallUserCode([&] {
        update.payload = Summary(outcomes, reason);
        return absl::OkStatus();
      });
      if (!outcome.status.ok()) return Fail(InfoOf(outcome.status));
    }
    call_.Send(std::move(update));
    return absl::OkStatus();
  }

  std::string Summary(const std::vector<ItemOutcome>& outcomes, CompletionReason reason) const {
    BatchSummary batch;
    batch.reason = reason;
    for (const ItemOutcome& outcome : outcomes) batch.statuses.push_back(outcome.status);
    absl::optional<std::string> text;
    if (plan_.options.summary()) text = plan_.options.summary()(items_.result().value());
    return WriteBatchSummary(plan_.kind.summary_type, batch, items_.status(), text);
  }

  absl::Status Fail(const ErrorInfo& info) {
    return call_.SendFailure(ErrorKind::kChildContext, info);
  }

  // The record of a closed batch has the result. The service need not show its branches any more;
  // those that it shows have to be recorded as the result lists them.
  absl::Status ReadResult() {
    DURABLE_RETURN_IF_ERROR(call_.Read(call_.record()->payload, items_.result()));
    Context batch(call_.context(), Traits(/*replays_closed=*/true));
    for (const auto& [index, status] : items_.Listed()) {
      if (status == ItemStatus::kStarted || index < 0 || index >= size()) continue;
      if (RecordOf(index) == nullptr) continue;
      Context place(batch, TraitsBefore(index, /*replaying=*/true));
      const OperationCall check(place, {OperationType::kContext, plan_.kind.branch_sub_type,
                                        plan_.names[index], is_flat()});
    }
    return absl::OkStatus();
  }

  // The result of a closed batch was too large: its branches have it.
  absl::Status Reassemble() {
    const absl::optional<BatchSummary> summary =
        ReadBatchSummary(call_.record()->payload.value_or(""), size());
    const std::vector<ItemStatus> statuses =
        summary.has_value() ? summary->statuses : RecordedStatuses();
    Context batch(call_.context(), Traits(/*replays_closed=*/true));
    // For a summary that says no reason.
    CompletionPolicy policy(plan_.options.completion().value_or(CompletionConfig()), nullptr,
                            plan_.names);
    std::vector<ItemOutcome> outcomes(statuses.size());
    for (size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i] == ItemStatus::kStarted) continue;
      const int index = static_cast<int>(i);
      BranchEnd end = RunBranch(batch, index, /*again=*/true);
      if (end.kind == BranchEnd::Kind::kUnwound) throw Unwind(end.reason);
      if (end.kind == BranchEnd::Kind::kSuspended) call_.context().Suspend(end.blockage);
      outcomes[i].status =
          end.kind == BranchEnd::Kind::kSucceeded ? ItemStatus::kSucceeded : ItemStatus::kFailed;
      outcomes[i].error = std::move(end.error);
      policy.End(index, outcomes[i].status);
    }
    items_.Assemble(outcomes, summary.has_value() ? summary->reason : policy.reason());
    absl::StatusOr<std::string> payload = call_.Write(items_.result());
    if (!payload.ok()) {
      call_.FailNonDeterministic("its record says that it succeeded, and now it fails: " +
                                 std::string(payload.status().message()));
    }
    call_.EndUnrecorded(*std::move(payload), absl::nullopt);
    return absl::OkStatus();
  }

  std::shared_ptr<const Operation> RecordOf(int index) const {
    return call_.context().invocation().store().Find(
        OperationId(OperationPath(call_.path(), index + 1)));
  }

  std::vector<ItemStatus> RecordedStatuses() const {
    std::vector<ItemStatus> statuses(size(), ItemStatus::kStarted);
    for (int i = 0; i < size(); ++i) {
      const std::shared_ptr<const Operation> record = RecordOf(i);
      if (record != nullptr && IsTerminal(record->status)) statuses[i] = ItemStatus::kSucceeded;
    }
    return statuses;
  }

  OperationCall& call_;
  const BatchPlan plan_;
  BatchItems& items_;
};

absl::Status Validate(const BatchOptions& options, BatchItems& items) {
  if (options.max_concurrency().value_or(1) < 1) {
    return ValidationError(
        absl::StrCat("max_concurrency is ", *options.max_concurrency(), "; it is at least 1"));
  }
  if (options.completion().has_value() && options.completion_predicate()) {
    return ValidationError("a batch has a completion or a completion predicate, not both");
  }
  DURABLE_RETURN_IF_ERROR(
      ValidateCompletion(options.completion().value_or(CompletionConfig()), items.size()));
  DURABLE_RETURN_IF_ERROR(ValidateSerdes(options.serdes(), items.result().type()));
  DURABLE_RETURN_IF_ERROR(ValidateSerdes(options.item_serdes(), items.item_type()));
  if (options.summary_type() != nullptr && *options.summary_type() != items.result().type()) {
    return ValidationError("set_summary was called for another type than the branches'");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> NamesOf(const BatchItems& items, const BatchKind& kind,
                                                 const BatchOptions& options) {
  std::vector<std::string> names;
  names.reserve(items.size());
  for (int i = 0; i < items.size(); ++i) {
    absl::optional<std::string> name = items.NameOf(i);
    if (!name.has_value() && options.item_namer()) name = options.item_namer()(i);
    names.push_back(name.has_value() ? *std::move(name) : absl::StrCat(kind.name_prefix, i));
    DURABLE_RETURN_IF_ERROR(ValidateName(names.back()));
  }
  return names;
}

}  // namespace
}  // namespace internal

absl::Status DurableContext::RunBatch(absl::string_view name, const internal::BatchKind& kind,
                                      const BatchOptions& options, internal::BatchItems& items) {
  DURABLE_RETURN_IF_ERROR(internal::ValidateName(name));
  DURABLE_RETURN_IF_ERROR(internal::Validate(options, items));
  DURABLE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                           internal::NamesOf(items, kind, options));
  return internal::CallForUser(context_.invocation(), [&]() -> absl::Status {
    DURABLE_RETURN_IF_ERROR(context_.Enter(internal::Describe(kind.what, name)));
    internal::OperationCall call(context_, {OperationType::kContext, kind.sub_type, name});
    absl::Status status = internal::BatchRun(call, {kind, options, names}, items).Run();
    call.Finish();
    return status;
  });
}

}  // namespace durable
