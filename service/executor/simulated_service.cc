#include "service/executor/simulated_service.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "service/base/check.h"

namespace rehearse {
namespace {

constexpr absl::Duration kForever = absl::Hours(24 * 3000);

v1::SessionConfig InMode(v1::ClockMode mode) {
  v1::SessionConfig config;
  config.set_clock_mode(mode);
  return config;
}

// Clears what differs in every run.
void Normalize(google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    const std::string& name = field->name();
    if (name == "request_id" || name == "callback_id" || name == "durable_execution_arn" ||
        (field->message_type() != nullptr &&
         field->message_type()->full_name() == "google.protobuf.Timestamp")) {
      reflection.ClearField(&message, field);
    } else if (field->message_type() != nullptr && !field->is_repeated()) {
      Normalize(*reflection.MutableMessage(&message, field));
    }
  }
}

std::string TypeOf(const v1::Event& event) {
  return v1::EventType_Name(event.event_type()).substr(sizeof("EVENT_TYPE_") - 1);
}

std::string Line(const v1::Event& event, absl::Time start) {
  const absl::Duration since = ToAbsl(event.event_timestamp()) - start;
  std::string line =
      absl::StrCat("+", absl::FormatDuration(since), " ", event.event_id(), " ", TypeOf(event));
  const bool of_execution = event.event_type() <= v1::EVENT_TYPE_EXECUTION_RESUMED;
  if (event.has_id() && !of_execution) absl::StrAppend(&line, " ", event.id());
  if (event.has_parent_id()) absl::StrAppend(&line, " in ", event.parent_id());
  v1::Event copy = event;
  const google::protobuf::Reflection& reflection = *copy.GetReflection();
  const google::protobuf::FieldDescriptor* details =
      reflection.GetOneofFieldDescriptor(copy, v1::Event::descriptor()->FindOneofByName("details"));
  REHEARSE_CHECK(details != nullptr);
  google::protobuf::Message& message = *reflection.MutableMessage(&copy, details);
  Normalize(message);
  const std::string text = message.ShortDebugString();
  if (!text.empty()) absl::StrAppend(&line, " ", text);
  return line;
}

}  // namespace

SimulatedService::SimulatedService(v1::ClockMode mode, uint64_t seed)
    : SimulatedService(InMode(mode), seed) {}

SimulatedService::SimulatedService(const v1::SessionConfig& defaults, uint64_t seed)
    : scheduler(seed, /*lane_count=*/2), workers(scheduler, /*slots=*/100) {
  options_.session_defaults = defaults;
  executor_ = std::make_unique<Executor>(options_, scheduler, store, workers, ids);
  workers.Connect(executor_.get());
}

void SimulatedService::Restart(absl::Duration down) {
  workers.LoseService();
  scheduler.DropTasks();
  executor_.reset();
  scheduler.DropTasks();
  scheduler.AdvanceWall(down);
  executor_ = std::make_unique<Executor>(options_, scheduler, store, workers, ids);
  workers.Connect(executor_.get());
  const absl::Status recovered = executor_->Recover();
  REHEARSE_CHECK(recovered.ok());
}

// Tasks may own leases, which call the workers and the executor when they go.
SimulatedService::~SimulatedService() { scheduler.DropTasks(); }

void SimulatedService::AddFunction(const std::string& name, absl::variant<Program, Script> code,
                                   v1::FunctionSpec spec) {
  spec.set_durable(true);
  AddPlainFunction(name, std::move(code), std::move(spec));
}

void SimulatedService::AddPlainFunction(const std::string& name,
                                        absl::variant<Program, Script> code,
                                        v1::FunctionSpec spec) {
  spec.set_function_name(name);
  workers.AddFunction(name, std::move(code));
  const absl::Status status = executor_->RegisterFunctions("", {std::move(spec)});
  REHEARSE_CHECK(status.ok());
}

