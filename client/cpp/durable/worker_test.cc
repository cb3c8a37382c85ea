#include "client/cpp/durable/worker.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "client/cpp/durable/durable.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "rehearse/v1/function_host.grpc.pb.h"

namespace durable {
namespace {

namespace v1 = ::rehearse::v1;

constexpr absl::Duration kLong = absl::Seconds(30);

// A service inside the process that has one conversation with the first stream and then holds it
// open.
class OneConversation final : public v1::FunctionHost::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::ServeResponse, v1::ServeRequest>;

  explicit OneConversation(std::function<void(Stream&)> talk) : talk_(std::move(talk)) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OneConversation() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::shared_ptr<grpc::Channel> channel() {
    return server_->InProcessChannel(grpc::ChannelArguments());
  }
  v1::ServeRequest::Register WaitForRegister() {
    registered_.WaitForNotification();
    return register_;
  }
  void WaitForEnd() { ended_.WaitForNotification(); }

 private:
  grpc::Status Serve(grpc::ServerContext*, Stream* stream) override {
    v1::ServeRequest request;
    stream->Read(&request);
    register_ = request.register_();
    v1::ServeResponse response;
    response.mutable_registered()->set_session("default");
    stream->Write(response);
    registered_.Notify();
    talk_(*stream);
    ended_.Notify();
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  }

