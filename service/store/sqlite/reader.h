// Reader: the SQL of reads, on a connection of its own; and a pool of them.
//
//   ReaderPool readers(path);
//   absl::StatusOr<ReaderPool::Lease> reader = readers.Take();
//   absl::StatusOr<StoredExecution> header = (*reader)->LoadHeader(arn);
#ifndef REHEARSE_SERVICE_STORE_SQLITE_READER_H_
#define REHEARSE_SERVICE_STORE_SQLITE_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "service/store/execution_store.h"
#include "service/store/sqlite/connection.h"

namespace rehearse::sqlite {

// Used by one thread at a time. Methods as in ExecutionStore.
class Reader {
 public:
  explicit Reader(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  absl::StatusOr<std::unique_ptr<Execution>> Load(absl::string_view arn);
  absl::StatusOr<StoredExecution> LoadHeader(absl::string_view arn);
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view arn, int64_t first_id,
                                                    int64_t last_id);
  absl::StatusOr<std::vector<StoredExecution>> List(const ExecutionQuery& query);
  absl::StatusOr<absl::optional<std::string>> FindByName(absl::string_view session,
                                                         absl::string_view function_name,
                                                         absl::string_view name);
  absl::Status VisitExecutions(ExecutionStore::Visit visit);
  absl::StatusOr<std::vector<record::SessionRecord>> Sessions();

 private:
  struct Header {
    int64_t id;
    record::ExecutionRecord record;
    record::ExecutionProgress progress;
  };
  absl::StatusOr<Header> FindHeader(absl::string_view arn);
  // EXECUTION.
  absl::StatusOr<record::OperationRecord> FirstOperation(int64_t execution, absl::string_view arn);

  const std::unique_ptr<Connection> connection_;
};

// Thread-safe.
class ReaderPool {
 public:
  // A reader, given back at the end.
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<Reader> reader)
        : pool_(&pool), reader_(std::move(reader)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (reader_ != nullptr) pool_->Return(std::move(reader_));
    }
    Reader* operator->() { return reader_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Reader> reader_;
  };

  explicit ReaderPool(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<Lease> Take();

 private:
  void Return(std::unique_ptr<Reader> reader);

  const std::string path_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Reader>> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_READER_H_