absl::Status SimulatedService::Checkpoint(const v1::CheckpointRequest& request) {
  absl::optional<absl::Status> status;
  executor_->Checkpoint(
      request, StaleTokenSpelling::kReal,
      [&](absl::StatusOr<v1::CheckpointResponse> response) { status = response.status(); });
  scheduler.RunUntil([&] { return status.has_value(); });
  return status.value_or(absl::AbortedError("never answered"));
}

std::string SimulatedService::Start(const std::string& function) {
  v1::StartExecutionRequest request;
  request.set_function_name(function);
  request.set_input("{}");
  const absl::StatusOr<v1::StartExecutionResponse> response = Start(request);
  REHEARSE_CHECK(response.ok());
  return response->durable_execution_arn();
}

v1::Execution SimulatedService::End(const std::string& arn) {
  v1::WaitForExecutionRequest request;
  request.set_durable_execution_arn(arn);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(kForever));
  const absl::StatusOr<v1::WaitForExecutionResponse> response =
      Call(&Executor::WaitForExecution, request);
  return response.ok() ? response->execution() : v1::Execution();
}

v1::Execution SimulatedService::Get(const std::string& arn) {
  v1::GetExecutionRequest request;
  request.set_durable_execution_arn(arn);
  const absl::StatusOr<v1::GetExecutionResponse> response = Call(&Executor::GetExecution, request);
  return response.ok() ? response->execution() : v1::Execution();
}

std::vector<std::string> SimulatedService::WaitingFor(const std::string& arn) {
  v1::GetExecutionRequest request;
  request.set_durable_execution_arn(arn);
  const absl::StatusOr<v1::GetExecutionResponse> response = Call(&Executor::GetExecution, request);
  std::vector<std::string> texts;
  if (!response.ok()) return texts;
  for (const v1::WaitingFor& reason : response->waiting_for()) texts.push_back(reason.text());
  return texts;
}

v1::InspectExecutionResponse SimulatedService::Inspect(const std::string& arn) {
  v1::InspectExecutionRequest request;
  request.set_durable_execution_arn(arn);
  request.set_max_items(1000);
  return Call(&Executor::InspectExecution, request).value_or(v1::InspectExecutionResponse());
}

absl::Status SimulatedService::Stop(const std::string& arn) {
  v1::StopExecutionRequest request;
  request.set_durable_execution_arn(arn);
  return Call(&Executor::StopExecution, request).status();
}

absl::Status SimulatedService::Pause(const std::string& arn) {
  v1::PauseExecutionRequest request;
  request.set_durable_execution_arn(arn);
  return Call(&Executor::PauseExecution, request).status();
}

absl::Status SimulatedService::Resume(const std::string& arn) {
  v1::ResumeExecutionRequest request;
  request.set_durable_execution_arn(arn);
  return Call(&Executor::ResumeExecution, request).status();
}

std::string SimulatedService::CallbackId(const std::string& arn, const std::string& operation_id) {
  const v1::InspectExecutionResponse inspected = Inspect(arn);
  for (const v1::Operation& operation : inspected.operations()) {
    if (operation.id() == operation_id) return operation.callback_details().callback_id();
  }
  return "";
}

absl::Status SimulatedService::SendSuccess(const std::string& callback_id,
                                           const std::string& result) {
  v1::SendCallbackSuccessRequest request;
  request.set_callback_id(callback_id);
  request.set_result(result);
  return Call(&Executor::SendCallbackSuccess, request).status();
}

std::vector<std::string> SimulatedService::Advance(absl::Duration duration) {
  v1::AdvanceTimeRequest request;
  request.mutable_duration()->set_seconds(absl::ToInt64Seconds(duration));
  const absl::StatusOr<v1::AdvanceTimeResponse> response = Call(&Executor::AdvanceTime, request);
  std::vector<std::string> fired;
  if (!response.ok()) return {response.status().ToString()};
  for (const v1::FiredTimer& timer : response->fired()) {
    fired.push_back(v1::FiredTimer::Kind_Name(timer.kind()).substr(sizeof("KIND_") - 1));
    if (timer.has_operation_id()) absl::StrAppend(&fired.back(), " ", timer.operation_id());
  }
  return fired;
}

