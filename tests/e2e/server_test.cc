// The server as a whole: start, stop, health, reflection, the size of messages.
#include "service/server/server.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "service/rpc/scripted_worker.h"
#include "service/worker/channel.h"
#include "standard_services.pb.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

using HealthStub = grpc::TemplatedGenericStub<e2e::HealthCheckRequest, e2e::HealthCheckResponse>;
using ReflectionStub =
    grpc::TemplatedGenericStub<e2e::ServerReflectionRequest, e2e::ServerReflectionResponse>;

std::vector<std::string> ServiceNames() {
  return {v1::DurableExecutions::service_full_name(), v1::FunctionHost::service_full_name(),
          v1::TestSessions::service_full_name()};
}

std::string Health(Served& served, const std::string& service) {
  HealthStub stub(served.channel());
  grpc::ClientContext context;
  SetDeadline(context);
  e2e::HealthCheckRequest request;
  request.set_service(service);
  e2e::HealthCheckResponse response;
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&](grpc::Status result) {
                   status = std::move(result);
                   done.Notify();
                 });
  done.WaitForNotification();
  return status.ok() ? e2e::HealthCheckResponse::ServingStatus_Name(response.status())
                     : TextOf(worker::FromGrpcStatus(status));
}

// A stream over the generic stub, one message at a time.
template <typename Request, typename Response>
class GenericStream {
 public:
  GenericStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method)
      : stub_(channel) {
    SetDeadline(context_);
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(this);
    Next();
  }
  ~GenericStream() {
    context_.TryCancel();
    grpc::Status status;
    stream_->Finish(&status, this);
    Next();
  }

  void Send(const Request& request) {
    stream_->Write(request, this);
    Next();
  }
  // An empty one at the end.
  Response Receive() {
    Response response;
    stream_->Read(&response, this);
    if (!Next()) response.Clear();
    return response;
  }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }

  grpc::TemplatedGenericStub<Request, Response> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;
};

using ReflectionStream = GenericStream<e2e::ServerReflectionRequest, e2e::ServerReflectionResponse>;
using HealthStream = GenericStream<e2e::HealthCheckRequest, e2e::HealthCheckResponse>;

constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

TEST(ServerTest, HealthIsServingForTheServerAndEachService) {
  Served served;
  EXPECT_EQ(Health(served, ""), "SERVING");
  for (const std::string& service : ServiceNames()) EXPECT_EQ(Health(served, service), "SERVING");
  EXPECT_THAT(Health(served, "rehearse.v1.Unknown"), StartsWith("NOT_FOUND"));
}

TEST(ServerTest, HealthIsNotServingAsSoonAsTheServerStops) {
  Served served;
  HealthStream watch(served.channel(), "/grpc.health.v1.Health/Watch");
  watch.Send(e2e::HealthCheckRequest());
  EXPECT_EQ(watch.Receive().status(), e2e::HealthCheckResponse::SERVING);
  std::thread stopping([&] { served.server().Shutdown(); });
  EXPECT_EQ(watch.Receive().status(), e2e::HealthCheckResponse::NOT_SERVING);
  stopping.join();
}

TEST(ServerTest, ReflectionListsAndDescribesEveryService) {
  Served served;
  ReflectionStream reflection(served.channel(), kReflection);
  e2e::ServerReflectionRequest request;
  request.set_list_services("");
  reflection.Send(request);
  std::vector<std::string> names;
  const e2e::ServerReflectionResponse list = reflection.Receive();
  for (const e2e::ServiceResponse& service : list.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, IsSupersetOf(ServiceNames()));
  EXPECT_THAT(names, Contains("grpc.health.v1.Health"));
  for (const std::string& name : ServiceNames()) {
    request.set_file_containing_symbol(name);
    reflection.Send(request);
    const e2e::ServerReflectionResponse file = reflection.Receive();
    // Of the file itself and of what it imports.
    std::vector<std::string> described;
    for (const std::string& bytes : file.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto descriptor;
      EXPECT_TRUE(descriptor.ParseFromString(bytes));
      for (const auto& service : descriptor.service()) {
        described.push_back(absl::StrCat(descriptor.package(), ".", service.name()));
      }
    }
    EXPECT_THAT(described, Contains(name));
  }
}

// `bytes` as the service receives it.
v1::StartExecutionRequest StartOfSize(size_t bytes) {
  v1::StartExecutionRequest request;
  request.set_function_name("orders");
  request.set_input("");
  const size_t frame = request.ByteSizeLong() + 3;  // the length of the input takes four bytes
  request.set_input(std::string(bytes - frame, 'x'));
  EXPECT_EQ(request.ByteSizeLong(), bytes);
  return request;
}

