#include "service/peers/grpc_peers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "service/base/check.h"
#include "service/base/errors.h"
#include "service/worker/channel.h"
#include "service/worker/status.h"

namespace rehearse {
namespace {

// Wall time in which a replica that lives has answered, PostgreSQL's delays included: one that has
// been stopped would keep the caller for longer than its lease. Functions run for as long as they
// may.
constexpr absl::Duration kAnswerLimit = absl::Seconds(20);

// As gRPC names the method of DurableExecutions that takes such a request.
std::string MethodOf(const google::protobuf::Message& request) {
  const google::protobuf::ServiceDescriptor& service =
      *v1::StartExecutionRequest::descriptor()->file()->FindServiceByName("DurableExecutions");
  for (int i = 0; i < service.method_count(); ++i) {
    if (service.method(i)->input_type() == request.GetDescriptor()) {
      return absl::StrCat("/", service.full_name(), "/", service.method(i)->name());
    }
  }
  REHEARSE_CHECK(false);
  return "";
}

grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(const grpc::ByteBuffer& buffer, google::protobuf::Message& message) {
  grpc::Slice slice;
  return buffer.TrySingleSlice(&slice).ok() || buffer.DumpToSingleSlice(&slice).ok()
             ? message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))
             : false;
}

// One call, which deletes itself.
struct PendingCall {
  std::shared_ptr<grpc::GenericStub> stub;
  std::string address;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer reply;
  std::unique_ptr<google::protobuf::Message> response;
  ReplicaPeers::Answered answered;

  void Finish(const grpc::Status& status) {
    absl::Status result = worker::FromGrpcStatus(status);
    // What comes from gRPC itself says nothing of AWS's names.
    if (!result.ok() && worker::ErrorReason(result).empty()) {
      result = errors::StoreUnavailable(absl::StrCat("the replica at ", address,
                                                     ", which works on the execution, does not "
                                                     "answer: ",
                                                     result.message()));
    }
    if (result.ok() && !Parse(reply, *response)) {
      result = errors::Internal(absl::StrCat("the replica at ", address, " answers nonsense"));
    }
    answered(std::move(result), std::move(response));
    delete this;
  }
};

}  // namespace

void GrpcPeers::Call(const std::string& address, const google::protobuf::Message& request,
                     std::unique_ptr<google::protobuf::Message> response, Answered answered) {
  auto* const call = new PendingCall;
  call->stub = StubOf(address);
  call->address = address;
  call->request = ToBuffer(request);
  call->response = std::move(response);
  call->answered = std::move(answered);
  if (request.GetDescriptor() != v1::InvokeFunctionRequest::descriptor()) {
    call->context.set_deadline(absl::ToChronoTime(absl::Now() + kAnswerLimit));
  }
  call->stub->UnaryCall(&call->context, MethodOf(request), grpc::StubOptions(), &call->request,
                        &call->reply, [call](const grpc::Status& status) { call->Finish(status); });
}

std::shared_ptr<grpc::GenericStub> GrpcPeers::StubOf(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<grpc::GenericStub>& stub = stubs_[address];
  if (stub == nullptr) {
    stub = std::make_shared<grpc::GenericStub>(worker::CreateChannel(address, "rehearse-replica"));
  }
  return stub;
}

}  // namespace rehearse
