#include "service/store/fault_injecting_store.h"

#include <utility>

#include "service/base/errors.h"

namespace rehearse {
namespace {

constexpr char kFailed[] = "The store failed on demand.";

}  // namespace

void FaultInjectingStore::SetFaults(Decide decide, Defer defer) {
  decide_ = std::move(decide);
  defer_ = std::move(defer);
  commits_ = 0;
}

void FaultInjectingStore::Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) {
  const CommitFault fault = decide_ == nullptr ? CommitFault::kNone : decide_(++commits_);
  const bool fail = fault == CommitFault::kFail || fault == CommitFault::kDeferAndFail;
  if (fault == CommitFault::kNone || fault == CommitFault::kFail) {
    CommitOrFail(fail, std::move(deltas), std::move(committed));
    return;
  }
  defer_([this, fail, deltas = std::move(deltas), committed = std::move(committed)]() mutable {
    CommitOrFail(fail, std::move(deltas), std::move(committed));
  });
}

void FaultInjectingStore::CommitOrFail(bool fail, std::vector<const ExecutionDelta*> deltas,
                                       Committed committed) {
  if (fail) {
    committed(errors::StoreUnavailable(kFailed));
  } else {
    base_.Commit(std::move(deltas), std::move(committed));
  }
}

absl::StatusOr<std::unique_ptr<Execution>> FaultInjectingStore::Load(absl::string_view arn) {
  if (load_fails_ != nullptr && load_fails_()) return errors::StoreUnavailable(kFailed);
  return base_.Load(arn);
}

absl::StatusOr<StoredExecution> FaultInjectingStore::LoadHeader(absl::string_view arn) {
  return base_.LoadHeader(arn);
}

absl::StatusOr<std::vector<v1::Event>> FaultInjectingStore::ReadEvents(absl::string_view arn,
                                                                       int64_t first_id,
                                                                       int64_t last_id) {
  return base_.ReadEvents(arn, first_id, last_id);
}

absl::StatusOr<std::vector<StoredExecution>> FaultInjectingStore::List(
    const ExecutionQuery& query) {
  return base_.List(query);
}

absl::StatusOr<absl::optional<std::string>> FaultInjectingStore::FindByName(
    absl::string_view session, absl::string_view function_name, absl::string_view name) {
  return base_.FindByName(session, function_name, name);
}

absl::Status FaultInjectingStore::VisitExecutions(Visit visit) {
  return base_.VisitExecutions(visit);
}

absl::Status FaultInjectingStore::Delete(const std::vector<std::string>& arns) {
  return base_.Delete(arns);
}

absl::Status FaultInjectingStore::PutSession(const record::SessionRecord& session) {
  return base_.PutSession(session);
}

absl::StatusOr<std::vector<record::SessionRecord>> FaultInjectingStore::Sessions() {
  return base_.Sessions();
}

absl::Status FaultInjectingStore::DeleteSession(absl::string_view session) {
  return base_.DeleteSession(session);
}

}  // namespace rehearse
