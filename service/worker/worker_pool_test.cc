#include "service/worker/worker_pool.h"

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "service/worker/channel.h"
#include "service/worker/status.h"

namespace rehearse::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

using ServerStream = grpc::ServerReaderWriter<v1::ServeResponse, v1::ServeRequest>;
// What the service does with the n-th stream, from 0.
using Script = std::function<grpc::Status(int n, ServerStream& stream)>;

// A FunctionHost that follows a script, one thread per stream.
class ScriptedHost final : public v1::FunctionHost::Service {
 public:
  explicit ScriptedHost(Script script) : script_(std::move(script)) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    channel_ = CreateChannel(absl::StrCat("127.0.0.1:", port));
  }
  ~ScriptedHost() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::shared_ptr<grpc::Channel> channel() const { return channel_; }

 private:
  grpc::Status Serve(grpc::ServerContext*, ServerStream* stream) override {
    int n = 0;
    {
      absl::MutexLock lock(&mutex_);
      n = streams_++;
    }
    return script_(n, *stream);
  }

  const Script script_;
  absl::Mutex mutex_;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

v1::ServeRequest Read(ServerStream& stream) {
  v1::ServeRequest request;
  if (!stream.Read(&request)) request.Clear();
  return request;
}

void ExpectRegistration(ServerStream& stream) {
  EXPECT_EQ(Read(stream).register_().functions(0).function_name(), "orders");
  v1::ServeResponse response;
  response.mutable_registered()->set_session("default");
  stream.Write(response);
}

void SendInvocation(ServerStream& stream, const std::string& request_id) {
  v1::ServeResponse response;
  response.mutable_invocation()->set_request_id(request_id);
  stream.Write(response);
}

void SendToken(ServerStream& stream, const std::string& token) {
  v1::ServeResponse response;
  response.mutable_checkpoint()->set_checkpoint_token(token);
  stream.Write(response);
}

grpc::Status WaitForClose(ServerStream& stream) {
  v1::ServeRequest request;
  while (stream.Read(&request)) {
  }
  return grpc::Status::OK;
}

WorkerOptions OneFunction() {
  WorkerOptions options;
  options.functions.emplace_back().set_function_name("orders");
  return options;
}

v1::ServeRequest::Outcome Answer(const std::string& payload) {
  v1::ServeRequest::Outcome outcome;
  outcome.set_payload(payload);
  return outcome;
}

v1::ServeRequest::Outcome Unused(InvocationChannel&) {
  ADD_FAILURE() << "no invocation was sent";
  return {};
}

TEST(WorkerPoolTest, RunsInvocationsOneAfterTheOther) {
  std::vector<std::string> seen;
  absl::Notification all_seen;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    for (const char* id : {"a", "b"}) {
      SendInvocation(stream, id);
      seen.push_back(Read(stream).checkpoint().checkpoint_token());
      SendToken(stream, absl::StrCat("next-", id));
      seen.push_back(Read(stream).outcome().payload());
    }
    all_seen.Notify();
    return WaitForClose(stream);
  });
  WorkerPool pool(host.channel(), OneFunction(), [](InvocationChannel& channel) {
    v1::CheckpointRequest request;
    request.set_checkpoint_token(channel.invocation().request_id());
    return Answer(channel.Checkpoint(request)->checkpoint_token());
  });
  EXPECT_EQ(pool.WaitUntilServing(kLong), absl::OkStatus());
  all_seen.WaitForNotification();
  EXPECT_THAT(seen, ElementsAre("a", "next-a", "b", "next-b"));
}

TEST(WorkerPoolTest, ARefusedRequestKeepsItsDetailsAndTheInvocationGoesOn) {
  absl::Notification done;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    SendInvocation(stream, "a");
    Read(stream);
    v1::ServeResponse refusal;
    refusal.mutable_error()->set_code(5);
    refusal.mutable_error()->set_message("no such execution");
    v1::ErrorInfo info;
    info.set_reason("ResourceNotFoundException");
    google::protobuf::Any& detail = *refusal.mutable_error()->add_details();
    detail.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
    detail.set_value(info.SerializeAsString());
    stream.Write(refusal);
    EXPECT_EQ(Read(stream).outcome().payload(), "went on");
    done.Notify();
    return WaitForClose(stream);
  });
  WorkerPool pool(host.channel(), OneFunction(), [](InvocationChannel& channel) {
    const absl::Status status = channel.GetExecutionState({}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(status.message(), "no such execution");
    EXPECT_EQ(ErrorReason(status), "ResourceNotFoundException");
    EXPECT_EQ(channel.abort_status(), absl::OkStatus());
    return Answer("went on");
  });
  done.WaitForNotification();
}

