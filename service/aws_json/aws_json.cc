#include "service/aws_json/aws_json.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/timestamp.pb.h"
#include "nlohmann/json.hpp"
#include "rehearse/v1/event.pb.h"

namespace rehearse {
namespace {

using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::EnumValueDescriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::Timestamp;
using ::nlohmann::json;

constexpr int64_t kMillisPerSecond = 1000;
constexpr int64_t kNanosPerMilli = 1000000;
// The range of google.protobuf.Timestamp: years 1 to 9999.
constexpr double kMinTimestampSeconds = -62135596800;
constexpr double kMaxTimestampSeconds = 253402300799;

bool IsTimestamp(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == Timestamp::descriptor();
}

// "EXECUTION_STATUS_" for ExecutionStatus, whose zero is EXECUTION_STATUS_UNSPECIFIED.
absl::string_view PrefixOf(const EnumDescriptor& type) {
  return absl::StripSuffix(type.value(0)->name(), "UNSPECIFIED");
}

std::string CamelCase(absl::string_view upper) {
  std::string camel;
  for (absl::string_view word : absl::StrSplit(upper, '_')) {
    absl::StrAppend(&camel, word.substr(0, 1), absl::AsciiStrToLower(word.substr(1)));
  }
  return camel;
}

class Writer {
 public:
  explicit Writer(AwsTime time) : time_(time) {}

  json Write(const Message& message) const {
    json object = json::object();
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      if (IsAwsMember(field) && IsPresent(message, reflection, field)) {
        object[field.json_name()] = WriteField(message, reflection, field);
      }
    }
    return object;
  }

 private:
  static bool IsPresent(const Message& message, const Reflection& reflection,
                        const FieldDescriptor& field) {
    if (field.is_repeated()) {
      return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ||
             reflection.FieldSize(message, &field) > 0;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      return reflection.GetEnumValue(message, &field) != 0;
    }
    return !field.has_presence() || reflection.HasField(message, &field);
  }

  json WriteField(const Message& message, const Reflection& reflection,
                  const FieldDescriptor& field) const {
    if (field.is_repeated()) return WriteList(message, reflection, field);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return WriteMessage(reflection.GetMessage(message, &field), field);
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.GetString(message, &field);
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.GetBool(message, &field);
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.GetInt32(message, &field);
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.GetInt64(message, &field);
      case FieldDescriptor::CPPTYPE_ENUM:
        return AwsEnumName(*reflection.GetEnum(message, &field));
      default:
        return nullptr;
    }
  }

  json WriteList(const Message& message, const Reflection& reflection,
                 const FieldDescriptor& field) const {
    json list = json::array();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        list.push_back(Write(reflection.GetRepeatedMessage(message, &field, i)));
      } else {
        list.push_back(reflection.GetRepeatedString(message, &field, i));
      }
    }
    return list;
  }

  json WriteMessage(const Message& value, const FieldDescriptor& field) const {
    if (!IsTimestamp(field)) return Write(value);
    const auto& timestamp = static_cast<const Timestamp&>(value);
    const int64_t millis =
        timestamp.seconds() * kMillisPerSecond + timestamp.nanos() / kNanosPerMilli;
    if (time_ == AwsTime::kMilliseconds) return millis;
    return static_cast<double>(millis) / kMillisPerSecond;
  }

  const AwsTime time_;
};

class Reader {
 public:
  explicit Reader(AwsTime time) : time_(time) {}

