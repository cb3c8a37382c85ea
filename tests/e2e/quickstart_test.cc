// The quick start on a running service: the same history as in the test's process, but for ids.
#include "client/cpp/examples/quickstart/quickstart.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/testing/runner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/served.h"

namespace rehearse {
namespace {

using durable::testing::DurableFunctionTestRunner;
using durable::testing::Event;
using durable::testing::RunnerOptions;
using ::testing::ElementsAreArray;
using ::testing::SizeIs;

// Everything but the moment and what is made up anew for each run.
std::string Describe(const Event& event, bool is_execution) {
  std::string text = absl::StrCat(
      event.id, " type ", static_cast<int>(event.type), " ", is_execution ? "" : event.operation_id,
      " in '", event.parent_id, "' ", event.name, " ", event.sub_type, " payload ",
      event.payload.value_or("none"), " attempt ", event.attempt, " retry in ",
      event.next_attempt_delay_seconds.value_or(0), " duration ", event.duration_seconds);
  absl::StrAppend(&text, " timeouts ", event.timeout_seconds, " ", event.heartbeat_timeout_seconds,
                  " error ", event.error.has_value() ? event.error->type : "none",
                  event.request_id.empty() ? "" : " of an invocation");
  return text;
}

std::vector<std::string> QuickStartHistory(RunnerOptions options) {
  DurableFunctionTestRunner runner(QuickStart, options.set_execution_name("quick-start"));
  const auto result = runner.Run("input str", absl::Seconds(60));
  EXPECT_EQ(TextOf(result), "OK");
  std::vector<std::string> lines;
  if (!result.ok()) return lines;
  EXPECT_EQ(result->result(), R"(["1 2","3 4 4 3","5 6"])");
  const std::string execution_id = result->History()[0].operation_id;
  for (const Event& event : result->History()) {
    lines.push_back(Describe(event, event.operation_id == execution_id));
  }
  return lines;
}

TEST(QuickStartTest, RemoteHistoryIsTheEmbeddedOne) {
  Served served;
  const std::vector<std::string> remote =
      QuickStartHistory(RunnerOptions().set_service(served.address()));
  EXPECT_THAT(remote, SizeIs(16));
  EXPECT_THAT(remote, ElementsAreArray(QuickStartHistory(RunnerOptions())));
}

TEST(QuickStartTest, SessionOfTheRunnerGoesWithTheRunner) {
  Served served;
  std::string session;
  {
    DurableFunctionTestRunner runner(QuickStart, RunnerOptions().set_service(served.address()));
    EXPECT_EQ(TextOf(runner.Run("input str", absl::Seconds(60))), "OK");
    session = *runner.session();
  }
  v1::GetSessionRequest request;
  request.set_name(session);
  // Asks for the session until the service has heard of the end of the call that held it.
  absl::Status status;
  while (
      (status = served.client().Call(&v1::TestSessions::Stub::GetSession, request).status()).ok()) {
  }
  EXPECT_EQ(TextOf(status),
            absl::StrCat("NOT_FOUND ResourceNotFoundException: Session does not exist: ", session,
                         "; create it with CreateSession"));
}

}  // namespace
}  // namespace rehearse
