// DeltaWriter: the SQL of changes.
//
//   DeltaWriter writer;
//   absl::Status status = writer.Apply(connection, write);     // within a transaction
#ifndef REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_
#define REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/checkpoint/execution.h"
#include "service/store/sqlite/connection.h"

namespace rehearse::sqlite {

// A delta as it is written: messages as bytes.
struct Write {
  struct OpenOperation {
    bool pending;
    std::string record;
  };
  struct Created {
    std::string session;
    std::string function_name;
    std::string version;
    std::string name;
    int64_t start_time_nanos;
    // Without the ARN, which has a column.
    std::string record;
  };

  explicit Write(const ExecutionDelta& delta);

  std::string arn;
  absl::optional<Created> created;
  int64_t status;
  std::string progress;
  // By position; nullopt: closed.
  std::vector<std::pair<int64_t, absl::optional<OpenOperation>>> operations;
  // The closed ones and the events, length-delimited; empty: none.
  std::string closed_operations;
  std::string events;
  // That of the first event, or of the next one to come.
  int64_t first_event_id;
  absl::optional<std::string> reply;
};

// Used by the thread that writes.
class DeltaWriter {
 public:
  // Refuses as ExecutionStore::Commit says.
  absl::Status Apply(Connection& connection, const Write& write);
  absl::Status Delete(Connection& connection, absl::string_view arn);
  absl::Status DeleteSession(Connection& connection, absl::string_view session);

  // Changes since the last commit are gone again.
  void Forget() { known_.clear(); }

 private:
  // An execution, and its replies in batches of kMaxCheckpointReplies: those of the batches before
  // the last full one are not needed any more.
  struct Known {
    int64_t id;
    int batch_size = 0;
    int64_t batch_first_event = 0;
    int64_t kept_first_event = 0;
  };

  absl::Status Create(Connection& connection, const Write& write);
  // ExecutionNotFound. Valid until the next call.
  absl::StatusOr<Known*> Find(Connection& connection, absl::string_view arn);
  absl::Status PutOperations(Connection& connection, int64_t execution, const Write& write);
  absl::Status AddChange(Connection& connection, Known& execution, const Write& write);
  absl::Status DropOldReplies(Connection& connection, Known& execution, int64_t first_event);

  // Executions that were written lately, by ARN.
  absl::flat_hash_map<std::string, Known> known_;
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_
