#include "service/clock/clock_domain.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace rehearse {
namespace {

using Kind = Timer::Kind;

constexpr Kind kAllKinds[] = {
    Kind::kWait,
    Kind::kRetry,
    Kind::kBackoff,
    Kind::kCallbackTimeout,
    Kind::kCallbackHeartbeat,
    Kind::kExecutionTimeout,
    Kind::kRetention,
};

constexpr ClockConfig kReal = {ClockMode::kReal, false};
constexpr ClockConfig kSkip = {ClockMode::kSkip, false};
constexpr ClockConfig kSkipDeadlines = {ClockMode::kSkip, true};
constexpr ClockConfig kManual = {ClockMode::kManual, false};

const absl::Time kStart = absl::FromUnixSeconds(1790000000);

absl::Time At(int64_t seconds) { return kStart + absl::Seconds(seconds); }
bool Always(const Timer&) { return true; }

// A timer that is `seconds` after the start, named by `operation`.
Timer Of(Kind kind, int64_t seconds, int64_t operation = 0) {
  return {kind, At(seconds), 0, operation};
}

std::vector<int64_t> PopAll(ClockDomain& domain, absl::Time wall) {
  std::vector<int64_t> operations;
  while (absl::optional<Timer> timer = domain.PopDue(wall, Always)) {
    operations.push_back(timer->operation);
  }
  return operations;
}

TEST(ClockDomainTest, RealTimeIsWallTime) {
  ClockDomain domain(kReal, kStart);
  EXPECT_EQ(domain.Read(At(7)).time, At(7));
  EXPECT_EQ(domain.Read(At(7)).deadline_time, At(7));
}

TEST(ClockDomainTest, SkipRunsWithTheWallBetweenJumps) {
  ClockDomain domain(kSkip, kStart);
  domain.Arm(Of(Kind::kWait, 100));
  ASSERT_TRUE(domain.JumpToNext(At(1), Always));
  EXPECT_EQ(domain.Read(At(1)).time, At(100));
  EXPECT_EQ(domain.Read(At(3)).time, At(102));
  EXPECT_EQ(domain.Read(At(3)).deadline_time, At(3));
}

TEST(ClockDomainTest, ManualTimeStandsStillUntilAdvanced) {
  ClockDomain domain(kManual, kStart);
  domain.Arm(Of(Kind::kWait, 10));
  EXPECT_EQ(domain.Read(At(1000)).time, kStart);
  EXPECT_EQ(domain.PopDue(At(1000), Always), absl::nullopt);
  EXPECT_EQ(domain.AdvanceTowardsNext(At(1000), absl::Seconds(9), Always), absl::Seconds(9));
  EXPECT_EQ(domain.PopDue(At(1000), Always), absl::nullopt);
  EXPECT_EQ(domain.AdvanceTowardsNext(At(1000), absl::Seconds(9), Always), absl::Seconds(1));
  EXPECT_EQ(domain.Read(At(2000)).time, At(10));
  EXPECT_EQ(domain.Read(At(2000)).deadline_time, At(10));
  EXPECT_TRUE(domain.PopDue(At(1000), Always).has_value());
}

TEST(ClockDomainTest, NothingFiresEarly) {
  ClockDomain domain(kReal, kStart);
  for (Kind kind : kAllKinds) domain.Arm(Of(kind, 10));
  EXPECT_TRUE(PopAll(domain, At(10) - absl::Nanoseconds(1)).empty());
  EXPECT_EQ(PopAll(domain, At(10)).size(), 7u);
}

TEST(ClockDomainTest, OrderIsDueThenKindThenArming) {
  ClockDomain domain(kReal, kStart);
  domain.Arm(Of(Kind::kRetention, 5, 8));
  domain.Arm(Of(Kind::kExecutionTimeout, 5, 7));
  domain.Arm(Of(Kind::kCallbackHeartbeat, 5, 6));
  domain.Arm(Of(Kind::kCallbackTimeout, 5, 5));
  domain.Arm(Of(Kind::kBackoff, 5, 4));
  domain.Arm(Of(Kind::kRetry, 5, 3));
  domain.Arm(Of(Kind::kWait, 5, 1));
  domain.Arm(Of(Kind::kWait, 5, 2));
  domain.Arm(Of(Kind::kRetention, 4, 0));
  EXPECT_EQ(PopAll(domain, At(5)), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(ClockDomainTest, OrderHoldsAcrossTheTimelines) {
  ClockDomain domain(kSkip, kStart);
  domain.Arm(Of(Kind::kWait, 100, 0));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  ASSERT_EQ(PopAll(domain, kStart), std::vector<int64_t>{0});
  // Deadline time is 100 s behind: in time, the deadline is due at 110.
  domain.Arm(Of(Kind::kCallbackTimeout, 10, 2));
  domain.Arm(Of(Kind::kWait, 109, 1));
  domain.Arm(Of(Kind::kWait, 110, 3));
  domain.Arm(Of(Kind::kWait, 111, 4));
  EXPECT_EQ(PopAll(domain, At(11)), (std::vector<int64_t>{1, 3, 2, 4}));
}

struct JumpCase {
  const char* name;
  ClockConfig config;
  Kind kind;
  bool jumps;
};

class JumpTest : public testing::TestWithParam<JumpCase> {};

TEST_P(JumpTest, GoesOnlyToTimersThatTakePart) {
  ClockDomain domain(GetParam().config, kStart);
  domain.Arm(Of(GetParam().kind, 2592000));
  EXPECT_EQ(domain.JumpToNext(At(1), Always), GetParam().jumps);
  const absl::Time wall_or_frozen = GetParam().config.mode == ClockMode::kManual ? kStart : At(1);
  EXPECT_EQ(domain.Read(At(1)).time, GetParam().jumps ? At(2592000) : wall_or_frozen);
  EXPECT_EQ(domain.PopDue(At(1), Always).has_value(), GetParam().jumps);
}

INSTANTIATE_TEST_SUITE_P(
    Table, JumpTest,
    testing::Values(JumpCase{"SkipWait", kSkip, Kind::kWait, true},
                    JumpCase{"SkipRetry", kSkip, Kind::kRetry, true},
                    JumpCase{"SkipBackoff", kSkip, Kind::kBackoff, true},
                    JumpCase{"SkipCallbackTimeout", kSkip, Kind::kCallbackTimeout, false},
                    JumpCase{"SkipHeartbeat", kSkip, Kind::kCallbackHeartbeat, false},
                    JumpCase{"SkipExecutionTimeout", kSkip, Kind::kExecutionTimeout, false},
                    JumpCase{"SkipRetention", kSkip, Kind::kRetention, false},
                    JumpCase{"DeadlinesWait", kSkipDeadlines, Kind::kWait, true},
                    JumpCase{"DeadlinesTimeout", kSkipDeadlines, Kind::kCallbackTimeout, true},
                    JumpCase{"DeadlinesHeartbeat", kSkipDeadlines, Kind::kCallbackHeartbeat, true},
                    JumpCase{"DeadlinesExecution", kSkipDeadlines, Kind::kExecutionTimeout, true},
                    JumpCase{"DeadlinesRetention", kSkipDeadlines, Kind::kRetention, false},
                    JumpCase{"Real", kReal, Kind::kWait, false},
                    JumpCase{"Manual", kManual, Kind::kWait, false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ClockDomainTest, AJumpCarriesDeadlinesAlongUnspent) {
  ClockDomain domain(kSkip, kStart);
  domain.Arm(Of(Kind::kCallbackTimeout, 60, 1));
  domain.Arm(Of(Kind::kWait, 2592000, 2));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{2});
  EXPECT_EQ(domain.TimeLeft(Kind::kCallbackTimeout, At(60), kStart), absl::Seconds(60));
  EXPECT_TRUE(PopAll(domain, At(59)).empty());
  EXPECT_EQ(PopAll(domain, At(60)), std::vector<int64_t>{1});
}

TEST(ClockDomainTest, SkippedDeadlinesComeInDueOrder) {
  ClockDomain domain(kSkipDeadlines, kStart);
  domain.Arm(Of(Kind::kWait, 90, 2));
  domain.Arm(Of(Kind::kCallbackTimeout, 60, 1));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{1});
  EXPECT_EQ(domain.Read(kStart).deadline_time, At(60));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{2});
}

TEST(ClockDomainTest, RetentionIsCarriedAlongEvenWithSkippedDeadlines) {
  ClockDomain domain(kSkipDeadlines, kStart);
  domain.Arm(Of(Kind::kWait, 1000, 1));
  domain.Arm(Of(Kind::kRetention, 10, 2));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{1});
  // Armed after the jump, at 10 s from then.
  domain.Arm(Of(Kind::kRetention, 1011, 3));
  EXPECT_EQ(PopAll(domain, At(10)), std::vector<int64_t>{2});
  EXPECT_EQ(PopAll(domain, At(11)), std::vector<int64_t>{3});
}

TEST(ClockDomainTest, ATimerThatIsDueAlreadyIsJumpedToWithoutMoving) {
  ClockDomain domain(kSkip, kStart);
  domain.Arm(Of(Kind::kWait, 5));
  EXPECT_TRUE(domain.JumpToNext(At(9), Always));
  EXPECT_EQ(domain.Read(At(9)).time, At(9));
}

TEST(ClockDomainTest, AdvanceMovesBothTimelinesAndStopsAtDeadlines) {
  for (ClockConfig config : {kReal, kSkip, kSkipDeadlines, kManual}) {
    ClockDomain domain(config, kStart);
    domain.Arm(Of(Kind::kWait, 100, 3));
    domain.Arm(Of(Kind::kExecutionTimeout, 60, 2));
    domain.Arm(Of(Kind::kRetention, 30, 1));
    EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), Always), absl::Seconds(30));
    EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{1});
    EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), Always), absl::Seconds(30));
    EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), Always), absl::ZeroDuration());
    EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{2});
    EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), Always), absl::Seconds(40));
    EXPECT_EQ(PopAll(domain, kStart), std::vector<int64_t>{3});
    EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), Always), absl::Hours(1));
    EXPECT_EQ(domain.Read(kStart).time, At(3700));
    EXPECT_EQ(domain.Read(kStart).deadline_time, At(3700));
  }
}

