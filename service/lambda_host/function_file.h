// Files that list functions: `rehearse.yaml`, and templates of AWS SAM.
//
//   absl::StatusOr<FunctionFile> file = ReadFunctionFile("rehearse.yaml", /*command=*/{});
//   for (const LambdaFunction& function : file->functions) { ... }
//
// The formats are described in docs/lambda.md.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_FUNCTION_FILE_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_FUNCTION_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/lambda_host/lambda_function.h"

namespace rehearse::lambda_host {

struct FunctionFile {
  // At least one; paths are absolute.
  std::vector<LambdaFunction> functions;
  // What was left out, a line each.
  std::vector<std::string> notes;
};

// `command` runs the functions for which the file names none; empty: there is none. A file with
// `Resources` is a template. NotFound when there is no such file, InvalidArgument with
// "PATH:LINE: what is wrong".
absl::StatusOr<FunctionFile> ReadFunctionFile(const std::string& path,
                                              const std::vector<std::string>& command);

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_FUNCTION_FILE_H_
