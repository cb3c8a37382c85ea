// OpenStreams: the streams that end with a session, or with the service.
//
//   streams.Add("s-1", stream);
//   streams.EndSession("s-1", absl::AbortedError("..."));   // stream->End(...)
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_RPC_OPEN_STREAMS_H_
#define REHEARSE_SERVICE_RPC_OPEN_STREAMS_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace rehearse {

class OpenStream {
 public:
  virtual ~OpenStream() = default;
  // Ends the call with `status` once what is queued for the client has been written. The first end
  // counts. Thread-safe.
  virtual void End(absl::Status status) = 0;
};

class OpenStreams {
 public:
  // A stream that belongs to no session is added with an empty one. After EndAll a new stream is
  // ended at once.
  void Add(absl::string_view session, std::shared_ptr<OpenStream> stream);
  // Harmless for a stream that is not there.
  void Remove(absl::string_view session, const std::shared_ptr<OpenStream>& stream);

  void EndSession(absl::string_view session, const absl::Status& status);
  void EndAll(const absl::Status& status);

 private:
  using Streams = absl::flat_hash_set<std::shared_ptr<OpenStream>>;

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Streams> by_session_ ABSL_GUARDED_BY(mutex_);
  // Not OK after EndAll.
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_RPC_OPEN_STREAMS_H_
