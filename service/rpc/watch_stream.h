// WatchStream: one WatchExecution call: the history of an execution, as it is written.
//
// Events are read from the store in pages, at the pace of the client: on the execution's lane it
// only notes that there is more. Ends with OK behind the terminal event, with ExecutionNotFound
// when the execution is gone.
//
//   return WatchStream::Open(context_, std::move(request));
#ifndef REHEARSE_SERVICE_RPC_WATCH_STREAM_H_
#define REHEARSE_SERVICE_RPC_WATCH_STREAM_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "service/executor/execution_observer.h"
#include "service/rpc/open_streams.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class WatchStream final : public grpc::ServerWriteReactor<v1::WatchExecutionResponse>,
                          public ExecutionObserver,
                          public OpenStream,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // The reactor owns itself until the call is done.
  static WatchStream* Open(RpcContext& context, v1::WatchExecutionRequest request);

  void OnChange(const ExecutionNotice& notice) override;
  void End(absl::Status status) override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // At most one of reading and writing is under way; whoever ends it goes on with Continue.
  enum class Activity { kNone, kReading, kWriting };

  WatchStream(RpcContext& context, v1::WatchExecutionRequest request)
      : context_(context), request_(std::move(request)) {}

  // Reads the next page from the store, on a thread of gRPC's.
  void ReadSoon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Read();
  // Writes the next event of the page, or reads on when it is used up and there may be more.
  void Continue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  RpcContext& context_;
  const v1::WatchExecutionRequest request_;
  // Until OnDone.
  std::shared_ptr<WatchStream> self_;
  absl::Mutex mutex_;
  Activity activity_ ABSL_GUARDED_BY(mutex_) = Activity::kNone;
  // The store may hold events behind the page.
  bool more_ ABSL_GUARDED_BY(mutex_) = true;
  std::vector<v1::Event> page_ ABSL_GUARDED_BY(mutex_);
  size_t page_position_ ABSL_GUARDED_BY(mutex_) = 0;
  // 0: nothing has been read yet.
  int64_t last_event_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Alarm> read_soon_ ABSL_GUARDED_BY(mutex_);
  v1::WatchExecutionResponse response_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_WATCH_STREAM_H_
