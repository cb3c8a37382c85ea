// Watch: a WatchExecution call, for tests.
//
//   Watch watch(client, arn);
//   EXPECT_EQ(watch.Next().event_type(), v1::EVENT_TYPE_EXECUTION_STARTED);
//   EXPECT_THAT(watch.IdsToTheEnd(), ElementsAre(2, 3));
//   EXPECT_EQ(watch.End(), "OK");
#ifndef REHEARSE_TESTS_E2E_WATCH_H_
#define REHEARSE_TESTS_E2E_WATCH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "service/rpc/test_client.h"

namespace rehearse {

// For one thread. A watch that is left is cancelled.
class Watch {
 public:
  Watch(TestClient& client, const v1::WatchExecutionRequest& request)
      : reader_((SetDeadline(context_), client.executions().WatchExecution(&context_, request))) {}
  Watch(TestClient& client, const std::string& arn, int64_t after_event_id = 0)
      : Watch(client, RequestOf(arn, after_event_id)) {}
  ~Watch() {
    if (!ended_) Cancel();
  }

  static v1::WatchExecutionRequest RequestOf(const std::string& arn, int64_t after_event_id) {
    v1::WatchExecutionRequest request;
    request.set_durable_execution_arn(arn);
    request.set_after_event_id(after_event_id);
    return request;
  }

  // The next event; one of id 0 at the end.
  v1::Event Next() {
    v1::WatchExecutionResponse response;
    if (!reader_->Read(&response)) return {};
    return response.event();
  }

  std::vector<int64_t> IdsToTheEnd() {
    std::vector<int64_t> ids;
    for (v1::Event event = Next(); event.event_id() != 0; event = Next()) {
      ids.push_back(event.event_id());
    }
    return ids;
  }

  // Call at the end of the events.
  std::string End() {
    ended_ = true;
    return TextOf(worker::FromGrpcStatus(reader_->Finish()));
  }

  std::string Cancel() {
    context_.TryCancel();
    IdsToTheEnd();
    return End();
  }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReader<v1::WatchExecutionResponse>> reader_;
  bool ended_ = false;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_E2E_WATCH_H_
