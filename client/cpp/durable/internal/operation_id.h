// Operation ids: SHA-256 of an operation's path, as 64 lower-case hex characters. A path numbers an operation within
// its contexts, from 1: "2" is the second operation of the root, "2-1" the first inside it.
//
//   internal::OperationId("1") == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
#ifndef CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_
#define CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace durable {
namespace internal {

std::string OperationId(absl::string_view path);

// The path of the `number`th operation of the context at `context_path`; the root's path is empty.
std::string OperationPath(absl::string_view context_path, int number);

}  // namespace internal
}  // namespace durable

#endif  // CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_
