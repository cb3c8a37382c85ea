// Numbers in tokens: eight bytes, most significant first.
#ifndef REHEARSE_SERVICE_BASE_BYTES_H_
#define REHEARSE_SERVICE_BASE_BYTES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rehearse {

inline void AppendBigEndian(uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
}

// `bytes` has eight.
inline uint64_t ReadBigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_BYTES_H_
