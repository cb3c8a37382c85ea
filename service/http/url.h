// Targets of requests, taken apart. A path is split before its labels are decoded, so that an
// encoded slash stays inside its label.
//
//   const Url url = SplitTarget("/functions/a%3A1/runs?Statuses=RUNNING&Statuses=FAILED");
//   url.path;                                    // "/functions/a%3A1/runs"
//   PercentDecode("a%3A1");                      // "a:1"
#ifndef REHEARSE_SERVICE_HTTP_URL_H_
#define REHEARSE_SERVICE_HTTP_URL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace rehearse {

// In order, repeated keys included.
using HttpQuery = std::vector<std::pair<std::string, std::string>>;

struct Url {
  // Still encoded.
  std::string path;
  // Decoded; '+' is a space.
  HttpQuery query;
};

// nullopt when an escape is malformed.
absl::optional<std::string> PercentDecode(absl::string_view text);

// Everything but A-Z a-z 0-9 - _ . ~ is escaped.
std::string PercentEncode(absl::string_view text);

// A target in origin or absolute form. nullopt when the query has a malformed escape.
absl::optional<Url> SplitTarget(absl::string_view target);

// The first value of `key`.
absl::optional<absl::string_view> FindQuery(const HttpQuery& query, absl::string_view key);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HTTP_URL_H_
