#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rehearse/v1/error_details.pb.h"
#include "service/base/arn.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/base/limits.h"
#include "service/base/marker.h"
#include "service/base/text.h"

namespace rehearse {
namespace {

// ---- arn.h ----

constexpr char kArn[] =
    "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/order-17/5b0d";

TEST(ExecutionArnTest, ParsesWhatItWrites) {
  const absl::optional<ExecutionArn> arn = ExecutionArn::Parse(kArn);
  ASSERT_TRUE(arn.has_value());
  EXPECT_EQ(arn->location.partition, "aws");
  EXPECT_EQ(arn->location.region, "us-east-1");
  EXPECT_EQ(arn->location.account, "123456789012");
  EXPECT_EQ(arn->function_name, "orders");
  EXPECT_EQ(arn->version, "$LATEST");
  EXPECT_EQ(arn->execution_name, "order-17");
  EXPECT_EQ(arn->execution_id, "5b0d");
  EXPECT_EQ(arn->ToString(), kArn);
}

TEST(ExecutionArnTest, TakesTheVersionsOfTheModel) {
  for (const std::string version : {"$LATEST", "$LATEST.PUBLISHED", "7"}) {
    const std::string text =
        "arn:aws:lambda:us-east-1:123456789012:function:f:" + version + "/durable-execution/n/i";
    EXPECT_TRUE(ExecutionArn::Parse(text).has_value()) << text;
  }
}

TEST(ExecutionArnTest, RefusesEverythingElse) {
  const std::string kPrefix = "arn:aws:lambda:us-east-1:123456789012:function:";
  for (const std::string& text :
       {std::string(), std::string("orders"), kPrefix + "f:live/durable-execution/n/i",
        kPrefix + "f/durable-execution/n/i", kPrefix + "f:1/durable-executions/n/i",
        kPrefix + "f:1/durable-execution/n", kPrefix + "f:1/durable-execution/n/i/j",
        kPrefix + "f:1/durable-execution//i", kPrefix + "f+g:1/durable-execution/n/i",
        std::string("arn:aws:lambda:us-east-1:12345678901:function:f:1/durable-execution/n/i"),
        std::string("arn:aws:s3:us-east-1:123456789012:function:f:1/durable-execution/n/i"),
        std::string("arn::lambda:us-east-1:123456789012:function:f:1/durable-execution/n/i")}) {
    EXPECT_FALSE(ExecutionArn::Parse(text).has_value()) << text;
  }
}

TEST(ExecutionArnTest, TakesEveryNameOfAFunction) {
  for (const std::string& name :
       {std::string("orders"), std::string("or.d-e_rs"), std::string("7"), std::string(256, 'a')}) {
    ASSERT_TRUE(FunctionReference::Parse(name).ok());
    const std::string text = ExecutionArn{Location(), name, "$LATEST", "n", "i"}.ToString();
    const absl::optional<ExecutionArn> arn = ExecutionArn::Parse(text);
    ASSERT_TRUE(arn.has_value()) << text;
    EXPECT_EQ(arn->function_name, name);
  }
}

TEST(ExecutionArnTest, LengthIsBounded) {
  const std::string at_bound = kArn + std::string(kMaxArnLength - sizeof(kArn) + 1, 'x');
  EXPECT_TRUE(ExecutionArn::Parse(at_bound).has_value());
  EXPECT_FALSE(ExecutionArn::Parse(at_bound + "x").has_value());
}

struct Reference {
  std::string text;
  std::string name;
  absl::optional<std::string> qualifier;
  absl::optional<std::string> account;
  absl::optional<std::string> region;
};

TEST(FunctionReferenceTest, TakesEveryForm) {
  const absl::optional<std::string> none;
  const std::string kAccount = "123456789012";
  for (const Reference& expected : std::vector<Reference>{
           {"orders", "orders", none, none, none},
           {"or.d-e_rs", "or.d-e_rs", none, none, none},
           {"orders:live", "orders", "live", none, none},
           {"orders:$LATEST", "orders", "$LATEST", none, none},
           {"orders:$LATEST.PUBLISHED", "orders", "$LATEST.PUBLISHED", none, none},
           {"orders:function", "orders", "function", none, none},
           {"function:orders", "orders", none, none, none},
           {"123456789012:function:orders", "orders", none, kAccount, none},
           {"123456789012:function:orders:7", "orders", "7", kAccount, none},
           {"eu-west-1:123456789012:function:orders", "orders", none, kAccount, "eu-west-1"},
           {"arn:aws:lambda:eu-west-1:123456789012:function:orders", "orders", none, kAccount,
            "eu-west-1"},
           {"arn:aws:lambda:eu-west-1:123456789012:function:orders:live", "orders", "live",
            kAccount, "eu-west-1"},
       }) {
    const absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(expected.text);
    ASSERT_TRUE(reference.ok()) << reference.status();
    EXPECT_EQ(reference->name, expected.name) << expected.text;
    EXPECT_EQ(reference->qualifier, expected.qualifier) << expected.text;
    EXPECT_EQ(reference->account, expected.account) << expected.text;
    EXPECT_EQ(reference->region, expected.region) << expected.text;
  }
}

TEST(FunctionReferenceTest, RefusesEverythingElse) {
  for (const std::string text :
       {"a b", "a:b:c", "a:b.c", ":a", "a:", "12:function:a", "arn", "arn:aws:lambda:function:a",
        "arn:aws:lambda:eu-west-1:function:a", "arn:aws:s3:eu-west-1:123456789012:function:a",
        "arn:aws:lambda:eu-west-1:123456789012:function:a:b:c", "x:y:123456789012:function:a",
        "caf\xC3\xA9"}) {
    const absl::Status status = FunctionReference::Parse(text).status();
    EXPECT_EQ(ErrorNameOf(status), "InvalidParameterValueException") << text;
    EXPECT_THAT(std::string(status.message()),
                ::testing::StartsWith("Invalid function ARN '" + text + "': "));
  }
}

TEST(FunctionReferenceTest, LengthsAreBounded) {
  EXPECT_TRUE(FunctionReference::Parse(std::string(256, 'a')).ok());
  EXPECT_EQ(FunctionReference::Parse(std::string(257, 'a')).status().message(),
            "FunctionName must have 1 to 256 characters.");
  EXPECT_EQ(FunctionReference::Parse("").status().message(),
            "FunctionName must have 1 to 256 characters.");
  EXPECT_TRUE(FunctionReference::Parse("a:" + std::string(128, 'q')).ok());
  EXPECT_FALSE(FunctionReference::Parse("a:" + std::string(129, 'q')).ok());
}

TEST(FunctionArnTest, IsQualified) {
  EXPECT_EQ(FunctionArn(Location(), "orders", "7"),
            "arn:aws:lambda:us-east-1:123456789012:function:orders:7");
}

// ---- errors.h ----

struct NamedError {
  absl::Status status;
  std::string name;
  int http_status;
  absl::StatusCode code;
};

TEST(ErrorsTest, CarryNameHttpStatusAndCode) {
  for (const NamedError& error : std::vector<NamedError>{
           {errors::InvalidParameter("m"), "InvalidParameterValueException", 400,
            absl::StatusCode::kInvalidArgument},
           {errors::StaleCheckpointToken(StaleTokenSpelling::kReal),
            "InvalidParameterValueException", 400, absl::StatusCode::kFailedPrecondition},
           {errors::ExecutionNotFound("a"), "ResourceNotFoundException", 404,
            absl::StatusCode::kNotFound},
           {errors::FunctionNotFound("f"), "ResourceNotFoundException", 404,
            absl::StatusCode::kNotFound},
           {errors::CallbackNotFound(), "ResourceNotFoundException", 404,
            absl::StatusCode::kNotFound},
           {errors::SessionNotFound("s"), "ResourceNotFoundException", 404,
            absl::StatusCode::kNotFound},
           {errors::CallbackClosed(), "CallbackTimeoutException", 400,
            absl::StatusCode::kFailedPrecondition},
           {errors::ExecutionAlreadyStarted("n"), "DurableExecutionAlreadyStartedException", 409,
            absl::StatusCode::kAlreadyExists},
           {errors::SessionAlreadyExists("s"), "ResourceConflictException", 409,
            absl::StatusCode::kAlreadyExists},
           {errors::Conflict("m"), "ResourceConflictException", 409,
            absl::StatusCode::kFailedPrecondition},
           {errors::RequestTooLarge("m"), "RequestTooLargeException", 413,
            absl::StatusCode::kOutOfRange},
           {errors::TooManyRequests("m", "r", absl::Seconds(1)), "TooManyRequestsException", 429,
            absl::StatusCode::kResourceExhausted},
           {errors::Internal("m"), "ServiceException", 500, absl::StatusCode::kInternal},
           {errors::StoreUnavailable("m"), "ServiceException", 503, absl::StatusCode::kUnavailable},
           {errors::ShuttingDown(), "ServiceException", 503, absl::StatusCode::kUnavailable},
           {errors::WaitTimedOut("w", absl::Seconds(1), "x"), "WaitTimedOut", 408,
            absl::StatusCode::kDeadlineExceeded},
           {absl::UnknownError("m"), "ServiceException", 500, absl::StatusCode::kUnknown},
       }) {
    EXPECT_EQ(ErrorNameOf(error.status), error.name) << error.status;
    EXPECT_EQ(HttpStatusOf(error.status), error.http_status) << error.status;
    EXPECT_EQ(error.status.code(), error.code) << error.status;
  }
}

TEST(ErrorsTest, StaleTokenHasTwoSpellings) {
  const absl::Status real = errors::StaleCheckpointToken(StaleTokenSpelling::kReal);
  const absl::Status legacy = errors::StaleCheckpointToken(StaleTokenSpelling::kLegacy);
  EXPECT_EQ(real.message(), "Invalid checkpoint token");
  EXPECT_EQ(legacy.message(), "Invalid Checkpoint Token");
  EXPECT_TRUE(IsStaleCheckpointToken(real));
  EXPECT_TRUE(IsStaleCheckpointToken(legacy));
  EXPECT_FALSE(IsStaleCheckpointToken(errors::InvalidParameter("Invalid checkpoint token")));
  EXPECT_FALSE(IsStaleCheckpointToken(absl::OkStatus()));
}

TEST(ErrorsTest, SpellingFollowsTheUserAgent) {
  constexpr StaleTokenSpelling kReal = StaleTokenSpelling::kReal;
  constexpr StaleTokenSpelling kLegacy = StaleTokenSpelling::kLegacy;
  for (const auto& [agent, spelling] : std::vector<std::pair<std::string, StaleTokenSpelling>>{
           {"", kReal},
           {"grpc-c++/1.51", kReal},
           {"aws-durable-execution-sdk-python/1.7.0", kLegacy},
           {"aws-durable-execution-sdk-python/2.0.0", kLegacy},
           {"aws-durable-execution-sdk-python/2.0.1", kReal},
           {"aws-durable-execution-sdk-python/3.0.0", kReal},
           {"aws-durable-execution-sdk-js/2.4.0", kLegacy},
           {"aws-durable-execution-sdk-js/2.4.1", kReal},
           {"aws-durable-execution-sdk-js-bundled/2.4.0", kLegacy},
           {"aws-durable-execution-sdk-js/2.3.0-bundled", kLegacy},
           {"aws-durable-execution-sdk-java/2.1.1-SNAPSHOT", kLegacy},
           {"aws-durable-execution-sdk-java/2.2.0", kReal},
           {"aws-sdk-rust/1.3.10 ua/2.1 api/lambda/1.156.0 os/linux lang/rust/1.96.0", kLegacy},
           {"Boto3/1.4 md/x aws-durable-execution-sdk-python/1.7.0 cfg/y", kLegacy},
       }) {
    EXPECT_EQ(StaleTokenSpellingFor(agent), spelling) << agent;
  }
}

TEST(ErrorsTest, ThrottlingCarriesReasonAndDelay) {
  const absl::Status status =
      errors::TooManyRequests("m", "CallerRateLimitExceeded", absl::Milliseconds(1500));
  v1::RetryInfo retry;
  ASSERT_TRUE(retry.ParseFromString(std::string(*status.GetPayload(kRetryInfoTypeUrl))));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500000000);
  v1::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload(kErrorInfoTypeUrl))));
  EXPECT_EQ(info.metadata().at("throttle_reason"), "CallerRateLimitExceeded");
  EXPECT_EQ(info.domain(), "lambda.amazonaws.com");
}

