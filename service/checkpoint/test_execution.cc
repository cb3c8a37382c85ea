#include "service/checkpoint/test_execution.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/base/arn.h"
#include "service/base/check.h"
#include "service/checkpoint/lifecycle.h"

namespace rehearse {

v1::OperationUpdate Update(absl::string_view type, absl::string_view action, absl::string_view id) {
  v1::OperationUpdate update;
  v1::OperationType type_value;
  v1::OperationAction action_value;
  REHEARSE_CHECK(v1::OperationType_Parse(absl::StrCat("OPERATION_TYPE_", type), &type_value));
  REHEARSE_CHECK(
      v1::OperationAction_Parse(absl::StrCat("OPERATION_ACTION_", action), &action_value));
  update.set_type(type_value);
  update.set_action(action_value);
  update.set_id(std::string(id));
  return update;
}

record::ExecutionRecord TestExecution::Record() {
  record::ExecutionRecord record;
  record.set_execution_id("5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002a");
  record.set_name("order-17");
  record.set_session("default");
  record.set_function_name("orders");
  record.set_registered_function_name("orders");
  record.set_version("$LATEST");
  record.set_invocation_type(v1::INVOCATION_TYPE_EVENT);
  record.set_arn(ExecutionArn{Location(), "orders", "$LATEST", record.name(), record.execution_id()}
                     .ToString());
  return record;
}

TestExecution::TestExecution() : TestExecution(Record()) {}

TestExecution::TestExecution(const record::ExecutionRecord& record) {
  ExecutionDelta delta = StartExecution(record, std::string("{\"id\": 17}"), moment);
  events_ = delta.events;
  execution_ = std::make_unique<Execution>(std::move(delta));
  Reinvoke();
}

std::string TestExecution::EventTypes() const {
  return absl::StrJoin(events_, " ", [](std::string* out, const v1::Event& event) {
    absl::StrAppend(out, v1::EventType_Name(event.event_type()).substr(sizeof("EVENT_TYPE_") - 1));
  });
}

const record::OperationRecord& TestExecution::RecordOf(absl::string_view id) const {
  const record::OperationRecord* record = execution_->Find(id);
  REHEARSE_CHECK(record != nullptr);
  return *record;
}

std::string TestExecution::Token() const { return CurrentCheckpointToken(*execution_); }

std::string TestExecution::Dump() const {
  std::string dump =
      absl::StrCat(execution_->record().DebugString(), execution_->progress().DebugString());
  for (int64_t i = 0; i < execution_->operation_count(); ++i) {
    absl::StrAppend(&dump, execution_->operation(i).DebugString());
  }
  for (const auto& reply : execution_->replies()) absl::StrAppend(&dump, reply.DebugString());
  for (const v1::Event& event : events_) absl::StrAppend(&dump, event.DebugString());
  absl::StrAppend(&dump, "pending ", execution_->AnythingPending(), " touched ",
                  absl::StrJoin(execution_->TouchedAfter(0), " "));
  return dump;
}

std::string TestExecution::Bytes() const {
  std::string bytes;
  const auto append = [&bytes](const google::protobuf::MessageLite& message) {
    absl::StrAppend(&bytes, message.ByteSizeLong(), ":");
    message.AppendToString(&bytes);
  };
  append(execution_->record());
  append(execution_->progress());
  for (int64_t i = 0; i < execution_->operation_count(); ++i) append(execution_->operation(i));
  for (const auto& reply : execution_->replies()) append(reply);
  for (const v1::Event& event : events_) append(event);
  return bytes;
}

v1::CheckpointRequest TestExecution::Request(const Updates& updates) const {
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(execution_->arn());
  request.set_checkpoint_token(Token());
  for (const v1::OperationUpdate& update : updates) *request.add_updates() = update;
  return request;
}

absl::StatusOr<CheckpointOutcome> TestExecution::Process(const v1::CheckpointRequest& request) {
  return ProcessCheckpoint(*execution_, {request, moment, limits, ids, targets, spelling});
}

absl::StatusOr<CheckpointOutcome> TestExecution::Checkpoint(const v1::CheckpointRequest& request) {
  absl::StatusOr<CheckpointOutcome> outcome = Process(request);
  if (outcome.ok() && outcome->delta.has_value()) Apply(ExecutionDelta(*outcome->delta));
  return outcome;
}

void TestExecution::Change(absl::FunctionRef<void(ExecutionChange&)> change_function) {
  ExecutionChange change(*execution_, moment, ExecutionChange::Origin::kOutside);
  change_function(change);
  Apply(std::move(change).Finish());
}

void TestExecution::Advance(absl::Duration duration) {
  moment.time += duration;
  moment.deadline_time += duration;
}

void TestExecution::Reinvoke() {
  Change([this](ExecutionChange& change) {
    change.progress().clear_invocation();
    BeginInvocation(change, NewUuid(ids), NewSecret(ids));
  });
}

void TestExecution::Apply(ExecutionDelta delta) {
  for (v1::Event& event : delta.events) events_.push_back(std::move(event));
  delta.events.clear();
  execution_->Apply(std::move(delta));
}

}  // namespace rehearse