TEST(WorkerPoolTest, AnAbortReachesTheCallbackAndEndsLaterRequests) {
  absl::Notification done;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    SendInvocation(stream, "a");
    v1::ServeResponse abort;
    abort.mutable_abort()->set_reason(v1::ServeResponse::Abort::EXECUTION_STOPPED);
    stream.Write(abort);
    EXPECT_EQ(Read(stream).outcome().payload(), "stopped");
    SendInvocation(stream, "b");
    EXPECT_EQ(Read(stream).outcome().payload(), "fresh");
    done.Notify();
    return WaitForClose(stream);
  });
  WorkerPool pool(host.channel(), OneFunction(), [](InvocationChannel& channel) {
    if (channel.invocation().request_id() == "b") {
      EXPECT_EQ(channel.abort_status(), absl::OkStatus());
      return Answer("fresh");
    }
    absl::Notification aborted;
    channel.OnAbort([&](absl::Status status) {
      EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
      EXPECT_EQ(status.message(), "the invocation was aborted: execution stopped");
      EXPECT_EQ(AbortReason(status), v1::ServeResponse::Abort::EXECUTION_STOPPED);
      aborted.Notify();
    });
    aborted.WaitForNotification();
    EXPECT_EQ(channel.Checkpoint({}).status().code(), absl::StatusCode::kCancelled);
    return Answer("stopped");
  });
  done.WaitForNotification();
}

TEST(WorkerPoolTest, ABrokenStreamSendsNoOutcomeAndTheSlotComesBack) {
  absl::Notification back;
  ScriptedHost host([&](int n, ServerStream& stream) {
    ExpectRegistration(stream);
    if (n == 1) back.Notify();
    if (n > 0) return WaitForClose(stream);
    SendInvocation(stream, "a");
    EXPECT_EQ(Read(stream).message_case(), v1::ServeRequest::MESSAGE_NOT_SET);
    return grpc::Status::OK;
  });
  WorkerPool pool(host.channel(), OneFunction(), [](InvocationChannel& channel) {
    channel.Break();
    EXPECT_EQ(channel.Checkpoint({}).status().code(), absl::StatusCode::kUnavailable);
    return Answer("never sent");
  });
  back.WaitForNotification();
}

TEST(WorkerPoolTest, AStreamThatTheServiceEndsIsAnAbortAndTheSlotComesBack) {
  absl::Notification back;
  ScriptedHost host([&](int n, ServerStream& stream) {
    ExpectRegistration(stream);
    if (n == 1) back.Notify();
    if (n > 0) return WaitForClose(stream);
    SendInvocation(stream, "a");
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
  });
  WorkerPool pool(host.channel(), OneFunction(), [](InvocationChannel& channel) {
    absl::Notification aborted;
    channel.OnAbort([&](absl::Status status) {
      EXPECT_EQ(status, absl::UnavailableError("the stream to the service broke: restarting"));
      aborted.Notify();
    });
    aborted.WaitForNotification();
    return Answer("never sent");
  });
  back.WaitForNotification();
}

TEST(WorkerPoolTest, AnotherRequestEndsAnIdle) {
  absl::Notification idle_arrived, done;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    SendInvocation(stream, "a");
    EXPECT_EQ(Read(stream).idle().until().seconds(), 60);
    idle_arrived.Notify();
    EXPECT_TRUE(Read(stream).has_checkpoint());
    v1::ServeResponse idle;
    idle.mutable_idle()->mutable_now()->set_seconds(7);
    stream.Write(idle);
    SendToken(stream, "token");
    EXPECT_EQ(Read(stream).outcome().payload(), "token");
    done.Notify();
    return WaitForClose(stream);
  });
  WorkerPool pool(host.channel(), OneFunction(), [&](InvocationChannel& channel) {
    std::thread idle(
        [&] { EXPECT_EQ(*channel.Idle(absl::FromUnixSeconds(60)), absl::FromUnixSeconds(7)); });
    idle_arrived.WaitForNotification();
    v1::ServeRequest::Outcome outcome = Answer(channel.Checkpoint({})->checkpoint_token());
    idle.join();
    return outcome;
  });
  done.WaitForNotification();
}

