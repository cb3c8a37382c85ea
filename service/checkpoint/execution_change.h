// ExecutionChange: one change to an execution, staged on an overlay.
//
// Whatever changes an execution - a checkpoint, a timer, a callback, the end of an invocation -
// makes an ExecutionChange, works on it, and finishes it into a delta; or drops it, and nothing has
// happened. Reads see the staged state. Each event gets its final id and time as it is added.
//
//   ExecutionChange change(execution, moment);
//   record::OperationRecord* wait = change.Touch(id);          // copy on write, counts as a change
//   wait->mutable_operation()->set_status(v1::OPERATION_STATUS_SUCCEEDED);
//   change.AddEvent(WaitSucceeded(*wait));
//   ExecutionDelta delta = std::move(change).Finish();
#ifndef REHEARSE_SERVICE_CHECKPOINT_EXECUTION_CHANGE_H_
#define REHEARSE_SERVICE_CHECKPOINT_EXECUTION_CHANGE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "service/checkpoint/execution.h"

namespace rehearse {

class ExecutionChange {
 public:
  // Where a change comes from: decides whether the handler hears of it as changed from outside.
  enum class Origin { kCheckpoint, kOutside };

  ExecutionChange(const Execution& base, Moment moment, Origin origin);

  const Execution& base() const { return base_; }
  const Moment& moment() const { return moment_; }

  // The operation as staged, else as in the base; nullptr when there is none. A staged one stays
  // valid until Finish.
  const record::OperationRecord* Find(absl::string_view id) const;
  // Stages a change of an existing operation: bumps the change sequence. `id` must exist.
  record::OperationRecord* Touch(absl::string_view id);
  // As Touch, but counts as no change: nobody hears of it. For what only the service needs to know.
  record::OperationRecord* TouchQuietly(absl::string_view id);
  // Stages a new operation of this id, STARTED now, and counts it as changed. `id` must not exist.
  record::OperationRecord* Create(absl::string_view id);
  // Gives a staged operation its terminal status and its end time.
  void Close(record::OperationRecord& record, v1::OperationStatus status);
  // Number of operations, staged ones included.
  int64_t operation_count() const { return base_.operation_count() + created_count_; }

  record::ExecutionProgress& progress() { return progress_; }
  const record::ExecutionProgress& progress() const { return progress_; }

  // Counts payload bytes that this change stores for good: the history keeps every one.
  void CountStored(int64_t bytes);

  // Staged operations changed after `sequence` together with those of the base, in creation order.
  std::vector<const record::OperationRecord*> TouchedAfter(int64_t sequence) const;
  // As Execution::IsPruned, on the staged state.
  bool IsPruned(const record::OperationRecord& operation) const;

  // Appends to the history; sets id and timestamp. Time never runs backwards in a history: an
  // earlier moment is lifted to the last event's.
  void AddEvent(v1::Event event);

  void SetReply(record::CheckpointReply reply);

  ExecutionDelta Finish() &&;

 private:
  record::OperationRecord* FindStaged(absl::string_view id) const;
  record::OperationRecord* AddStaged(std::unique_ptr<record::OperationRecord> record);
  void CountChange(record::OperationRecord& record);

  const Execution& base_;
  const Moment moment_;
  const Origin origin_;
  record::ExecutionProgress progress_;
  // Few per change: searched linearly up to a bound, then by an index.
  std::vector<std::unique_ptr<record::OperationRecord>> staged_;
  absl::flat_hash_map<absl::string_view, record::OperationRecord*> staged_by_id_;
  int64_t created_count_ = 0;
  std::vector<v1::Event> events_;
  absl::optional<record::CheckpointReply> reply_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_EXECUTION_CHANGE_H_
