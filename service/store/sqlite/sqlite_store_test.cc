#include "service/store/sqlite/sqlite_store.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/store/execution_store_contract.h"
#include "service/store/sqlite/connection.h"

namespace rehearse {
namespace {

using sqlite::Connection;
using testing::HasSubstr;

// A folder of its own, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(absl::StrCat(getenv("TEST_TMPDIR"), "/sqlite-XXXXXX")) {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryFolder() { EXPECT_EQ(system(absl::StrCat("rm -rf ", path_).c_str()), 0); }
  std::string file() const { return absl::StrCat(path_, "/store.db"); }

 private:
  std::string path_;
};

std::unique_ptr<SqliteStore> Open(const std::string& path) {
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open({path, true});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

class SqliteFixture : public StoreFixture {
 public:
  ExecutionStore& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    store_ = Open(folder_.file());
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_ = Open(folder_.file());
};

std::unique_ptr<StoreFixture> MakeSqliteFixture() { return std::make_unique<SqliteFixture>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, ExecutionStoreContractTest, testing::Values(MakeSqliteFixture));

ExecutionDelta Started(const std::string& arn) {
  ExecutionDelta delta;
  delta.arn = arn;
  record::ExecutionRecord& record = delta.created.emplace();
  record.set_arn(arn);
  record.set_name(absl::StrCat("name-", arn));
  record.set_session("default");
  record.set_function_name("orders");
  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  record::OperationRecord& operation = delta.operations.emplace_back();
  operation.mutable_operation()->set_id("execution");
  v1::Event& event = delta.events.emplace_back();
  event.set_event_id(1);
  return delta;
}

// Commits all of them at once and returns what each was answered.
std::vector<absl::Status> CommitTogether(ExecutionStore& store,
                                         const std::vector<std::vector<ExecutionDelta>>& commits) {
  std::vector<absl::Status> answers(commits.size());
  absl::BlockingCounter left(static_cast<int>(commits.size()));
  for (size_t i = 0; i < commits.size(); ++i) {
    std::vector<const ExecutionDelta*> deltas;
    for (const ExecutionDelta& delta : commits[i]) deltas.push_back(&delta);
    store.Commit(std::move(deltas), [&, i](absl::Status status) {
      answers[i] = std::move(status);
      left.DecrementCount();
    });
  }
  left.Wait();
  return answers;
}

absl::Status Commit(ExecutionStore& store, const ExecutionDelta& delta) {
  return CommitTogether(store, {{delta}})[0];
}

TEST(SqliteAddressTest, PathAndSettingAreRead) {
  const auto plain = ParseSqliteAddress("sqlite:/var/lib/rehearse.db");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->path, "/var/lib/rehearse.db");
  EXPECT_TRUE(plain->full_sync);
  const auto full = ParseSqliteAddress("sqlite:a b.db?synchronous=FULL");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->path, "a b.db");
  EXPECT_TRUE(full->full_sync);
  const auto normal = ParseSqliteAddress("sqlite:x?synchronous=NORMAL");
  ASSERT_TRUE(normal.ok());
  EXPECT_FALSE(normal->full_sync);
}

TEST(SqliteAddressTest, BadOnesSayWhatIsExpected) {
  const std::string setting =
      "expected synchronous=FULL or synchronous=NORMAL behind the question mark";
  for (const auto& [address, message] : std::vector<std::pair<std::string, std::string>>{
           {"sqlite", "expected sqlite:PATH"},
           {"sqlite:", "expected a path behind sqlite:"},
           {"sqlite:?synchronous=FULL", "expected a path behind sqlite:"},
           {"sqlite::memory:", "for executions in memory, use memory"},
           {"sqlite:x?", setting},
           {"sqlite:x?synchronous=OFF", setting},
           {"sqlite:x?synchronous=full", setting},
           {"sqlite:x?mode=ro", setting},
       }) {
    const absl::Status status = ParseSqliteAddress(address).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), absl::StrCat("bad store '", address, "': ", message));
  }
}

TEST(SqliteStoreTest, CommitsInOneGroupAreRefusedEachForItself) {
  TemporaryFolder folder;
  const std::unique_ptr<SqliteStore> store = Open(folder.file());
  ASSERT_EQ(Commit(*store, Started("a")), absl::OkStatus());
  ExecutionDelta unknown = Started("unknown");
  unknown.created.reset();
  std::vector<std::vector<ExecutionDelta>> commits;
  for (int i = 0; i < 50; ++i) {
    commits.push_back({Started(absl::StrCat("b", i))});
    commits.push_back({Started(absl::StrCat("c", i)), unknown});
    commits.push_back({Started("a")});
  }
  const std::vector<absl::Status> answers = CommitTogether(*store, commits);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(answers[3 * i], absl::OkStatus());
    EXPECT_EQ(answers[3 * i + 1], errors::ExecutionNotFound("unknown"));
    EXPECT_EQ(ErrorNameOf(answers[3 * i + 2]), "ServiceException");
    EXPECT_TRUE(store->Load(absl::StrCat("b", i)).ok());
    EXPECT_FALSE(store->Load(absl::StrCat("c", i)).ok());
  }
}