TEST(ErrorsTest, WaitTimedOutSaysOnWhat) {
  EXPECT_EQ(errors::WaitTimedOut("The end of the execution", absl::Seconds(10), "callback \"a\"")
                .message(),
            "The end of the execution did not happen within 10s; waiting for callback \"a\"");
  EXPECT_EQ(errors::WaitTimedOut("The end", absl::Seconds(1), "").message(),
            "The end did not happen within 1s");
}

// ---- ids.h ----

class SeededIdSource final : public IdSource {
 public:
  uint64_t Next() override { return StableHash64("seed", ++count_); }

 private:
  uint64_t count_ = 0;
};

TEST(IdsTest, ExecutionIdsCarryTheTreeTag) {
  SeededIdSource ids;
  const std::string id = NewExecutionId(ids, 0x002a);
  EXPECT_EQ(id.size(), 36u);
  EXPECT_TRUE(IsId(id));
  EXPECT_EQ(id[14], '4');
  EXPECT_EQ(id.substr(32), "002a");
  EXPECT_EQ(TreeTagOf(id), 0x002a);
  EXPECT_EQ(TreeTagOf(NewExecutionId(ids, 0xffff)), 0xffff);
  EXPECT_NE(NewExecutionId(ids, 1), NewExecutionId(ids, 1));
}