TEST(ClockDomainTest, UntilNextLeavesRetentionOut) {
  ClockDomain domain(kSkip, kStart);
  EXPECT_EQ(domain.UntilNext(kStart, Always), absl::nullopt);
  domain.Arm(Of(Kind::kRetention, 1));
  EXPECT_EQ(domain.UntilNext(kStart, Always), absl::nullopt);
  domain.Arm(Of(Kind::kCallbackTimeout, 20));
  EXPECT_EQ(domain.UntilNext(At(5), Always), absl::Seconds(15));
  domain.Arm(Of(Kind::kWait, 8));
  EXPECT_EQ(domain.UntilNext(At(5), Always), absl::Seconds(3));
  EXPECT_EQ(domain.UntilNext(At(50), Always), absl::ZeroDuration());
  EXPECT_EQ(domain.UntilNext(kStart, [](const Timer& t) { return t.kind != Kind::kWait; }),
            absl::Seconds(20));
}

TEST(ClockDomainTest, NextWakeIsAWallMoment) {
  ClockDomain domain(kSkip, kStart);
  EXPECT_EQ(domain.NextWake(Always), absl::nullopt);
  domain.Arm(Of(Kind::kWait, 100));
  ASSERT_TRUE(domain.JumpToNext(kStart, Always));
  PopAll(domain, kStart);
  domain.Arm(Of(Kind::kWait, 150));
  EXPECT_EQ(domain.NextWake(Always), At(50));
  domain.Arm(Of(Kind::kCallbackTimeout, 20));
  EXPECT_EQ(domain.NextWake(Always), At(20));

  ClockDomain manual(kManual, kStart);
  manual.Arm(Of(Kind::kWait, 1));
  EXPECT_EQ(manual.NextWake(Always), absl::nullopt);
}

