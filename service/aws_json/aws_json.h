// AWS JSON: the contract's messages as the AWS API spells them, and back, by reflection.
//
// A field is a member when its json_name begins with a capital: those are AWS's names. Absent
// members stay absent, lists of messages are always there, enum values lose their prefix, and
// timestamps are numbers.
//
//   v1::CheckpointRequest request;
//   absl::Status status = FromAwsJson(R"({"CheckpointToken": "AQ==", "Updates": []})", request);
//   ToAwsJson(response);   // {"CheckpointToken":"AR==","NewExecutionState":{"Operations":[]}}
#ifndef REHEARSE_SERVICE_AWS_JSON_AWS_JSON_H_
#define REHEARSE_SERVICE_AWS_JSON_AWS_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace rehearse {

// Since the epoch. API bodies have seconds with a fraction, what a function is invoked with has
// whole milliseconds.
enum class AwsTime { kSeconds, kMilliseconds };

// Compact. Text that is not UTF-8 has its bad bytes replaced.
std::string ToAwsJson(const google::protobuf::Message& message, AwsTime time = AwsTime::kSeconds);

// Sets the members that `text`, a JSON object, has; others keep what they are. Unknown members and
// nulls are passed over. InvalidArgument names the member: "Updates[0].Name: expected a string".
absl::Status FromAwsJson(absl::string_view text, google::protobuf::Message& message,
                         AwsTime time = AwsTime::kSeconds);

// Whether the field is a member of the AWS API.
bool IsAwsMember(const google::protobuf::FieldDescriptor& field);

// "TIMED_OUT" for EXECUTION_STATUS_TIMED_OUT; "WaitStarted" for EVENT_TYPE_WAIT_STARTED, since
// event types are the one enum that AWS writes in camel case.
std::string AwsEnumName(const google::protobuf::EnumValueDescriptor& value);
// The value of that name, but for the one that says UNSPECIFIED.
absl::optional<int> AwsEnumValue(const google::protobuf::EnumDescriptor& type,
                                 absl::string_view name);
// All of them for a message: "RUNNING, PAUSING, PAUSED".
std::string AwsEnumNames(const google::protobuf::EnumDescriptor& type);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_AWS_JSON_AWS_JSON_H_
