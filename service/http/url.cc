#include "service/http/url.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace rehearse {
namespace {

bool IsHex(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
         c == '~';
}

// "http://host:port/path" -> "/path".
absl::string_view WithoutOrigin(absl::string_view target) {
  const size_t scheme = target.find("://");
  if (target.empty() || target[0] == '/' || scheme == absl::string_view::npos) return target;
  const size_t path = target.find('/', scheme + 3);
  return path == absl::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

absl::optional<std::string> PercentDecode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) return absl::nullopt;
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

std::string PercentEncode(absl::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
      continue;
    }
    const unsigned char byte = static_cast<unsigned char>(c);
    encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return encoded;
}

absl::optional<Url> SplitTarget(absl::string_view target) {
  target = WithoutOrigin(target);
  Url url;
  const size_t question = target.find('?');
  url.path = std::string(target.substr(0, question));
  if (question == absl::string_view::npos) return url;
  for (absl::string_view pair :
       absl::StrSplit(target.substr(question + 1), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    absl::optional<std::string> key = PercentDecode(absl::StrReplaceAll(parts.first, {{"+", " "}}));
    absl::optional<std::string> value =
        PercentDecode(absl::StrReplaceAll(parts.second, {{"+", " "}}));
    if (!key.has_value() || !value.has_value()) return absl::nullopt;
    url.query.emplace_back(*std::move(key), *std::move(value));
  }
  return url;
}

absl::optional<absl::string_view> FindQuery(const HttpQuery& query, absl::string_view key) {
  for (const auto& entry : query) {
    if (entry.first == key) return absl::string_view(entry.second);
  }
  return absl::nullopt;
}

}  // namespace rehearse
