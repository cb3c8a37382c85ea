// Echo streams of the bare service.
#ifndef REHEARSE_TESTS_BENCHMARK_BARE_CLIENT_H_
#define REHEARSE_TESTS_BENCHMARK_BARE_CLIENT_H_

#include "bare_service.grpc.pb.h"
#include "tests/benchmark/lock_step_stream.h"

namespace rehearse::benchmark {

using EchoStream = LockStepStream<google::protobuf::Empty, google::protobuf::Empty>;

inline EchoStream::Open OpenEcho(BareService::Stub& stub) {
  return [&stub](grpc::ClientContext* context, auto* reactor) {
    stub.async()->Echo(context, reactor);
  };
}

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_BARE_CLIENT_H_
