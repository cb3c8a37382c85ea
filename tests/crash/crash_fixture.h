// CrashTest: a service on a store that outlives it, and what its clients were told.
//
//   class SqliteCrashTest : public CrashTest {
//     std::string store() const override { return "sqlite:" + path_; }
//   };
//   TEST_F(SqliteCrashTest, WhatWasAcknowledgedOutlivesTheProcess) {
//     Names names(kClients);
//     KillUnderClients(names, [] {});
//     ExpectEnd(names);
//   }
#ifndef REHEARSE_TESTS_CRASH_CRASH_FIXTURE_H_
#define REHEARSE_TESTS_CRASH_CRASH_FIXTURE_H_

#include <memory>
#include <random>
#include <string>

#include "absl/functional/function_ref.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "service/cli/rehearse_process.h"
#include "tests/crash/acknowledged.h"
#include "tests/crash/clients.h"

namespace rehearse::crash {

constexpr int kClients = 32;

class CrashTest : public testing::Test {
 protected:
  // Takes the seed from REHEARSE_SEED, or any.
  CrashTest();

  // The servers' --store=.
  virtual std::string store() const = 0;
  // Whether they can.
  virtual bool skips_time() const { return true; }

  // A server; `executions_` are its executions from now on.
  std::unique_ptr<Up> Start();
  void StopAsAsked(Up& up);

  // How often a server is killed: as REHEARSE_CRASH_CYCLES says, ten times by default.
  static int cycles();

  // Kills a server so often, each time after
  // up to 1,500 more answers to its clients. `while_dead` follows each kill.
  void KillUnderClients(Names& names, absl::FunctionRef<void()> while_dead);

  // Starts executions until a start is refused: with what.
  grpc::Status StartUntilRefused(absl::FunctionRef<std::string()> input);

  // Everything ends as it should on a service that nobody disturbs.
  void ExpectEnd(Names& names);

  const int seed_;
  std::mt19937 random_;
  Acknowledged log_;
  std::unique_ptr<v1::DurableExecutions::Stub> executions_;
};

}  // namespace rehearse::crash

#endif  // REHEARSE_TESTS_CRASH_CRASH_FIXTURE_H_
