#include "service/rpc/watch_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/rpc/status.h"

namespace rehearse {
namespace {

bool IsTerminal(const v1::Event& event) {
  switch (event.event_type()) {
    case v1::EVENT_TYPE_EXECUTION_SUCCEEDED:
    case v1::EVENT_TYPE_EXECUTION_FAILED:
    case v1::EVENT_TYPE_EXECUTION_TIMED_OUT:
    case v1::EVENT_TYPE_EXECUTION_STOPPED:
      return true;
    default:
      return false;
  }
}

absl::optional<std::string> SessionOf(const v1::WatchExecutionRequest& request) {
  if (!request.has_session()) return absl::nullopt;
  return request.session();
}

}  // namespace

WatchStream* WatchStream::Open(RpcContext& context, v1::WatchExecutionRequest request) {
  std::shared_ptr<WatchStream> stream(new WatchStream(context, std::move(request)));
  stream->self_ = stream;
  context.streams.Add("", stream);
  context.executor.notifier().AddObserver(stream->request_.durable_execution_arn(), stream.get());
  absl::MutexLock lock(&stream->mutex_);
  if (stream->request_.after_event_id() < 0 && !stream->end_.has_value()) {
    stream->end_ = errors::InvalidParameter("after_event_id must not be negative.");
  }
  stream->Continue();
  return stream.get();
}

void WatchStream::OnChange(const ExecutionNotice& notice) {
  if (notice.removed) {
    End(errors::ExecutionNotFound(request_.durable_execution_arn()));
    return;
  }
  absl::MutexLock lock(&mutex_);
  more_ = true;
  if (activity_ == Activity::kNone) ReadSoon();
}

void WatchStream::End(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  end_ = std::move(status);
  FinishIfIdle();
}

void WatchStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  activity_ = Activity::kNone;
  if (!ok && !end_.has_value()) end_ = absl::CancelledError("The client has gone");
  Continue();
}

void WatchStream::OnCancel() { End(absl::CancelledError("The client has gone")); }

void WatchStream::OnDone() {
  context_.executor.notifier().RemoveObserver(request_.durable_execution_arn(), this);
  context_.streams.Remove("", self_);
  self_.reset();
}

void WatchStream::ReadSoon() {
  if (finished_) return;
  activity_ = Activity::kReading;
  read_soon_ = std::make_unique<grpc::Alarm>();
  read_soon_->Set(gpr_now(GPR_CLOCK_MONOTONIC), [weak = weak_from_this()](bool /*ok*/) {
    if (const std::shared_ptr<WatchStream> stream = weak.lock()) stream->Read();
  });
}

void WatchStream::Read() {
  bool first_read;
  int64_t first_id;
  {
    absl::MutexLock lock(&mutex_);
    more_ = false;
    first_read = last_event_id_ == 0;
    // Starts with the event before the first that is wanted: it may have been the last one of all.
    first_id = std::max<int64_t>(1, first_read ? request_.after_event_id() : last_event_id_ + 1);
  }
  absl::StatusOr<std::vector<v1::Event>> page = context_.executor.ReadEvents(
      SessionOf(request_), request_.durable_execution_arn(), first_id, kDefaultPageItems,
      !request_.has_include_execution_data() || request_.include_execution_data());
  if (page.ok() && page->empty() && first_read) {
    page = errors::InvalidParameter(
        absl::StrCat("There is no event with the id of after_event_id, ", first_id, "."));
  }

  absl::MutexLock lock(&mutex_);
  activity_ = Activity::kNone;
  if (page.ok()) {
    page_ = *std::move(page);
    page_position_ = 0;
    if (!page_.empty()) more_ = true;
  } else if (!end_.has_value()) {
    end_ = page.status();
  }
  Continue();
}

void WatchStream::Continue() {
  while (!end_.has_value() && page_position_ < page_.size()) {
    v1::Event& event = page_[page_position_++];
    last_event_id_ = event.event_id();
    if (IsTerminal(event)) end_ = absl::OkStatus();
    if (last_event_id_ <= request_.after_event_id()) continue;
    *response_.mutable_event() = std::move(event);
    activity_ = Activity::kWriting;
    StartWrite(&response_);
    return;
  }
  if (end_.has_value()) {
    FinishIfIdle();
  } else if (more_) {
    ReadSoon();
  }
}

void WatchStream::FinishIfIdle() {
  if (activity_ != Activity::kNone || finished_) return;
  finished_ = true;
  Finish(ToGrpcStatus(*end_));
}

}  // namespace rehearse
