#include "client/cpp/durable/internal/fake_service.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cpp/durable/internal/operation_id.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

constexpr absl::string_view kDeltaMarker = "delta-";
constexpr absl::string_view kStateMarker = "state-";

const char* TypeText(OperationType type) {
  static constexpr const char* kTexts[] = {"EXECUTION", "CONTEXT",  "STEP",
                                           "WAIT",      "CALLBACK", "CHAINED_INVOKE"};
  return kTexts[static_cast<int>(type)];
}

const char* ActionText(OperationAction action) {
  static constexpr const char* kTexts[] = {"START", "SUCCEED", "FAIL", "RETRY"};
  return kTexts[static_cast<int>(action)];
}

std::vector<std::string> Messages(const std::vector<LogRecord>& records) {
  std::vector<std::string> messages;
  messages.reserve(records.size());
  for (const LogRecord& record : records) messages.push_back(record.message);
  return messages;
}

void Start(const OperationUpdate& update, Operation& operation) {
  operation.id = update.id;
  operation.parent_id = update.parent_id;
  operation.name = update.name;
  operation.type = update.type;
  operation.sub_type = update.sub_type;
  operation.status = OperationStatus::kStarted;
  operation.start_time = FakeService::Now();
  operation.next_attempt_time = absl::InfiniteFuture();
  if (update.type == OperationType::kWait) {
    operation.scheduled_end_time = FakeService::Now() + absl::Seconds(update.wait_seconds);
  }
  if (update.type == OperationType::kCallback) {
    operation.callback_id = absl::StrCat("callback-", update.id.substr(0, 8));
  }
}

void Close(OperationStatus status, Operation& operation) {
  operation.status = status;
  operation.end_time = FakeService::Now();
}

}  // namespace

constexpr char FakeService::kArn[];

FakeService::FakeService(absl::optional<std::string> input) {
  Operation execution;
  execution.id = "e";
  execution.type = OperationType::kExecution;
  execution.start_time = Now();
  execution.payload = std::move(input);
  operations_.push_back(std::move(execution));
  // Batches are cut in one way only, however slow the machine.
  options_.checkpoint_window = absl::Hours(1);
  // Long enough that no test waits for it.
  options_.checkpoint_window = absl::Hours(1);
  options_.log_sink = [this](const LogRecord& record) {
    absl::MutexLock lock(&mutex_);
    logs_.push_back(record);
  };
  options_.diagnostic_sink = [this](const LogRecord& record) {
    absl::MutexLock lock(&mutex_);
    diagnostics_.push_back(record);
  };
}

InvocationOutput FakeService::Run(const Handler& handler) {
  return RunInvocation(handler, Input(), *this, options_);
}

InvocationInput FakeService::Input() {
  absl::MutexLock lock(&mutex_);
  InvocationInput input;
  input.durable_execution_arn = kArn;
  input.checkpoint_token = MintToken();
  input.initial_state = Page(operations_, 0, kStateMarker);
  input.updated_operation_ids = std::exchange(updated_ids_, {});
  input.request_id = "request-1";
  return input;
}

void FakeService::Put(Operation operation) {
  absl::MutexLock lock(&mutex_);
  Operation* existing = Find(operation.id);
  if (existing != nullptr) {
    *existing = std::move(operation);
  } else {
    operations_.push_back(std::move(operation));
  }
}

absl::optional<Operation> FakeService::At(absl::string_view path) {
  absl::MutexLock lock(&mutex_);
  const Operation* found = Find(OperationId(path));
  if (found == nullptr) return absl::nullopt;
  return *found;
}

void FakeService::CompleteTimers() {
  absl::MutexLock lock(&mutex_);
  EndTimers();
}

void FakeService::EndTimers() {
  for (Operation& operation : operations_) {
    if (operation.type == OperationType::kWait && !IsTerminal(operation.status)) {
      Close(OperationStatus::kSucceeded, operation);
    } else if (operation.status == OperationStatus::kPending) {
      operation.status = OperationStatus::kReady;
    } else {
      continue;
    }
    updated_ids_.push_back(operation.id);
  }
}

void FakeService::End(absl::string_view path, OperationStatus status,
                      absl::optional<std::string> payload, absl::optional<ErrorObject> error) {
  absl::MutexLock lock(&mutex_);
  Operation* operation = Find(OperationId(path));
  if (operation == nullptr) {
    ADD_FAILURE() << "there is no operation " << path;
    return;
  }
  Close(status, *operation);
  operation->payload = std::move(payload);
  operation->error = std::move(error);
  updated_ids_.push_back(operation->id);
}

