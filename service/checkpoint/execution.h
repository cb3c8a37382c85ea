// Execution: the state of one durable execution, with the indexes that keep every change O(what
// changed).
//
// An Execution is read by pure functions and changed only by Apply, with a delta that such a
// function made and the store has accepted. Not thread-safe: one lane owns it.
//
//   ExecutionChange change(execution, moment);
//   change.Touch("6b86b273...")->mutable_operation()->set_status(v1::OPERATION_STATUS_READY);
//   ExecutionDelta delta = std::move(change).Finish();
//   store.Commit({&delta}, ...);                       // durable first
//   execution.Apply(std::move(delta));                 // then visible
#ifndef REHEARSE_SERVICE_CHECKPOINT_EXECUTION_H_
#define REHEARSE_SERVICE_CHECKPOINT_EXECUTION_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "rehearse/v1/event.pb.h"
#include "service/base/moment.h"
#include "service/checkpoint/record.pb.h"

namespace rehearse {

absl::Time ToAbsl(const google::protobuf::Timestamp& timestamp);
void SetTimestamp(absl::Time time, google::protobuf::Timestamp* timestamp);

bool IsTerminal(v1::OperationStatus status);
bool IsTerminal(v1::ExecutionStatus status);

// What one change writes. Everything a store keeps is changed by deltas only.
struct ExecutionDelta {
  std::string arn;
  // Present on the first delta of an execution.
  absl::optional<record::ExecutionRecord> created;
  record::ExecutionProgress progress;
  // New and changed operations, in creation order.
  std::vector<record::OperationRecord> operations;
  // New events, in order of id.
  std::vector<v1::Event> events;
  // Present when a checkpoint with a client token was answered.
  absl::optional<record::CheckpointReply> reply;
};

class Execution {
 public:
  // The state after `delta`, which must carry `created`.
  explicit Execution(ExecutionDelta delta);
  // The state as a store gives it back. `operations` in creation order, `replies` oldest first.
  Execution(record::ExecutionRecord record, record::ExecutionProgress progress,
            std::vector<record::OperationRecord> operations,
            std::deque<record::CheckpointReply> replies);

  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  const record::ExecutionRecord& record() const { return record_; }
  const record::ExecutionProgress& progress() const { return progress_; }
  const std::string& arn() const { return record_.arn(); }
  bool closed() const { return IsTerminal(progress_.status()); }
  bool invocation_in_flight() const { return progress_.has_invocation(); }

  // nullptr: no such operation. Valid until the next Apply.
  const record::OperationRecord* Find(absl::string_view id) const;
  int64_t operation_count() const { return static_cast<int64_t>(operations_.size()); }
  // In creation order; 0 is EXECUTION.
  const record::OperationRecord& operation(int64_t index) const {
    return *operations_[index].record;
  }

  // Indexes of the operations changed after `sequence`, in creation order. Costs O(result).
  std::vector<int64_t> TouchedAfter(int64_t sequence) const;
  // Whether one has. O(1).
  bool AnyTouchedAfter(int64_t sequence) const;
  // Open operations that something outside the handler will complete (service.md 5.6 in one
  // predicate): steps PENDING or READY, waits, callbacks and chained invokes that are open. O(1).
  bool AnythingPending() const { return pending_count_ > 0; }
  // Ids of the open waits and step retries that are due at `time`, by due time, then creation.
  // Costs O(result).
  std::vector<std::string> DueAt(absl::Time time) const;
  // Whether an ancestor context closed without replay_children hides the operation from replays.
  bool IsPruned(const record::OperationRecord& operation) const;

  // Newest last, at most kMaxCheckpointReplies.
  const std::deque<record::CheckpointReply>& replies() const { return replies_; }

  void Apply(ExecutionDelta delta);

 private:
  struct Slot {
    std::unique_ptr<record::OperationRecord> record;
    // Neighbours in the list ordered by last_touched; -1: none.
    int64_t older = -1;
    int64_t newer = -1;
  };

  // A set of indexes, looked up by the id of the operation there: nothing is kept twice.
  struct IdHash {
    using is_transparent = void;
    const std::vector<Slot>* operations;
    size_t operator()(absl::string_view id) const { return absl::Hash<absl::string_view>()(id); }
    size_t operator()(int64_t index) const { return (*this)(Id(*operations, index)); }
  };
  struct IdEqual {
    using is_transparent = void;
    const std::vector<Slot>* operations;
    bool operator()(int64_t a, int64_t b) const { return a == b; }
    bool operator()(int64_t index, absl::string_view id) const {
      return Id(*operations, index) == id;
    }
    bool operator()(absl::string_view id, int64_t index) const {
      return Id(*operations, index) == id;
    }
  };

  static absl::string_view Id(const std::vector<Slot>& operations, int64_t index) {
    return operations[index].record->operation().id();
  }
  void ApplyOperations(std::vector<record::OperationRecord> operations);
  // Stores the record; returns whether it has to be linked as newest.
  bool Replace(record::OperationRecord record);
  // Adds (1) or takes away (-1) the record's part in pending_count_ and due_.
  void Count(const record::OperationRecord& record, int sign);
  void LinkNewest(int64_t index);
  void Unlink(int64_t index);

  record::ExecutionRecord record_;
  record::ExecutionProgress progress_;
  std::vector<Slot> operations_;
  absl::flat_hash_set<int64_t, IdHash, IdEqual> index_by_id_;
  int64_t newest_ = -1;
  // Due time and index of the open waits and step retries.
  absl::btree_set<std::pair<absl::Time, int64_t>> due_;
  int64_t pending_count_ = 0;
  std::deque<record::CheckpointReply> replies_;
};

// Whether the operation waits for something outside the handler (see AnythingPending).
bool IsPending(const v1::Operation& operation);

// When an open wait ends or a pending step becomes ready, in `time`; nullopt for everything else.
absl::optional<absl::Time> WaitOrRetryDue(const v1::Operation& operation);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_EXECUTION_H_
