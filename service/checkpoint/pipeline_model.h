// PipelineModel: the rules of a checkpoint written down a second time, small and slow, for the
// property tests to compare the pipeline with.
//
//   PipelineModel model(execution_id);
//   const bool accepted = model.Checkpoint(request.updates(), now);   // changes nothing if refused
//   EXPECT_EQ(outcome.ok(), accepted);
#ifndef REHEARSE_SERVICE_CHECKPOINT_PIPELINE_MODEL_H_
#define REHEARSE_SERVICE_CHECKPOINT_PIPELINE_MODEL_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rehearse/v1/durable_executions.pb.h"

namespace rehearse {

class PipelineModel {
 public:
  struct Operation {
    v1::OperationType type = v1::OPERATION_TYPE_UNSPECIFIED;
    // UNSPECIFIED: new.
    v1::OperationStatus status = v1::OPERATION_STATUS_UNSPECIFIED;
    std::string parent_id;
    std::string name;
    std::string sub_type;
    int attempt = 0;
    bool replay_children = false;
    // Of a wait or a pending step.
    absl::Time due = absl::InfiniteFuture();
  };
  using Updates = google::protobuf::RepeatedPtrField<v1::OperationUpdate>;

  // Applies the batch if every rule is kept. Returns whether it was.
  bool Checkpoint(const Updates& updates, absl::Time now);
  // Ends waits and back-offs that are due; returns which.
  std::vector<std::string> Fire(absl::Time now);

  Operation& operation(const std::string& id) { return operations_[id]; }
  const std::map<std::string, Operation>& operations() const { return operations_; }
  // SUCCEEDED or FAILED behind an EXECUTION update, else UNSPECIFIED.
  v1::OperationStatus execution_status() const { return execution_status_; }
  // Whether a replay does not see the operation.
  bool IsPruned(const std::string& id) const;

 private:
  bool Apply(const v1::OperationUpdate& update, absl::Time now);

  std::map<std::string, Operation> operations_;
  v1::OperationStatus execution_status_ = v1::OPERATION_STATUS_UNSPECIFIED;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_PIPELINE_MODEL_H_