TEST(WorkerPoolTest, ARefusalForGoodEndsTheWait) {
  ScriptedHost host([](int, ServerStream&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no session \"x\"");
  });
  std::string logged;
  WorkerOptions options = OneFunction();
  options.log = [&](absl::string_view line) { absl::StrAppend(&logged, line); };
  WorkerPool pool(host.channel(), options, Unused);
  EXPECT_EQ(pool.WaitUntilServing(kLong), absl::NotFoundError("no session \"x\""));
  EXPECT_EQ(pool.Wait(), absl::NotFoundError("no session \"x\""));
  EXPECT_THAT(logged, HasSubstr("refused by the service"));
}

TEST(WorkerPoolTest, TriesAgainWhileTheServiceIsAway) {
  ScriptedHost host([](int n, ServerStream& stream) {
    if (n < 2) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting");
    ExpectRegistration(stream);
    return WaitForClose(stream);
  });
  std::vector<std::string> logged;
  WorkerOptions options = OneFunction();
  options.log = [&](absl::string_view line) { logged.emplace_back(line); };
  WorkerPool pool(host.channel(), options, Unused);
  EXPECT_EQ(pool.WaitUntilServing(kLong), absl::OkStatus());
  // Once, however often it tries.
  EXPECT_THAT(logged, testing::ElementsAre(
                          "not connected to the service, trying again: UNAVAILABLE: starting",
                          "connected to the service again"));
}

TEST(WorkerPoolTest, WithoutAServiceTheWaitSaysWhy) {
  WorkerPool pool(CreateChannel("127.0.0.1:1"), OneFunction(), Unused);
  const absl::Status status = pool.WaitUntilServing(absl::Milliseconds(200));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("UNAVAILABLE"));
}

TEST(WorkerPoolTest, EverySlotHasAStream) {
  absl::Mutex mutex;
  int open = 0;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    {
      absl::MutexLock lock(&mutex);
      ++open;
      mutex.Await(absl::Condition(
          +[](int* count) { return *count == 3; }, &open));
    }
    return WaitForClose(stream);
  });
  WorkerOptions options = OneFunction();
  options.slots = 3;
  WorkerPool pool(host.channel(), options, Unused);
  EXPECT_EQ(pool.WaitUntilServing(kLong), absl::OkStatus());
  absl::MutexLock lock(&mutex);
  mutex.Await(absl::Condition(
      +[](int* count) { return *count == 3; }, &open));
}

TEST(WorkerPoolTest, ShutdownLetsARunningInvocationEnd) {
  absl::Notification running, may_end;
  std::string outcome;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    SendInvocation(stream, "a");
    outcome = Read(stream).outcome().payload();
    return WaitForClose(stream);
  });
  WorkerPool pool(host.channel(), OneFunction(), [&](InvocationChannel&) {
    running.Notify();
    may_end.WaitForNotification();
    return Answer("ended");
  });
  running.WaitForNotification();
  std::thread shutdown([&] { pool.Shutdown(kLong); });
  may_end.Notify();
  shutdown.join();
  EXPECT_EQ(outcome, "ended");
  EXPECT_EQ(pool.Wait(), absl::OkStatus());
  pool.Shutdown(kLong);
}

TEST(WorkerPoolTest, WithoutGraceShutdownBreaksARunningInvocation) {
  absl::Notification running;
  ScriptedHost host([&](int, ServerStream& stream) {
    ExpectRegistration(stream);
    SendInvocation(stream, "a");
    EXPECT_EQ(Read(stream).message_case(), v1::ServeRequest::MESSAGE_NOT_SET);
    return grpc::Status::OK;
  });
  absl::Status abort;
  WorkerPool pool(host.channel(), OneFunction(), [&](InvocationChannel& channel) {
    absl::Notification aborted;
    channel.OnAbort([&](absl::Status status) {
      abort = std::move(status);
      aborted.Notify();
    });
    running.Notify();
    aborted.WaitForNotification();
    return Answer("never sent");
  });
  running.WaitForNotification();
  pool.Shutdown(absl::ZeroDuration());
  EXPECT_EQ(abort.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rehearse::worker