TEST(ClockDomainTest, StaleTimersNeitherFireNorStopNorWake) {
  const auto is_live = [](const Timer& timer) { return timer.operation != 1; };
  ClockDomain domain(kSkip, kStart);
  domain.Arm(Of(Kind::kWait, 10, 1));
  domain.Arm(Of(Kind::kCallbackTimeout, 10, 1));
  EXPECT_EQ(domain.NextWake(is_live), absl::nullopt);
  domain.Arm(Of(Kind::kWait, 10, 1));
  EXPECT_FALSE(domain.JumpToNext(kStart, is_live));
  domain.Arm(Of(Kind::kWait, 10, 1));
  domain.Arm(Of(Kind::kWait, 20, 2));
  EXPECT_EQ(domain.AdvanceTowardsNext(kStart, absl::Hours(1), is_live), absl::Seconds(20));
  domain.Arm(Of(Kind::kWait, 10, 1));
  EXPECT_EQ(domain.PopDue(kStart, is_live)->operation, 2);
}

TEST(ClockDomainTest, StaleTimersBehindALiveOneAreSweptOut) {
  ClockDomain domain(kReal, kStart);
  domain.Arm(Of(Kind::kCallbackTimeout, 1, -1));
  int64_t newest = 0;
  int64_t asked = 0;
  const auto is_live = [&](const Timer& timer) {
    ++asked;
    return timer.operation == -1 || timer.operation == newest;
  };
  // As a callback with many heartbeats does.
  for (newest = 1; newest <= 100000; ++newest) {
    domain.Arm(Of(Kind::kCallbackHeartbeat, 1000 + newest, newest));
    ASSERT_EQ(domain.PopDue(kStart, is_live), absl::nullopt);
  }
  newest = 100000;
  asked = 0;
  ASSERT_TRUE(domain.UntilNext(kStart, is_live).has_value());
  EXPECT_LE(asked, 65);
}

