#include "service/rpc/open_streams.h"

#include <utility>

namespace rehearse {

void OpenStreams::Add(absl::string_view session, std::shared_ptr<OpenStream> stream) {
  absl::Status ended;
  {
    absl::MutexLock lock(&mutex_);
    ended = ended_;
    if (ended.ok()) by_session_[session].insert(stream);
  }
  if (!ended.ok()) stream->End(ended);
}

void OpenStreams::Remove(absl::string_view session, const std::shared_ptr<OpenStream>& stream) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_session_.find(session);
  if (it == by_session_.end()) return;
  it->second.erase(stream);
  if (it->second.empty()) by_session_.erase(it);
}

void OpenStreams::EndSession(absl::string_view session, const absl::Status& status) {
  Streams streams;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = by_session_.find(session);
    if (it == by_session_.end()) return;
    streams = std::move(it->second);
    by_session_.erase(it);
  }
  for (const std::shared_ptr<OpenStream>& stream : streams) stream->End(status);
}

void OpenStreams::EndAll(const absl::Status& status) {
  absl::flat_hash_map<std::string, Streams> by_session;
  {
    absl::MutexLock lock(&mutex_);
    by_session = std::move(by_session_);
    by_session_.clear();
    ended_ = status;
  }
  for (const auto& entry : by_session) {
    for (const std::shared_ptr<OpenStream>& stream : entry.second) stream->End(status);
  }
}

}  // namespace rehearse
