// DeltaWriter: the SQL of changes.
//
//   DeltaWriter writer;
//   absl::Status status = writer.Apply(connection, write);     // within a transaction
#ifndef REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_
#define REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_

#include <cstdint>
#include <string>
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
  struct Operation {
    int64_t position;
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
  std::vector<Operation> operations;
  // Length-delimited; empty: none.
  int64_t first_event_id = 0;
  std::string events;
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
  void Forget() { ids_.clear(); }

 private:
  absl::StatusOr<int64_t> Create(Connection& connection, const Write& write);
  // ExecutionNotFound.
  absl::StatusOr<int64_t> IdOf(Connection& connection, absl::string_view arn);
  absl::Status AddReply(Connection& connection, int64_t execution, absl::string_view reply);

  // Executions that were written lately, by ARN.
  absl::flat_hash_map<std::string, int64_t> ids_;
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_DELTA_WRITER_H_
