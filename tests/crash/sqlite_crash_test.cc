// `rehearse up --store=sqlite:...`, killed at random moments under 32 busy clients; with a torn
// write-ahead log; with a disk that is full; beside a tool that holds the file.
// REHEARSE_CRASH_CYCLES says how often it is killed, REHEARSE_SEED repeats the moments, as far as
// the machine does.
#include <sys/resource.h>

#include <csignal>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/rehearse_process.h"
#include "sqlite3.h"
#include "tests/crash/clients.h"
#include "tests/crash/crash_fixture.h"
#include "tests/crash/wal_file.h"

namespace rehearse::crash {
namespace {

class SqliteCrashTest : public CrashTest {
 protected:
  std::string store() const override { return absl::StrCat("sqlite:", path_); }

  // As of CrashTest, and the file is sound.
  void ExpectEnd(Names& names) {
    CrashTest::ExpectEnd(names);
    ExpectSoundFile();
  }

  void ExpectSoundFile() {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    std::string found;
    const auto take = [](void* found, int, char** values, char**) {
      *static_cast<std::string*>(found) += values[0];
      return 0;
    };
    sqlite3_exec(database, "PRAGMA integrity_check", take, &found, nullptr);
    sqlite3_close(database);
    EXPECT_EQ(found, "ok");
  }

  const std::string path_ =
      absl::StrCat(testing::TempDir(), "/",
                   testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
};

TEST_F(SqliteCrashTest, WhatWasAcknowledgedOutlivesTheProcess) {
  Names names(kClients);
  KillUnderClients(names, [this] {
    if (random_() % 2 == 0) TearWal(absl::StrCat(path_, "-wal"), random_);
  });
  ExpectEnd(names);
}

TEST_F(SqliteCrashTest, AFullDiskRefusesAndLosesNothing) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  Names names(4);
  {
    // No file may grow beyond this: what is written then fails as on a full disk.
    rlimit unlimited;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    rlimit small = unlimited;
    small.rlim_cur = 1500000;
    std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    std::unique_ptr<Up> up = Start();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    Clients clients(up->address(), names, log_);
    const std::string input = absl::StrCat("\"", std::string(100000, 'x'), "\"");
    const grpc::Status refused = StartUntilRefused([&] { return input; });
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(refused.error_message(), testing::HasSubstr("The store failed: disk I/O error"));
    // It goes on answering what it has.
    log_.ExpectKept(*executions_);
    up->process().Signal(SIGKILL);
    up->process().AwaitExit();
    clients.Join();
  }
  ExpectEnd(names);
}

TEST_F(SqliteCrashTest, AHeldFileRefusesUntilItIsLetGo) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  Names names(4);
  {
    std::unique_ptr<Up> up = Start();
    Clients clients(up->address(), names, log_);
    log_.AwaitCount(log_.count() + 50);
    // As a tool that an operator has left in a transaction.
    sqlite3* tool = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &tool), SQLITE_OK);
    sqlite3_busy_timeout(tool, 60000);
    ASSERT_EQ(sqlite3_exec(tool, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    const grpc::Status refused = StartUntilRefused([] { return "{}"; });
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(refused.error_message(),
                testing::HasSubstr("The store failed: database is locked"));
    ASSERT_EQ(sqlite3_exec(tool, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(tool);
    // What was refused is tried again.
    clients.Finish();
    log_.ExpectKept(*executions_);
    StopAsAsked(*up);
  }
  ExpectEnd(names);
}

}  // namespace
}  // namespace rehearse::crash
