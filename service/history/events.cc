#include "service/history/events.h"

#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace rehearse {
namespace {

// Makes the details member of `type` present.
void AddDetails(v1::EventType type, v1::Event& event) {
  switch (type) {
    case v1::EVENT_TYPE_EXECUTION_STARTED:
      event.mutable_execution_started_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_SUCCEEDED:
      event.mutable_execution_succeeded_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_FAILED:
      event.mutable_execution_failed_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_TIMED_OUT:
      event.mutable_execution_timed_out_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_STOPPED:
      event.mutable_execution_stopped_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_PAUSED:
      event.mutable_execution_paused_details();
      break;
    case v1::EVENT_TYPE_EXECUTION_RESUMED:
      event.mutable_execution_resumed_details();
      break;
    case v1::EVENT_TYPE_CONTEXT_STARTED:
      event.mutable_context_started_details();
      break;
    case v1::EVENT_TYPE_CONTEXT_SUCCEEDED:
      event.mutable_context_succeeded_details();
      break;
    case v1::EVENT_TYPE_CONTEXT_FAILED:
      event.mutable_context_failed_details();
      break;
    case v1::EVENT_TYPE_WAIT_STARTED:
      event.mutable_wait_started_details();
      break;
    case v1::EVENT_TYPE_WAIT_SUCCEEDED:
      event.mutable_wait_succeeded_details();
      break;
    case v1::EVENT_TYPE_WAIT_CANCELLED:
      event.mutable_wait_cancelled_details();
      break;
    case v1::EVENT_TYPE_STEP_STARTED:
      event.mutable_step_started_details();
      break;
    case v1::EVENT_TYPE_STEP_SUCCEEDED:
      event.mutable_step_succeeded_details();
      break;
    case v1::EVENT_TYPE_STEP_FAILED:
      event.mutable_step_failed_details();
      break;
    case v1::EVENT_TYPE_CHAINED_INVOKE_STARTED:
      event.mutable_chained_invoke_started_details();
      break;
    case v1::EVENT_TYPE_CHAINED_INVOKE_SUCCEEDED:
      event.mutable_chained_invoke_succeeded_details();
      break;
    case v1::EVENT_TYPE_CHAINED_INVOKE_FAILED:
      event.mutable_chained_invoke_failed_details();
      break;
    case v1::EVENT_TYPE_CHAINED_INVOKE_TIMED_OUT:
      event.mutable_chained_invoke_timed_out_details();
      break;
    case v1::EVENT_TYPE_CHAINED_INVOKE_STOPPED:
      event.mutable_chained_invoke_stopped_details();
      break;
    case v1::EVENT_TYPE_CALLBACK_STARTED:
      event.mutable_callback_started_details();
      break;
    case v1::EVENT_TYPE_CALLBACK_SUCCEEDED:
      event.mutable_callback_succeeded_details();
      break;
    case v1::EVENT_TYPE_CALLBACK_FAILED:
      event.mutable_callback_failed_details();
      break;
    case v1::EVENT_TYPE_CALLBACK_TIMED_OUT:
      event.mutable_callback_timed_out_details();
      break;
    case v1::EVENT_TYPE_INVOCATION_COMPLETED:
      event.mutable_invocation_completed_details();
      break;
    default:
      break;
  }
}

// EventInput, EventResult, EventError and EventReason all have these two fields.
bool IsPayloadWrapper(const google::protobuf::Descriptor& message) {
  return message.FindFieldByName("payload") != nullptr &&
         message.FindFieldByName("truncated") != nullptr;
}

}  // namespace

v1::Event OperationEvent(v1::EventType type, const v1::Operation& operation) {
  v1::Event event;
  event.set_event_type(type);
  event.set_id(operation.id());
  if (operation.has_parent_id()) event.set_parent_id(operation.parent_id());
  if (operation.has_name()) event.set_name(operation.name());
  if (operation.has_sub_type()) event.set_sub_type(operation.sub_type());
  AddDetails(type, event);
  return event;
}

void SetError(const v1::ErrorObject& error, v1::EventError* wrapper) {
  wrapper->set_truncated(false);
  *wrapper->mutable_payload() = error;
}

bool IsExecutionTerminal(v1::EventType type) {
  return type == v1::EVENT_TYPE_EXECUTION_SUCCEEDED || type == v1::EVENT_TYPE_EXECUTION_FAILED ||
         type == v1::EVENT_TYPE_EXECUTION_TIMED_OUT || type == v1::EVENT_TYPE_EXECUTION_STOPPED;
}

void StripExecutionData(v1::Event& event) {
  using google::protobuf::FieldDescriptor;
  using google::protobuf::Message;
  using google::protobuf::Reflection;
  const Reflection& event_reflection = *event.GetReflection();
  const FieldDescriptor* details_field = event_reflection.GetOneofFieldDescriptor(
      event, event.GetDescriptor()->FindOneofByName("details"));
  if (details_field == nullptr) return;
  Message& details = *event_reflection.MutableMessage(&event, details_field);
  const Reflection& details_reflection = *details.GetReflection();
  std::vector<const FieldDescriptor*> present;
  details_reflection.ListFields(details, &present);
  for (const FieldDescriptor* field : present) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    Message& wrapper = *details_reflection.MutableMessage(&details, field);
    const google::protobuf::Descriptor& type = *wrapper.GetDescriptor();
    if (!IsPayloadWrapper(type)) continue;
    wrapper.GetReflection()->ClearField(&wrapper, type.FindFieldByName("payload"));
    wrapper.GetReflection()->SetBool(&wrapper, type.FindFieldByName("truncated"), true);
  }
}

}  // namespace rehearse
