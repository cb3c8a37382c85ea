#include "service/aws_json/aws_query.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.pb.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;

TEST(AwsQueryTest, ReadsEveryKindOfMember) {
  v1::ListExecutionsRequest request;
  ASSERT_EQ(FromAwsQuery({{"Statuses", "RUNNING"},
                          {"Statuses", "TIMED_OUT"},
                          {"StartedAfter", "2026-01-31T10:00:00.5Z"},
                          {"StartedBefore", "1790000000.25"},
                          {"ReverseOrder", "true"},
                          {"MaxItems", "7"},
                          {"Marker", "m"},
                          {"Unknown", "x"},
                          {"session", "other"}},
                         request),
            absl::OkStatus());
  EXPECT_THAT(request.statuses(),
              ElementsAre(v1::EXECUTION_STATUS_RUNNING, v1::EXECUTION_STATUS_TIMED_OUT));
  EXPECT_EQ(request.started_after().seconds(), 1769853600);
  EXPECT_EQ(request.started_after().nanos(), 500000000);
  EXPECT_EQ(request.started_before().seconds(), 1790000000);
  EXPECT_EQ(request.started_before().nanos(), 250000000);
  EXPECT_TRUE(request.reverse_order());
  EXPECT_EQ(request.max_items(), 7);
  EXPECT_EQ(request.marker(), "m");
  EXPECT_EQ(request.session(), "");
}

TEST(AwsQueryTest, NamesTheMemberThatIsWrong) {
  struct Case {
    const char* key;
    const char* value;
    const char* message;
  };
  const Case kCases[] = {
      {"MaxItems", "many", "MaxItems: expected a whole number"},
      {"MaxItems", "2147483648", "MaxItems: expected a whole number"},
      {"ReverseOrder", "yes", "ReverseOrder: expected true or false"},
      {"StartedAfter", "soon", "StartedAfter: expected a time such as 2026-01-31T10:00:00Z"},
      {"StartedAfter", "nan", "StartedAfter: expected a time such as 2026-01-31T10:00:00Z"},
      {"Statuses", "LOST",
       "Statuses: expected one of RUNNING, PAUSING, PAUSED, SUCCEEDED, FAILED, TIMED_OUT, STOPPED, "
       "DELETING"},
  };
  for (const Case& bad : kCases) {
    v1::ListExecutionsRequest request;
    EXPECT_EQ(FromAwsQuery({{bad.key, bad.value}}, request),
              absl::InvalidArgumentError(bad.message));
  }
}

}  // namespace
}  // namespace rehearse
