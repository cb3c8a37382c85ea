#include "service/aws_json/aws_query.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "service/aws_json/aws_json.h"

namespace rehearse {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::Timestamp;

const FieldDescriptor* FindMember(const Message& message, const std::string& name) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (IsAwsMember(*type.field(i)) && type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

absl::Status Expected(const FieldDescriptor& field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field.json_name(), ": expected ", what));
}

absl::optional<absl::Time> ParseMoment(const std::string& text) {
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return time;
  double seconds;
  // The range of google.protobuf.Timestamp ends in the year 9999.
  if (!absl::SimpleAtod(text, &seconds) || !(seconds >= 0 && seconds <= 253402300799)) {
    return absl::nullopt;
  }
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

absl::Status SetTimestamp(const FieldDescriptor& field, const std::string& text, Message& message) {
  const absl::optional<absl::Time> time = ParseMoment(text);
  if (!time.has_value()) return Expected(field, "a time such as 2026-01-31T10:00:00Z");
  auto& timestamp =
      static_cast<Timestamp&>(*message.GetReflection()->MutableMessage(&message, &field));
  timestamp.set_seconds(absl::ToUnixSeconds(*time));
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(*time - absl::FromUnixSeconds(timestamp.seconds()))));
  return absl::OkStatus();
}

absl::Status SetEnum(const FieldDescriptor& field, const std::string& text, Message& message) {
  const absl::optional<int> number = AwsEnumValue(*field.enum_type(), text);
  if (!number.has_value()) {
    return Expected(field, absl::StrCat("one of ", AwsEnumNames(*field.enum_type())));
  }
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddEnumValue(&message, &field, *number);
  } else {
    reflection.SetEnumValue(&message, &field, *number);
  }
  return absl::OkStatus();
}

absl::Status SetField(const FieldDescriptor& field, const std::string& text, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      reflection.SetString(&message, &field, text);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return Expected(field, "true or false");
      reflection.SetBool(&message, &field, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t number;
      if (!absl::SimpleAtoi(text, &number)) return Expected(field, "a whole number");
      reflection.SetInt32(&message, &field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(field, text, message);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetTimestamp(field, text, message);
    default:
      return Expected(field, "nothing");
  }
}

}  // namespace

absl::Status FromAwsQuery(const std::vector<std::pair<std::string, std::string>>& query,
                          Message& message) {
  for (const auto& entry : query) {
    const FieldDescriptor* field = FindMember(message, entry.first);
    if (field == nullptr) continue;
    absl::Status status = SetField(*field, entry.second, message);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rehearse