TEST(ClockDomainTest, ARestoredClockGoesOnWhereItStood) {
  for (const ClockConfig& config : {kReal, kSkip, kSkipDeadlines, kManual}) {
    ClockDomain before(config, kStart);
    before.Arm(Of(Kind::kWait, 100));
    before.JumpToNext(At(1), Always);
    before.AdvanceTowardsNext(At(1), absl::Seconds(7), Always);
    // The wall clock is further on, or behind: another machine's.
    for (const absl::Time wall : {At(50), At(-50)}) {
      ClockDomain after(config, wall);
      after.Restore(before.state());
      EXPECT_EQ(after.Read(wall).time, before.Read(wall).time);
      EXPECT_EQ(after.Read(wall).deadline_time, before.Read(wall).deadline_time);
    }
  }
}

TEST(ClockDomainTest, ARestoredClockIsTheOneThatIsFurthestOn) {
  for (const ClockConfig& config : {kSkip, kManual}) {
    ClockDomain early(config, kStart);
    ClockDomain late(config, kStart);
    late.AdvanceTowardsNext(kStart, absl::Seconds(7), Always);
    for (const bool late_first : {false, true}) {
      ClockDomain after(config, At(1000));
      after.Restore(late_first ? late.state() : early.state());
      after.Restore(late_first ? early.state() : late.state());
      EXPECT_EQ(after.Read(At(1000)).time, late.Read(At(1000)).time);
    }
  }
}

TEST(ClockDomainTest, AnEmptyDomainIsSmall) { EXPECT_LE(sizeof(ClockDomain), 160u); }

// What the model keeps of an armed timer: its due moment in time moves when a jump carries it.
struct ModelTimer {
  Timer timer;
  absl::Time due_in_time;
  int64_t order;
};

