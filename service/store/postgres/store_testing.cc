#include "service/store/postgres/store_testing.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "service/store/postgres/connection.h"

namespace rehearse {

using postgres::Connection;
using postgres::CuttingProxy;
using postgres::Statement;

absl::StatusOr<std::unique_ptr<PostgresStore>> OpenStore(
    const std::string& url, absl::Duration lease, absl::AnyInvocable<void(absl::Status)> lost) {
  PostgresStore::Options options;
  options.url = url;
  options.lease = lease;
  options.lost = std::move(lost);
  return PostgresStore::Open(std::move(options));
}

std::string ThroughProxy(const std::string& url, const CuttingProxy& proxy) {
  return absl::StrCat(url.substr(0, url.find('?')), "?host=", proxy.folder(), "&user=postgres");
}

void Execute(const std::string& url, const std::vector<std::string>& statements) {
  const auto connection = Connection::Open(url);
  ASSERT_TRUE(connection.ok()) << connection.status();
  for (const std::string& sql : statements)
    ASSERT_EQ((*connection)->Execute(sql), absl::OkStatus());
}

int64_t Count(const std::string& url, const std::string& query) {
  const auto connection = Connection::Open(url);
  const Statement count = {nullptr, query};
  const auto results = (*connection)->Run({{&count, {}}});
  EXPECT_TRUE(results.ok()) << results.status();
  return results.ok() ? (*results)[0].Int(0, 0) : -1;
}

ExecutionDelta Started(const std::string& arn, const std::string& root) {
  ExecutionDelta delta;
  delta.arn = arn;
  record::ExecutionRecord& record = delta.created.emplace();
  record.set_arn(arn);
  record.set_root_arn(root);
  record.set_name(arn);
  record.set_session("default");
  record.set_function_name("orders");
  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  delta.progress.set_event_count(1);
  delta.operations.emplace_back().mutable_operation()->set_id("execution");
  delta.events.emplace_back().set_event_id(1);
  return delta;
}

ExecutionDelta StepAdded(const std::string& arn, int64_t step) {
  ExecutionDelta delta;
  delta.arn = arn;
  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  delta.progress.set_event_count(step + 1);
  delta.progress.set_token_sequence(step);
  record::OperationRecord& operation = delta.operations.emplace_back();
  operation.set_index(step);
  operation.mutable_operation()->set_id(absl::StrCat("step-", step));
  delta.events.emplace_back().set_event_id(step + 1);
  return delta;
}

ExecutionStore::Committed Answers::Add() {
  absl::MutexLock lock(&mutex_);
  const size_t place = answers_.size();
  answers_.emplace_back();
  return [this, place](absl::Status status) {
    absl::MutexLock lock(&mutex_);
    EXPECT_FALSE(answers_[place].has_value());
    answers_[place] = std::move(status);
  };
}

std::vector<absl::Status> Answers::Await() {
  absl::MutexLock lock(&mutex_);
  const auto all = [this] {
    for (const auto& answer : answers_) {
      if (!answer.has_value()) return false;
    }
    return true;
  };
  mutex_.Await(absl::Condition(&all));
  std::vector<absl::Status> answers;
  for (const auto& answer : answers_) answers.push_back(*answer);
  return answers;
}

absl::Status Commit(ExecutionStore& store, const ExecutionDelta& delta) {
  Answers answers;
  store.Commit({&delta}, answers.Add());
  return answers.Await()[0];
}

void ExpectWhole(ExecutionStore& store, const std::string& arn, int64_t count) {
  const auto execution = store.Load(arn);
  ASSERT_TRUE(execution.ok()) << execution.status();
  EXPECT_EQ((*execution)->operation_count(), count);
  EXPECT_EQ((*execution)->progress().event_count(), count);
  const auto events = store.ReadEvents(arn, 1, 1000);
  ASSERT_EQ(events->size(), static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ((*events)[i].event_id(), i + 1);
}

}  // namespace rehearse
