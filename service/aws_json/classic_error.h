// Errors in classic Lambda's spelling, in which functions and runtimes report them.
//
//   v1::ErrorObject error = FromClassicError(
//       R"({"errorMessage": "no stock", "errorType": "OutOfStock", "stackTrace": ["..."]})");
#ifndef REHEARSE_SERVICE_AWS_JSON_CLASSIC_ERROR_H_
#define REHEARSE_SERVICE_AWS_JSON_CLASSIC_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {

// What is not a JSON object becomes the message. `trace` is Node's spelling of `stackTrace`.
v1::ErrorObject FromClassicError(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_AWS_JSON_CLASSIC_ERROR_H_
