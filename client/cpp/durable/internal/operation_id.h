// Operation ids: SHA-256 of an operation's path, as 64 lower-case hex characters. A path numbers an
// operation within its contexts, from 1: "2" is the second operation of the root, "2-1" the first
// inside it.
//
//   std::string id = internal::OperationId(internal::OperationPath("2", 1));
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace durable {
namespace internal {

std::string OperationId(absl::string_view path);

// The path of the `number`th operation of the context at `context_path`; the root's path is empty.
std::string OperationPath(absl::string_view context_path, int number);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_OPERATION_ID_H_
