#include "service/gateway/authenticator.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

constexpr char kService[] = "lambda";
constexpr char kTimestampFormat[] = "%E4Y%m%dT%H%M%SZ";
constexpr absl::Duration kTolerance = absl::Minutes(5);

std::string Format(absl::Time time) {
  return absl::FormatTime(kTimestampFormat, time, absl::UTCTimeZone());
}

absl::Status CheckTime(absl::Time signed_at, absl::Time now) {
  if (signed_at < now - kTolerance) {
    return errors::InvalidSignature(absl::StrCat("Signature expired: ", Format(signed_at),
                                                 " is now earlier than ", Format(now - kTolerance),
                                                 " (", Format(now), " - 5 min.)"));
  }
  if (signed_at > now + kTolerance) {
    return errors::InvalidSignature(absl::StrCat("Signature not yet current: ", Format(signed_at),
                                                 " is still later than ", Format(now + kTolerance),
                                                 " (", Format(now), " + 5 min.)"));
  }
  return absl::OkStatus();
}

absl::Status CheckSignature(const HttpRequest& request, const Signature& signature,
                            absl::string_view secret_access_key) {
  const std::vector<std::string>& names = signature.signed_headers;
  if (std::find(names.begin(), names.end(), "host") == names.end()) {
    return errors::InvalidSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  if (!IsSignedBy(request, signature, secret_access_key)) {
    return errors::InvalidSignature(
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Authenticator::Check(const HttpRequest& request, absl::Time now) const {
  if (credentials_.empty()) return absl::OkStatus();
  const absl::optional<absl::string_view> authorization =
      FindHeader(request.headers, "Authorization");
  if (!authorization.has_value()) return errors::MissingSignature();
  const absl::StatusOr<Signature> signature = ParseSignature(*authorization);
  if (!signature.ok()) return errors::IncompleteSignature(signature.status().message());
  const absl::string_view timestamp = FindHeader(request.headers, "X-Amz-Date").value_or("");
  absl::Time signed_at;
  if (!absl::ParseTime(kTimestampFormat, timestamp, &signed_at, nullptr)) {
    return errors::IncompleteSignature(absl::StrCat(
        "Authorization header requires a 'X-Amz-Date' header in ISO-8601 'basic format', got '",
        timestamp, "'."));
  }
  const AwsCredentials* credentials = Find(
      signature->access_key_id, FindHeader(request.headers, "X-Amz-Security-Token").value_or(""));
  if (credentials == nullptr) return errors::UnknownCredentials();
  absl::Status valid = CheckScope(*signature, timestamp);
  if (valid.ok()) valid = CheckTime(signed_at, now);
  if (valid.ok()) valid = CheckSignature(request, *signature, credentials->secret_access_key);
  return valid;
}

const AwsCredentials* Authenticator::Find(absl::string_view access_key_id,
                                          absl::string_view session_token) const {
  for (const AwsCredentials& credentials : credentials_) {
    if (credentials.access_key_id == access_key_id && credentials.session_token == session_token) {
      return &credentials;
    }
  }
  return nullptr;
}

absl::Status Authenticator::CheckScope(const Signature& signature,
                                       absl::string_view timestamp) const {
  if (signature.region != region_) {
    return errors::InvalidSignature(
        absl::StrCat("Credential should be scoped to a valid region, "
                     "not '",
                     signature.region, "'; this service is in ", region_, "."));
  }
  if (signature.service != kService) {
    return errors::InvalidSignature(
        absl::StrCat("Credential should be scoped to correct service: '", kService, "'."));
  }
  if (signature.date != timestamp.substr(0, signature.date.size()) || signature.date.size() != 8) {
    return errors::InvalidSignature(absl::StrCat(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        "HTTP: '",
        signature.date, "' != '", timestamp.substr(0, 8), "', from '", timestamp, "'."));
  }
  return absl::OkStatus();
}

}  // namespace rehearse
