#include "tests/crash/crash_fixture.h"

#include <csignal>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "service/worker/channel.h"

namespace rehearse::crash {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  int value = otherwise;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

}  // namespace

CrashTest::CrashTest()
    : seed_(FromEnvironment("REHEARSE_SEED", static_cast<int>(std::random_device()()))),
      random_(seed_) {
  RecordProperty("seed", absl::StrCat(seed_));
}

std::unique_ptr<Up> CrashTest::Start() {
  std::vector<std::string> arguments = {absl::StrCat("--store=", store())};
  if (skips_time()) arguments.push_back("--time=skip");
  auto up = std::make_unique<Up>(std::move(arguments));
  executions_ = std::make_unique<v1::DurableExecutions::Stub>(worker::CreateChannel(up->address()));
  return up;
}

int CrashTest::cycles() { return FromEnvironment("REHEARSE_CRASH_CYCLES", 10); }

void CrashTest::StopAsAsked(Up& up) {
  up.process().Signal(SIGTERM);
  EXPECT_EQ(up.process().AwaitExit(), 0) << up.process().err();
}

void CrashTest::KillUnderClients(Names& names, absl::FunctionRef<void()> while_dead) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  for (int cycle = 0; cycle < cycles() && !HasFailure(); ++cycle) {
    SCOPED_TRACE(absl::StrCat("cycle ", cycle));
    std::unique_ptr<Up> up = Start();
    log_.ExpectKept(*executions_);
    Clients clients(up->address(), names, log_);
    log_.AwaitCount(log_.count() + 1 + random_() % 1500);
    up->process().Signal(SIGKILL);
    EXPECT_EQ(up->process().AwaitExit(), -SIGKILL);
    clients.Join();
    while_dead();
  }
}

grpc::Status CrashTest::StartUntilRefused(absl::FunctionRef<std::string()> input) {
  v1::StartExecutionRequest start;
  start.set_function_name("crash");
  while (true) {
    start.set_input(input());
    grpc::ClientContext context;
    v1::StartExecutionResponse started;
    grpc::Status status = executions_->StartExecution(&context, start, &started);
    if (!status.ok()) return status;
    log_.Started(started.durable_execution_arn(), started.durable_execution_arn());
  }
}

void CrashTest::ExpectEnd(Names& names) {
  SCOPED_TRACE(absl::StrCat("REHEARSE_SEED=", seed_));
  std::unique_ptr<Up> up = Start();
  log_.ExpectKept(*executions_);
  Clients(up->address(), names, log_).Finish();
  log_.ExpectKept(*executions_);
  StopAsAsked(*up);
}

}  // namespace rehearse::crash
