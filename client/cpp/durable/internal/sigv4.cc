#include "client/cpp/durable/internal/sigv4.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"
#include "service/http/url.h"

namespace durable {
namespace internal {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr char kTerminator[] = "aws4_request";

std::string Sha256Hex(absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

std::string HmacSha256(absl::string_view key, absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

// The path as it stands on the wire, each segment encoded once more.
std::string CanonicalPath(absl::string_view path) {
  std::vector<std::string> segments;
  for (absl::string_view segment : absl::StrSplit(path, '/')) {
    segments.push_back(rehearse::PercentEncode(segment));
  }
  const std::string encoded = absl::StrJoin(segments, "/");
  return encoded.empty() ? "/" : encoded;
}

std::string CanonicalQuery(const rehearse::HttpQuery& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [key, value] : query) {
    encoded.emplace_back(rehearse::PercentEncode(key), rehearse::PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  return absl::StrJoin(encoded, "&", absl::PairFormatter("="));
}

// By lower-case name, which is the order to sign in.
std::map<std::string, std::string> SignedHeaders(const rehearse::HttpRequest& request,
                                                 absl::string_view host) {
  std::map<std::string, std::string> headers = {{"host", std::string(host)}};
  for (const char* name : {"content-type", "x-amz-date", "x-amz-security-token"}) {
    const absl::optional<absl::string_view> value = rehearse::FindHeader(request.headers, name);
    if (value.has_value()) headers[name] = std::string(absl::StripAsciiWhitespace(*value));
  }
  return headers;
}

std::string SigningKey(const SigningScope& scope, absl::string_view date) {
  std::string key = HmacSha256("AWS4" + scope.credentials.secret_access_key, date);
  for (absl::string_view part : {absl::string_view(scope.region), absl::string_view(scope.service),
                                 absl::string_view(kTerminator)}) {
    key = HmacSha256(key, part);
  }
  return key;
}

}  // namespace

void SignRequest(rehearse::HttpRequest& request, absl::string_view host, const SigningScope& scope,
                 absl::Time now) {
  const std::string timestamp = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const std::string date = timestamp.substr(0, 8);
  request.headers.emplace_back("X-Amz-Date", timestamp);
  if (!scope.credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", scope.credentials.session_token);
  }

  const std::map<std::string, std::string> headers = SignedHeaders(request, host);
  const std::string header_names = absl::StrJoin(
      headers, ";",
      [](std::string* out, const auto& header) { absl::StrAppend(out, header.first); });
  std::string canonical_headers;
  for (const auto& [name, value] : headers)
    absl::StrAppend(&canonical_headers, name, ":", value, "\n");

  const absl::optional<rehearse::Url> url = rehearse::SplitTarget(request.target);
  const std::string canonical_request = absl::StrCat(
      request.method, "\n", CanonicalPath(url.has_value() ? url->path : request.target), "\n",
      url.has_value() ? CanonicalQuery(url->query) : "", "\n", canonical_headers, "\n",
      header_names, "\n", Sha256Hex(request.body));

  const std::string scope_text =
      absl::StrCat(date, "/", scope.region, "/", scope.service, "/", kTerminator);
  const std::string to_sign = absl::StrCat(kAlgorithm, "\n", timestamp, "\n", scope_text, "\n",
                                           Sha256Hex(canonical_request));
  const std::string signature =
      absl::BytesToHexString(HmacSha256(SigningKey(scope, date), to_sign));
  request.headers.emplace_back(
      "Authorization",
      absl::StrCat(kAlgorithm, " Credential=", scope.credentials.access_key_id, "/", scope_text,
                   ", SignedHeaders=", header_names, ", Signature=", signature));
}

}  // namespace internal
}  // namespace durable
