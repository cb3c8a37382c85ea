// Errors as the AWS face answers them.
//
//   respond(ErrorResponse(errors::ExecutionNotFound(arn), ErrorTypeMember::kName));
//   // 404, x-amzn-ErrorType: ResourceNotFoundException,
//   // {"Type":"ResourceNotFoundException","Message":"Durable Execution does not exist: ..."}
#ifndef REHEARSE_SERVICE_GATEWAY_ERROR_RESPONSE_H_
#define REHEARSE_SERVICE_GATEWAY_ERROR_RESPONSE_H_

#include "absl/status/status.h"
#include "service/http/message.h"

namespace rehearse {

// What the member `Type` of an error's body holds.
enum class ErrorTypeMember {
  // The error's name, as AWS's local Python runner has it; AWS's SDKs read the header instead.
  kName,
  // "User" or "Server", whose fault it is: the real service.
  kFault,
};

HttpResponse ErrorResponse(const absl::Status& status, ErrorTypeMember type_member);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_GATEWAY_ERROR_RESPONSE_H_
