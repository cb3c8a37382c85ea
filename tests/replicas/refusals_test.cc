// What replicas that share a store do not do.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/cli/rehearse_process.h"
#include "tests/replicas/replicas_fixture.h"

namespace rehearse {
namespace {

using ::testing::HasSubstr;

class RefusalsTest : public ReplicasTest {};

TEST_F(RefusalsTest, SessionsKeepRealTime) {
  for (const v1::ClockMode mode : {v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_MANUAL}) {
    v1::CreateSessionRequest request;
    request.mutable_config()->set_clock_mode(mode);
    EXPECT_EQ(Try(a(), &Sessions::CreateSession, request),
              Invalid("Replicas that share a store keep real time: clock_mode must be "
                      "CLOCK_MODE_REAL. For another clock use a service of its own, with "
                      "--store=memory or --store=sqlite:PATH."));
  }
  v1::CreateSessionRequest stepped;
  stepped.mutable_config()->set_stepped(true);
  EXPECT_EQ(Try(a(), &Sessions::CreateSession, stepped),
            Invalid("Replicas that share a store start invocations by themselves: stepped must not "
                    "be set."));
  v1::CreateSessionRequest real;
  real.mutable_config()->set_clock_mode(v1::CLOCK_MODE_REAL);
  EXPECT_EQ(Try(a(), &Sessions::CreateSession, real), "OK");
}

TEST_F(RefusalsTest, TimeIsNotAdvanced) {
  v1::AdvanceTimeRequest request;
  request.set_next_timer(true);
  EXPECT_EQ(Try(a(), &Sessions::AdvanceTime, request),
            Invalid("Replicas that share a store keep real time: it cannot be advanced."));
}

TEST_F(RefusalsTest, AServerWithAnotherClockOrWithoutAnAddressDoesNotStart) {
  Server::Options options;
  options.store = store();
  EXPECT_EQ(Server::Start(options).status(),
            absl::InvalidArgumentError("a PostgreSQL store needs a gRPC address, at which other "
                                       "services that share it ask"));
  options.grpc_address = "127.0.0.1:0";
  for (const v1::ClockMode mode : {v1::CLOCK_MODE_SKIP, v1::CLOCK_MODE_MANUAL}) {
    options.session_defaults.set_clock_mode(mode);
    EXPECT_EQ(Server::Start(options).status(),
              absl::InvalidArgumentError(
                  "a PostgreSQL store keeps real time, since several services may share it: leave "
                  "--time out, or take --store=sqlite:PATH"));
  }
  const Finished up =
      RunToEnd({"up", "--grpc-address=127.0.0.1:0", "--time=skip", "--store=" + store()});
  EXPECT_EQ(up.status, 1);
  EXPECT_THAT(up.err, HasSubstr("a PostgreSQL store keeps real time, since several services may "
                                "share it: leave --time out, or take --store=sqlite:PATH"));
}

}  // namespace
}  // namespace rehearse
