#include "service/lambda_host/runtime_pool.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace rehearse::lambda_host {
namespace {

Runtime::Options Sleeper() {
  Runtime::Options options;
  options.process.command = {"sleep", "600"};
  options.process.environment = {"PATH=/usr/bin:/bin"};
  options.process.output = [](int, absl::string_view) {};
  options.log = [](absl::string_view) {};
  return options;
}

std::shared_ptr<Runtime> Take(RuntimePool& pool, const std::string& tenant) {
  absl::StatusOr<std::shared_ptr<Runtime>> runtime = pool.Take(tenant);
  EXPECT_EQ(runtime.status(), absl::OkStatus());
  return *std::move(runtime);
}

TEST(RuntimePoolTest, ATenantGetsItsOwnRuntimeAgain) {
  RuntimePool pool(Sleeper(), 2);
  const std::shared_ptr<Runtime> blue = Take(pool, "blue");
  const std::shared_ptr<Runtime> green = Take(pool, "green");
  pool.GiveBack("blue", blue);
  pool.GiveBack("green", green);
  EXPECT_EQ(Take(pool, "blue"), blue);
  EXPECT_EQ(Take(pool, "green"), green);
  // It is in use.
  EXPECT_NE(Take(pool, "green"), green);
}

TEST(RuntimePoolTest, AWarmRuntimeIsForWhoeverComesFirst) {
  RuntimePool pool(Sleeper(), 2);
  EXPECT_EQ(pool.Warm(), absl::OkStatus());
  const std::shared_ptr<Runtime> blue = Take(pool, "blue");
  pool.GiveBack("blue", blue);
  EXPECT_NE(Take(pool, "green"), blue);
  EXPECT_EQ(Take(pool, "blue"), blue);
}

TEST(RuntimePoolTest, TheRuntimeThatWasIdleForLongestEndsBeyondTheBound) {
  RuntimePool pool(Sleeper(), 1);
  std::shared_ptr<Runtime> blue = Take(pool, "blue");
  std::shared_ptr<Runtime> green = Take(pool, "green");
  const std::weak_ptr<Runtime> kept = green;
  const std::weak_ptr<Runtime> ended = blue;
  pool.GiveBack("blue", std::move(blue));
  EXPECT_FALSE(ended.expired());
  pool.GiveBack("green", std::move(green));
  EXPECT_TRUE(ended.expired());
  EXPECT_FALSE(kept.expired());
}

TEST(RuntimePoolTest, AfterAStopRuntimesEndAsTheyAreGivenBack) {
  RuntimePool pool(Sleeper(), 1);
  std::shared_ptr<Runtime> runtime = Take(pool, "");
  const std::weak_ptr<Runtime> given_back = runtime;
  pool.Stop();
  EXPECT_FALSE(runtime->ended());
  pool.GiveBack("", std::move(runtime));
  EXPECT_TRUE(given_back.expired());
}

TEST(RuntimePoolTest, SaysWhyACommandCannotBeRun) {
  Runtime::Options options = Sleeper();
  options.process.command = {"no-such-program"};
  RuntimePool pool(options, 1);
  const absl::Status error =
      absl::NotFoundError("cannot run no-such-program: No such file or directory");
  EXPECT_EQ(pool.Warm(), error);
  EXPECT_EQ(pool.Take("").status(), error);
}

}  // namespace
}  // namespace rehearse::lambda_host
