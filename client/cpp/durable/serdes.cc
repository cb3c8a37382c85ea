#include "client/cpp/durable/serdes.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"

namespace durable {
namespace internal {
namespace {

bool HasOnlyFiniteNumbers(const Json& value) {
  if (value.is_number_float()) return std::isfinite(value.get<double>());
  if (!value.is_structured()) return true;
  for (const Json& element : value) {
    if (!HasOnlyFiniteNumbers(element)) return false;
  }
  return true;
}

absl::Status FromProtobuf(const google::protobuf::util::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const google::protobuf::StringPiece message = status.message();
  return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
}

}  // namespace

absl::StatusOr<std::string> DumpJson(const Json& value) {
  if (!HasOnlyFiniteNumbers(value)) {
    return absl::InvalidArgumentError("JSON has no number for not-a-number and infinity");
  }
  try {
    return value.dump();
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

absl::StatusOr<std::string> DumpTime(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return absl::InvalidArgumentError("an infinite time has no RFC 3339 text");
  }
  return absl::StrCat("\"", absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()), "\"");
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view text) {
  absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return std::move(json).status();
  absl::Time time;
  std::string error;
  if (!json->is_string() ||
      !absl::ParseTime(absl::RFC3339_full, json->get_ref<const std::string&>(), &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat("not an RFC 3339 time: ", text));
  }
  return time;
}

absl::StatusOr<std::string> DumpMessage(const google::protobuf::Message& message) {
  std::string text;
  absl::Status status = FromProtobuf(google::protobuf::util::MessageToJsonString(message, &text));
  if (!status.ok()) return status;
  return text;
}

absl::Status ParseMessage(absl::string_view text, google::protobuf::Message& message) {
  return FromProtobuf(google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &message));
}

bool IsNull(absl::string_view text) { return absl::StripAsciiWhitespace(text) == "null"; }

}  // namespace internal
}  // namespace durable
