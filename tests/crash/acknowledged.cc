#include "tests/crash/acknowledged.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

namespace rehearse::crash {
namespace {

// Requests whose repetition is tried; the service keeps the answers to some more.
constexpr size_t kRepeated = 3;

std::vector<v1::Event> HistoryOf(v1::DurableExecutions::Stub& executions, const std::string& arn) {
  std::vector<v1::Event> history;
  v1::GetExecutionHistoryRequest request;
  request.set_durable_execution_arn(arn);
  request.set_include_execution_data(true);
  while (true) {
    grpc::ClientContext context;
    v1::GetExecutionHistoryResponse page;
    const grpc::Status status = executions.GetExecutionHistory(&context, request, &page);
    if (!status.ok()) {
      ADD_FAILURE() << arn << " is lost: " << status.error_message();
      return history;
    }
    history.insert(history.end(), page.events().begin(), page.events().end());
    if (page.next_marker().empty()) return history;
    request.set_marker(page.next_marker());
  }
}

}  // namespace

void Acknowledged::Started(const std::string& name, const std::string& arn) {
  absl::MutexLock lock(&mutex_);
  ++count_;
  const auto [known, added] = arns_.emplace(name, arn);
  EXPECT_EQ(known->second, arn) << name << " was started twice";
  logs_[arn];
}

void Acknowledged::Checkpointed(const std::string& arn, const v1::CheckpointRequest& request,
                                const v1::CheckpointResponse& response, bool newest) {
  absl::MutexLock lock(&mutex_);
  ++count_;
  Log& log = logs_[arn];
  for (const v1::OperationUpdate& update : request.updates()) {
    if (update.action() == v1::OPERATION_ACTION_SUCCEED) {
      log.operations[update.id()] = update.payload();
    }
  }
  if (!newest) return;
  log.last.emplace_back(request, response);
  if (log.last.size() > kRepeated) log.last.pop_front();
}

void Acknowledged::Ended(const std::string& arn) {
  absl::MutexLock lock(&mutex_);
  ++count_;
  logs_[arn].ended = true;
}

int64_t Acknowledged::count() const {
  absl::MutexLock lock(&mutex_);
  return count_;
}

void Acknowledged::AwaitCount(int64_t count) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ >= count; };
  // Far away: a service that stands still is a failure.
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&reached), absl::Minutes(2)))
      << "only " << count_ << " of " << count << " answers came";
}

std::map<std::string, std::string> Acknowledged::OperationsOf(const std::string& arn) const {
  absl::MutexLock lock(&mutex_);
  const auto found = logs_.find(arn);
  return found == logs_.end() ? std::map<std::string, std::string>() : found->second.operations;
}

void Acknowledged::ExpectKept(v1::DurableExecutions::Stub& executions) {
  absl::MutexLock lock(&mutex_);
  for (auto log = logs_.begin(); log != logs_.end();) {
    ExpectKept(executions, log->first, log->second);
    log = log->second.ended ? logs_.erase(log) : std::next(log);
  }
}

void Acknowledged::ExpectKept(v1::DurableExecutions::Stub& executions, const std::string& arn,
                              const Log& log) {
  std::map<std::string, std::string> succeeded;
  std::map<std::string, int> started;
  int64_t id = 0;
  bool ended = false;
  for (const v1::Event& event : HistoryOf(executions, arn)) {
    EXPECT_EQ(event.event_id(), ++id) << arn;
    ended = event.event_type() == v1::EVENT_TYPE_EXECUTION_SUCCEEDED ||
            event.event_type() == v1::EVENT_TYPE_EXECUTION_FAILED;
    if (event.event_type() == v1::EVENT_TYPE_STEP_STARTED ||
        event.event_type() == v1::EVENT_TYPE_WAIT_STARTED) {
      EXPECT_EQ(++started[event.id()], 1) << arn << " " << event.id() << " was started twice";
    }
    if (event.event_type() == v1::EVENT_TYPE_STEP_SUCCEEDED) {
      EXPECT_TRUE(
          succeeded.emplace(event.id(), event.step_succeeded_details().result().payload()).second)
          << arn << " " << event.id() << " succeeded twice";
    }
  }
  EXPECT_TRUE(ended || !log.ended) << arn << " had ended";
  for (const auto& [operation, result] : log.operations) {
    const auto found = succeeded.find(operation);
    if (found == succeeded.end()) {
      ADD_FAILURE() << "lost: " << arn << " " << operation;
    } else {
      EXPECT_EQ(found->second, result) << arn << " " << operation;
    }
  }
  for (const auto& [request, response] : log.last) {
    v1::CheckpointResponse again;
    grpc::Status status;
    do {
      // Until the lease of a server that was killed is over.
      grpc::ClientContext context;
      status = executions.Checkpoint(&context, request, &again);
    } while (status.error_code() == grpc::StatusCode::UNAVAILABLE);
    EXPECT_TRUE(status.ok()) << arn << ": " << status.error_message();
    EXPECT_EQ(again.SerializeAsString(), response.SerializeAsString()) << arn;
  }
}

}  // namespace rehearse::crash
