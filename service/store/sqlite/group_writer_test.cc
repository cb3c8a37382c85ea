#include "service/store/sqlite/group_writer.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GroupWriterTest : public testing::Test {
 protected:
  GroupWriterTest() : path_(absl::StrCat(getenv("TEST_TMPDIR"), "/", TestName(), ".db")) {
    unlink(path_.c_str());
    std::unique_ptr<Connection> connection = *Connection::Open(path_);
    EXPECT_EQ(connection->Execute("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (x, y)"),
              absl::OkStatus());
    limits_ = connection.get();
    writer_ = std::make_unique<GroupWriter>(std::move(connection), [this] { ++rollbacks_; });
  }

  static std::string TestName() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  static GroupWriter::Job Insert(int64_t x, absl::Status answer = absl::OkStatus()) {
    return [x, answer = std::move(answer)](Connection& connection) {
      Statement& insert = connection.Prepared("INSERT INTO t (x) VALUES (?)");
      insert.Bind(x);
      absl::Status status = insert.Run();
      return status.ok() ? answer : status;
    };
  }

  // Adds the jobs while the writer is held up, so that they become one group.
  std::vector<absl::Status> RunTogether(std::vector<GroupWriter::Job> jobs) {
    absl::Notification held;
    absl::Notification go_on;
    writer_->Add(
        [&](Connection&) {
          // Tried again when it could not be committed.
          if (!held.HasBeenNotified()) held.Notify();
          go_on.WaitForNotification();
          return absl::OkStatus();
        },
        [](absl::Status) {});
    held.WaitForNotification();
    std::vector<absl::Status> answers(jobs.size());
    absl::BlockingCounter left(static_cast<int>(jobs.size()));
    for (size_t i = 0; i < jobs.size(); ++i) {
      writer_->Add(std::move(jobs[i]), [&, i](absl::Status status) {
        answers[i] = std::move(status);
        left.DecrementCount();
      });
    }
    go_on.Notify();
    left.Wait();
    return answers;
  }

  // What the file has, as another process sees it.
  int64_t PragmaOfFile(absl::string_view name) {
    return *ReadPragma(**Connection::Open(path_), name);
  }

  std::vector<int64_t> Stored() {
    std::vector<int64_t> values;
    const std::unique_ptr<Connection> connection = *Connection::Open(path_);
    Statement& select = connection->Prepared("SELECT x FROM t ORDER BY x");
    while (*select.Step()) values.push_back(select.Int(0));
    return values;
  }

  const std::string path_;
  // The writer's.
  Connection* limits_;
  int rollbacks_ = 0;
  std::unique_ptr<GroupWriter> writer_;
};

TEST_F(GroupWriterTest, ARefusedJobLeavesTheOthersOfItsGroup) {
  std::vector<GroupWriter::Job> jobs;
  jobs.push_back(Insert(1));
  jobs.push_back(Insert(2, absl::AbortedError("no")));
  jobs.push_back(Insert(3));
  EXPECT_THAT(RunTogether(std::move(jobs)),
              ElementsAre(absl::OkStatus(), absl::AbortedError("no"), absl::OkStatus()));
  EXPECT_THAT(Stored(), ElementsAre(1, 3));
  // The group, and the one.
  EXPECT_EQ(rollbacks_, 2);
}

TEST_F(GroupWriterTest, WhatDoesNotFitTogetherIsTriedAlone) {
  // Fills the database: SQLite then drops the whole transaction.
  const auto large = [](Connection& connection) {
    return connection.Execute("INSERT INTO t (x, y) VALUES (100, zeroblob(1000000))");
  };
  ASSERT_EQ(writer_->Run([](Connection& connection) {
    return connection.Execute("PRAGMA max_page_count = 50");
  }),
            absl::OkStatus());
  std::vector<GroupWriter::Job> jobs;
  jobs.push_back(Insert(1));
  jobs.push_back(large);
  jobs.push_back(Insert(2));
  const std::vector<absl::Status> answers = RunTogether(std::move(jobs));
  EXPECT_EQ(answers[0], absl::OkStatus());
  EXPECT_EQ(answers[1].code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(answers[1].message()), HasSubstr("database or disk is full"));
  EXPECT_EQ(answers[2], absl::OkStatus());
  EXPECT_THAT(Stored(), ElementsAre(1, 2));
}

