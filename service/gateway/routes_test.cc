#include "service/gateway/routes.h"

#include "gtest/gtest.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

constexpr char kEncodedArn[] =
    "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A%24LATEST%2F"
    "durable-execution%2Fn%2Fid";
constexpr char kArn[] =
    "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST/durable-execution/n/id";

TEST(RoutesTest, FindsEveryRoute) {
  struct Case {
    const char* method;
    std::string path;
    Route route;
    std::string label;
  };
  const std::string executions = absl::StrCat("/2025-12-01/durable-executions/", kEncodedArn);
  const std::string callbacks = "/2025-12-01/durable-execution-callbacks/a%2Fb%2B%3D";
  const Case kCases[] = {
      {"POST", "/2015-03-31/functions/orders/invocations", Route::kInvoke, "orders"},
      {"POST", "/2015-03-31/functions/f%3A1/invocations", Route::kInvoke, "f:1"},
      {"GET", "/2025-12-01/functions/orders/durable-executions", Route::kListByFunction, "orders"},
      {"POST", executions + "/checkpoint", Route::kCheckpoint, kArn},
      {"GET", executions + "/state", Route::kGetState, kArn},
      {"GET", executions + "/history", Route::kGetHistory, kArn},
      {"GET", executions, Route::kGetExecution, kArn},
      {"POST", executions + "/stop", Route::kStop, kArn},
      {"POST", executions + "/pause", Route::kPause, kArn},
      {"POST", executions + "/resume", Route::kResume, kArn},
      {"DELETE", executions, Route::kDelete, kArn},
      {"POST", callbacks + "/succeed", Route::kCallbackSuccess, "a/b+="},
      {"POST", callbacks + "/fail", Route::kCallbackFailure, "a/b+="},
      {"POST", callbacks + "/heartbeat", Route::kCallbackHeartbeat, "a/b+="},
      {"GET", "/health", Route::kHealth, ""},
      {"GET", "/metrics", Route::kMetrics, ""},
      {"POST", "/start-durable-execution", Route::kStartExecution, ""},
      {"GET", "/2025-12-01/durable-executions", Route::kListAll, ""},
      {"PUT", "/lambda-endpoint", Route::kLambdaEndpoint, ""},
  };
  for (const Case& good : kCases) {
    for (const char* prefix : {"", "/sessions/s-1"}) {
      const absl::StatusOr<RouteMatch> match = MatchRoute(good.method, prefix + good.path);
      ASSERT_TRUE(match.ok()) << good.path << ": " << match.status();
      EXPECT_EQ(match->route, good.route) << good.path;
      EXPECT_EQ(match->label, good.label) << good.path;
      EXPECT_EQ(match->session, *prefix == '\0' ? "default" : "s-1");
    }
  }
}

TEST(RoutesTest, TakesArnsAndCallbackIdsAsPeopleTypeThem) {
  const std::string executions = absl::StrCat("/2025-12-01/durable-executions/", kArn);
  EXPECT_EQ(MatchRoute("GET", executions)->label, kArn);
  EXPECT_EQ(MatchRoute("GET", executions + "/history")->label, kArn);
  EXPECT_EQ(MatchRoute("POST", "/2025-12-01/durable-execution-callbacks/a/b+=/fail")->label,
            "a/b+=");
}

TEST(RoutesTest, RefusesPathsThatAreNoRoute) {
  for (const char* path :
       {"/", "", "/2025-12-01/durable-executions/", "/2025-12-01/functions//durable-executions",
        "/2015-03-31/functions/f", "/2025-12-01/durable-execution-callbacks/id", "/healthy",
        "/sessions/s-1", "/sessions/s-1/", "/sessions"}) {
    EXPECT_EQ(MatchRoute("GET", path).status(), errors::UnknownPath(path)) << path;
  }
}

TEST(RoutesTest, RefusesOtherMethods) {
  const std::string executions = absl::StrCat("/2025-12-01/durable-executions/", kEncodedArn);
  for (const std::string& path : {std::string("/start-durable-execution"), executions + "/stop",
                                  executions + "/checkpoint"}) {
    EXPECT_EQ(MatchRoute("GET", path).status(), errors::UnknownMethod("GET", path));
    EXPECT_EQ(MatchRoute("DELETE", path).status(), errors::UnknownMethod("DELETE", path));
  }
  EXPECT_EQ(MatchRoute("PUT", executions).status(), errors::UnknownMethod("PUT", executions));
}

TEST(RoutesTest, RefusesMalformedEscapes) {
  const char* path = "/2015-03-31/functions/f%zz/invocations";
  EXPECT_EQ(
      MatchRoute("POST", path).status(),
      errors::InvalidParameter(absl::StrCat("The path has a malformed percent escape: ", path)));
}

}  // namespace
}  // namespace rehearse
