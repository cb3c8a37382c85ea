#include "service/gateway/authenticator.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

constexpr char kHost[] = "127.0.0.1:9014";

const AwsCredentials& Permanent() {
  static const auto& credentials = *new AwsCredentials{"AK1", "secret 1", ""};
  return credentials;
}

const AwsCredentials& Temporary() {
  static const auto& credentials = *new AwsCredentials{"AK2", "secret 2", "token"};
  return credentials;
}

absl::Time Now() {
  return absl::FromCivil(absl::CivilSecond(2026, 11, 27, 23, 58, 0), absl::UTCTimeZone());
}

HttpRequest Signed(const AwsCredentials& credentials, const std::string& region = "eu-west-1",
                   const std::string& service = "lambda", absl::Time at = Now()) {
  HttpRequest request{"GET", "/2025-12-01/durable-executions/a%2Fb", {{"Host", kHost}}, ""};
  SignRequest(request, kHost, {credentials, region, service}, at);
  return request;
}

// Replaces `from` in a header's value; `to` absent: drops the header.
HttpRequest Changed(HttpRequest request, const std::string& name, const std::string& from,
                    absl::optional<std::string> to) {
  HttpHeaders headers;
  for (auto& header : request.headers) {
    if (header.first != name) {
      headers.push_back(std::move(header));
    } else if (to.has_value()) {
      headers.emplace_back(name, absl::StrReplaceAll(header.second, {{from, *to}}));
    }
  }
  request.headers = std::move(headers);
  return request;
}

absl::Status Check(const HttpRequest& request, absl::Time now = Now()) {
  return Authenticator({Permanent(), Temporary()}, "eu-west-1").Check(request, now);
}

TEST(AuthenticatorTest, KnowsTheCredentialsItWasGiven) {
  EXPECT_EQ(Check(Signed(Permanent())), absl::OkStatus());
  EXPECT_EQ(Check(Signed(Temporary())), absl::OkStatus());
}

TEST(AuthenticatorTest, WithoutCredentialsLooksAtNothing) {
  EXPECT_EQ(Authenticator({}, "eu-west-1").Check({"GET", "/", {}, ""}, Now()), absl::OkStatus());
}

TEST(AuthenticatorTest, RefusesWhatIsNotSigned) {
  EXPECT_EQ(Check({"GET", "/", {}, ""}), errors::MissingSignature());
  EXPECT_EQ(Check({"GET", "/", {{"Authorization", "Bearer x"}}, ""}),
            errors::IncompleteSignature(
                "Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."));
  EXPECT_EQ(Check(Changed(Signed(Permanent()), "X-Amz-Date", "", absl::nullopt)),
            errors::IncompleteSignature("Authorization header requires a 'X-Amz-Date' header in "
                                        "ISO-8601 'basic format', got ''."));
}

TEST(AuthenticatorTest, RefusesCredentialsOfOthers) {
  EXPECT_EQ(Check(Signed({"AK3", "secret 1", ""})), errors::UnknownCredentials());
  EXPECT_EQ(Check(Signed({"AK1", "secret 1", "token"})), errors::UnknownCredentials());
  EXPECT_EQ(Check(Signed({"AK2", "secret 2", ""})), errors::UnknownCredentials());
}

TEST(AuthenticatorTest, RefusesOtherSecretsRegionsAndServices) {
  const absl::Status mismatch = errors::InvalidSignature(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method.");
  EXPECT_EQ(Check(Signed({"AK1", "secret 2", ""})), mismatch);
  EXPECT_EQ(Check(Changed(Signed(Permanent()), "Host", "9014", "9015")), mismatch);
  EXPECT_EQ(Check(Signed(Permanent(), "us-east-1")),
            errors::InvalidSignature("Credential should be scoped to a valid region, not "
                                     "'us-east-1'; this service is in eu-west-1."));
  EXPECT_EQ(Check(Signed(Permanent(), "eu-west-1", "s3")),
            errors::InvalidSignature("Credential should be scoped to correct service: 'lambda'."));
  EXPECT_EQ(Check(Changed(Signed(Permanent()), "Authorization", "host;", "")),
            errors::InvalidSignature("'Host' must be a 'SignedHeader' in the AWS Authorization."));
}

TEST(AuthenticatorTest, RefusesSignaturesOfAnotherDay) {
  for (const char* date : {"20261126", "2026112"}) {
    EXPECT_EQ(Check(Changed(Signed(Permanent()), "Authorization", "20261127", date)),
              errors::InvalidSignature(absl::StrCat(
                  "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                  "from HTTP: '",
                  date, "' != '20261127', from '20261127T235800Z'.")));
  }
}

TEST(AuthenticatorTest, TakesSignaturesOfFiveMinutesAroundNow) {
  const HttpRequest request = Signed(Permanent());
  EXPECT_EQ(Check(request, Now() + absl::Minutes(5)), absl::OkStatus());
  EXPECT_EQ(Check(request, Now() - absl::Minutes(5)), absl::OkStatus());
  EXPECT_EQ(Check(request, Now() + absl::Seconds(301)),
            errors::InvalidSignature("Signature expired: 20261127T235800Z is now earlier than "
                                     "20261127T235801Z (20261128T000301Z - 5 min.)"));
  EXPECT_EQ(Check(request, Now() - absl::Seconds(301)),
            errors::InvalidSignature("Signature not yet current: 20261127T235800Z is still later "
                                     "than 20261127T235759Z (20261127T235259Z + 5 min.)"));
}

}  // namespace
}  // namespace rehearse
