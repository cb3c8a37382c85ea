#include "service/base/arn.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "service/base/errors.h"
#include "service/base/limits.h"
#include "service/base/text.h"

namespace rehearse {
namespace {

bool IsFunctionName(absl::string_view text) {
  return !text.empty() && ConsistsOf(text, [](char c) { return IsIdCharacter(c) || c == '.'; });
}

bool IsQualifier(absl::string_view text) {
  if (text.empty() || text.size() > kMaxQualifierLength) return false;
  if (text == "$LATEST.PUBLISHED") return true;
  return ConsistsOf(text, [](char c) { return IsIdCharacter(c) || c == '$'; });
}

// Segments of a name in front of the function's own name:
// [[arn:partition:lambda:]region:][account:]function:
struct Prefix {
  int length = 0;
  absl::optional<absl::string_view> region;
  absl::optional<absl::string_view> account;
};

// nullopt: malformed.
absl::optional<Prefix> ParsePrefix(const std::vector<absl::string_view>& segments) {
  const bool full = segments[0] == "arn";
  const size_t first = full ? 3 : 0;
  size_t function = first;
  while (function < segments.size() && segments[function] != "function") ++function;
  Prefix prefix;
  if (function == segments.size()) {
    if (full) return absl::nullopt;
    return prefix;
  }
  const size_t qualifiers = function - first;
  if (full && (qualifiers != 2 || segments[2] != "lambda" || !IsId(segments[1])))
    return absl::nullopt;
  if (qualifiers > 2) return absl::nullopt;
  // "name:function" is a name with the qualifier "function".
  if (!full && function > 0 && !IsAccount(segments[function - 1])) {
    return segments.size() == 2 ? absl::make_optional(prefix) : absl::nullopt;
  }
  prefix.length = static_cast<int>(function) + 1;
  if (qualifiers >= 1) {
    prefix.account = segments[function - 1];
    if (!IsAccount(*prefix.account)) return absl::nullopt;
  }
  if (qualifiers == 2) {
    prefix.region = segments[function - 2];
    if (!IsId(*prefix.region)) return absl::nullopt;
  }
  return prefix;
}

absl::optional<std::string> ToOptionalString(const absl::optional<absl::string_view>& text) {
  if (!text.has_value()) return absl::nullopt;
  return std::string(*text);
}

}  // namespace

bool IsAccount(absl::string_view text) { return text.size() == 12 && IsDigits(text); }

bool IsFunctionVersion(absl::string_view text) {
  return text == "$LATEST" || text == "$LATEST.PUBLISHED" || IsDigits(text);
}

std::string ExecutionArn::ToString() const {
  return absl::StrCat(FunctionArn(location, function_name, version), "/durable-execution/",
                      execution_name, "/", execution_id);
}

absl::optional<ExecutionArn> ExecutionArn::Parse(absl::string_view text) {
  if (text.size() > kMaxArnLength) return absl::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  if (parts.size() != 4 || parts[1] != "durable-execution") return absl::nullopt;
  if (!IsId(parts[2]) || !IsId(parts[3])) return absl::nullopt;
  const std::vector<absl::string_view> segments = absl::StrSplit(parts[0], ':');
  if (segments.size() != 8 || segments[0] != "arn" || segments[2] != "lambda" ||
      segments[5] != "function") {
    return absl::nullopt;
  }
  if (!IsId(segments[1]) || !IsId(segments[3]) || !IsAccount(segments[4])) return absl::nullopt;
  if (!IsFunctionName(segments[6]) || !IsFunctionVersion(segments[7])) return absl::nullopt;
  ExecutionArn arn;
  arn.location = {std::string(segments[1]), std::string(segments[3]), std::string(segments[4])};
  arn.function_name = std::string(segments[6]);
  arn.version = std::string(segments[7]);
  arn.execution_name = std::string(parts[2]);
  arn.execution_id = std::string(parts[3]);
  return arn;
}

absl::StatusOr<FunctionReference> FunctionReference::Parse(absl::string_view text) {
  if (text.empty() || text.size() > kMaxFunctionNameLength) {
    return errors::InvalidParameter(
        absl::StrCat("FunctionName must have 1 to ", kMaxFunctionNameLength, " characters."));
  }
  const absl::Status invalid = errors::InvalidParameter(
      absl::StrCat("Invalid function ARN '", text,
                   "': give a name, name:qualifier, account:function:name, "
                   "region:account:function:name or a full ARN."));
  const std::vector<absl::string_view> segments = absl::StrSplit(text, ':');
  const absl::optional<Prefix> prefix = ParsePrefix(segments);
  if (!prefix.has_value()) return invalid;
  const size_t own_segments = segments.size() - static_cast<size_t>(prefix->length);
  if (own_segments < 1 || own_segments > 2) return invalid;
  const absl::string_view name = segments[static_cast<size_t>(prefix->length)];
  if (!IsFunctionName(name)) return invalid;
  FunctionReference reference;
  reference.name = std::string(name);
  if (own_segments == 2) {
    if (!IsQualifier(segments.back())) return invalid;
    reference.qualifier = std::string(segments.back());
  }
  reference.region = ToOptionalString(prefix->region);
  reference.account = ToOptionalString(prefix->account);
  return reference;
}

std::string FunctionArn(const Location& location, absl::string_view name,
                        absl::string_view version) {
  return absl::StrCat("arn:", location.partition, ":lambda:", location.region, ":",
                      location.account, ":function:", name, ":", version);
}

}  // namespace rehearse