TEST(IdsTest, TreeTagNeedsAUuid) {
  EXPECT_EQ(TreeTagOf(""), absl::nullopt);
  EXPECT_EQ(TreeTagOf("5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002"), absl::nullopt);
  EXPECT_EQ(TreeTagOf("5b0d6f6e-2c1c-4d8e-9a37-0c4b5d6e002g"), absl::nullopt);
  EXPECT_EQ(TreeTagOf("5b0d6f6e02c1c04d8e09a3700c4b5d6e002a"), absl::nullopt);
}

TEST(IdsTest, ChildIdsFollowFromParentAndOperation) {
  SeededIdSource ids;
  const std::string parent = NewExecutionId(ids, 7);
  const std::string child = ChildExecutionId(parent, "a");
  EXPECT_EQ(ChildExecutionId(parent, "a"), child);
  EXPECT_NE(ChildExecutionId(parent, "b"), child);
  EXPECT_NE(ChildExecutionId(NewExecutionId(ids, 7), "a"), child);
  EXPECT_EQ(TreeTagOf(child), 7);
}

TEST(IdsTest, TokensAreDecodedAsEncoded) {
  SeededIdSource ids;
  const CheckpointToken token{NewExecutionId(ids, 3), 1234567890123, NewSecret(ids)};
  const std::string text = EncodeCheckpointToken(token);
  EXPECT_LE(text.size(), static_cast<size_t>(kMaxCheckpointTokenLength));
  EXPECT_EQ(text.size(), 56u);
  const absl::optional<CheckpointToken> decoded = DecodeCheckpointToken(text);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->execution_id, token.execution_id);
  EXPECT_EQ(decoded->sequence, token.sequence);
  EXPECT_EQ(decoded->secret, token.secret);
  const CallbackId id{token.execution_id, 5, NewSecret(ids)};
  EXPECT_LE(EncodeCallbackId(id).size(), static_cast<size_t>(kMaxCallbackIdLength));
  const absl::optional<CallbackId> decoded_id = DecodeCallbackId(EncodeCallbackId(id));
  ASSERT_TRUE(decoded_id.has_value());
  EXPECT_EQ(decoded_id->execution_id, id.execution_id);
  EXPECT_EQ(decoded_id->operation_index, 5);
  EXPECT_EQ(decoded_id->secret, id.secret);
}

