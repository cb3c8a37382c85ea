#include "tests/benchmark/bare_service.h"

namespace rehearse::benchmark {
namespace {

using google::protobuf::Empty;

// Reads the next message when the answer to the last one has been written. Owns itself.
class EchoReactor final : public grpc::ServerBidiReactor<Empty, Empty> {
 public:
  EchoReactor() { StartRead(&message_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    StartWrite(&message_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&message_);
  }
  void OnDone() override { delete this; }

  Empty message_;
};

}  // namespace

grpc::ServerUnaryReactor* BareServiceImpl::Ping(grpc::CallbackServerContext* context, const Empty*,
                                                Empty*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerBidiReactor<Empty, Empty>* BareServiceImpl::Echo(grpc::CallbackServerContext*) {
  return new EchoReactor();
}

}  // namespace rehearse::benchmark
