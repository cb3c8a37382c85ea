// `rehearse up --store=postgres://...` under 32 busy clients: killed at random moments, alone and
// as one of two; stopped beyond its lease, while another server goes on with what it was at; with
// PostgreSQL killed and started again; with its connections cut; with PostgreSQL's disk full.
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
#include "service/store/postgres/postgres_server.h"
#include "tests/crash/clients.h"
#include "tests/crash/crash_fixture.h"

namespace rehearse::crash {
namespace {

class PostgresCrashTest : public CrashTest {
 protected:
  // What a killed server was at waits until its lease has ended.
  std::string store() const override { return absl::StrCat(database_, "&lease_seconds=1"); }
  bool skips_time() const override { return false; }

  void AwaitMore(int64_t answers) { log_.AwaitCount(log_.count() + answers); }

  PostgresServer postgres_;
  const std::string database_ = postgres_.NewDatabase();
};

TEST_F(PostgresCrashTest, WhatWasAcknowledgedOutlivesTheProcess) {
  Names names(kClients);
  KillUnderClients(names, [] {});
  ExpectEnd(names);
}

TEST_F(PostgresCrashTest, AServerStoppedBeyondItsLeaseIsFenced) {
  Names names(kClients);
  Names others(kClients, "other");
  std::unique_ptr<Up> sleeper = Start();
  std::unique_ptr<Up> other = Start();
  Clients on_sleeper(sleeper->address(), names, log_);
  Clients on_other(other->address(), others, log_);
  AwaitMore(1000);
  sleeper->process().Signal(SIGSTOP);
  on_sleeper.NoteReplaced();
  // Its lease ends, and the other one goes on with what it was at.
  on_other.Finish();
  {
    Clients successors(other->address(), names, log_);
    AwaitMore(1000);
    sleeper->process().Signal(SIGCONT);
    EXPECT_EQ(sleeper->process().AwaitExit(), 1);
    EXPECT_THAT(sleeper->process().err(), testing::HasSubstr("another server has taken over"));
    on_sleeper.Join();
    successors.Finish();
  }
  log_.ExpectKept(*executions_);
  StopAsAsked(*other);
}

TEST_F(PostgresCrashTest, ReplicasMayBeKilledInTurn) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  Names names[] = {Names(kClients / 2, "left"), Names(kClients / 2, "right")};
  std::unique_ptr<Up> ups[] = {Start(), Start()};
  std::unique_ptr<Clients> clients[2];
  const auto connect = [&](int i) {
    clients[i] = std::make_unique<Clients>(ups[i]->address(), names[i], log_);
  };
  connect(0);
  connect(1);
  for (int cycle = 0; cycle < cycles() && !HasFailure(); ++cycle) {
    SCOPED_TRACE(absl::StrCat("cycle ", cycle));
    AwaitMore(1 + static_cast<int64_t>(random_() % 1000));
    const int victim = cycle % 2;
    ups[victim]->process().Signal(SIGKILL);
    EXPECT_EQ(ups[victim]->process().AwaitExit(), -SIGKILL);
    clients[victim]->Join();
    ups[victim] = Start();
    log_.ExpectKept(*executions_);
    connect(victim);
  }
  for (const std::unique_ptr<Clients>& each : clients) each->Finish();
  log_.ExpectKept(*executions_);
  for (const std::unique_ptr<Up>& up : ups) StopAsAsked(*up);
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
  const grpc::Status refused = StartUntilRefused([this] {
    // Nothing that could be compressed.
    std::string input = "\"";
    while (input.size() < 200000) absl::StrAppend(&input, random_());
    return input + "\"";
  });
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
