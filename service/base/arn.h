// Names of executions and functions: ARNs, function names and their parts.
//
//   ExecutionArn arn{{"aws", "us-east-1", "123456789012"}, "orders", "$LATEST", "order-17",
//   "5b0d...-0001"}; arn.ToString();
//   //
//   "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/order-17/5b0d...-0001"
#ifndef REHEARSE_SERVICE_BASE_ARN_H_
#define REHEARSE_SERVICE_BASE_ARN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace rehearse {

// Where the service pretends to be.
struct Location {
  std::string partition = "aws";
  std::string region = "us-east-1";
  std::string account = "123456789012";
};

struct ExecutionArn {
  Location location;
  std::string function_name;
  std::string version;
  std::string execution_name;
  // Also the id of the EXECUTION operation.
  std::string execution_id;

  std::string ToString() const;
  // nullopt unless `text` has the model's form. The function may have every name that a
  // FunctionReference takes, dots included, which the model has in one place and not in the other.
  static absl::optional<ExecutionArn> Parse(absl::string_view text);
};

// A function as a request names it: bare name, name:qualifier, partial or full ARN.
struct FunctionReference {
  std::string name;                       // bare
  absl::optional<std::string> qualifier;  // as given
  absl::optional<std::string> region;     // as given
  absl::optional<std::string> account;    // as given

  // InvalidParameter when `text` is none of the forms or longer than kMaxFunctionNameLength.
  static absl::StatusOr<FunctionReference> Parse(absl::string_view text);
};

// "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST".
std::string FunctionArn(const Location& location, absl::string_view name,
                        absl::string_view version);

// "$LATEST", "$LATEST.PUBLISHED" or a number.
bool IsFunctionVersion(absl::string_view text);

// 12 digits.
bool IsAccount(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_ARN_H_