TEST_F(GroupWriterTest, WhatCannotBeginIsRefusedUntilItCan) {
  std::unique_ptr<Connection> other = *Connection::Open(path_);
  sqlite3_busy_timeout(limits_->database(), 1);
  ASSERT_EQ(other->Execute("BEGIN IMMEDIATE"), absl::OkStatus());
  bool run = false;
  const absl::Status refused = writer_->Run([&](Connection&) {
    run = true;
    return absl::OkStatus();
  });
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("database is locked"));
  EXPECT_FALSE(run);
  ASSERT_EQ(other->Execute("COMMIT"), absl::OkStatus());
  EXPECT_EQ(writer_->Run(Insert(7)), absl::OkStatus());
  EXPECT_THAT(Stored(), ElementsAre(7));
}

TEST_F(GroupWriterTest, PagesThatBecomeFreeAreGivenBackWhenNothingIsWritten) {
  const int64_t before = PragmaOfFile("page_count");
  ASSERT_EQ(writer_->Run([](Connection& connection) {
    return connection.Execute("INSERT INTO t (x, y) VALUES (1, zeroblob(3000000))");
  }),
            absl::OkStatus());
  ASSERT_GT(PragmaOfFile("page_count"), before + 700);
  struct Commits {
    absl::Mutex mutex;
    int count = 0;
  } commits;
  ASSERT_EQ(writer_->Run([&](Connection& connection) {
    sqlite3_commit_hook(
        connection.database(),
        [](void* commits) {
          absl::MutexLock lock(&static_cast<Commits*>(commits)->mutex);
          ++static_cast<Commits*>(commits)->count;
          return 0;
        },
        &commits);
    return connection.Execute("DELETE FROM t");
  }),
            absl::OkStatus());
  // The deletion, and 256 pages twice.
  commits.mutex.LockWhen(absl::Condition(
      +[](int* count) { return *count == 3; }, &commits.count));
  commits.mutex.Unlock();
  // Behind what the writer is at.
  EXPECT_EQ(writer_->Run([](Connection&) { return absl::OkStatus(); }), absl::OkStatus());
  EXPECT_LT(PragmaOfFile("page_count"), before + 256);
  EXPECT_LT(PragmaOfFile("freelist_count"), 256);
  writer_.reset();
}

TEST_F(GroupWriterTest, AGroupThatCannotBeCommittedIsTriedOneByOneAndAnswered) {
  // A reader that is in the way makes COMMIT fail: this database is not in WAL mode.
  std::unique_ptr<Connection> reader = *Connection::Open(path_);
  ASSERT_EQ(reader->Execute("BEGIN; SELECT * FROM t"), absl::OkStatus());
  sqlite3_busy_timeout(limits_->database(), 1);
  std::vector<GroupWriter::Job> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(Insert(i));
  for (const absl::Status& answer : RunTogether(std::move(jobs))) {
    EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(answer.message()), HasSubstr("database is locked"));
  }
  ASSERT_EQ(reader->Execute("COMMIT"), absl::OkStatus());
  EXPECT_EQ(writer_->Run(Insert(7)), absl::OkStatus());
  EXPECT_THAT(Stored(), ElementsAre(7));
}

TEST_F(GroupWriterTest, JobsAreRunInOrderAndAnsweredOnce) {
  std::vector<int> order;
  for (int i = 0; i < 2000; ++i) {
    writer_->Add([](Connection&) { return absl::OkStatus(); },
                 [&order, i](absl::Status) { order.push_back(i); });
  }
  writer_.reset();
  ASSERT_EQ(order.size(), 2000u);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace rehearse::sqlite
