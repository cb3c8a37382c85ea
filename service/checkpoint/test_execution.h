// TestExecution: an execution with an invocation in flight, for tests and benchmarks of the
// pipeline.
//
//   TestExecution test;
//   ASSERT_TRUE(test.Checkpoint({Update("STEP", "START", "a")}).ok());
//   EXPECT_EQ(test.Operation("a").status(), v1::OPERATION_STATUS_STARTED);
#ifndef REHEARSE_SERVICE_CHECKPOINT_TEST_EXECUTION_H_
#define REHEARSE_SERVICE_CHECKPOINT_TEST_EXECUTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/execution_change.h"

namespace rehearse {

// Numbers from a seed.
class CountingIdSource final : public IdSource {
 public:
  uint64_t Next() override { return ++count_ * 0x9E3779B97F4A7C15u; }

 private:
  uint64_t count_ = 0;
};

// An update from text: `type` and `action` in AWS's spelling.
v1::OperationUpdate Update(absl::string_view type, absl::string_view action, absl::string_view id);

class TestExecution {
 public:
  using Updates = std::vector<v1::OperationUpdate>;

  TestExecution();
  explicit TestExecution(const record::ExecutionRecord& record);

  // A record like the default constructor's, to be changed.
  static record::ExecutionRecord Record();

  const Execution& execution() const { return *execution_; }
  const std::vector<v1::Event>& events() const { return events_; }
  // All event types in order, without EVENT_TYPE_, joined by spaces.
  std::string EventTypes() const;
  const record::OperationRecord& RecordOf(absl::string_view id) const;
  const v1::Operation& Operation(absl::string_view id) const { return RecordOf(id).operation(); }
  // The newest token of the invocation in flight.
  std::string Token() const;
  // Everything there is to know, the history included.
  std::string Dump() const;
  // As Dump, serialized: for tests that compare often.
  std::string Bytes() const;

  v1::CheckpointRequest Request(const Updates& updates) const;
  // Processes and, on success, applies.
  absl::StatusOr<CheckpointOutcome> Checkpoint(const v1::CheckpointRequest& request);
  absl::StatusOr<CheckpointOutcome> Checkpoint(const Updates& updates) {
    return Checkpoint(Request(updates));
  }
  // Processes only.
  absl::StatusOr<CheckpointOutcome> Process(const v1::CheckpointRequest& request);

  // Applies a change from outside.
  void Change(absl::FunctionRef<void(ExecutionChange&)> change);
  void Apply(ExecutionDelta delta);
  // Moves both clocks.
  void Advance(absl::Duration duration);
  // Ends the invocation in flight and begins another.
  void Reinvoke();

  Moment moment{absl::FromUnixSeconds(1790000000), absl::FromUnixSeconds(1700000000)};
  Limits limits;
  CountingIdSource ids;
  ChainedTargets targets;
  StaleTokenSpelling spelling = StaleTokenSpelling::kReal;

 private:
  std::unique_ptr<Execution> execution_;
  std::vector<v1::Event> events_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_TEST_EXECUTION_H_
