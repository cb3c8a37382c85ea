// HoldStream: one HoldSession call. Its end, however it ends, deletes the session (but `default`
// stays).
//
//   return HoldStream::Open(context_, request->name());
#ifndef REHEARSE_SERVICE_RPC_HOLD_STREAM_H_
#define REHEARSE_SERVICE_RPC_HOLD_STREAM_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "service/rpc/open_streams.h"
#include "service/rpc/rpc_context.h"

namespace rehearse {

class HoldStream final : public grpc::ServerWriteReactor<v1::HoldSessionResponse>,
                         public OpenStream {
 public:
  // The reactor owns itself until the call is done.
  static HoldStream* Open(RpcContext& context, std::string session);

  void End(absl::Status status) override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  HoldStream(RpcContext& context, std::string session)
      : context_(context), session_(std::move(session)) {}

  // Says that the hold is in place.
  absl::Status Hold();
  void FinishIfWritten() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  RpcContext& context_;
  const std::string session_;
  // Until OnDone.
  std::shared_ptr<HoldStream> self_;
  bool holds_session_ = false;
  const v1::HoldSessionResponse in_place_;

  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_HOLD_STREAM_H_
