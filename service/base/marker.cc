#include "service/base/marker.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "service/base/bytes.h"
#include "service/base/errors.h"
#include "service/base/limits.h"

namespace rehearse {
namespace {

constexpr size_t kNumberBytes = sizeof(uint64_t);
constexpr size_t kFixedBytes = 1 + 3 * kNumberBytes;

int64_t ReadNumber(absl::string_view bytes, size_t index) {
  return static_cast<int64_t>(ReadBigEndian(bytes.substr(1 + index * kNumberBytes, kNumberBytes)));
}

absl::Status InvalidMarker() {
  return errors::InvalidParameter(
      "Invalid Marker: use the NextMarker of the previous page as it is.");
}

}  // namespace

absl::StatusOr<int> PageItems(int max_items) {
  if (max_items < 0 || max_items > kMaxPageItems) {
    return errors::InvalidParameter(absl::StrCat("MaxItems must be 0 to ", kMaxPageItems, "."));
  }
  return max_items == 0 ? kDefaultPageItems : max_items;
}

std::string EncodeMarker(const Marker& marker) {
  std::string bytes;
  bytes.reserve(kFixedBytes + marker.key.size());
  bytes.push_back(static_cast<char>(marker.kind));
  AppendBigEndian(static_cast<uint64_t>(absl::ToUnixSeconds(marker.issued)), bytes);
  AppendBigEndian(static_cast<uint64_t>(marker.position), bytes);
  AppendBigEndian(static_cast<uint64_t>(marker.sequence), bytes);
  bytes.append(marker.key);
  return absl::Base64Escape(bytes);
}

absl::StatusOr<Marker> DecodeMarker(absl::string_view text, Marker::Kind kind) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes) || bytes.size() < kFixedBytes) return InvalidMarker();
  if (bytes[0] != static_cast<char>(kind)) return InvalidMarker();
  Marker marker;
  marker.kind = kind;
  marker.issued = absl::FromUnixSeconds(ReadNumber(bytes, 0));
  marker.position = ReadNumber(bytes, 1);
  marker.sequence = ReadNumber(bytes, 2);
  marker.key = bytes.substr(kFixedBytes);
  if (marker.position < 0 || marker.sequence < 0) return InvalidMarker();
  return marker;
}

absl::StatusOr<Marker> DecodeMarker(absl::string_view text, Marker::Kind kind, absl::Time now) {
  absl::StatusOr<Marker> marker = DecodeMarker(text, kind);
  if (marker.ok() && now - marker->issued > kMarkerLife) {
    return errors::InvalidParameter(
        "Marker has expired: it is good for 24 hours; read from the first page.");
  }
  return marker;
}

}  // namespace rehearse
