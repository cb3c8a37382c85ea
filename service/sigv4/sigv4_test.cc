#include "service/sigv4/sigv4.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

constexpr char kHost[] = "example.amazonaws.com";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

SigningScope Scope(const std::string& service, const std::string& token = "") {
  return {{"AKIDEXAMPLE", kSecret, token}, "us-east-1", service};
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

HttpRequest SignedRequest() {
  HttpRequest request{"POST",
                      "/2025-12-01/x%2Fy/stop?Marker=a%2Bb&MaxItems=2",
                      {{"Host", kHost}, {"Content-Type", "application/json"}},
                      "{}"};
  SignRequest(request, kHost, Scope("lambda"), Now());
  return request;
}

bool IsSigned(const HttpRequest& request, absl::string_view secret = kSecret) {
  const absl::StatusOr<Signature> signature =
      ParseSignature(FindHeader(request.headers, "Authorization").value_or(""));
  return signature.ok() && IsSignedBy(request, *signature, secret);
}

void SetHeader(HttpRequest& request, absl::string_view name, const std::string& value) {
  for (auto& header : request.headers) {
    if (header.first == name) header.second = value;
  }
}

TEST(SigV4Test, KnowsWhatTheKeyHasSigned) {
  EXPECT_TRUE(IsSigned(SignedRequest()));
  EXPECT_FALSE(IsSigned(SignedRequest(), "another key"));
}

TEST(SigV4Test, NoticesEachChangeOfWhatWasSigned) {
  const std::vector<std::function<void(HttpRequest&)>> changes = {
      [](HttpRequest& request) { request.method = "PUT"; },
      [](HttpRequest& request) { request.target = "/2025-12-01/x/y/stop?Marker=a%2Bb&MaxItems=2"; },
      [](HttpRequest& request) { request.target = "/2025-12-01/x%2Fy/stop?Marker=a%2Bb"; },
      [](HttpRequest& request) { request.body = "{ }"; },
      [](HttpRequest& request) { SetHeader(request, "Host", "example.com"); },
      [](HttpRequest& request) { SetHeader(request, "Content-Type", "text/plain"); },
      [](HttpRequest& request) { SetHeader(request, "X-Amz-Date", "20150830T123601Z"); },
      [](HttpRequest& request) { request.headers.emplace_back("host", "example.com"); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    HttpRequest request = SignedRequest();
    changes[i](request);
    EXPECT_FALSE(IsSigned(request)) << i;
  }
}

TEST(SigV4Test, LeavesTheRestToWhatIsBetween) {
  HttpRequest request = SignedRequest();
  request.target = "/2025-12-01/x%2Fy/stop?MaxItems=2&Marker=a%2Bb";
  SetHeader(request, "Content-Type", "  application/json ");
  request.headers.emplace_back("Via", "1.1 proxy");
  EXPECT_TRUE(IsSigned(request));
}

TEST(SigV4Test, ReadsTheAuthorizationHeader) {
  const absl::StatusOr<Signature> signature = ParseSignature(
      "AWS4-HMAC-SHA256 Credential=AK/20150830/eu-west-1/lambda/aws4_request,"
      "SignedHeaders=Host;x-amz-date,  Signature=0a");
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_EQ(signature->access_key_id, "AK");
  EXPECT_EQ(signature->date, "20150830");
  EXPECT_EQ(signature->region, "eu-west-1");
  EXPECT_EQ(signature->service, "lambda");
  EXPECT_EQ(signature->signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_EQ(signature->value, "0a");
}

TEST(SigV4Test, SaysWhatTheAuthorizationHeaderLacks) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."},
      {"Bearer abc", "Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."},
      {"AWS4-HMAC-SHA256 ", "Authorization header requires 'Credential' parameter."},
      {"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host",
       "Authorization header requires 'Signature' parameter."},
      {"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=, Signature=0a",
       "Authorization header requires 'SignedHeaders' parameter."},
      {"AWS4-HMAC-SHA256 Credential=a/b/c/aws4_request, SignedHeaders=host, Signature=0a",
       "Credential must have exactly 5 slash-delimited elements, of which the last is "
       "'aws4_request', e.g. keyid/date/region/service/term, got 'a/b/c/aws4_request'."},
  };
  for (const auto& [header, text] : kCases) {
    EXPECT_EQ(ParseSignature(header).status(), absl::InvalidArgumentError(text)) << header;
  }
}

}  // namespace
}  // namespace rehearse
