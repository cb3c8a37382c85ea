#include "tests/benchmark/worker_script.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {
namespace {

void SetStep(v1::OperationAction action, int number, v1::OperationUpdate* update) {
  update->set_id(absl::StrFormat("6b86b273ff34fce19d6b804e%08x", number));
  update->set_type(v1::OPERATION_TYPE_STEP);
  update->set_sub_type("Step");
  update->set_name("charge");
  update->set_action(action);
}

}  // namespace

WorkerStream::Open OpenServe(v1::FunctionHost::Stub& stub) {
  return [&stub](grpc::ClientContext* context,
                 grpc::ClientBidiReactor<v1::ServeRequest, v1::ServeResponse>* reactor) {
    stub.async()->Serve(context, reactor);
  };
}

v1::ServeRequest Register(absl::string_view session, absl::string_view function) {
  v1::ServeRequest request;
  request.mutable_register_()->set_session(std::string(session));
  v1::FunctionSpec* spec = request.mutable_register_()->add_functions();
  spec->set_function_name(std::string(function));
  spec->set_durable(true);
  return request;
}

v1::CheckpointRequest StepCheckpoint(const std::string& arn, const std::string& token, int number) {
  v1::CheckpointRequest request;
  request.set_durable_execution_arn(arn);
  request.set_checkpoint_token(token);
  request.set_client_token(absl::StrCat("0c6f8a1e-", number));
  SetStep(v1::OPERATION_ACTION_START, number, request.add_updates());
  SetStep(v1::OPERATION_ACTION_SUCCEED, number, request.add_updates());
  request.mutable_updates(1)->set_payload("\"receipt-17\"");
  return request;
}

v1::ServeRequest WaitCheckpoint(const v1::DurableExecutionInvocationInput& invocation,
                                int seconds) {
  v1::ServeRequest request;
  v1::CheckpointRequest& checkpoint = *request.mutable_checkpoint();
  checkpoint.set_durable_execution_arn(invocation.durable_execution_arn());
  checkpoint.set_checkpoint_token(invocation.checkpoint_token());
  checkpoint.set_client_token("0c6f8a1e-1");
  v1::OperationUpdate& update = *checkpoint.add_updates();
  update.set_id("6b86b273ff34fce19d6b804eff5a3f57");
  update.set_type(v1::OPERATION_TYPE_WAIT);
  update.set_sub_type("Wait");
  update.set_name("pause");
  update.set_action(v1::OPERATION_ACTION_START);
  update.mutable_wait_options()->set_wait_seconds(seconds);
  return request;
}

v1::ServeRequest SucceededOutcome() {
  v1::ServeRequest request;
  request.mutable_outcome()->set_payload(R"({"Status":"SUCCEEDED","Result":"17"})");
  return request;
}

v1::ServeRequest PendingOutcome() {
  v1::ServeRequest request;
  request.mutable_outcome()->set_payload(R"({"Status":"PENDING"})");
  return request;
}

absl::optional<v1::ServeRequest> StepsScript::operator()(v1::ServeResponse& response) {
  switch (response.message_case()) {
    case v1::ServeResponse::kRegistered:
      return absl::nullopt;
    case v1::ServeResponse::kInvocation:
      step_ = 0;
      arn_ = response.invocation().durable().durable_execution_arn();
      token_ = response.invocation().durable().checkpoint_token();
      break;
    case v1::ServeResponse::kCheckpoint:
      token_ = response.checkpoint().checkpoint_token();
      break;
    default:
      Fail(absl::StrCat("the service sent ", response.ShortDebugString()));
  }
  if (step_ == steps_) return SucceededOutcome();
  v1::ServeRequest request;
  *request.mutable_checkpoint() = StepCheckpoint(arn_, token_, ++step_);
  return request;
}

}  // namespace rehearse::benchmark
