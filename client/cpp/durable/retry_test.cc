#include "client/cpp/durable/retry.h"

#include <regex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace durable {
namespace {

ErrorInfo ErrorOf(std::string type, std::string message = "") {
  ErrorInfo error;
  error.type = std::move(type);
  error.message = std::move(message);
  return error;
}

// The longest delays in seconds before each retry, as long as there are any.
std::vector<double> Delays(const RetryStrategy& strategy) {
  std::vector<double> delays;
  for (int attempt = 1; attempt < 100; ++attempt) {
    const RetryDecision decision = strategy(ErrorOf("E"), attempt);
    if (!decision.retry) break;
    delays.push_back(absl::ToDoubleSeconds(decision.delay));
  }
  return delays;
}

struct Preset {
  const char* name;
  RetryStrategy strategy;
  // The delays before jitter.
  std::vector<double> delays;
  // Shares of a delay that jitter keeps at least.
  double least;
};

class PresetTest : public ::testing::TestWithParam<Preset> {};

TEST_P(PresetTest, HasItsAttemptsAndDelays) {
  for (int round = 0; round < 100; ++round) {
    const std::vector<double> delays = Delays(GetParam().strategy);
    ASSERT_EQ(delays.size(), GetParam().delays.size());
    for (size_t i = 0; i < delays.size(); ++i) {
      EXPECT_LE(delays[i], GetParam().delays[i] + 1e-6);
      EXPECT_GE(delays[i], GetParam().delays[i] * GetParam().least - 1e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, PresetTest,
    ::testing::Values(
        Preset{"Default", DefaultRetry(), {5, 10, 20, 40, 60}, 0}, Preset{"None", NoRetry(), {}, 1},
        Preset{"Transient", TransientRetry(), {5, 10}, 0.5},
        Preset{"ResourceAvailability", ResourceAvailabilityRetry(), {5, 10, 20, 40}, 0},
        Preset{"Critical",
               CriticalRetry(),
               {1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 11.390625, 17.0859375, 25.62890625},
               1},
        Preset{"Linear", LinearRetry(), {1, 2, 3, 4, 5}, 1},
        Preset{"Fixed", FixedRetry(), {5, 5, 5, 5}, 1},
        Preset{"FixedInterval", FixedRetry(absl::Seconds(400)), {400, 400, 400, 400}, 1},
        Preset{"ExponentialDefaults", ExponentialBackoff().Build(), {5, 10}, 0},
        Preset{"LinearDefaults", LinearBackoff().Build(), {1, 2, 3, 4, 5}, 0},
        Preset{"ExponentialCapped",
               ExponentialBackoff()
                   .set_max_attempts(4)
                   .set_initial_delay(absl::Seconds(2))
                   .set_backoff_rate(3)
                   .set_max_delay(absl::Seconds(10))
                   .set_jitter(Jitter::kNone)
                   .Build(),
               {2, 6, 10},
               1},
        Preset{"LinearCapped",
               LinearBackoff()
                   .set_max_attempts(4)
                   .set_increment(absl::Seconds(3))
                   .set_max_delay(absl::Seconds(5))
                   .set_jitter(Jitter::kNone)
                   .Build(),
               {1, 4, 5},
               1}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(JitterTest, SpreadsAsItsNameSays) {
  const absl::Duration delay = absl::Seconds(8);
  EXPECT_EQ(internal::ApplyJitter(delay, Jitter::kNone, 0.5), absl::Seconds(8));
  EXPECT_EQ(internal::ApplyJitter(delay, Jitter::kFull, 0), absl::ZeroDuration());
  EXPECT_EQ(internal::ApplyJitter(delay, Jitter::kFull, 0.5), absl::Seconds(4));
  EXPECT_EQ(internal::ApplyJitter(delay, Jitter::kHalf, 0), absl::Seconds(4));
  EXPECT_EQ(internal::ApplyJitter(delay, Jitter::kHalf, 0.5), absl::Seconds(6));
}

TEST(RetryDelayTest, IsInWholeSecondsWithinTheServicesBounds) {
  EXPECT_EQ(internal::RetryDelaySeconds(-absl::Seconds(3)), 1);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::ZeroDuration()), 1);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::Seconds(1)), 1);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::Milliseconds(1001)), 2);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::Seconds(31'622'400)), 31'622'400);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::Seconds(31'622'401)), 31'622'400);
  EXPECT_EQ(internal::RetryDelaySeconds(absl::InfiniteDuration()), 31'622'400);
}

bool Retries(const RetryStrategy& strategy, const ErrorInfo& error) {
  return strategy(error, 1).retry;
}

TEST(RetryFilterTest, TypesDecideAlone) {
  const RetryStrategy strategy = ExponentialBackoff().RetryOnTypes({"A", "B"}).Build();
  EXPECT_TRUE(Retries(strategy, ErrorOf("B")));
  EXPECT_FALSE(Retries(strategy, ErrorOf("C")));
}

TEST(RetryFilterTest, MessagesAreSearched) {
  const RetryStrategy strategy = ExponentialBackoff().RetryOnMessages({"busy"}).Build();
  EXPECT_TRUE(Retries(strategy, ErrorOf("A", "the line is busy now")));
  EXPECT_FALSE(Retries(strategy, ErrorOf("A", "no line")));
}

TEST(RetryFilterTest, PatternsAreUnanchored) {
  const RetryStrategy strategy = ExponentialBackoff().RetryOnMessagePatterns({"5[0-9]{2}"}).Build();
  EXPECT_TRUE(Retries(strategy, ErrorOf("A", "status 503 from there")));
  EXPECT_FALSE(Retries(strategy, ErrorOf("A", "status 404")));
  EXPECT_THROW(ExponentialBackoff().RetryOnMessagePatterns({"("}), std::regex_error);
}

TEST(RetryFilterTest, OneMatchingFilterIsEnough) {
  const RetryStrategy strategy =
      LinearBackoff().RetryOnTypes({"A"}).RetryOnMessages({"busy"}).Build();
  EXPECT_TRUE(Retries(strategy, ErrorOf("A", "broken")));
  EXPECT_TRUE(Retries(strategy, ErrorOf("B", "busy")));
  EXPECT_FALSE(Retries(strategy, ErrorOf("B", "broken")));
}

TEST(RetryFilterTest, ExceptionsMatchByTheirClass) {
  const RetryStrategy strategy =
      ExponentialBackoff().RetryOnException<std::runtime_error>().Build();
  ErrorInfo error = ErrorOf("range_error");
  EXPECT_FALSE(Retries(strategy, error));
  error.exception = std::make_exception_ptr(std::range_error("far"));
  EXPECT_TRUE(Retries(strategy, error));
  error.exception = std::make_exception_ptr(std::logic_error("wrong"));
  EXPECT_FALSE(Retries(strategy, error));
}

}  // namespace
}  // namespace durable
