#include "tests/crash/clients.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "service/worker/channel.h"

namespace rehearse::crash {
namespace {

constexpr char kFunction[] = "crash";
constexpr int kSteps = 40;
// A wait behind this many steps: the execution is suspended, and invoked again.
constexpr int kStepsInRow = 15;

std::string IdOf(int position) { return absl::StrCat("operation-", position); }

bool IsWait(int position) { return position % (kStepsInRow + 1) == kStepsInRow; }

// What an SDK sends for the operation at this position.
std::vector<v1::OperationUpdate> UpdatesOf(const std::string& arn, int position) {
  v1::OperationUpdate update;
  update.set_id(IdOf(position));
  update.set_name(absl::StrCat("number-", position));
  update.set_action(v1::OPERATION_ACTION_START);
  if (IsWait(position)) {
    update.set_type(v1::OPERATION_TYPE_WAIT);
    update.mutable_wait_options()->set_wait_seconds(1);
    return {update};
  }
  update.set_type(v1::OPERATION_TYPE_STEP);
  v1::OperationUpdate end = update;
  end.set_action(v1::OPERATION_ACTION_SUCCEED);
  end.set_payload(absl::StrCat("\"", arn.substr(arn.rfind('/')), " ", position, "\""));
  return {update, end};
}

v1::ServeRequest::Outcome Outcome(const std::string& status) {
  v1::ServeRequest::Outcome outcome;
  outcome.set_payload(absl::StrCat("{\"Status\":\"", status, "\"}"));
  return outcome;
}

}  // namespace

std::string Names::NameOf(int client) const {
  return absl::StrCat(prefix_, "-", client, "-", next_[client]);
}

Clients::Clients(const std::string& address, Names& names, Acknowledged& log)
    : names_(names),
      log_(log),
      channel_(worker::CreateChannel(address)),
      executions_(channel_),
      sessions_(channel_) {
  worker::WorkerOptions options;
  options.slots = names.clients();
  v1::FunctionSpec& function = options.functions.emplace_back();
  function.set_function_name(kFunction);
  function.set_durable(true);
  workers_ = std::make_unique<worker::WorkerPool>(
      channel_, options, [this](worker::InvocationChannel& channel) { return Run(channel); });
  EXPECT_EQ(workers_->WaitUntilServing(absl::Minutes(2)), absl::OkStatus());
  for (int i = 0; i < names.clients(); ++i) callers_.emplace_back([this, i] { Call(i); });
}

Clients::~Clients() { Join(); }

void Clients::Join() {
  for (std::thread& caller : callers_) caller.join();
  callers_.clear();
  workers_.reset();
}

void Clients::Finish() {
  finish_ = true;
  Join();
}

void Clients::Call(int client) {
  while (true) {
    const std::string name = names_.NameOf(client);
    v1::StartExecutionRequest start;
    start.set_function_name(kFunction);
    start.set_durable_execution_name(name);
    start.set_input("{}");
    v1::StartExecutionResponse started;
    grpc::ClientContext start_context;
    if (!executions_.StartExecution(&start_context, start, &started).ok()) return;
    const std::string arn = started.durable_execution_arn();
    log_.Started(name, arn);

    v1::WaitForExecutionRequest wait;
    wait.set_durable_execution_arn(arn);
    wait.mutable_timeout()->set_seconds(120);
    v1::WaitForExecutionResponse ended;
    grpc::ClientContext wait_context;
    const grpc::Status status = sessions_.WaitForExecution(&wait_context, wait, &ended);
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
        status.error_code() == grpc::StatusCode::CANCELLED) {
      return;
    }
    EXPECT_TRUE(status.ok()) << status.error_message();
    // One that is interrupted again and again before it gets on fails, as the failure policy says.
    EXPECT_TRUE(ended.execution().status() == v1::EXECUTION_STATUS_SUCCEEDED ||
                ended.execution().error().error_message() ==
                    "The service was restarted while the invocation ran.")
        << ended.ShortDebugString();
    log_.Ended(arn);
    names_.EndOf(client);
    if (finish_ || !status.ok()) return;
  }
}

v1::ServeRequest::Outcome Clients::Run(worker::InvocationChannel& channel) {
  const v1::DurableExecutionInvocationInput& input = channel.invocation().durable();
  const std::string& arn = input.durable_execution_arn();
  std::map<std::string, v1::Operation> known;
  for (const v1::Operation& operation : input.initial_execution_state().operations()) {
    known[operation.id()] = operation;
  }
  const std::map<std::string, std::string> acknowledged =
      replaced_ ? std::map<std::string, std::string>() : log_.OperationsOf(arn);
  for (const auto& [id, result] : acknowledged) {
    EXPECT_EQ(known[id].step_details().result(), result) << "not replayed: " << arn << " " << id;
  }
  std::string token = input.checkpoint_token();
  for (int position = 0; position < kSteps; ++position) {
    const auto found = known.find(IdOf(position));
    if (found != known.end() && found->second.has_end_timestamp()) continue;
    if (found != known.end()) return Outcome("PENDING");
    v1::CheckpointRequest request;
    request.set_durable_execution_arn(arn);
    request.set_checkpoint_token(token);
    request.set_client_token(absl::StrCat(channel.invocation().request_id(), "-", position));
    for (v1::OperationUpdate& update : UpdatesOf(arn, position)) {
      *request.add_updates() = std::move(update);
    }
    absl::StatusOr<v1::CheckpointResponse> response = channel.Checkpoint(request);
    // An SDK tries again what the store refused.
    while (absl::IsUnavailable(response.status()) && channel.abort_status().ok()) {
      response = channel.Checkpoint(request);
    }
    if (!response.ok()) return Outcome("FAILED");
    log_.Checkpointed(arn, request, *response, /*newest=*/!replaced_);
    token = response->checkpoint_token();
    if (IsWait(position)) return Outcome("PENDING");
  }
  return Outcome("SUCCEEDED");
}

}  // namespace rehearse::crash
