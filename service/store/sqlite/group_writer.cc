#include "service/store/sqlite/group_writer.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"

namespace rehearse::sqlite {
namespace {

// Jobs in one transaction: bounds how long the first of them waits for the last.
constexpr size_t kMaxGroup = 512;

// Free pages are worth giving back from here on, this many at a time, when nothing has come for
// this long.
constexpr int64_t kMinFreePages = 256;
constexpr char kFreeSomePages[] = "PRAGMA incremental_vacuum(256)";
constexpr absl::Duration kQuiet = absl::Seconds(1);

}  // namespace

GroupWriter::GroupWriter(std::unique_ptr<Connection> connection,
                         absl::AnyInvocable<void()> rolled_back)
    : connection_(std::move(connection)),
      rolled_back_(std::move(rolled_back)),
      thread_([this] { Loop(); }) {}

GroupWriter::~GroupWriter() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void GroupWriter::Add(Job job, Done done) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back({std::move(job), std::move(done), absl::OkStatus()});
}

absl::Status GroupWriter::Run(Job job) {
  absl::Notification done;
  absl::Status result;
  Add(std::move(job), [&](absl::Status status) {
    result = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

void GroupWriter::Loop() {
  std::vector<Entry> group;
  bool tidy = false;
  while (Take(tidy ? absl::InfiniteDuration() : kQuiet, group)) {
    tidy = group.empty() && !TidyUp();
    for (size_t begin = 0; begin < group.size(); begin += kMaxGroup) {
      Entry* first = &group[begin];
      Entry* last = first + std::min(kMaxGroup, group.size() - begin);
      if (!Write(first, last)) WriteEach(first, last);
      for (Entry* entry = first; entry < last; ++entry) entry->done(std::move(entry->status));
    }
    group.clear();
  }
}

bool GroupWriter::Take(absl::Duration patience, std::vector<Entry>& group) {
  absl::MutexLock lock(&mutex_);
  const auto something = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !waiting_.empty() || closing_;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&something), patience);
  group.swap(waiting_);
  return !group.empty() || !closing_;
}

bool GroupWriter::Write(Entry* begin, Entry* end) {
  absl::Status status = connection_->Prepared("BEGIN IMMEDIATE").Run();
  const bool begun = status.ok();
  for (Entry* entry = begin; entry < end && status.ok(); ++entry) status = entry->job(*connection_);
  if (status.ok()) status = connection_->Prepared("COMMIT").Run();
  for (Entry* entry = begin; entry < end; ++entry) entry->status = status;
  if (!status.ok()) RollBack();
  return status.ok() || !begun;
}

void GroupWriter::WriteEach(Entry* begin, Entry* end) {
  // What the write-ahead log has can be moved into the database, if that has room: the log begins
  // anew then.
  if (absl::IsUnavailable(begin->status)) {
    connection_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
  }
  for (Entry* entry = begin; entry < end; ++entry) Write(entry, entry + 1);
}

void GroupWriter::RollBack() {
  if (!connection_->in_autocommit()) connection_->Prepared("ROLLBACK").Run().IgnoreError();
  rolled_back_();
}

bool GroupWriter::TidyUp() {
  const absl::StatusOr<int64_t> free = ReadPragma(*connection_, "freelist_count");
  if (free.ok() && *free >= kMinFreePages && connection_->Prepared(kFreeSomePages).Run().ok()) {
    return true;
  }
  connection_->Prepared("PRAGMA wal_checkpoint(PASSIVE)").Run().IgnoreError();
  return false;
}

}  // namespace rehearse::sqlite
