#include "client/cpp/durable/unary_service_client.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/durable/durable.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"

namespace durable {
namespace {

namespace v1 = ::rehearse::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A service on a port of its own that answers its calls with what a test has prepared, then with
// success.
class ScriptedService final : public v1::DurableExecutions::Service {
 public:
  explicit ScriptedService(std::vector<grpc::Status> answers) : answers_(std::move(answers)) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~ScriptedService() override { server_->Shutdown(); }

  const std::string& address() const { return address_; }
  std::vector<v1::CheckpointRequest> checkpoints() {
    absl::MutexLock lock(&mutex_);
    return checkpoints_;
  }
  std::string user_agent() {
    absl::MutexLock lock(&mutex_);
    return user_agent_;
  }

 private:
  grpc::Status Checkpoint(grpc::ServerContext* context, const v1::CheckpointRequest* request,
                          v1::CheckpointResponse* response) override {
    absl::MutexLock lock(&mutex_);
    checkpoints_.push_back(*request);
    const auto agent = context->client_metadata().find("user-agent");
    user_agent_ = std::string(agent->second.data(), agent->second.size());
    response->set_checkpoint_token("next");
    return NextAnswer();
  }
  grpc::Status GetExecutionState(grpc::ServerContext*, const v1::GetExecutionStateRequest* request,
                                 v1::GetExecutionStateResponse* response) override {
    absl::MutexLock lock(&mutex_);
    response->add_operations()->set_id(request->marker());
    return NextAnswer();
  }
  grpc::Status NextAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (answers_.empty()) return grpc::Status::OK;
    grpc::Status answer = answers_.front();
    answers_.erase(answers_.begin());
    return answer;
  }

  absl::Mutex mutex_;
  std::vector<grpc::Status> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::CheckpointRequest> checkpoints_ ABSL_GUARDED_BY(mutex_);
  std::string user_agent_ ABSL_GUARDED_BY(mutex_);
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

CheckpointRequest OneWait() {
  CheckpointRequest request;
  request.durable_execution_arn = "arn";
  request.checkpoint_token = "token";
  request.client_token = "client";
  request.updates.emplace_back();
  request.updates.back().id = "1";
  return request;
}

// Records pauses in place of sleeping.
UnaryOptions Recording(std::vector<absl::Duration>& pauses) {
  UnaryOptions options;
  options.sleep = [&](absl::Duration pause) { pauses.push_back(pause); };
  return options;
}

TEST(UnaryServiceClientTest, CarriesCallsAndNamesTheSdk) {
  ScriptedService service({});
  UnaryServiceClient client(service.address(), UnaryOptions());
  const auto response = client.Checkpoint(OneWait());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->checkpoint_token, "next");
  EXPECT_TRUE(absl::StartsWith(service.user_agent(), "aws-durable-execution-sdk-cpp/"))
      << service.user_agent();
  const auto page = client.GetState({"arn", "token", "marker", 10});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->operations, SizeIs(1));
  EXPECT_EQ(page->operations[0].id, "marker");
}

TEST(UnaryServiceClientTest, SendsTheSameAgainAfterATransientFailure) {
  for (const grpc::StatusCode code :
       {grpc::UNAVAILABLE, grpc::RESOURCE_EXHAUSTED, grpc::DEADLINE_EXCEEDED, grpc::INTERNAL,
        grpc::UNKNOWN, grpc::ABORTED}) {
    ScriptedService service({{code, "for now"}, {code, "still"}});
    std::vector<absl::Duration> pauses;
    UnaryServiceClient client(service.address(), Recording(pauses));
    EXPECT_TRUE(client.Checkpoint(OneWait()).ok()) << code;
    ASSERT_THAT(service.checkpoints(), SizeIs(3));
    for (const v1::CheckpointRequest& request : service.checkpoints()) {
      EXPECT_EQ(request.checkpoint_token(), "token");
      EXPECT_EQ(request.client_token(), "client");
      EXPECT_EQ(request.updates_size(), 1);
    }
    EXPECT_THAT(pauses, ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200)));
  }
}

TEST(UnaryServiceClientTest, GivesUpAfterItsAttempts) {
  ScriptedService service(std::vector<grpc::Status>(10, {grpc::UNAVAILABLE, "away"}));
  std::vector<absl::Duration> pauses;
  UnaryOptions options = Recording(pauses);
  options.max_attempts = 7;
  UnaryServiceClient client(service.address(), options);
  EXPECT_EQ(client.Checkpoint(OneWait()).status(), absl::UnavailableError("away"));
  EXPECT_THAT(service.checkpoints(), SizeIs(7));
  EXPECT_EQ(pauses.back(), absl::Seconds(2));
}

TEST(UnaryServiceClientTest, DoesNotRepeatWhatWasRefused) {
  for (const grpc::Status& refusal :
       {grpc::Status(grpc::INVALID_ARGUMENT, "bad update"),
        grpc::Status(grpc::FAILED_PRECONDITION, "Invalid checkpoint token: stale"),
        grpc::Status(grpc::NOT_FOUND, "gone"), grpc::Status(grpc::PERMISSION_DENIED, "no")}) {
    ScriptedService service({refusal});
    std::vector<absl::Duration> pauses;
    UnaryServiceClient client(service.address(), Recording(pauses));
    const absl::Status status = client.Checkpoint(OneWait()).status();
    EXPECT_EQ(status.code(), static_cast<absl::StatusCode>(refusal.error_code()));
    EXPECT_EQ(status.message(), refusal.error_message());
    EXPECT_THAT(pauses, IsEmpty());
  }
}

TEST(UnaryServiceClientTest, RepeatsReadsOfStateToo) {
  ScriptedService service({{grpc::UNAVAILABLE, "away"}});
  std::vector<absl::Duration> pauses;
  UnaryServiceClient client(service.address(), Recording(pauses));
  EXPECT_TRUE(client.GetState({"arn", "token", "marker", 10}).ok());
  EXPECT_THAT(pauses, SizeIs(1));
}

}  // namespace
}  // namespace durable