RC_GTEST_PROP(ClockDomainProperty, RandomWalksFireEverythingOnceInDueOrderAndNeverEarly, ()) {
  const ClockConfig config = *rc::gen::element(kReal, kSkip, kSkipDeadlines, kManual);
  ClockDomain domain(config, kStart);
  absl::Time wall = kStart;
  std::vector<ModelTimer> armed;
  std::set<int64_t> stale;
  int64_t next = 0;
  const auto is_live = [&](const Timer& timer) { return stale.count(timer.operation) == 0; };
  const auto first = [&] {
    armed.erase(std::remove_if(armed.begin(), armed.end(),
                               [&](const ModelTimer& t) { return !is_live(t.timer); }),
                armed.end());
    return std::min_element(armed.begin(), armed.end(), [](const auto& a, const auto& b) {
      return std::tie(a.due_in_time, a.timer.kind, a.order) <
             std::tie(b.due_in_time, b.timer.kind, b.order);
    });
  };
  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    const Moment now = domain.Read(wall);
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1: {
        const Kind kind =
            *rc::gen::elementOf(std::vector<Kind>(std::begin(kAllKinds), std::end(kAllKinds)));
        const absl::Duration delay = absl::Seconds(*rc::gen::inRange(-2, 50));
        const bool deadline = kind >= Kind::kCallbackTimeout;
        const Timer timer = {kind, (deadline ? now.deadline_time : now.time) + delay, 7, next++};
        domain.Arm(timer);
        armed.push_back({timer, now.time + delay, timer.operation});
        break;
      }
      case 2:
        wall += absl::Seconds(*rc::gen::inRange(0, 10));
        break;
      case 3: {
        const bool jumped = domain.JumpToNext(wall, is_live);
        RC_ASSERT((config.mode == ClockMode::kSkip || !jumped));
        const absl::Duration distance = domain.Read(wall).time - now.time;
        RC_ASSERT(distance >= absl::ZeroDuration());
        for (ModelTimer& t : armed) {
          const bool takes_part = t.timer.kind < Kind::kCallbackTimeout ||
                                  (config.skip_deadlines && t.timer.kind != Kind::kRetention);
          if (!takes_part) t.due_in_time += distance;
          // A jump passes over nothing that takes part.
          if (takes_part && is_live(t.timer) && t.due_in_time > now.time) {
            RC_ASSERT(t.due_in_time >= domain.Read(wall).time);
          }
        }
        break;
      }
      case 4: {
        const absl::Duration limit = absl::Seconds(*rc::gen::inRange(0, 30));
        const absl::Duration moved = domain.AdvanceTowardsNext(wall, limit, is_live);
        RC_ASSERT(domain.Read(wall).time - now.time == moved);
        RC_ASSERT(domain.Read(wall).deadline_time - now.deadline_time == moved);
        const auto expected = first();
        RC_ASSERT((moved == limit || moved == absl::ZeroDuration() ||
                   expected->due_in_time == domain.Read(wall).time));
        break;
      }
      default:
        if (next > 0) stale.insert(*rc::gen::inRange<int64_t>(0, next));
        break;
    }
    if (*rc::gen::inRange(0, 2) == 0) continue;
    while (absl::optional<Timer> fired = domain.PopDue(wall, is_live)) {
      const auto expected = first();
      RC_ASSERT(expected != armed.end());
      RC_ASSERT(fired->operation == expected->timer.operation);
      RC_ASSERT(fired->due == expected->timer.due);
      RC_ASSERT(expected->due_in_time <= domain.Read(wall).time);
      armed.erase(expected);
    }
    const auto left = first();
    RC_ASSERT((left == armed.end() || left->due_in_time > domain.Read(wall).time));
    const absl::optional<absl::Time> wake = domain.NextWake(is_live);
    const bool wakes = config.mode != ClockMode::kManual && left != armed.end();
    RC_ASSERT(wake.has_value() == wakes);
    if (wake.has_value()) {
      RC_ASSERT(left->due_in_time - domain.Read(wall).time == *wake - wall);
    }
  }
}

}  // namespace
}  // namespace rehearse