  absl::Status Read(const json& object, const std::string& path, Message& message) const {
    if (!object.is_object()) return Expected(path, "an object");
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      if (!IsAwsMember(field)) continue;
      const auto member = object.find(field.json_name());
      if (member == object.end() || member->is_null()) continue;
      const std::string member_path =
          path.empty() ? field.json_name() : absl::StrCat(path, ".", field.json_name());
      absl::Status status = ReadField(*member, member_path, field, message);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Expected(absl::string_view path, absl::string_view what) {
    return absl::InvalidArgumentError(path.empty() ? absl::StrCat("expected ", what)
                                                   : absl::StrCat(path, ": expected ", what));
  }

  absl::Status ReadField(const json& value, const std::string& path, const FieldDescriptor& field,
                         Message& message) const {
    if (field.is_repeated()) return ReadList(value, path, field, message);
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (IsTimestamp(field)) return ReadTimestamp(value, path, field, message);
        return Read(value, path, *reflection.MutableMessage(&message, &field));
      case FieldDescriptor::CPPTYPE_STRING:
        if (!value.is_string()) return Expected(path, "a string");
        reflection.SetString(&message, &field, value.get<std::string>());
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!value.is_boolean()) return Expected(path, "true or false");
        reflection.SetBool(&message, &field, value.get<bool>());
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_INT32:
        return ReadInt32(value, path, field, message);
      case FieldDescriptor::CPPTYPE_INT64:
        if (!value.is_number_integer()) return Expected(path, "a whole number");
        reflection.SetInt64(&message, &field, value.get<int64_t>());
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_ENUM:
        return ReadEnum(value, path, field, message);
      default:
        return Expected(path, "nothing");
    }
  }

  absl::Status ReadInt32(const json& value, const std::string& path, const FieldDescriptor& field,
                         Message& message) const {
    // Some languages write whole numbers with a fraction of zero.
    const double number = value.is_number() ? value.get<double>() : 0.5;
    if (number != std::trunc(number) || number < std::numeric_limits<int32_t>::min() ||
        number > std::numeric_limits<int32_t>::max()) {
      return Expected(path, "a whole number of 32 bits");
    }
    message.GetReflection()->SetInt32(&message, &field, static_cast<int32_t>(number));
    return absl::OkStatus();
  }

  absl::Status ReadEnum(const json& value, const std::string& path, const FieldDescriptor& field,
                        Message& message) const {
    const EnumDescriptor& type = *field.enum_type();
    const absl::optional<int> number =
        value.is_string() ? AwsEnumValue(type, value.get<std::string>()) : absl::nullopt;
    if (!number.has_value()) {
      return Expected(path, absl::StrCat("one of ", AwsEnumNames(type)));
    }
    message.GetReflection()->SetEnumValue(&message, &field, *number);
    return absl::OkStatus();
  }

  absl::Status ReadTimestamp(const json& value, const std::string& path,
                             const FieldDescriptor& field, Message& message) const {
    if (!value.is_number()) return Expected(path, "a timestamp");
    const double seconds =
        value.get<double>() / (time_ == AwsTime::kMilliseconds ? kMillisPerSecond : 1);
    if (!(seconds >= kMinTimestampSeconds && seconds <= kMaxTimestampSeconds)) {
      return Expected(path, "a timestamp between the years 1 and 9999");
    }
    const auto millis = static_cast<int64_t>(std::llround(seconds * kMillisPerSecond));
    int64_t whole_seconds = millis / kMillisPerSecond;
    if (millis % kMillisPerSecond < 0) --whole_seconds;
    auto& timestamp =
        static_cast<Timestamp&>(*message.GetReflection()->MutableMessage(&message, &field));
    timestamp.set_seconds(whole_seconds);
    timestamp.set_nanos(
        static_cast<int32_t>((millis - whole_seconds * kMillisPerSecond) * kNanosPerMilli));
    return absl::OkStatus();
  }

  absl::Status ReadList(const json& value, const std::string& path, const FieldDescriptor& field,
                        Message& message) const {
    if (!value.is_array()) return Expected(path, "a list");
    const Reflection& reflection = *message.GetReflection();
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string item_path = absl::StrCat(path, "[", i, "]");
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        absl::Status status = Read(value[i], item_path, *reflection.AddMessage(&message, &field));
        if (!status.ok()) return status;
        continue;
      }
      if (!value[i].is_string()) return Expected(item_path, "a string");
      reflection.AddString(&message, &field, value[i].get<std::string>());
    }
    return absl::OkStatus();
  }

  const AwsTime time_;
};

}  // namespace

std::string ToAwsJson(const Message& message, AwsTime time) {
  return Writer(time).Write(message).dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::Status FromAwsJson(absl::string_view text, Message& message, AwsTime time) {
  const json parsed = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return absl::InvalidArgumentError("expected a JSON object");
  return Reader(time).Read(parsed, "", message);
}

bool IsAwsMember(const FieldDescriptor& field) {
  return absl::ascii_isupper(static_cast<unsigned char>(field.json_name()[0]));
}

std::string AwsEnumName(const EnumValueDescriptor& value) {
  const absl::string_view name = absl::StripPrefix(value.name(), PrefixOf(*value.type()));
  return value.type() == v1::EventType_descriptor() ? CamelCase(name) : std::string(name);
}

absl::optional<int> AwsEnumValue(const EnumDescriptor& type, absl::string_view name) {
  for (int i = 1; i < type.value_count(); ++i) {
    if (AwsEnumName(*type.value(i)) == name) return type.value(i)->number();
  }
  return absl::nullopt;
}

std::string AwsEnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) names.push_back(AwsEnumName(*type.value(i)));
  return absl::StrJoin(names, ", ");
}

}  // namespace rehearse
