package rehearse

import (
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// marshalAWS writes a message of the contract as AWS's JSON, in which functions are invoked: the
// fields whose JSON names begin with a capital, under these; enum values without their prefix;
// timestamps in whole milliseconds; absent members absent, lists of messages always there.
func marshalAWS(message proto.Message) []byte {
	// Maps, lists, texts and numbers can always be written.
	text, _ := json.Marshal(awsObject(message.ProtoReflect()))
	return text
}

func awsObject(message protoreflect.Message) map[string]any {
	object := map[string]any{}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := field.JSONName()
		if name[0] >= 'A' && name[0] <= 'Z' && isAWSPresent(message, field) {
			object[name] = awsField(field, message.Get(field))
		}
	}
	return object
}

func isAWSPresent(message protoreflect.Message, field protoreflect.FieldDescriptor) bool {
	switch {
	case field.IsList():
		return field.Message() != nil || message.Has(field)
	case field.Kind() == protoreflect.EnumKind:
		return message.Has(field)
	default:
		return !field.HasPresence() || message.Has(field)
	}
}

func awsField(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	if !field.IsList() {
		return awsValue(field, value)
	}
	list := []any{}
	for i := range value.List().Len() {
		list = append(list, awsValue(field, value.List().Get(i)))
	}
	return list
}

func awsValue(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	switch field.Kind() {
	case protoreflect.MessageKind:
		if timestamp, ok := value.Message().Interface().(*timestamppb.Timestamp); ok {
			return timestamp.AsTime().UnixMilli()
		}
		return awsObject(value.Message())
	case protoreflect.EnumKind:
		return awsEnum(field.Enum().Values(), value.Enum())
	default:
		return value.Interface()
	}
}

// awsEnum is "TIMED_OUT" for OPERATION_STATUS_TIMED_OUT: the prefix is that of ..._UNSPECIFIED.
func awsEnum(values protoreflect.EnumValueDescriptors, number protoreflect.EnumNumber) string {
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	return strings.TrimPrefix(string(values.ByNumber(number).Name()), prefix)
}
