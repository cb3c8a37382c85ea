#include "client/cpp/durable/internal/sigv4.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace durable {
namespace internal {
namespace {

using rehearse::FindHeader;
using rehearse::HttpRequest;

constexpr char kHost[] = "example.amazonaws.com";

SigningScope Scope(const std::string& service, const std::string& token = "") {
  return {{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token}, "us-east-1", service};
}

absl::Time Now() {
  return absl::FromCivil(absl::CivilSecond(2015, 8, 30, 12, 36, 0), absl::UTCTimeZone());
}

std::string Authorization(HttpRequest request, absl::string_view host, const SigningScope& scope) {
  SignRequest(request, host, scope, Now());
  EXPECT_EQ(FindHeader(request.headers, "x-amz-date"), "20150830T123600Z");
  return std::string(FindHeader(request.headers, "authorization").value_or(""));
}

std::string Expected(const std::string& service, const std::string& headers,
                     const std::string& signature) {
  return absl::StrCat("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/", service,
                      "/aws4_request, SignedHeaders=", headers, ", Signature=", signature);
}

// Vectors of AWS's published test suite, by its names.
TEST(SigV4Test, SignsThePublishedVectors) {
  struct Vector {
    const char* name;
    HttpRequest request;
    const char* headers;
    const char* signature;
  };
  const Vector kVectors[] = {
      {"get-vanilla",
       {"GET", "/", {}, ""},
       "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla",
       {"POST", "/", {}, ""},
       "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-vanilla-query-order-key-case",
       {"GET", "/?Param2=value2&Param1=value1", {}, ""},
       "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"post-x-www-form-urlencoded",
       {"POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"},
       "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(Authorization(vector.request, kHost, Scope("service")),
              Expected("service", vector.headers, vector.signature))
        << vector.name;
  }
}

// What botocore signs for the same requests.
TEST(SigV4Test, SignsArnsInPathsAndTokensInQueriesAsBotocoreDoes) {
  const std::string arn =
      "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A%24LATEST%2F"
      "durable-execution%2Fn%2Fid";
  const std::string path = absl::StrCat("/2025-12-01/durable-executions/", arn);
  const char* host = "lambda.us-east-1.amazonaws.com";
  EXPECT_EQ(
      Authorization(
          {"POST", absl::StrCat(path, "/checkpoint"), {{"Content-Type", "application/json"}}, "{}"},
          host, Scope("lambda")),
      Expected("lambda", "content-type;host;x-amz-date",
               "83d17d2b543618b6ab421dddf891052395370e9f8617ed8216bd8935743179e0"));
  EXPECT_EQ(
      Authorization({"GET",
                     absl::StrCat(path, "/state?CheckpointToken=a%2Bb%2F%3D%3D&MaxItems=1000"),
                     {},
                     ""},
                    host, Scope("lambda")),
      Expected("lambda", "host;x-amz-date",
               "849ca980bc7f098393fbd48b12c7abcf14c2338d7468f7b915aa89253e2eb4d3"));
  EXPECT_EQ(
      Authorization({"GET", "/sessions/s/2025-12-01/x", {}, ""}, "127.0.0.1:9014", Scope("lambda")),
      Expected("lambda", "host;x-amz-date",
               "9476fdcb0952971718b2d8b3cdca682c687d5cfa33a2ca7fd9a5f82a93703871"));
}

TEST(SigV4Test, SignsTheTokenOfTemporaryCredentials) {
  HttpRequest request{"POST", "/", {}, ""};
  SignRequest(request, kHost, Scope("service", "TOKEN/EXAMPLE=="), Now());
  EXPECT_EQ(FindHeader(request.headers, "x-amz-security-token"), "TOKEN/EXAMPLE==");
  EXPECT_EQ(FindHeader(request.headers, "authorization"),
            Expected("service", "host;x-amz-date;x-amz-security-token",
                     "7f4123504873cfeb2a643693ea6c27fedf82269b71db07b30ddd67439a5325d0"));
}

}  // namespace
}  // namespace internal
}  // namespace durable
