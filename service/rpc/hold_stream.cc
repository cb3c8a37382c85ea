#include "service/rpc/hold_stream.h"

#include "absl/status/statusor.h"
#include "service/rpc/status.h"

namespace rehearse {

HoldStream* HoldStream::Open(RpcContext& context, std::string session) {
  std::shared_ptr<HoldStream> stream(new HoldStream(context, std::move(session)));
  stream->self_ = stream;
  context.streams.Add(stream->session_, stream);
  absl::Status status = stream->Hold();
  if (!status.ok()) stream->End(std::move(status));
  return stream.get();
}

absl::Status HoldStream::Hold() {
  absl::Status status = context_.executor.HoldSession(session_).status();
  if (!status.ok()) return status;
  holds_session_ = true;
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return absl::OkStatus();
  writing_ = true;
  StartWrite(&in_place_);
  return absl::OkStatus();
}

void HoldStream::End(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  end_ = std::move(status);
  FinishIfWritten();
}

void HoldStream::OnWriteDone(bool /*ok*/) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  FinishIfWritten();
}

void HoldStream::OnCancel() { End(absl::CancelledError("The client has gone")); }

void HoldStream::OnDone() {
  context_.streams.Remove(session_, self_);
  if (holds_session_) {
    context_.executor.ReleaseSession(session_);
    v1::DeleteSessionRequest request;
    request.set_name(session_);
    // Not found when a call has deleted it before.
    DeleteSession(context_, std::move(request),
                  [](const absl::StatusOr<v1::DeleteSessionResponse>& /*response*/) {});
  }
  self_.reset();
}

void HoldStream::FinishIfWritten() {
  if (!end_.has_value() || writing_ || finished_) return;
  finished_ = true;
  Finish(ToGrpcStatus(*end_));
}

}  // namespace rehearse
