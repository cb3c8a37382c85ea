#include "service/checkpoint/execution_change.h"

#include <algorithm>
#include <utility>

#include "service/base/check.h"
#include "service/checkpoint/pruning.h"

namespace rehearse {
namespace {

// Up to so many staged operations a linear search beats an index.
constexpr size_t kMaxUnindexed = 8;

// A started and ended step, and one completion.
constexpr size_t kUsualEvents = 4;

bool InCreationOrder(const record::OperationRecord* a, const record::OperationRecord* b) {
  return a->index() < b->index();
}

}  // namespace

ExecutionChange::ExecutionChange(const Execution& base, Moment moment, Origin origin)
    : base_(base), moment_(moment), origin_(origin), progress_(base.progress()) {}

const record::OperationRecord* ExecutionChange::Find(absl::string_view id) const {
  const record::OperationRecord* staged = FindStaged(id);
  return staged != nullptr ? staged : base_.Find(id);
}

record::OperationRecord* ExecutionChange::TouchQuietly(absl::string_view id) {
  record::OperationRecord* staged = FindStaged(id);
  if (staged != nullptr) return staged;
  const record::OperationRecord* found = base_.Find(id);
  REHEARSE_CHECK(found != nullptr);
  return AddStaged(std::make_unique<record::OperationRecord>(*found));
}

record::OperationRecord* ExecutionChange::Touch(absl::string_view id) {
  record::OperationRecord* record = TouchQuietly(id);
  CountChange(*record);
  return record;
}

record::OperationRecord* ExecutionChange::Create(absl::string_view id) {
  auto record = std::make_unique<record::OperationRecord>();
  record->set_index(operation_count());
  record->mutable_operation()->set_id(id.data(), id.size());
  record->mutable_operation()->set_status(v1::OPERATION_STATUS_STARTED);
  SetTimestamp(moment_.time, record->mutable_operation()->mutable_start_timestamp());
  CountChange(*record);
  ++created_count_;
  return AddStaged(std::move(record));
}

void ExecutionChange::Close(record::OperationRecord& record, v1::OperationStatus status) {
  record.mutable_operation()->set_status(status);
  SetTimestamp(moment_.time, record.mutable_operation()->mutable_end_timestamp());
}

void ExecutionChange::CountStored(int64_t bytes) {
  progress_.set_stored_bytes(progress_.stored_bytes() + bytes);
}

std::vector<const record::OperationRecord*> ExecutionChange::TouchedAfter(int64_t sequence) const {
  std::vector<const record::OperationRecord*> touched;
  for (const auto& staged : staged_) {
    if (staged->last_touched() > sequence) touched.push_back(staged.get());
  }
  if (base_.AnyTouchedAfter(sequence)) {
    for (const int64_t index : base_.TouchedAfter(sequence)) {
      const record::OperationRecord& operation = base_.operation(index);
      if (FindStaged(operation.operation().id()) == nullptr) touched.push_back(&operation);
    }
  }
  std::sort(touched.begin(), touched.end(), InCreationOrder);
  return touched;
}

bool ExecutionChange::IsPruned(const record::OperationRecord& operation) const {
  return HasClosedAncestor(*this, operation);
}

void ExecutionChange::AddEvent(v1::Event event) {
  progress_.set_event_count(progress_.event_count() + 1);
  event.set_event_id(progress_.event_count());
  google::protobuf::Timestamp& last = *progress_.mutable_last_event_time();
  SetTimestamp(std::max(moment_.time, ToAbsl(last)), &last);
  *event.mutable_event_timestamp() = last;
  if (events_.empty()) events_.reserve(kUsualEvents);
  events_.push_back(std::move(event));
}

void ExecutionChange::SetReply(record::CheckpointReply reply) { reply_ = std::move(reply); }

ExecutionDelta ExecutionChange::Finish() && {
  ExecutionDelta delta;
  delta.arn = base_.arn();
  delta.progress = std::move(progress_);
  std::sort(staged_.begin(), staged_.end(),
            [](const auto& a, const auto& b) { return InCreationOrder(a.get(), b.get()); });
  delta.operations.reserve(staged_.size());
  for (const auto& record : staged_) delta.operations.push_back(std::move(*record));
  delta.events = std::move(events_);
  delta.reply = std::move(reply_);
  return delta;
}

record::OperationRecord* ExecutionChange::FindStaged(absl::string_view id) const {
  if (staged_.size() > kMaxUnindexed) {
    const auto found = staged_by_id_.find(id);
    return found == staged_by_id_.end() ? nullptr : found->second;
  }
  for (const auto& record : staged_) {
    if (record->operation().id() == id) return record.get();
  }
  return nullptr;
}

record::OperationRecord* ExecutionChange::AddStaged(
    std::unique_ptr<record::OperationRecord> record) {
  staged_.push_back(std::move(record));
  // Crossing the bound indexes everything so far.
  const size_t first = staged_.size() == kMaxUnindexed + 1 ? 0 : staged_.size() - 1;
  for (size_t i = first; i < staged_.size() && staged_.size() > kMaxUnindexed; ++i) {
    staged_by_id_[staged_[i]->operation().id()] = staged_[i].get();
  }
  return staged_.back().get();
}

void ExecutionChange::CountChange(record::OperationRecord& record) {
  progress_.set_change_sequence(progress_.change_sequence() + 1);
  record.set_last_touched(progress_.change_sequence());
  record.set_touched_outside(origin_ == Origin::kOutside);
}

}  // namespace rehearse
