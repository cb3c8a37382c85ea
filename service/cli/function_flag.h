// The values of `rehearse up --function` and `--function-configs`.
//
//   ParseHttpFunction("orders=http://127.0.0.1:3001/2015-03-31/functions/orders/invocations");
//   ParseHttpFunction("resize,plain=http://127.0.0.1:3002/invocations");
#ifndef REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_
#define REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/server/server.h"

namespace rehearse {

// NAME[,plain][,execution-timeout=SECONDS]=URL. Durable unless plain, with an execution timeout of
// 300 s unless another is given. InvalidArgument says what is expected.
absl::StatusOr<HttpFunction> ParseHttpFunction(absl::string_view text);

// Functions that AWS's local Python runner would find behind `lambda_endpoint`. `value` is a JSON
// object, or file://PATH of a file with one, from the name of a function, with or without
// qualifier, to null or {}, a plain function, or {"DurableConfig": {"ExecutionTimeout": SECONDS,
// "RetentionPeriodInDays": DAYS}}, a durable one; 120 s and 1 day where it does not say.
// InvalidArgument says what is expected.
absl::StatusOr<std::vector<HttpFunction>> ParseFunctionConfigs(absl::string_view value,
                                                               const HttpUrl& lambda_endpoint);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_
