// `rehearse up --store=sqlite:...`, killed at random moments under 32 busy clients; with a torn
// write-ahead log; with a disk that is full. REHEARSE_CRASH_CYCLES says how often it is killed,
// REHEARSE_SEED repeats the moments, as far as the machine does.
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/rehearse_process.h"
#include "service/worker/channel.h"
#include "sqlite3.h"
#include "tests/crash/acknowledged.h"
#include "tests/crash/clients.h"
#include "tests/crash/wal_file.h"

namespace rehearse::crash {
namespace {

constexpr int kClients = 32;

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  int value = otherwise;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

class SqliteCrashTest : public testing::Test {
 protected:
  SqliteCrashTest()
      : seed_(FromEnvironment("REHEARSE_SEED", static_cast<int>(std::random_device()()))),
        random_(seed_),
        path_(absl::StrCat(testing::TempDir(), "/",
                           testing::UnitTest::GetInstance()->current_test_info()->name(), ".db")) {
    RecordProperty("seed", absl::StrCat(seed_));
  }

  std::unique_ptr<Up> Start() {
    auto up = std::make_unique<Up>(
        std::vector<std::string>{absl::StrCat("--store=sqlite:", path_), "--time=skip"});
    channel_ = worker::CreateChannel(up->address());
    executions_ = std::make_unique<v1::DurableExecutions::Stub>(channel_);
    return up;
  }

  // Everything ends as it should on a service that nobody kills, and the file is sound.
  void ExpectEnd(Names& names) {
    std::unique_ptr<Up> up = Start();
    log_.ExpectKept(*executions_);
    Clients(up->address(), names, log_).Finish();
    log_.ExpectKept(*executions_);
    up->process().Signal(SIGTERM);
    EXPECT_EQ(up->process().AwaitExit(), 0) << up->process().err();
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

  const int seed_;
  std::mt19937 random_;
  const std::string path_;
  Acknowledged log_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DurableExecutions::Stub> executions_;
};

TEST_F(SqliteCrashTest, WhatWasAcknowledgedOutlivesTheProcess) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  Names names(kClients);
  const int cycles = FromEnvironment("REHEARSE_CRASH_CYCLES", 10);
  for (int cycle = 0; cycle < cycles && !HasFailure(); ++cycle) {
    SCOPED_TRACE(absl::StrCat("cycle ", cycle));
    std::unique_ptr<Up> up = Start();
    log_.ExpectKept(*executions_);
    Clients clients(up->address(), names, log_);
    log_.AwaitCount(log_.count() + 1 + random_() % 1500);
    up->process().Signal(SIGKILL);
    EXPECT_EQ(up->process().AwaitExit(), -SIGKILL);
    clients.Join();
    if (random_() % 2 == 0) TearWal(absl::StrCat(path_, "-wal"), random_);
  }
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
    // Until a start is refused.
    grpc::Status refused;
    v1::StartExecutionRequest start;
    start.set_function_name("crash");
    start.set_input(absl::StrCat("\"", std::string(100000, 'x'), "\""));
    while (refused.ok()) {
      grpc::ClientContext context;
      v1::StartExecutionResponse started;
      refused = executions_->StartExecution(&context, start, &started);
      if (refused.ok())
        log_.Started(started.durable_execution_arn(), started.durable_execution_arn());
    }
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

}  // namespace
}  // namespace rehearse::crash
