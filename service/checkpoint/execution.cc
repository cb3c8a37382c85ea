#include "service/checkpoint/execution.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/checkpoint/pruning.h"

namespace rehearse {

absl::Time ToAbsl(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

bool IsTerminal(v1::OperationStatus status) { return status >= v1::OPERATION_STATUS_SUCCEEDED; }

bool IsTerminal(v1::ExecutionStatus status) { return status >= v1::EXECUTION_STATUS_SUCCEEDED; }

bool IsPending(const v1::Operation& operation) {
  switch (operation.type()) {
    case v1::OPERATION_TYPE_STEP:
      return operation.status() == v1::OPERATION_STATUS_PENDING ||
             operation.status() == v1::OPERATION_STATUS_READY;
    case v1::OPERATION_TYPE_WAIT:
    case v1::OPERATION_TYPE_CALLBACK:
    case v1::OPERATION_TYPE_CHAINED_INVOKE:
      return !IsTerminal(operation.status());
    default:
      return false;
  }
}

absl::optional<absl::Time> WaitOrRetryDue(const v1::Operation& operation) {
  if (operation.type() == v1::OPERATION_TYPE_WAIT &&
      operation.status() == v1::OPERATION_STATUS_STARTED) {
    return ToAbsl(operation.wait_details().scheduled_end_timestamp());
  }
  if (operation.type() == v1::OPERATION_TYPE_STEP &&
      operation.status() == v1::OPERATION_STATUS_PENDING) {
    return ToAbsl(operation.step_details().next_attempt_timestamp());
  }
  return absl::nullopt;
}

Execution::Execution(ExecutionDelta delta)
    : index_by_id_(0, IdHash{&operations_}, IdEqual{&operations_}) {
  REHEARSE_CHECK(delta.created.has_value());
  record_ = *std::move(delta.created);
  Apply(std::move(delta));
}

Execution::Execution(record::ExecutionRecord record, record::ExecutionProgress progress,
                     std::vector<record::OperationRecord> operations,
                     std::deque<record::CheckpointReply> replies)
    : record_(std::move(record)),
      progress_(std::move(progress)),
      index_by_id_(0, IdHash{&operations_}, IdEqual{&operations_}),
      replies_(std::move(replies)) {
  ApplyOperations(std::move(operations));
}

const record::OperationRecord* Execution::Find(absl::string_view id) const {
  const auto found = index_by_id_.find(id);
  return found == index_by_id_.end() ? nullptr : operations_[*found].record.get();
}

std::vector<int64_t> Execution::TouchedAfter(int64_t sequence) const {
  std::vector<int64_t> touched;
  for (int64_t index = newest_; index != -1 && operation(index).last_touched() > sequence;
       index = operations_[index].older) {
    touched.push_back(index);
  }
  std::sort(touched.begin(), touched.end());
  return touched;
}

bool Execution::AnyTouchedAfter(int64_t sequence) const {
  return newest_ != -1 && operation(newest_).last_touched() > sequence;
}

std::vector<std::string> Execution::DueAt(absl::Time time) const {
  std::vector<std::string> ids;
  for (auto it = due_.begin(); it != due_.end() && it->first <= time; ++it) {
    ids.push_back(operation(it->second).operation().id());
  }
  return ids;
}

bool Execution::IsPruned(const record::OperationRecord& operation) const {
  return HasClosedAncestor(*this, operation);
}

void Execution::Apply(ExecutionDelta delta) {
  progress_ = std::move(delta.progress);
  ApplyOperations(std::move(delta.operations));
  if (delta.reply.has_value()) {
    if (replies_.size() == kMaxCheckpointReplies) replies_.pop_front();
    replies_.push_back(*std::move(delta.reply));
  }
}

void Execution::ApplyOperations(std::vector<record::OperationRecord> operations) {
  absl::InlinedVector<int64_t, 16> changed;
  for (record::OperationRecord& record : operations) {
    const int64_t index = record.index();
    if (Replace(std::move(record))) changed.push_back(index);
  }
  std::sort(changed.begin(), changed.end(), [this](int64_t a, int64_t b) {
    return operation(a).last_touched() < operation(b).last_touched();
  });
  for (const int64_t index : changed) LinkNewest(index);
}

bool Execution::Replace(record::OperationRecord record) {
  const int64_t index = record.index();
  REHEARSE_CHECK(index >= 0 && index <= operation_count());
  if (index == operation_count()) {
    Count(record, 1);
    operations_.push_back({std::make_unique<record::OperationRecord>(std::move(record))});
    REHEARSE_CHECK(index_by_id_.insert(index).second);
    return true;
  }
  Slot& slot = operations_[index];
  Count(*slot.record, -1);
  Count(record, 1);
  const bool changed = slot.record->last_touched() != record.last_touched();
  if (changed) Unlink(index);
  *slot.record = std::move(record);
  return changed;
}

void Execution::Count(const record::OperationRecord& record, int sign) {
  if (IsPending(record.operation())) pending_count_ += sign;
  const absl::optional<absl::Time> due = WaitOrRetryDue(record.operation());
  if (!due.has_value()) return;
  if (sign > 0) {
    due_.insert({*due, record.index()});
  } else {
    due_.erase({*due, record.index()});
  }
}

void Execution::LinkNewest(int64_t index) {
  Slot& slot = operations_[index];
  slot.older = newest_;
  slot.newer = -1;
  if (newest_ != -1) operations_[newest_].newer = index;
  newest_ = index;
}

void Execution::Unlink(int64_t index) {
  const Slot& slot = operations_[index];
  if (slot.older != -1) operations_[slot.older].newer = slot.newer;
  if (slot.newer != -1) {
    operations_[slot.newer].older = slot.older;
  } else {
    newest_ = slot.older;
  }
}

}  // namespace rehearse
