#include "service/base/text.h"

#include <endian.h>

#include <cstddef>
#include <cstring>

namespace rehearse {
namespace {

// Number of bytes of the well-formed sequence at the front of `text`; 0: malformed. Table 3-7 of
// the Unicode standard.
size_t Utf8SequenceLength(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = continues(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second = continues(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// The finalizer of MurmurHash3 (public domain).
uint64_t Mix(uint64_t value) {
  value ^= value >> 33;
  value *= 0xFF51AFD7ED558CCDu;
  value ^= value >> 33;
  value *= 0xC4CEB9FE1A85EC53u;
  return value ^ (value >> 33);
}

uint64_t LoadLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return le64toh(value);
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

uint64_t StableHash64(absl::string_view text, uint64_t seed) {
  uint64_t hash = Mix(seed ^ (0x9E3779B97F4A7C15u * (text.size() + 1)));
  while (!text.empty()) {
    const absl::string_view chunk = text.substr(0, 8);
    hash = Mix(hash ^ Mix(LoadLittleEndian(chunk) + 0x9E3779B97F4A7C15u));
    text.remove_prefix(chunk.size());
  }
  return hash;
}

}  // namespace rehearse
