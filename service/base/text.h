// Character classes of the AWS API model, and a hash that is the same in every process.
//
//   IsId("order-17");                        // true: one or more of A-Z a-z 0-9 - _
//   StableHash64(update_bytes, /*seed=*/0);  // may be stored
#ifndef REHEARSE_SERVICE_BASE_TEXT_H_
#define REHEARSE_SERVICE_BASE_TEXT_H_

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace rehearse {

template <typename Predicate>
bool ConsistsOf(absl::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// A-Z a-z 0-9 - _
inline bool IsIdCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}
// One or more id characters.
inline bool IsId(absl::string_view text) {
  return !text.empty() && ConsistsOf(text, IsIdCharacter);
}
// One or more decimal digits.
inline bool IsDigits(absl::string_view text) {
  return !text.empty() && ConsistsOf(text, [](char c) { return c >= '0' && c <= '9'; });
}
// Space to tilde; empty is fine.
inline bool IsPrintableAscii(absl::string_view text) {
  return ConsistsOf(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
}
// Whether `text` is well-formed UTF-8.
bool IsUtf8(absl::string_view text);

// Equal input, equal value, in every build and process. Not cryptographic.
uint64_t StableHash64(absl::string_view text, uint64_t seed);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_TEXT_H_
