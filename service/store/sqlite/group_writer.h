// GroupWriter: the one thread that writes to a database. Whatever waits when it is free goes into
// one transaction: group commit. When one of the jobs is refused, each gets a transaction of its
// own.
//
//   GroupWriter writer(std::move(connection));
//   writer.Add([delta](Connection& connection) { return Write(connection, delta); },
//              [](absl::Status status) { ... });     // OK: durable
#ifndef REHEARSE_SERVICE_STORE_SQLITE_GROUP_WRITER_H_
#define REHEARSE_SERVICE_STORE_SQLITE_GROUP_WRITER_H_

#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/store/sqlite/connection.h"

namespace rehearse::sqlite {

// Thread-safe.
class GroupWriter {
 public:
  // Makes changes on the connection, or says why not. Run on the writer's thread; again, from the
  // beginning, when a transaction could not be committed.
  using Job = absl::AnyInvocable<absl::Status(Connection&)>;
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // `rolled_back` is called on the writer's thread when changes that jobs have made are gone again.
  GroupWriter(std::unique_ptr<Connection> connection, absl::AnyInvocable<void()> rolled_back);
  // Writes what waits, and ends.
  ~GroupWriter();

  // `done` is called once, on the writer's thread: OK when the job's changes are durable, what the
  // job answered, or why nothing could be written.
  void Add(Job job, Done done);
  // The same, waiting for it. Not from the writer's thread.
  absl::Status Run(Job job);

 private:
  struct Entry {
    Job job;
    Done done;
    absl::Status status;
  };

  void Loop();
  // Takes what waits. Empty: nothing came for so long. False: the end.
  bool Take(absl::Duration patience, std::vector<Entry>& group);
  // Writes [begin, end) in one transaction, or nothing, and sets their status. False: tried one by
  // one they may fare better.
  bool Write(Entry* begin, Entry* end);
  // After that: makes what room there is, and writes them one by one. One may be refused without
  // the others, and what does not fit together may fit alone.
  void WriteEach(Entry* begin, Entry* end);
  void RollBack();
  // Gives some pages that are free back to the file system; when there are few, moves what the
  // write-ahead log has into the database, so that a commit has not to. False: that was all.
  bool TidyUp();

  const std::unique_ptr<Connection> connection_;
  absl::AnyInvocable<void()> rolled_back_;
  absl::Mutex mutex_;
  std::vector<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_GROUP_WRITER_H_
