#include "service/rpc/scripted_worker.h"

#include "gtest/gtest.h"
#include "service/rpc/test_client.h"
#include "service/worker/status.h"

namespace rehearse {

v1::ServeRequest RegistrationOf(const std::string& session,
                                const std::vector<std::string>& durable_functions) {
  v1::ServeRequest request;
  request.mutable_register_()->set_session(session);
  for (const std::string& name : durable_functions) {
    v1::FunctionSpec& function = *request.mutable_register_()->add_functions();
    function.set_function_name(name);
    function.set_durable(true);
  }
  return request;
}

v1::ServeRequest CheckpointOf(const std::string& arn, const std::string& token,
                              const std::vector<v1::OperationUpdate>& updates) {
  v1::ServeRequest request;
  request.mutable_checkpoint()->set_durable_execution_arn(arn);
  request.mutable_checkpoint()->set_checkpoint_token(token);
  *request.mutable_checkpoint()->mutable_updates() = {updates.begin(), updates.end()};
  return request;
}

v1::ServeRequest CheckpointOf(const v1::ServeResponse::Invocation& invocation,
                              const std::vector<v1::OperationUpdate>& updates) {
  return CheckpointOf(invocation.durable().durable_execution_arn(),
                      invocation.durable().checkpoint_token(), updates);
}

v1::ServeRequest StateRequestOf(const std::string& arn, const std::string& token) {
  v1::ServeRequest request;
  request.mutable_get_execution_state()->set_durable_execution_arn(arn);
  request.mutable_get_execution_state()->set_checkpoint_token(token);
  return request;
}

v1::ServeRequest OutcomeOf(const std::string& payload) {
  v1::ServeRequest request;
  request.mutable_outcome()->set_payload(payload);
  return request;
}

v1::OperationUpdate StepUpdate(const std::string& id, v1::OperationAction action) {
  v1::OperationUpdate update;
  update.set_id(id);
  update.set_type(v1::OPERATION_TYPE_STEP);
  update.set_action(action);
  return update;
}

v1::OperationUpdate WaitUpdate(const std::string& id, int seconds) {
  v1::OperationUpdate update;
  update.set_id(id);
  update.set_type(v1::OPERATION_TYPE_WAIT);
  update.set_action(v1::OPERATION_ACTION_START);
  update.mutable_wait_options()->set_wait_seconds(seconds);
  return update;
}

v1::OperationUpdate CallbackUpdate(const std::string& id) {
  v1::OperationUpdate update;
  update.set_id(id);
  update.set_type(v1::OPERATION_TYPE_CALLBACK);
  update.set_action(v1::OPERATION_ACTION_START);
  return update;
}

ScriptedWorker::ScriptedWorker(v1::FunctionHost::Stub& stub)
    : stream_((SetDeadline(context_), stub.Serve(&context_))) {}

ScriptedWorker::~ScriptedWorker() {
  if (ended_) return;
  Break();
}

void ScriptedWorker::Register(const std::string& session,
                              const std::vector<std::string>& durable_functions) {
  Send(RegistrationOf(session, durable_functions));
  EXPECT_TRUE(Receive().has_registered());
}

void ScriptedWorker::Send(const v1::ServeRequest& request) { stream_->Write(request); }

v1::ServeResponse ScriptedWorker::Receive() {
  v1::ServeResponse response;
  if (!stream_->Read(&response)) {
    response.Clear();
    ADD_FAILURE() << "the stream has ended: " << TextOf(AwaitEnd());
  }
  return response;
}

v1::ServeResponse::Invocation ScriptedWorker::ReceiveInvocation() {
  const v1::ServeResponse response = Receive();
  EXPECT_TRUE(response.has_invocation()) << response.ShortDebugString();
  return response.invocation();
}

void ScriptedWorker::Break() {
  context_.TryCancel();
  AwaitEnd().IgnoreError();
}

absl::Status ScriptedWorker::AwaitEnd() {
  if (ended_) return absl::OkStatus();
  ended_ = true;
  v1::ServeResponse dropped;
  while (stream_->Read(&dropped)) {
  }
  return worker::FromGrpcStatus(stream_->Finish());
}

absl::Status ScriptedWorker::Close() {
  stream_->WritesDone();
  return AwaitEnd();
}

}  // namespace rehearse
