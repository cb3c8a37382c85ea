#include "service/cli/event_rows.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/aws_json/aws_json.h"
#include "service/cli/client.h"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxRecorded = 60;
constexpr size_t kMaxName = 40;

std::string Seconds(int64_t seconds) { return absl::FormatDuration(absl::Seconds(seconds)); }

std::string RetryText(const v1::RetryDetails& retry) {
  if (!retry.has_next_attempt_delay_seconds()) {
    return retry.current_attempt() > 1 ? absl::StrCat("attempt ", retry.current_attempt()) : "";
  }
  return absl::StrCat("attempt ", retry.current_attempt(), ", next in ",
                      Seconds(retry.next_attempt_delay_seconds()));
}

// Of an input, a result, an error or a reason, which all have a payload; and of a retry.
std::string MessageText(const Message& message) {
  if (const auto* retry = dynamic_cast<const v1::RetryDetails*>(&message)) return RetryText(*retry);
  if (const auto* error = dynamic_cast<const v1::EventError*>(&message)) {
    return ErrorText(error->payload(), kMaxRecorded);
  }
  const FieldDescriptor* payload = message.GetDescriptor()->FindFieldByName("payload");
  if (payload == nullptr) return "";
  return OneLine(message.GetReflection()->GetString(message, payload), kMaxRecorded);
}

std::string FieldText(const Message& details, const FieldDescriptor& field) {
  const Reflection& reflection = *details.GetReflection();
  const std::string& name = field.name();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return MessageText(reflection.GetMessage(details, &field));
  }
  if (name == "duration") return Seconds(reflection.GetInt32(details, &field));
  if (name == "heartbeat_timeout") {
    return absl::StrCat("heartbeat timeout ", Seconds(reflection.GetInt32(details, &field)));
  }
  if (name == "timeout" || name == "execution_timeout") {
    return absl::StrCat("timeout ", Seconds(reflection.GetInt32(details, &field)));
  }
  if (name == "function_name") {
    return absl::StrCat("-> ", reflection.GetString(details, &field));
  }
  if (name == "tenant_id") return absl::StrCat("tenant ", reflection.GetString(details, &field));
  return "";
}

// What the event says besides its columns.
std::string Recorded(const v1::Event& event) {
  const Reflection& reflection = *event.GetReflection();
  const FieldDescriptor* field =
      reflection.GetOneofFieldDescriptor(event, event.GetDescriptor()->FindOneofByName("details"));
  if (field == nullptr) return "";
  const Message& details = reflection.GetMessage(event, field);
  std::vector<const FieldDescriptor*> fields;
  details.GetReflection()->ListFields(details, &fields);
  std::vector<std::string> parts;
  for (const FieldDescriptor* member : fields) {
    std::string part = FieldText(details, *member);
    if (!part.empty()) parts.push_back(std::move(part));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace

std::vector<std::string> EventRows::Header() { return {"id", "time", "event", "name", "recorded"}; }

std::vector<Cell> EventRows::Next(const v1::Event& event) {
  const absl::Time time = absl::FromUnixSeconds(event.event_timestamp().seconds()) +
                          absl::Nanoseconds(event.event_timestamp().nanos());
  if (!start_.has_value()) start_ = time;
  const absl::Duration since = absl::Trunc(time - *start_, absl::Milliseconds(1));
  const std::string type =
      AwsEnumName(*v1::EventType_descriptor()->FindValueByNumber(event.event_type()));
  const std::string indent(2 * DepthOf(event), ' ');
  return {absl::StrCat(event.event_id()), absl::StrCat("+", absl::FormatDuration(since)),
          Cell(type, ColourOf(type)),
          event.name().empty() ? "" : indent + OneLine(event.name(), kMaxName), Recorded(event)};
}

size_t EventRows::DepthOf(const v1::Event& event) {
  const auto parent = depth_by_id_.find(event.parent_id());
  const size_t depth = parent == depth_by_id_.end() ? 0 : parent->second + 1;
  if (event.has_id()) depth_by_id_[event.id()] = depth;
  return depth;
}

}  // namespace rehearse