TEST(IdsTest, TokensOfOneKindAreNoneOfTheOther) {
  SeededIdSource ids;
  const std::string execution_id = NewExecutionId(ids, 3);
  EXPECT_FALSE(DecodeCallbackId(EncodeCheckpointToken({execution_id, 1, NewSecret(ids)})));
  EXPECT_FALSE(DecodeCheckpointToken(EncodeCallbackId({execution_id, 1, NewSecret(ids)})));
  for (const char* text : {"", "!", "abcd", "AQ=="}) {
    EXPECT_FALSE(DecodeCheckpointToken(text)) << text;
    EXPECT_FALSE(DecodeCallbackId(text)) << text;
  }
}

TEST(IdsTest, RandomIdsDoNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(NewUuid(RandomIdSource())).second);
}

// ---- limits.h ----

TEST(LimitsTest, ProfilesDifferInPayloads) {
  EXPECT_EQ(LimitsProfile("aws")->operation_payload_bytes, 1048576);
  EXPECT_EQ(LimitsProfile("aws-2025")->operation_payload_bytes, 262144);
  EXPECT_EQ(LimitsProfile("aws-2025")->callback_result_bytes, 262144);
  EXPECT_EQ(LimitsProfile("aws-2025")->error_object_bytes, 262144);
  EXPECT_EQ(LimitsProfile("aws-2025")->chained_invoke_payload_bytes, 1048576);
  EXPECT_EQ(LimitsProfile("gcp").status().message(),
            "Unknown limits profile 'gcp': use 'aws' or 'aws-2025'.");
}

