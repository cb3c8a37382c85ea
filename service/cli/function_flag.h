// The value of `rehearse up --function`.
//
//   ParseHttpFunction("orders=http://127.0.0.1:3001/2015-03-31/functions/orders/invocations");
//   ParseHttpFunction("resize,plain=http://127.0.0.1:3002/invocations");
#ifndef REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_
#define REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/server/server.h"

namespace rehearse {

// NAME[,plain][,execution-timeout=SECONDS]=URL. Durable unless plain, with an execution timeout of
// 300 s unless another is given. InvalidArgument says what is expected.
absl::StatusOr<HttpFunction> ParseHttpFunction(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_FUNCTION_FLAG_H_