std::vector<std::string> SimulatedService::History(const std::string& arn) {
  std::vector<std::string> lines;
  const absl::StatusOr<std::vector<v1::Event>> events = memory.ReadEvents(arn, 1, 100000);
  if (!events.ok()) return {events.status().ToString()};
  for (const v1::Event& event : *events) {
    lines.push_back(Line(event, ToAbsl(events->front().event_timestamp())));
  }
  return lines;
}

std::string SimulatedService::EventTypes(const std::string& arn) {
  const absl::StatusOr<std::vector<v1::Event>> events = memory.ReadEvents(arn, 1, 100000);
  if (!events.ok()) return events.status().ToString();
  return absl::StrJoin(*events, " ", [](std::string* out, const v1::Event& event) {
    absl::StrAppend(out, TypeOf(event));
  });
}

v1::OperationUpdate StartStep(absl::string_view id) { return Update("STEP", "START", id); }

v1::OperationUpdate SucceedStep(absl::string_view id, absl::string_view payload) {
  v1::OperationUpdate update = Update("STEP", "SUCCEED", id);
  update.set_payload(std::string(payload));
  return update;
}

v1::OperationUpdate FailStep(absl::string_view id, absl::string_view message) {
  v1::OperationUpdate update = Update("STEP", "FAIL", id);
  update.mutable_error()->set_error_message(std::string(message));
  return update;
}

v1::OperationUpdate RetryStep(absl::string_view id, int delay_seconds, absl::string_view message) {
  v1::OperationUpdate update = Update("STEP", "RETRY", id);
  update.mutable_step_options()->set_next_attempt_delay_seconds(delay_seconds);
  if (message.empty()) {
    update.set_payload("\"state\"");
  } else {
    update.mutable_error()->set_error_message(std::string(message));
  }
  return update;
}

v1::OperationUpdate StartWait(absl::string_view id, int seconds) {
  v1::OperationUpdate update = Update("WAIT", "START", id);
  update.mutable_wait_options()->set_wait_seconds(seconds);
  return update;
}

v1::OperationUpdate StartCallback(absl::string_view id, int timeout_seconds,
                                  int heartbeat_seconds) {
  v1::OperationUpdate update = Update("CALLBACK", "START", id);
  update.set_name(std::string(id));
  if (timeout_seconds > 0) update.mutable_callback_options()->set_timeout_seconds(timeout_seconds);
  if (heartbeat_seconds > 0) {
    update.mutable_callback_options()->set_heartbeat_timeout_seconds(heartbeat_seconds);
  }
  return update;
}

v1::OperationUpdate StartInvoke(absl::string_view id, absl::string_view function,
                                absl::string_view payload) {
  v1::OperationUpdate update = Update("CHAINED_INVOKE", "START", id);
  update.mutable_chained_invoke_options()->set_function_name(std::string(function));
  update.set_payload(std::string(payload));
  return update;
}

v1::OperationUpdate StartContext(absl::string_view id) { return Update("CONTEXT", "START", id); }

v1::OperationUpdate SucceedContext(absl::string_view id, absl::string_view payload,
                                   bool replay_children) {
  v1::OperationUpdate update = Update("CONTEXT", "SUCCEED", id);
  update.set_payload(std::string(payload));
  if (replay_children) update.mutable_context_options()->set_replay_children(true);
  return update;
}

v1::OperationUpdate SucceedExecution(absl::string_view payload) {
  v1::OperationUpdate update = Update("EXECUTION", "SUCCEED", "execution-result-1");
  update.set_payload(std::string(payload));
  return update;
}

}  // namespace rehearse