TEST(LimitsTest, OverridesReplaceWhatTheyName) {
  v1::LimitOverrides overrides;
  overrides.set_checkpoint_updates(7);
  overrides.set_open_executions(0);
  const absl::StatusOr<Limits> limits = ApplyOverrides(Limits(), overrides);
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ(limits->checkpoint_updates, 7);
  EXPECT_EQ(limits->open_executions, 0);
  EXPECT_EQ(limits->operation_payload_bytes, 1048576);
  overrides.set_state_page_bytes(-1);
  EXPECT_EQ(ApplyOverrides(Limits(), overrides).status().message(),
            "Limit state_page_bytes must not be negative: -1");
}

// ---- marker.h ----

TEST(MarkerTest, IsDecodedAsEncoded) {
  const absl::Time now = absl::FromUnixSeconds(1790000000);
  const std::string text = EncodeMarker({Marker::Kind::kExecutions, now, 17, 4, "key"});
  const absl::StatusOr<Marker> marker = DecodeMarker(text, Marker::Kind::kExecutions, now);
  ASSERT_TRUE(marker.ok());
  EXPECT_EQ(marker->position, 17);
  EXPECT_EQ(marker->sequence, 4);
  EXPECT_EQ(marker->key, "key");
  EXPECT_EQ(marker->issued, now);
}

TEST(MarkerTest, LivesForADay) {
  const absl::Time now = absl::FromUnixSeconds(1790000000);
  const std::string text = EncodeMarker({Marker::Kind::kHistory, now, 1, 0, ""});
  EXPECT_TRUE(DecodeMarker(text, Marker::Kind::kHistory, now + absl::Hours(24)).ok());
  EXPECT_EQ(DecodeMarker(text, Marker::Kind::kHistory, now + absl::Hours(24) + absl::Seconds(1))
                .status()
                .message(),
            "Marker has expired: it is good for 24 hours; read from the first page.");
}

TEST(MarkerTest, RefusesWhatIsNone) {
  const std::string text = EncodeMarker({Marker::Kind::kHistory, absl::UnixEpoch(), 1, 0, ""});
  EXPECT_FALSE(DecodeMarker(text, Marker::Kind::kReverseHistory).ok());
  EXPECT_FALSE(DecodeMarker(EncodeMarker({Marker::Kind::kState, absl::UnixEpoch(), -1, 0, ""}),
                            Marker::Kind::kState)
                   .ok());
  for (const char* garbage : {"", "7", "!!!!", "aGFsbG8="}) {
    const absl::Status status = DecodeMarker(garbage, Marker::Kind::kHistory).status();
    EXPECT_EQ(status.message(),
              "Invalid Marker: use the NextMarker of the previous page as it is.");
    EXPECT_EQ(ErrorNameOf(status), "InvalidParameterValueException");
  }
}

TEST(MarkerTest, PageItems) {
  EXPECT_EQ(*PageItems(0), 100);
  EXPECT_EQ(*PageItems(1), 1);
  EXPECT_EQ(*PageItems(1000), 1000);
  EXPECT_EQ(PageItems(1001).status().message(), "MaxItems must be 0 to 1000.");
  EXPECT_EQ(PageItems(-1).status().message(), "MaxItems must be 0 to 1000.");
}

// ---- text.h ----

TEST(TextTest, Utf8) {
  for (const std::string text :
       {"", "a", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const std::string text : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                                 "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x82"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(TextTest, StableHashIsStable) {
  EXPECT_EQ(StableHash64("", 0), 11286133854226296554u);
  EXPECT_EQ(StableHash64("rehearse", 1), 3445827707654648876u);
  EXPECT_NE(StableHash64("a", 0), StableHash64("a", 1));
  EXPECT_NE(StableHash64(std::string(8, '\0'), 0), StableHash64(std::string(9, '\0'), 0));
}

}  // namespace
}  // namespace rehearse
