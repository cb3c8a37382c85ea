// The operations of an execution as far as this invocation was told about them. Thread-safe.
//
//   store.Merge(std::move(response.new_state.operations));
//   std::shared_ptr<const Operation> record = store.Find(id);    // null when there is none
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STATE_STORE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STATE_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/plugin.h"

namespace durable {
namespace internal {

class StateStore final : public RecordedOperations {
 public:
  // Later records replace earlier ones with the same id. Returns those that are new or have another
  // status than before.
  std::vector<std::shared_ptr<const Operation>> Merge(std::vector<Operation> operations)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Snapshots, which later merges do not touch.
  std::shared_ptr<const Operation> Find(absl::string_view id) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::shared_ptr<const Operation>> All() const override ABSL_LOCKS_EXCLUDED(mutex_);

  // The service's time. Records may tell that it is ahead of this machine's, as it is where waiting
  // is skipped; it is never taken to be behind.
  absl::Time Now() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether anything besides the execution itself is recorded.
  bool HasOperations() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Operation>> operations_
      ABSL_GUARDED_BY(mutex_);
  // The latest moment that a record has told of, and when it did, on this machine's clock.
  absl::Time latest_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time told_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_STATE_STORE_H_