  const std::function<void(Stream&)> talk_;
  absl::Notification registered_;
  absl::Notification ended_;
  v1::ServeRequest::Register register_;
  std::unique_ptr<grpc::Server> server_;
};

v1::ServeResponse InvocationOf(const std::string& function) {
  v1::ServeResponse response;
  v1::ServeResponse::Invocation& invocation = *response.mutable_invocation();
  invocation.set_request_id("request");
  invocation.set_function_name(function);
  invocation.mutable_durable()->set_durable_execution_arn("arn/e");
  invocation.mutable_durable()->set_checkpoint_token("token-1");
  v1::Operation& execution =
      *invocation.mutable_durable()->mutable_initial_execution_state()->add_operations();
  execution.set_id("e");
  execution.set_type(v1::OPERATION_TYPE_EXECUTION);
  execution.mutable_execution_details()->set_input_payload("20");
  return response;
}

absl::StatusOr<int> AddOne(DurableContext& ctx, const int& number) {
  return ctx.Step("add", [&](StepContext&) { return number + 1; });
}

WorkerOptions OptionsFor(OneConversation& service) {
  WorkerOptions options;
  options.channel = service.channel();
  options.session = "s";
  options.name = "w";
  return options;
}

TEST(WorkerTest, RunsAnInvocationOverItsStream) {
  v1::ServeRequest checkpoint;
  v1::ServeRequest outcome;
  OneConversation service([&](OneConversation::Stream& stream) {
    stream.Write(InvocationOf("add-one"));
    stream.Read(&checkpoint);
    v1::ServeResponse answer;
    answer.mutable_checkpoint()->set_checkpoint_token("token-2");
    stream.Write(answer);
    stream.Read(&outcome);
  });
  Worker worker(OptionsFor(service));
  worker.Register("add-one", AddOne, {absl::Milliseconds(1500), absl::Seconds(3)});
  ASSERT_TRUE(worker.Start().ok());
  ASSERT_TRUE(worker.WaitUntilServing(kLong).ok());
  service.WaitForEnd();
  const v1::ServeRequest::Register registered = service.WaitForRegister();
  EXPECT_EQ(registered.session(), "s");
  EXPECT_EQ(registered.worker(), "w");
  ASSERT_EQ(registered.functions_size(), 1);
  EXPECT_EQ(registered.functions(0).function_name(), "add-one");
  EXPECT_TRUE(registered.functions(0).durable());
  EXPECT_EQ(registered.functions(0).durable_config().execution_timeout(), 2);
  EXPECT_EQ(registered.functions(0).timeout().seconds(), 3);
  ASSERT_EQ(checkpoint.checkpoint().updates_size(), 2);
  EXPECT_EQ(checkpoint.checkpoint().checkpoint_token(), "token-1");
  EXPECT_EQ(checkpoint.checkpoint().updates(1).payload(), "21");
  EXPECT_EQ(outcome.outcome().payload(), R"({"Status":"SUCCEEDED","Result":"21"})");
}

TEST(WorkerTest, RefusedCheckpointFailsTheExecution) {
  v1::ServeRequest request;
  OneConversation service([&](OneConversation::Stream& stream) {
    stream.Write(InvocationOf("add-one"));
    stream.Read(&request);
    v1::ServeResponse answer;
    answer.mutable_error()->set_code(grpc::StatusCode::INVALID_ARGUMENT);
    answer.mutable_error()->set_message("bad update");
    stream.Write(answer);
    stream.Read(&request);
  });
  Worker worker(OptionsFor(service));
  worker.Register("add-one", AddOne);
  ASSERT_TRUE(worker.Start().ok());
  service.WaitForEnd();
  EXPECT_EQ(request.outcome().payload(),
            R"({"Status":"FAILED","Error":{"ErrorType":"CheckpointError",)"
            R"("ErrorMessage":"INVALID_ARGUMENT: bad update"}})");
}

TEST(WorkerTest, AbortTellsTheBodyAndEndsWithoutAnAnswer) {
  v1::ServeRequest request;
  absl::Notification in_body;
  bool abandoned = false;
  OneConversation service([&](OneConversation::Stream& stream) {
    stream.Write(InvocationOf("long"));
    in_body.WaitForNotification();
    v1::ServeResponse abort;
    abort.mutable_abort()->set_reason(v1::ServeResponse::Abort::EXECUTION_STOPPED);
    stream.Write(abort);
    while (stream.Read(&request) && !request.has_outcome()) {
    }
  });
  WorkerOptions options = OptionsFor(service);
  options.runtime.checkpoint_window = absl::Hours(1);
  Worker worker(std::move(options));
  worker.Register("long", [&](DurableContext& ctx, const Json&) {
    return ctx.Step("work", [&](StepContext& step) {
      in_body.Notify();
      while (!step.abandoned()) std::this_thread::yield();
      abandoned = true;
    });
  });
  ASSERT_TRUE(worker.Start().ok());
  service.WaitForEnd();
  worker.Shutdown();
  EXPECT_TRUE(abandoned);
  EXPECT_TRUE(request.outcome().has_error());
}

TEST(WorkerTest, RunReturnsAfterShutdown) {
  OneConversation service([](OneConversation::Stream&) {});
  Worker worker(OptionsFor(service));
  worker.Register("add-one", AddOne);
  absl::Status status = absl::UnknownError("still running");
  std::thread running([&] { status = worker.Run(); });
  service.WaitForRegister();
  worker.Shutdown();
  running.join();
  EXPECT_TRUE(status.ok()) << status;
}

TEST(WorkerTest, NeedsAFunctionAndStartsOnce) {
  OneConversation service([](OneConversation::Stream&) {});
  Worker worker(OptionsFor(service));
  EXPECT_EQ(worker.Start().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(worker.WaitUntilServing(kLong).code(), absl::StatusCode::kFailedPrecondition);
  worker.Register("add-one", AddOne);
  EXPECT_TRUE(worker.Start().ok());
  EXPECT_EQ(worker.Start().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(WorkerTest, ShutdownBeforeRunIsKept) {
  OneConversation service([](OneConversation::Stream&) {});
  Worker worker(OptionsFor(service));
  worker.Register("add-one", AddOne);
  worker.Shutdown();
  EXPECT_TRUE(worker.Run().ok());
}

// Sets an environment variable while it lives.
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~ScopedEnvironment() { unsetenv(name_); }

 private:
  const char* const name_;
};

TEST(WorkerTest, AddsThePluginsOfTheEnvironment) {
  static absl::Notification* const told = new absl::Notification();
  class Tells final : public Plugin {
   public:
    void OnInvocationStart(const InvocationInfo&) override { told->Notify(); }
  };
  RegisterPlugin("tells", {[](const InvocationInfo&) { return std::make_unique<Tells>(); }, ""});
  const ScopedEnvironment environment("DURABLE_EXECUTION_PLUGINS", "tells");
  OneConversation service(
      [](OneConversation::Stream& stream) { stream.Write(InvocationOf("nothing")); });
  Worker worker(OptionsFor(service));
  worker.Register("nothing", [](DurableContext&, const Json&) {});
  ASSERT_TRUE(worker.Start().ok());
  told->WaitForNotification();
}

TEST(WorkerTest, DoesNotStartWithAnUnknownPlugin) {
  const ScopedEnvironment environment("DURABLE_EXECUTION_PLUGINS", "unknown");
  OneConversation service([](OneConversation::Stream&) {});
  Worker worker(OptionsFor(service));
  worker.Register("add-one", AddOne);
  EXPECT_EQ(worker.Start().code(), absl::StatusCode::kInvalidArgument);
}

int Main(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  return WorkerMain(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data()));
}

TEST(WorkerMainTest, RefusesFlagsThatAreWrong) {
  EXPECT_NE(Main({"--concurrency=0"}), 0);
  EXPECT_NE(Main({"--no-such-flag"}), 0);
  EXPECT_EQ(Main({"--help"}), 0);
}

// In a process of its own: other threads of this one would take the signal.
TEST(WorkerMainDeathTest, EndsCleanlyAtASignal) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const ScopedEnvironment environment("REHEARSE_SERVER", "127.0.0.1:1");
  EXPECT_EXIT(
      {
        sigset_t terminate;
        sigemptyset(&terminate);
        sigaddset(&terminate, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &terminate, nullptr);
        kill(getpid(), SIGTERM);
        RegisterFunction("add-one", AddOne);
        std::exit(Main({"--session=s", "--concurrency=2"}));
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace durable
