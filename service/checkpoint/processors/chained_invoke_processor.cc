#include <utility>

#include "service/base/arn.h"
#include "service/base/check.h"
#include "service/checkpoint/processors/processors.h"
#include "service/checkpoint/processors/update_target.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

void FailAtOnce(ExecutionChange& change, const v1::ErrorObject& error,
                const std::string& function_name, record::OperationRecord& record) {
  v1::Event started = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_STARTED, record.operation());
  started.mutable_chained_invoke_started_details()->set_function_name(function_name);
  change.AddEvent(std::move(started));
  *record.mutable_operation()->mutable_chained_invoke_details()->mutable_error() = error;
  change.Close(record, v1::OPERATION_STATUS_FAILED);
  v1::Event failed = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_FAILED, record.operation());
  SetError(error, failed.mutable_chained_invoke_failed_details()->mutable_error());
  change.AddEvent(std::move(failed));
}

// The child's id also serves as its name. It follows from the parent and the operation, so that a
// start that is repeated after a crash finds the first one.
std::string ChildArn(const record::ExecutionRecord& parent, const std::string& operation_id,
                     const std::string& function_name, const std::string& version) {
  const absl::optional<ExecutionArn> parent_arn = ExecutionArn::Parse(parent.arn());
  REHEARSE_CHECK(parent_arn.has_value());
  const std::string child_id = ChildExecutionId(parent.execution_id(), operation_id);
  const absl::StatusOr<FunctionReference> function = FunctionReference::Parse(function_name);
  REHEARSE_CHECK(function.ok());
  return ExecutionArn{parent_arn->location, function->name, version, child_id, child_id}.ToString();
}

void SetTarget(const record::ExecutionRecord& parent, const v1::OperationUpdate& update,
               const ChainedTargetResolution& resolution, record::ChainedTarget& target) {
  const v1::ChainedInvokeOptions& options = update.chained_invoke_options();
  target.set_function_name(options.function_name());
  target.set_registered_function_name(resolution.registered_function_name);
  target.set_version(resolution.version);
  if (update.has_payload()) target.set_input(update.payload());
  if (options.has_tenant_id()) target.set_tenant_id(options.tenant_id());
  if (options.has_x_amzn_trace_id()) {
    target.set_x_amzn_trace_id(options.x_amzn_trace_id());
  } else if (parent.has_x_amzn_trace_id()) {
    target.set_x_amzn_trace_id(parent.x_amzn_trace_id());
  }
  if (resolution.durable) {
    target.set_child_arn(
        ChildArn(parent, update.id(), options.function_name(), resolution.version));
  }
}

void AddStartedEvent(ExecutionChange& change, const v1::OperationUpdate& update,
                     const record::OperationRecord& record) {
  const record::ChainedTarget& target = record.chained_target();
  v1::Event event = OperationEvent(v1::EVENT_TYPE_CHAINED_INVOKE_STARTED, record.operation());
  v1::ChainedInvokeStartedDetails& details = *event.mutable_chained_invoke_started_details();
  details.set_function_name(target.function_name());
  details.set_executed_version(target.version());
  SetPayload(update, details.mutable_input());
  if (target.has_tenant_id()) details.set_tenant_id(target.tenant_id());
  if (!target.child_arn().empty()) details.set_durable_execution_arn(target.child_arn());
  change.AddEvent(std::move(event));
}

}  // namespace

void ProcessChainedInvoke(ExecutionChange& change, const v1::OperationUpdate& update,
                          const ChainedTargets& targets, std::vector<Effect>& effects) {
  const std::string& function_name = update.chained_invoke_options().function_name();
  const auto resolution = targets.find(function_name);
  REHEARSE_CHECK(resolution != targets.end());
  record::OperationRecord& record = TouchTarget(change, update);
  record.mutable_operation()->mutable_chained_invoke_details();
  if (resolution->second.error.has_value()) {
    return FailAtOnce(change, *resolution->second.error, function_name, record);
  }
  SetTarget(change.base().record(), update, resolution->second, *record.mutable_chained_target());
  AddStartedEvent(change, update, record);
  effects.push_back({Effect::Kind::kStartChainedInvoke, update.id()});
}

}  // namespace rehearse
