#include "client/cpp/durable/internal/operation_id.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace durable {
namespace internal {

std::string OperationId(absl::string_view path) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(path.data()), path.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

std::string OperationPath(absl::string_view context_path, int number) {
  return context_path.empty() ? absl::StrCat(number) : absl::StrCat(context_path, "-", number);
}

}  // namespace internal
}  // namespace durable
