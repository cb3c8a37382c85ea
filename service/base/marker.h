// Paging: how many items a page has, and the marker where the next one goes on. Markers are opaque
// to clients; all lists share one codec.
//
//   absl::StatusOr<int> items = PageItems(request.max_items());
//   std::string text = EncodeMarker({Marker::Kind::kHistory, now, /*position=*/101});
//   absl::StatusOr<Marker> marker = DecodeMarker(text, Marker::Kind::kHistory, now);
#ifndef REHEARSE_SERVICE_BASE_MARKER_H_
#define REHEARSE_SERVICE_BASE_MARKER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rehearse {

// The number of items for a request's MaxItems: 0 is kDefaultPageItems. InvalidParameter when
// negative or over kMaxPageItems.
absl::StatusOr<int> PageItems(int max_items);

struct Marker {
  // What is being read. A marker of one kind is no marker of another.
  enum class Kind : char {
    kState = 's',
    kHistory = 'h',
    kReverseHistory = 'r',
    kExecutions = 'e',
    kReverseExecutions = 'x',
    kFunctions = 'f',
    kSessions = 'n',
    kOperations = 'o',
  };
  Kind kind = Kind::kState;
  // Kept in whole seconds.
  absl::Time issued = absl::UnixEpoch();
  // What these mean is up to the list.
  int64_t position = 0;
  int64_t sequence = 0;
  std::string key;
};

// Base64, at most 1024 characters for a key of up to 700 bytes.
std::string EncodeMarker(const Marker& marker);

// InvalidParameter unless `text` is a marker of that kind.
absl::StatusOr<Marker> DecodeMarker(absl::string_view text, Marker::Kind kind);
// Also InvalidParameter when it is older than kMarkerLife.
absl::StatusOr<Marker> DecodeMarker(absl::string_view text, Marker::Kind kind, absl::Time now);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_MARKER_H_
