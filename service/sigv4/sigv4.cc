#include "service/sigv4/sigv4.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"
#include "service/http/url.h"

namespace rehearse {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr char kTerminator[] = "aws4_request";
constexpr char kDateHeader[] = "x-amz-date";
constexpr char kTokenHeader[] = "x-amz-security-token";

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
    segments.push_back(PercentEncode(segment));
  }
  const std::string encoded = absl::StrJoin(segments, "/");
  return encoded.empty() ? "/" : encoded;
}

std::string CanonicalQuery(const HttpQuery& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [key, value] : query) {
    encoded.emplace_back(PercentEncode(key), PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  return absl::StrJoin(encoded, "&", absl::PairFormatter("="));
}

// By lower-case name, which is the order to sign in.
using CanonicalHeaders = std::map<std::string, std::string>;

std::string CanonicalValue(absl::string_view value) {
  std::string canonical(value);
  absl::RemoveExtraAsciiWhitespace(&canonical);
  return canonical;
}

CanonicalHeaders HeadersToSign(const HttpRequest& request, absl::string_view host) {
  CanonicalHeaders headers = {{"host", std::string(host)}};
  for (const char* name : {"content-type", kDateHeader, kTokenHeader}) {
    const absl::optional<absl::string_view> value = FindHeader(request.headers, name);
    if (value.has_value()) headers[name] = CanonicalValue(*value);
  }
  return headers;
}

// A header that is repeated has all values; one that is not there is empty.
CanonicalHeaders SignedHeaders(const HttpRequest& request, const std::vector<std::string>& names) {
  CanonicalHeaders headers;
  for (const std::string& name : names) {
    std::vector<std::string> values;
    for (const auto& header : request.headers) {
      if (absl::EqualsIgnoreCase(header.first, name)) {
        values.push_back(CanonicalValue(header.second));
      }
    }
    headers[name] = absl::StrJoin(values, ",");
  }
  return headers;
}

std::string NamesOf(const CanonicalHeaders& headers) {
  return absl::StrJoin(headers, ";", [](std::string* out, const auto& header) {
    absl::StrAppend(out, header.first);
  });
}

std::string CanonicalRequest(const HttpRequest& request, const CanonicalHeaders& headers) {
  const absl::optional<Url> url = SplitTarget(request.target);
  std::string lines;
  for (const auto& [name, value] : headers) absl::StrAppend(&lines, name, ":", value, "\n");
  return absl::StrCat(request.method, "\n", CanonicalPath(url ? url->path : request.target), "\n",
                      url ? CanonicalQuery(url->query) : "", "\n", lines, "\n", NamesOf(headers),
                      "\n", Sha256Hex(request.body));
}

// What a signature is good for: its day, and one service in one region.
struct Scope {
  std::string date;
  std::string region;
  std::string service;
};

std::string ToString(const Scope& scope) {
  return absl::StrCat(scope.date, "/", scope.region, "/", scope.service, "/", kTerminator);
}

std::string SignatureOf(const HttpRequest& request, const CanonicalHeaders& headers,
                        absl::string_view timestamp, const Scope& scope,
                        absl::string_view secret_access_key) {
  std::string key = HmacSha256(absl::StrCat("AWS4", secret_access_key), scope.date);
  for (absl::string_view part : {absl::string_view(scope.region), absl::string_view(scope.service),
                                 absl::string_view(kTerminator)}) {
    key = HmacSha256(key, part);
  }
  return absl::BytesToHexString(
      HmacSha256(key, absl::StrCat(kAlgorithm, "\n", timestamp, "\n", ToString(scope), "\n",
                                   Sha256Hex(CanonicalRequest(request, headers)))));
}

// "name=value" of the list; empty if it is not there.
absl::string_view FindParameter(const std::vector<absl::string_view>& parameters,
                                absl::string_view name) {
  for (absl::string_view parameter : parameters) {
    parameter = absl::StripAsciiWhitespace(parameter);
    if (absl::ConsumePrefix(&parameter, name) && absl::ConsumePrefix(&parameter, "=")) {
      return parameter;
    }
  }
  return "";
}

}  // namespace

void SignRequest(HttpRequest& request, absl::string_view host, const SigningScope& scope,
                 absl::Time now) {
  const std::string timestamp = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  request.headers.emplace_back("X-Amz-Date", timestamp);
  if (!scope.credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", scope.credentials.session_token);
  }
  const CanonicalHeaders headers = HeadersToSign(request, host);
  const Scope day = {timestamp.substr(0, 8), scope.region, scope.service};
  const std::string signature =
      SignatureOf(request, headers, timestamp, day, scope.credentials.secret_access_key);
  request.headers.emplace_back(
      "Authorization",
      absl::StrCat(kAlgorithm, " Credential=", scope.credentials.access_key_id, "/", ToString(day),
                   ", SignedHeaders=", NamesOf(headers), ", Signature=", signature));
}

absl::StatusOr<Signature> ParseSignature(absl::string_view authorization) {
  if (!absl::ConsumePrefix(&authorization, absl::StrCat(kAlgorithm, " "))) {
    return absl::InvalidArgumentError(
        absl::StrCat("Authorization header requires the algorithm '", kAlgorithm, "'."));
  }
  const std::vector<absl::string_view> parameters = absl::StrSplit(authorization, ',');
  for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
    if (FindParameter(parameters, name).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Authorization header requires '", name, "' parameter."));
    }
  }
  const absl::string_view credential = FindParameter(parameters, "Credential");
  const std::vector<std::string> parts = absl::StrSplit(credential, '/');
  if (parts.size() != 5 || parts[4] != kTerminator) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Credential must have exactly 5 slash-delimited elements, of which the last "
        "is '",
        kTerminator, "', e.g. keyid/date/region/service/term, got '", credential, "'."));
  }
  return Signature{
      parts[0],
      parts[1],
      parts[2],
      parts[3],
      absl::StrSplit(absl::AsciiStrToLower(FindParameter(parameters, "SignedHeaders")), ';'),
      std::string(FindParameter(parameters, "Signature"))};
}

bool IsSignedBy(const HttpRequest& request, const Signature& signature,
                absl::string_view secret_access_key) {
  const std::string expected =
      SignatureOf(request, SignedHeaders(request, signature.signed_headers),
                  FindHeader(request.headers, kDateHeader).value_or(""),
                  {signature.date, signature.region, signature.service}, secret_access_key);
  // In a time that does not tell how much of it is right.
  return signature.value.size() == expected.size() &&
         CRYPTO_memcmp(signature.value.data(), expected.data(), expected.size()) == 0;
}

}  // namespace rehearse
