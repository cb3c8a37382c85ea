#include <string>
#include <vector>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<int> Forever(DurableContext& context) {
  DURABLE_RETURN_IF_ERROR(context.Wait("", absl::Hours(1)));
  return 0;
}
int One(DurableContext&) { return 1; }
int Two(DurableContext&) { return 2; }
absl::StatusOr<int> Boom(DurableContext&) { return MakeError("Boom", "boom"); }
absl::StatusOr<int> Bang(DurableContext&) { return MakeError("Bang", "bang"); }

class CombinatorTest : public ::testing::Test {
 protected:
  // Runs `combine` twice; the second run has to find everything recorded.
  template <typename F>
  InvocationOutput Run(F combine) {
    const Handler handler = [&](DurableContext& ctx, const Json&) { return combine(ctx); };
    const InvocationOutput output = service_.Run(handler);
    const size_t updates = service_.Updates().size();
    const InvocationOutput replayed = service_.Run(handler);
    EXPECT_EQ(replayed.status, output.status);
    EXPECT_EQ(replayed.result, output.result);
    EXPECT_EQ(service_.Updates().size(), updates);
    return output;
  }

  FakeService service_;
};

TEST_F(CombinatorTest, AllReturnsEveryResultInAChildContext) {
  EXPECT_EQ(Run([](DurableContext& ctx) {
              return ctx.All<int>("all", {One, Two});
            }).result,
            "[1,2]");
  EXPECT_EQ(service_.At("1")->sub_type, "RunInChildContext");
  EXPECT_EQ(service_.At("1")->name, "all");
  EXPECT_EQ(service_.At("1")->payload, "[1,2]");
  EXPECT_EQ(service_.At("1-1")->sub_type, "Parallel");
}

TEST_F(CombinatorTest, AllFailsWithTheFirstError) {
  const InvocationOutput output = Run([](DurableContext& ctx) {
    return ctx.All<int>("all", {Forever, Boom});
  });
  EXPECT_EQ(output.error->type, "ChildContextError");
  EXPECT_EQ(output.error->message, "boom");
}

TEST_F(CombinatorTest, AllOfNothingIsNothing) {
  EXPECT_EQ(Run([](DurableContext& ctx) { return ctx.All<int>("all", {}); }).result, "[]");
}

TEST_F(CombinatorTest, AllSettledSaysWhatBecameOfEach) {
  const InvocationOutput output =
      Run([](DurableContext& ctx) -> absl::StatusOr<std::vector<std::string>> {
        DURABLE_ASSIGN_OR_RETURN(BatchResult<int> batch,
                                 ctx.AllSettled<int>("settled", {Boom, Two, Bang}));
        std::vector<std::string> texts;
        for (const BatchItem<int>& item : batch.items()) {
          texts.push_back(item.result.has_value() ? std::to_string(*item.result)
                                                  : std::string(item.error.message()));
        }
        return texts;
      });
  EXPECT_EQ(output.result, R"(["boom","2","bang"])");
}

TEST_F(CombinatorTest, AnyReturnsTheFirstResult) {
  EXPECT_EQ(Run([](DurableContext& ctx) {
              return ctx.Any<int>("any", {Forever, Boom, Two});
            }).result,
            "2");
}

TEST_F(CombinatorTest, AnyFailsWhenEveryBranchDoes) {
  const InvocationOutput output = Run([](DurableContext& ctx) {
    return ctx.Any<int>("any", {Boom, Bang});
  });
  EXPECT_EQ(output.error->message, "all branches failed, the first with: boom");
  EXPECT_EQ(service_.At("1")->error->type, "PromiseCombinatorError");
}

TEST_F(CombinatorTest, RaceIsWonByWhoEndsFirst) {
  EXPECT_EQ(Run([](DurableContext& ctx) {
              return ctx.Race<int>("race", {Forever, One});
            }).result,
            "1");
}

TEST_F(CombinatorTest, RaceIsLostWhenTheFirstToEndFails) {
  const InvocationOutput output = Run([](DurableContext& ctx) {
    return ctx.Race<int>("race", {Forever, Boom});
  });
  EXPECT_EQ(output.error->message, "boom");
}

TEST_F(CombinatorTest, RaceGoesOnUntilOneEnds) {
  const Handler handler = [](DurableContext& ctx, const Json&) {
    return ctx.Race<int>("race", {Forever, Forever});
  };
  EXPECT_EQ(service_.Run(handler).status, InvocationStatus::kPending);
  service_.CompleteTimers();
  EXPECT_EQ(service_.Run(handler).result, "0");
}

TEST_F(CombinatorTest, AnyAndRaceNeedABranch) {
  for (const bool any : {true, false}) {
    FakeService service;
    const InvocationOutput output = service.Run([&](DurableContext& ctx, const Json&) {
      return any ? ctx.Any<int>("", {}) : ctx.Race<int>("", {});
    });
    EXPECT_EQ(output.error->type, "ChildContextError");
    EXPECT_EQ(service.At("1")->error->type, "ValidationError");
    EXPECT_THAT(output.error->message, HasSubstr(any ? "min_successful" : "at least one branch"));
  }
}

}  // namespace
}  // namespace internal
}  // namespace durable
