// MemoryStore: executions kept in memory, as serialized bytes, for as long as the process lives.
//
//   MemoryStore store;
//   store.Commit({&delta}, [](absl::Status status) { ... });   // called before Commit returns
#ifndef REHEARSE_SERVICE_STORE_MEMORY_MEMORY_STORE_H_
#define REHEARSE_SERVICE_STORE_MEMORY_MEMORY_STORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "service/store/execution_store.h"

namespace rehearse {

// Thread-safe. Messages are serialized and parsed outside the lock.
class MemoryStore final : public ExecutionStore {
 public:
  MemoryStore();
  ~MemoryStore() override;

  void Commit(std::vector<const ExecutionDelta*> deltas, Committed committed) override;
  absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn) override;
  absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn) override;
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                    int64_t last_id) override;
  // O(page) for every query that does not filter by status or version, or by name without a
  // function.
  absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query) override;
  absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                         absl::string_view function_name,
                                                         absl::string_view name) override;
  absl::Status VisitExecutions(Visit visit) override;
  absl::Status Delete(const std::vector<std::string>& arns) override;
  absl::Status PutSession(const record::SessionRecord& session) override;
  absl::StatusOr<std::vector<record::SessionRecord>> Sessions() override;
  absl::Status DeleteSession(absl::string_view session) override;

 private:
  // A place in the order of lists.
  using Place = std::pair<absl::Time, absl::string_view>;
  // One execution.
  struct Row;
  struct ByPlace {
    using is_transparent = void;
    static Place PlaceOf(const Row* row);
    static Place PlaceOf(const Place& place) { return place; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return PlaceOf(a) < PlaceOf(b);
    }
  };
  using Index = absl::btree_set<Row*, ByPlace>;
  struct Function {
    Index index;
    absl::flat_hash_map<std::string, Row*> by_name;
  };
  struct Session {
    Index index;
    absl::flat_hash_map<std::string, std::unique_ptr<Function>> functions;
  };
  // A delta as bytes.
  struct Write;

  static Write Serialize(const ExecutionDelta& delta);

  // nullptr: not there.
  Row* FindRow(absl::string_view arn) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  const Session* FindSession(absl::string_view session) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  const Function* FindFunction(absl::string_view session, absl::string_view function_name)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // What List goes through for the query, nullptr: nothing. `named` is room for a list by name.
  const Index* IndexFor(const ExecutionQuery& query, Index& named)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  static bool Matches(const Row& row, const ExecutionQuery& query);
  // Why the deltas cannot be written.
  absl::Status Check(const std::vector<const ExecutionDelta*>& deltas)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Apply(const ExecutionDelta& delta, Write write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Row* Create(const ExecutionDelta& delta, Write& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the row out of all indexes. The caller destroys it after the lock.
  std::unique_ptr<Row> Take(absl::string_view arn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  // Keys are views of the rows' ARNs.
  absl::flat_hash_map<absl::string_view, std::unique_ptr<Row>> rows_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, record::SessionRecord> session_records_ ABSL_GUARDED_BY(mutex_);
  // Functions stay until their session is deleted.
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_MEMORY_MEMORY_STORE_H_
