// `rehearse up --store=postgres://...` under 32 busy clients: killed at random moments; stopped
// beyond its lease, while another server takes over; with PostgreSQL killed and started again; with
// its connections cut; with PostgreSQL's disk full. REHEARSE_CRASH_CYCLES says how often it is
// killed, REHEARSE_SEED repeats the moments, as far as the machine does.
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/rehearse_process.h"
#include "service/store/postgres/postgres_server.h"
#include "service/worker/channel.h"
#include "tests/crash/acknowledged.h"
#include "tests/crash/clients.h"

namespace rehearse::crash {
namespace {

constexpr int kClients = 32;

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  int value = otherwise;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

class PostgresCrashTest : public testing::Test {
 protected:
  PostgresCrashTest()
      : seed_(FromEnvironment("REHEARSE_SEED", static_cast<int>(std::random_device()()))),
        random_(seed_) {
    RecordProperty("seed", absl::StrCat(seed_));
  }

  // A server of ours, which has to wait until the lease of a killed one has ended.
  std::unique_ptr<Up> Start() {
    auto up = std::make_unique<Up>(std::vector<std::string>{
        absl::StrCat("--store=", database_, "&lease_seconds=1"), "--time=skip"});
    executions_ =
        std::make_unique<v1::DurableExecutions::Stub>(worker::CreateChannel(up->address()));
    return up;
  }

  void StopAsAsked(Up& up) {
    up.process().Signal(SIGTERM);
    EXPECT_EQ(up.process().AwaitExit(), 0) << up.process().err();
  }

  // Everything ends as it should on a service that nobody disturbs.
  void ExpectEnd(Names& names) {
    std::unique_ptr<Up> up = Start();
    log_.ExpectKept(*executions_);
    Clients(up->address(), names, log_).Finish();
    log_.ExpectKept(*executions_);
    StopAsAsked(*up);
  }

  void AwaitMore(int64_t answers) { log_.AwaitCount(log_.count() + answers); }

  const int seed_;
  std::mt19937 random_;
  PostgresServer postgres_;
  const std::string database_ = postgres_.NewDatabase();
  Acknowledged log_;
  std::unique_ptr<v1::DurableExecutions::Stub> executions_;
};

TEST_F(PostgresCrashTest, WhatWasAcknowledgedOutlivesTheProcess) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  Names names(kClients);
  const int cycles = FromEnvironment("REHEARSE_CRASH_CYCLES", 10);
  for (int cycle = 0; cycle < cycles && !HasFailure(); ++cycle) {
    SCOPED_TRACE(absl::StrCat("cycle ", cycle));
    std::unique_ptr<Up> up = Start();
    log_.ExpectKept(*executions_);
    Clients clients(up->address(), names, log_);
    AwaitMore(1 + random_() % 1500);
    up->process().Signal(SIGKILL);
    EXPECT_EQ(up->process().AwaitExit(), -SIGKILL);
    clients.Join();
  }
  ExpectEnd(names);
}

TEST_F(PostgresCrashTest, AServerStoppedBeyondItsLeaseIsFenced) {
  Names names(kClients);
  std::unique_ptr<Up> sleeper = Start();
  auto clients = std::make_unique<Clients>(sleeper->address(), names, log_);
  AwaitMore(500);
  sleeper->process().Signal(SIGSTOP);

  std::unique_ptr<Up> successor = Start();
  log_.ExpectKept(*executions_);
  {
    Names others(kClients, "other");
    Clients(successor->address(), others, log_).Finish();
  }
  sleeper->process().Signal(SIGCONT);
  EXPECT_EQ(sleeper->process().AwaitExit(), 1);
  EXPECT_THAT(sleeper->process().err(),
              testing::HasSubstr("another server has taken over the database"));
  clients->Join();

  log_.ExpectKept(*executions_);
  Clients(successor->address(), names, log_).Finish();
  log_.ExpectKept(*executions_);
  StopAsAsked(*successor);
}

TEST_F(PostgresCrashTest, ASecondServerOnTheDatabaseIsRefused) {
  std::unique_ptr<Up> up = Start();
  const Finished second = RunToEnd({"up", "--grpc-address=127.0.0.1:0",
                                    absl::StrCat("--store=", database_, "&lease_seconds=1")});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, testing::HasSubstr("the database is in use by another server (process "));
  StopAsAsked(*up);
}

TEST_F(PostgresCrashTest, PostgresMayBeKilledAndStartedAgain) {
  Names names(kClients);
  std::unique_ptr<Up> up = Start();
  for (int i = 0; i < 3 && !HasFailure(); ++i) {
    Clients clients(up->address(), names, log_);
    AwaitMore(300);
    postgres_.Stop();
    postgres_.Start();
    // Callers whose start was refused are through; the others get to the end.
    clients.Finish();
    log_.ExpectKept(*executions_);
  }
  StopAsAsked(*up);
  ExpectEnd(names);
}

TEST_F(PostgresCrashTest, ConnectionsMayBeCut) {
  Names names(kClients);
  std::unique_ptr<Up> up = Start();
  Clients clients(up->address(), names, log_);
  for (int i = 0; i < 10 && !HasFailure(); ++i) {
    AwaitMore(100);
    EXPECT_GT(postgres_.CutConnections(database_), 0);
  }
  clients.Finish();
  log_.ExpectKept(*executions_);
  StopAsAsked(*up);
  ExpectEnd(names);
}

TEST_F(PostgresCrashTest, AFullDiskRefusesAndLosesNothing) {
  Names names(4);
  {
    // None of PostgreSQL's files may grow beyond this: what is written then fails as on a full
    // disk. A segment of its write-ahead log has 16 MiB.
    rlimit unlimited;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    rlimit small = unlimited;
    small.rlim_cur = 18 << 20;
    std::signal(SIGXFSZ, SIG_IGN);
    postgres_.Stop();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    postgres_.Start();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  }
  std::unique_ptr<Up> up = Start();
  Clients clients(up->address(), names, log_);
  // Until a start is refused.
  grpc::Status refused;
  v1::StartExecutionRequest start;
  start.set_function_name("crash");
  while (refused.ok()) {
    // Nothing that could be compressed.
    std::string input = "\"";
    while (input.size() < 200000) absl::StrAppend(&input, random_());
    start.set_input(input + "\"");
    grpc::ClientContext context;
    v1::StartExecutionResponse started;
    refused = executions_->StartExecution(&context, start, &started);
    if (refused.ok()) {
      log_.Started(started.durable_execution_arn(), started.durable_execution_arn());
    }
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("PostgreSQL: ERROR:  could not extend"));
  // It goes on answering what it has.
  log_.ExpectKept(*executions_);
  postgres_.Stop();
  postgres_.Start();
  clients.Finish();
  log_.ExpectKept(*executions_);
  StopAsAsked(*up);
  ExpectEnd(names);
}

}  // namespace
}  // namespace rehearse::crash
