#include "service/sigv4/credentials.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse {

bool operator==(const AwsCredentials& a, const AwsCredentials& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key &&
         a.session_token == b.session_token;
}

namespace {

using ::testing::ElementsAre;

TEST(CredentialsFileTest, HoldsTheKeysOfSeveralProfiles) {
  const auto credentials = ParseCredentialsFile(R"(# of the team
[default]
aws_access_key_id=AK1
aws_secret_access_key = a/b=c
region = eu-west-1

[ by-role ]
role_arn = arn:aws:iam::123456789012:role/r
; temporary
[ci]
  aws_session_token = token
  aws_access_key_id = AK2
  aws_secret_access_key = d
)");
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_THAT(*credentials,
              ElementsAre(AwsCredentials{"AK1", "a/b=c", ""}, AwsCredentials{"AK2", "d", "token"}));
}

TEST(CredentialsFileTest, SaysWhereItIsWrong) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "no profile has aws_access_key_id and aws_secret_access_key"},
      {"[a]\nregion = eu-west-1", "no profile has aws_access_key_id and aws_secret_access_key"},
      {"\naws_access_key_id = AK", "line 2: expected [PROFILE] first"},
      {"[a", "line 1: expected [PROFILE]"},
      {"[a]\naws_access_key_id = AK",
       "profile 'a' needs aws_access_key_id and aws_secret_access_key together"},
      {"[a]\naws_secret_access_key = secret\n[b]\naws_access_key_id = AK",
       "profile 'a' needs aws_access_key_id and aws_secret_access_key together"},
  };
  for (const auto& [text, error] : kCases) {
    EXPECT_EQ(ParseCredentialsFile(text).status(), absl::InvalidArgumentError(error)) << text;
  }
}

}  // namespace
}  // namespace rehearse
