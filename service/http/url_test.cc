#include "service/http/url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST(UrlTest, DecodesEscapesAndRefusesMalformedOnes) {
  EXPECT_THAT(PercentDecode("a%3Ab%2fc"), Optional(std::string("a:b/c")));
  EXPECT_THAT(PercentDecode("%00"), Optional(std::string("\0", 1)));
  EXPECT_THAT(PercentDecode(""), Optional(std::string()));
  for (const char* malformed : {"%", "%4", "a%zz", "%4", "%%41"}) {
    EXPECT_EQ(PercentDecode(malformed), absl::nullopt) << malformed;
  }
}

TEST(UrlTest, EncodesWhatIsNotUnreserved) {
  EXPECT_EQ(PercentEncode("a-b_c.d~E9"), "a-b_c.d~E9");
  EXPECT_EQ(PercentEncode("arn:aws/$LATEST+=\xff"), "arn%3Aaws%2F%24LATEST%2B%3D%FF");
}

TEST(UrlTest, SplitsPathAndQuery) {
  const absl::optional<Url> url =
      SplitTarget("/a%2Fb/c?Statuses=RUNNING&Statuses=FAILED&x=1%3D2+3&flag");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->path, "/a%2Fb/c");
  EXPECT_THAT(url->query, ElementsAre(Pair("Statuses", "RUNNING"), Pair("Statuses", "FAILED"),
                                      Pair("x", "1=2 3"), Pair("flag", "")));
  EXPECT_THAT(FindQuery(url->query, "Statuses"), Optional(absl::string_view("RUNNING")));
  EXPECT_EQ(FindQuery(url->query, "statuses"), absl::nullopt);
}

TEST(UrlTest, TakesAbsoluteTargetsAndRefusesMalformedQueries) {
  EXPECT_EQ(SplitTarget("http://localhost:1/a?b=c")->path, "/a");
  EXPECT_EQ(SplitTarget("http://localhost:1")->path, "/");
  EXPECT_EQ(SplitTarget("/a?b=%zz"), absl::nullopt);
}

}  // namespace
}  // namespace rehearse
