#include "service/lambda_host/environment.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse::lambda_host {
namespace {

using ::testing::Contains;
using ::testing::Pair;

LambdaFunction Orders() {
  LambdaFunction function;
  function.spec.set_function_name("orders");
  function.folder = "/work/orders";
  return function;
}

TEST(EnvironmentTest, CompletesAnEmptyEnvironmentToLambdas) {
  LambdaFunction function = Orders();
  function.handler = "app.handler";
  function.memory_mb = 256;
  const Environment expected = {
      {"AWS_ACCESS_KEY_ID", "rehearse"},
      {"AWS_DEFAULT_REGION", "us-east-1"},
      {"AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9014/sessions/s"},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"},
      {"AWS_LAMBDA_FUNCTION_NAME", "orders"},
      {"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
      {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/orders"},
      {"AWS_LAMBDA_LOG_STREAM_NAME", "rehearse/[$LATEST]"},
      {"AWS_REGION", "us-east-1"},
      {"AWS_SECRET_ACCESS_KEY", "rehearse"},
      {"AWS_SESSION_TOKEN", "rehearse"},
      {"LAMBDA_TASK_ROOT", "/work/orders"},
      {"TZ", ":UTC"},
      {"_HANDLER", "app.handler"},
  };
  EXPECT_EQ(RuntimeEnvironment({}, function, "http://127.0.0.1:9014/sessions/s"), expected);
}

TEST(EnvironmentTest, KeepsWhatIsInheritedUnlessTheFunctionOrLambdaSaysOtherwise) {
  LambdaFunction function = Orders();
  function.spec.set_version("7");
  function.environment = {{"TABLE", "orders"}, {"TZ", "Europe/Oslo"}, {"AWS_REGION", "eu-north-1"}};
  const Environment environment = RuntimeEnvironment({{"PATH", "/bin"},
                                                      {"TABLE", "none"},
                                                      {"AWS_LAMBDA_FUNCTION_NAME", "other"},
                                                      {"AWS_ENDPOINT_URL_LAMBDA", "http://other"}},
                                                     function, "");
  EXPECT_THAT(environment, Contains(Pair("PATH", "/bin")));
  EXPECT_THAT(environment, Contains(Pair("TABLE", "orders")));
  EXPECT_THAT(environment, Contains(Pair("TZ", "Europe/Oslo")));
  EXPECT_THAT(environment, Contains(Pair("AWS_REGION", "eu-north-1")));
  EXPECT_THAT(environment, Contains(Pair("AWS_DEFAULT_REGION", "eu-north-1")));
  EXPECT_THAT(environment, Contains(Pair("AWS_LAMBDA_FUNCTION_NAME", "orders")));
  EXPECT_THAT(environment, Contains(Pair("AWS_LAMBDA_FUNCTION_VERSION", "7")));
  EXPECT_THAT(environment, Contains(Pair("AWS_ENDPOINT_URL_LAMBDA", "http://other")));
  EXPECT_EQ(environment.count("_HANDLER"), 0);
}

TEST(EnvironmentTest, AnyWayToCredentialsKeepsTheDummiesOut) {
  for (const char* name :
       {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    const Environment environment = RuntimeEnvironment({{name, "x"}}, Orders(), "");
    EXPECT_EQ(environment.at(name), "x");
    EXPECT_EQ(environment.count("AWS_SECRET_ACCESS_KEY"), 0) << name;
  }
}

TEST(EnvironmentTest, ReadsTheEnvironmentOfTheProcess) {
  setenv("REHEARSE_TEST_VARIABLE", "a=b", 1);
  EXPECT_THAT(CurrentEnvironment(), Contains(Pair("REHEARSE_TEST_VARIABLE", "a=b")));
  EXPECT_THAT(ToStrings({{"A", "1"}, {"B", ""}}), ::testing::ElementsAre("A=1", "B="));
}

}  // namespace
}  // namespace rehearse::lambda_host