TEST(SqliteStoreTest, WhatWasCommittedIsWrittenBeforeTheStoreIsClosed) {
  TemporaryFolder folder;
  std::unique_ptr<SqliteStore> store = Open(folder.file());
  std::vector<ExecutionDelta> deltas;
  for (int i = 0; i < 100; ++i) deltas.push_back(Started(absl::StrCat("a", i)));
  int written = 0;
  for (const ExecutionDelta& delta : deltas) {
    store->Commit({&delta}, [&](absl::Status status) { written += status.ok(); });
  }
  store.reset();
  EXPECT_EQ(written, 100);
  store = Open(folder.file());
  for (const ExecutionDelta& delta : deltas) EXPECT_TRUE(store->Load(delta.arn).ok());
}

TEST(SqliteStoreTest, AFileInUseIsRefusedByAnyName) {
  TemporaryFolder folder;
  const std::unique_ptr<SqliteStore> store = Open(folder.file());
  const std::string link = absl::StrCat(folder.file(), "-other-name");
  ASSERT_EQ(symlink(folder.file().c_str(), link.c_str()), 0);
  for (const std::string& path : {folder.file(), link}) {
    const absl::Status status = SqliteStore::Open({path, true}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(status.message(), absl::StrCat("the database ", folder.file(),
                                             " is in use by another service: ", folder.file(),
                                             "-lock is held by process ", getpid()));
  }
  EXPECT_EQ(Commit(*store, Started("a")), absl::OkStatus());
}

TEST(SqliteStoreTest, FilesThatCannotBeUsedSayWhy) {
  TemporaryFolder folder;
  const auto error_of = [](const std::string& path) {
    const absl::Status status = SqliteStore::Open({path, true}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return std::string(status.message());
  };
  const std::string nowhere = absl::StrCat(folder.file(), "/below/x.db");
  EXPECT_EQ(error_of(nowhere),
            absl::StrCat("cannot open ", nowhere, "-lock: No such file or directory"));

  const std::string text = absl::StrCat(folder.file(), ".txt");
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(error_of(text),
            absl::StrCat("cannot use ", text, ": The store failed: file is not a database"));

  const std::string other = absl::StrCat(folder.file(), ".other");
  ASSERT_EQ((*Connection::Open(other))->Execute("CREATE TABLE t (x)"), absl::OkStatus());
  EXPECT_EQ(error_of(other),
            absl::StrCat("cannot use ", other, ": it is a database of another program"));

  Open(folder.file());
  ASSERT_EQ((*Connection::Open(folder.file()))->Execute("PRAGMA user_version = 99"),
            absl::OkStatus());
  EXPECT_THAT(error_of(folder.file()),
              HasSubstr("its schema has version 99, and this program knows versions up to 1"));
}

TEST(SqliteStoreTest, AnOperatorCanReadBesideTheStore) {
  TemporaryFolder folder;
  const std::unique_ptr<SqliteStore> store = Open(folder.file());
  ASSERT_EQ(Commit(*store, Started("a")), absl::OkStatus());
  const auto connection = Connection::Open(folder.file());
  ASSERT_TRUE(connection.ok());
  sqlite::Statement& count = (*connection)->Prepared("SELECT count(*) FROM executions");
  ASSERT_TRUE(*count.Step());
  EXPECT_EQ(count.Int(0), 1);
}

TEST(SqliteStoreTest, ADamagedRowIsAnErrorOfItsExecution) {
  TemporaryFolder folder;
  const std::unique_ptr<SqliteStore> store = Open(folder.file());
  ASSERT_EQ(Commit(*store, Started("a")), absl::OkStatus());
  ASSERT_EQ(Commit(*store, Started("b")), absl::OkStatus());
  ASSERT_EQ((*Connection::Open(folder.file()))
                ->Execute("UPDATE open_operations SET record = x'ff' WHERE execution = 1;"
                          "UPDATE changes SET events = x'05ff' WHERE execution = 1"),
            absl::OkStatus());
  const absl::Status damaged = errors::Internal("The store is damaged: a cannot be read.");
  EXPECT_EQ(store->Load("a").status(), damaged);
  EXPECT_EQ(store->LoadHeader("a").status(), damaged);
  EXPECT_EQ(store->ReadEvents("a", 1, 9).status(), damaged);
  EXPECT_TRUE(store->Load("b").ok());
}

}  // namespace
}  // namespace rehearse
