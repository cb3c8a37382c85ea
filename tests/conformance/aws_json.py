"""Messages of rehearse.v1 in the JSON form of the AWS API, in which the suite's expectations are.

    to_aws_json(event)    # {"EventType": "StepStarted", "EventId": 2, ...}
"""

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp


def enum_name(field_or_enum, number):
    """The name of a value without the prefix that all values of its type share."""
    enum = getattr(field_or_enum, "enum_type", field_or_enum)
    prefix = enum.values_by_number[0].name[: -len("UNSPECIFIED")]
    return enum.values_by_number[number].name[len(prefix):]


def _value(field, value):
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if isinstance(value, Timestamp):
            return value.seconds + value.nanos / 1e9
        return to_aws_json(value)
    if field.type == FieldDescriptor.TYPE_ENUM:
        name = enum_name(field, value)
        # Event types alone are written in camel case.
        return name.title().replace("_", "") if field.name == "event_type" else name
    return value


def to_aws_json(message):
    """Absent members stay absent; those that cannot be absent are always there."""
    json = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.label != FieldDescriptor.LABEL_REPEATED:
            json[field.json_name] = _value(field, value)
        elif value:
            json[field.json_name] = [_value(field, element) for element in value]
    return json