std::vector<std::string> FakeService::Updates() {
  std::vector<std::string> all;
  for (const std::vector<std::string>& batch : Batches()) {
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

std::vector<std::vector<std::string>> FakeService::Batches() {
  std::vector<std::vector<std::string>> batches;
  for (const CheckpointRequest& request : Requests()) {
    batches.emplace_back();
    for (const OperationUpdate& update : request.updates)
      batches.back().push_back(Summarize(update));
  }
  return batches;
}

OperationUpdate FakeService::UpdateAt(absl::string_view path, OperationAction action) {
  const std::string id = OperationId(path);
  OperationUpdate found;
  for (const CheckpointRequest& request : Requests()) {
    for (const OperationUpdate& update : request.updates) {
      if (update.id == id && update.action == action) found = update;
    }
  }
  EXPECT_EQ(found.id, id) << "no " << ActionText(action) << " at " << path;
  return found;
}

std::vector<CheckpointRequest> FakeService::Requests() {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

std::vector<GetStateRequest> FakeService::StateRequests() {
  absl::MutexLock lock(&mutex_);
  return state_requests_;
}

std::vector<std::string> FakeService::LogMessages() { return Messages(LogRecords()); }

std::vector<LogRecord> FakeService::LogRecords() {
  absl::MutexLock lock(&mutex_);
  return logs_;
}

std::vector<std::string> FakeService::DiagnosticMessages() {
  absl::MutexLock lock(&mutex_);
  return Messages(diagnostics_);
}

absl::StatusOr<CheckpointResponse> FakeService::Checkpoint(const CheckpointRequest& request) {
  if (checkpoint_fault_) {
    if (auto answer = checkpoint_fault_(request)) return *std::move(answer);
  }
  absl::MutexLock lock(&mutex_);
  if (request.checkpoint_token != token_) {
    return absl::InvalidArgumentError("Invalid checkpoint token: it is not the newest");
  }
  delta_.clear();
  if (request.updates.empty() && completes_timers_when_asked_) EndTimers();
  for (const OperationUpdate& update : request.updates) {
    const absl::Status status = Validate(update);
    if (!status.ok()) return status;
    if (update.type != OperationType::kExecution) delta_.push_back(Apply(update));
  }
  requests_.push_back(request);
  CheckpointResponse response;
  if (withdraws_ && withdraws_(request)) {
    token_.clear();
    return response;
  }
  for (const std::string& id : std::exchange(updated_ids_, {})) delta_.push_back(*Find(id));
  response.new_state = Page(delta_, 0, kDeltaMarker);
  const bool closes = absl::c_any_of(request.updates, [](const OperationUpdate& update) {
    return update.type == OperationType::kExecution;
  });
  if (!closes) response.checkpoint_token = MintToken();
  return response;
}

absl::StatusOr<StatePage> FakeService::GetState(const GetStateRequest& request) {
  if (state_fault_) {
    const absl::Status status = state_fault_(request);
    if (!status.ok()) return status;
  }
  absl::MutexLock lock(&mutex_);
  state_requests_.push_back(request);
  if (request.checkpoint_token != token_) {
    return absl::InvalidArgumentError("Invalid checkpoint token: it is not the newest");
  }
  absl::string_view position = request.marker;
  const bool is_delta = absl::ConsumePrefix(&position, kDeltaMarker);
  if (!is_delta) absl::ConsumePrefix(&position, kStateMarker);
  size_t begin = 0;
  if (!absl::SimpleAtoi(position, &begin)) return absl::InvalidArgumentError("unknown marker");
  return Page(is_delta ? delta_ : operations_, begin, is_delta ? kDeltaMarker : kStateMarker);
}

std::string FakeService::MintToken() { return token_ = absl::StrCat("token-", ++tokens_); }

Operation* FakeService::Find(absl::string_view id) {
  const auto found =
      absl::c_find_if(operations_, [&](const Operation& operation) { return operation.id == id; });
  return found == operations_.end() ? nullptr : &*found;
}

absl::Status FakeService::Validate(const OperationUpdate& update) {
  if (update.type == OperationType::kExecution) return absl::OkStatus();
  const Operation* existing = Find(update.id);
  if (!update.parent_id.empty() && Find(update.parent_id) == nullptr) {
    return absl::InvalidArgumentError("the parent does not exist");
  }
  if (existing == nullptr) return absl::OkStatus();
  if (IsTerminal(existing->status)) return absl::InvalidArgumentError("the operation is closed");
  const bool restarts = update.action == OperationAction::kStart;
  const bool ready = existing->status == OperationStatus::kReady;
  if (restarts && !ready) return absl::InvalidArgumentError("the operation is started already");
  return absl::OkStatus();
}

Operation FakeService::Apply(const OperationUpdate& update) {
  Operation* operation = Find(update.id);
  if (operation == nullptr) {
    operations_.emplace_back();
    operation = &operations_.back();
    Start(update, *operation);
  }
  if (update.action == OperationAction::kStart) {
    Start(update, *operation);
    operation->scheduled_end_time = timers_due_.value_or(operation->scheduled_end_time);
    return *operation;
  }
  if (update.type == OperationType::kStep) ++operation->attempt;
  operation->payload = update.payload;
  operation->error = update.error;
  operation->replay_children = update.replay_children;
  if (update.action == OperationAction::kRetry) {
    operation->status = OperationStatus::kPending;
    operation->next_attempt_time =
        timers_due_.value_or(Now() + absl::Seconds(update.next_attempt_delay_seconds));
  } else {
    Close(update.action == OperationAction::kSucceed ? OperationStatus::kSucceeded
                                                     : OperationStatus::kFailed,
          *operation);
  }
  return *operation;
}

StatePage FakeService::Page(const std::vector<Operation>& operations, size_t begin,
                            absl::string_view marker_prefix) const {
  StatePage page;
  const size_t end = std::min(begin + page_size_, operations.size());
  page.operations.assign(operations.data() + begin, operations.data() + end);
  if (end < operations.size()) page.next_marker = absl::StrCat(marker_prefix, end);
  return page;
}

std::string Summarize(const OperationUpdate& update) {
  return absl::StrCat(TypeText(update.type), " ", ActionText(update.action),
                      update.name.empty() ? "" : " ", update.name);
}

Operation Record(absl::string_view path, OperationType type, absl::string_view sub_type,
                 absl::string_view name, OperationStatus status) {
  Operation operation;
  operation.id = OperationId(path);
  const size_t last = path.rfind('-');
  if (last != absl::string_view::npos) operation.parent_id = OperationId(path.substr(0, last));
  operation.name = std::string(name);
  operation.type = type;
  operation.sub_type = std::string(sub_type);
  operation.status = status;
  return operation;
}

}  // namespace internal
}  // namespace durable
