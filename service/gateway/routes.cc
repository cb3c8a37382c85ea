#include "service/gateway/routes.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "service/base/errors.h"
#include "service/http/url.h"

namespace rehearse {
namespace {

// A path is prefix + label + suffix; without a label it is the prefix alone.
struct Entry {
  absl::string_view method;
  absl::string_view prefix;
  absl::string_view suffix;
  bool has_label;
  Route route;
};

constexpr absl::string_view kFunctions2015 = "/2015-03-31/functions/";
constexpr absl::string_view kFunctions = "/2025-12-01/functions/";
constexpr absl::string_view kExecutions = "/2025-12-01/durable-executions/";
constexpr absl::string_view kCallbacks = "/2025-12-01/durable-execution-callbacks/";

constexpr Entry kEntries[] = {
    {"POST", kFunctions2015, "/invocations", true, Route::kInvoke},
    {"GET", kFunctions, "/durable-executions", true, Route::kListByFunction},
    {"POST", kExecutions, "/checkpoint", true, Route::kCheckpoint},
    {"GET", kExecutions, "/state", true, Route::kGetState},
    {"GET", kExecutions, "/history", true, Route::kGetHistory},
    {"POST", kExecutions, "/stop", true, Route::kStop},
    {"POST", kExecutions, "/pause", true, Route::kPause},
    {"POST", kExecutions, "/resume", true, Route::kResume},
    {"GET", kExecutions, "", true, Route::kGetExecution},
    {"DELETE", kExecutions, "", true, Route::kDelete},
    {"POST", kCallbacks, "/succeed", true, Route::kCallbackSuccess},
    {"POST", kCallbacks, "/fail", true, Route::kCallbackFailure},
    {"POST", kCallbacks, "/heartbeat", true, Route::kCallbackHeartbeat},
    {"GET", "/health", "", false, Route::kHealth},
    {"GET", "/metrics", "", false, Route::kMetrics},
    {"POST", "/start-durable-execution", "", false, Route::kStartExecution},
    {"GET", "/2025-12-01/durable-executions", "", false, Route::kListAll},
    {"PUT", "/lambda-endpoint", "", false, Route::kLambdaEndpoint},
};

// The label, still encoded; nullopt when the path is not the entry's.
absl::optional<absl::string_view> LabelOf(const Entry& entry, absl::string_view path) {
  if (!entry.has_label) {
    return path == entry.prefix ? absl::make_optional(absl::string_view()) : absl::nullopt;
  }
  if (!absl::ConsumePrefix(&path, entry.prefix) || !absl::ConsumeSuffix(&path, entry.suffix) ||
      path.empty()) {
    return absl::nullopt;
  }
  return path;
}

// Takes "/sessions/NAME" off the path; "default" where it is not there.
absl::string_view TakeSession(absl::string_view& path) {
  absl::string_view rest = path;
  if (!absl::ConsumePrefix(&rest, "/sessions/")) return "default";
  const absl::string_view session = rest.substr(0, rest.find('/'));
  path = rest.substr(session.size());
  return session;
}

}  // namespace

absl::StatusOr<RouteMatch> MatchRoute(absl::string_view method, absl::string_view path) {
  const absl::string_view whole_path = path;
  const absl::string_view session = TakeSession(path);
  bool known_path = false;
  absl::string_view longest_suffix;
  for (const Entry& entry : kEntries) {
    const absl::optional<absl::string_view> label = LabelOf(entry, path);
    // "<arn>/stop" is the label of no shorter route.
    if (!label.has_value() || entry.suffix.size() < longest_suffix.size()) continue;
    known_path = true;
    longest_suffix = entry.suffix;
    if (entry.method != method) continue;
    absl::optional<std::string> decoded_session = PercentDecode(session);
    absl::optional<std::string> decoded_label = PercentDecode(*label);
    if (!decoded_session.has_value() || !decoded_label.has_value()) {
      return errors::InvalidParameter(
          absl::StrCat("The path has a malformed percent escape: ", whole_path));
    }
    return RouteMatch{entry.route, *std::move(decoded_session), *std::move(decoded_label)};
  }
  if (known_path) return errors::UnknownMethod(method, whole_path);
  return errors::UnknownPath(whole_path);
}

}  // namespace rehearse
