// BareService over gRPC's callback API, as the service under test uses it.
#ifndef REHEARSE_TESTS_BENCHMARK_BARE_SERVICE_H_
#define REHEARSE_TESTS_BENCHMARK_BARE_SERVICE_H_

#include "bare_service.grpc.pb.h"

namespace rehearse::benchmark {

class BareServiceImpl final : public BareService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Ping(grpc::CallbackServerContext* context,
                                 const google::protobuf::Empty* request,
                                 google::protobuf::Empty* response) override;
  grpc::ServerBidiReactor<google::protobuf::Empty, google::protobuf::Empty>* Echo(
      grpc::CallbackServerContext* context) override;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_BARE_SERVICE_H_
