// Routes: the table of the AWS face. A path is split before its label is decoded; an ARN or
// callback id may also stand in it unencoded, as people type it.
//
//   absl::StatusOr<RouteMatch> match =
//       MatchRoute("POST", "/sessions/s-1/2025-12-01/durable-executions/arn%3Aaws.../checkpoint");
//   match->route;    // Route::kCheckpoint
//   match->session;  // "s-1"
//   match->label;    // "arn:aws..."
#ifndef REHEARSE_SERVICE_GATEWAY_ROUTES_H_
#define REHEARSE_SERVICE_GATEWAY_ROUTES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rehearse {

enum class Route {
  kInvoke,
  kListByFunction,
  kCheckpoint,
  kGetState,
  kGetHistory,
  kGetExecution,
  kStop,
  kPause,
  kResume,
  kDelete,
  kCallbackSuccess,
  kCallbackFailure,
  kCallbackHeartbeat,
  // Of AWS's local Python runner, for its users.
  kHealth,
  kMetrics,
  kStartExecution,
  kListAll,
  kLambdaEndpoint,
};

struct RouteMatch {
  Route route;
  // From the prefix /sessions/NAME; else "default".
  std::string session;
  // Decoded: an ARN, a function's name or a callback id; empty where the route has none.
  std::string label;
};

// `path` as sent. UnknownPath, UnknownMethod; InvalidParameter for a malformed escape.
absl::StatusOr<RouteMatch> MatchRoute(absl::string_view method, absl::string_view path);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_GATEWAY_ROUTES_H_
