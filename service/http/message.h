// HttpRequest, HttpResponse: what the server hands out and takes, and the client the other way
// round.
//
//   HttpResponse response(200);
//   response.headers.emplace_back("Content-Type", "application/json");
//   response.body = "{}";
#ifndef REHEARSE_SERVICE_HTTP_MESSAGE_H_
#define REHEARSE_SERVICE_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace rehearse {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, in any case of letters.
inline absl::optional<absl::string_view> FindHeader(const HttpHeaders& headers,
                                                    absl::string_view name) {
  for (const auto& header : headers) {
    if (absl::EqualsIgnoreCase(header.first, name)) return absl::string_view(header.second);
  }
  return absl::nullopt;
}

struct HttpRequest {
  // As sent, for example "POST".
  std::string method;
  // As sent: path and query, percent-encoded.
  std::string target;
  HttpHeaders headers;
  std::string body;
};

struct HttpResponse {
  explicit HttpResponse(int status = 200) : status(status) {}

  int status;
  // Without Content-Length and Connection, which follow from the rest.
  HttpHeaders headers;
  std::string body;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HTTP_MESSAGE_H_