TEST(ServerTest, TakesMessagesOfUpTo64MiB) {
  Served served;
  // gRPC's own channels send messages of any size.
  TestClient unlimited(grpc::CreateChannel(served.address(), grpc::InsecureChannelCredentials()));
  ScriptedWorker worker(unlimited.functions());
  worker.Register("default", {"orders"});
  // The service itself answers the largest message, gRPC one that is larger.
  EXPECT_EQ(TextOf(unlimited.Call(&v1::DurableExecutions::Stub::StartExecution,
                                  StartOfSize(kMaxReceiveMessageBytes))),
            "OUT_OF_RANGE RequestTooLargeException: Execution input payload size must be less than "
            "or equal to 1048576 bytes.");
  EXPECT_EQ(TextOf(unlimited.Call(&v1::DurableExecutions::Stub::StartExecution,
                                  StartOfSize(kMaxReceiveMessageBytes + 1))),
            "RESOURCE_EXHAUSTED: Received message larger than max (67108865 vs. 67108864)");

  const std::string arn = unlimited.Start("default", "orders");
  v1::ServeRequest request = CheckpointOf(worker.ReceiveInvocation(), {});
  v1::OperationUpdate& update = *request.mutable_checkpoint()->add_updates();
  update = StepUpdate("a", v1::OPERATION_ACTION_SUCCEED);
  update.set_payload(std::string(kMaxReceiveMessageBytes, 'x'));
  worker.Send(request);
  EXPECT_THAT(TextOf(worker.AwaitEnd()), StartsWith("RESOURCE_EXHAUSTED"));
  v1::WaitForExecutionRequest wait;
  wait.set_durable_execution_arn(arn);
  wait.add_statuses(v1::EXECUTION_STATUS_RUNNING);
  wait.set_invocation_ended(true);
  EXPECT_EQ(TextOf(unlimited.Call(&v1::TestSessions::Stub::WaitForExecution, wait)), "OK");
  EXPECT_EQ(unlimited.Inspect(arn).consecutive_failures(), 1);
}

TEST(ServerTest, LargestInputAndResultGoThroughAWorkerStream) {
  Served served;
  const std::string session = served.client().CreateSession();
  const std::string input(6'291'456, 'x');
  const auto pool = served.Serve(session, "orders", 1, [&](worker::InvocationChannel& channel) {
    const auto& operations = channel.invocation().durable().initial_execution_state().operations();
    EXPECT_EQ(operations[0].execution_details().input_payload(), input);
    return Succeed(absl::StrCat("\"", input, "\""));
  });
  v1::StartExecutionRequest request;
  request.set_session(session);
  request.set_function_name("orders");
  request.set_invocation_type(v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  request.set_input(input);
  const v1::Execution execution = served.client().AwaitEnd(served.client().Start(request));
  EXPECT_EQ(execution.status(), v1::EXECUTION_STATUS_SUCCEEDED);
  EXPECT_EQ(execution.result(), input);
}

TEST(ServerTest, StopsUnderLoad) {
  Server::Options options;
  options.session_defaults.set_clock_mode(v1::CLOCK_MODE_SKIP);
  for (int round = 0; round < 3; ++round) {
    Served served(options);
    const auto pool = served.Serve("", "orders", 4, [](worker::InvocationChannel& channel) {
      const auto& operations =
          channel.invocation().durable().initial_execution_state().operations();
      if (operations.size() > 1) return Succeed("\"done\"");
      channel.Checkpoint(CheckpointOf(channel.invocation(), {WaitUpdate("w", 86400)}).checkpoint())
          .IgnoreError();
      return Pend();
    });
    std::vector<std::string> ends(4);
    std::atomic<int> finished{0};
    absl::Notification some_finished;
    std::vector<std::thread> threads;
    for (std::string& end : ends) {
      threads.emplace_back([&] {
        while (true) {
          v1::StartExecutionRequest start;
          start.set_function_name("orders");
          const auto started =
              served.client().Call(&v1::DurableExecutions::Stub::StartExecution, start);
          v1::WaitForExecutionRequest wait;
          absl::Status status = started.status();
          if (status.ok()) {
            wait.set_durable_execution_arn(started->durable_execution_arn());
            status = served.client().Call(&v1::TestSessions::Stub::WaitForExecution, wait).status();
          }
          end = TextOf(status);
          if (!status.ok()) return;
          if (++finished == 20) some_finished.Notify();
        }
      });
    }
    some_finished.WaitForNotification();
    served.server().Shutdown();
    for (std::thread& thread : threads) thread.join();
    // Said by the service, or by gRPC of calls that it did not reach any more.
    EXPECT_THAT(ends, Each(AnyOf(StartsWith("UNAVAILABLE"), StartsWith("CANCELLED"))));
  }
}

TEST(ServerTest, AnAddressServesAgainAfterItsServerHasStopped) {
  std::string address;
  for (int i = 0; i < 5; ++i) {
    Server::Options options;
    options.grpc_address = address;
    Served served(options);
    address = served.address();
    EXPECT_EQ(Health(served, ""), "SERVING");
    served.server().Shutdown();
    served.server().Shutdown();
  }
}

TEST(ServerTest, TakenAddressAndBadOptionsAreClearErrors) {
  Served served;
  const auto start = [](Server::Options options) { return TextOf(Server::Start(options)); };
  Server::Options taken;
  taken.grpc_address = served.address();
  EXPECT_EQ(start(taken),
            absl::StrCat("ALREADY_EXISTS: address already in use: ", served.address()));
  Server::Options bad;
  bad.grpc_address = "nowhere";
  EXPECT_EQ(start(bad),
            "INVALID_ARGUMENT: bad address 'nowhere': expected HOST:PORT, for example "
            "127.0.0.1:9013");
  Server::Options limits;
  limits.session_defaults.set_limits_profile("none");
  EXPECT_EQ(start(limits),
            "INVALID_ARGUMENT InvalidParameterValueException: Unknown limits profile 'none': use "
            "'aws' or 'aws-2025'.");
  Server::Options policy;
  policy.session_defaults.set_failure_policy("none");
  EXPECT_EQ(start(policy),
            "INVALID_ARGUMENT InvalidParameterValueException: Unknown failure policy 'none'; use "
            "'aws' or 'python-testing'.");
}

}  // namespace
}  // namespace rehearse
