"""Messages of the contract as dictionaries with AWS's member names, and back.

    to_aws(operation)        # {"Id": "1", "Type": "STEP", "Status": "STARTED", ...}
    from_aws({"Id": "1", "Action": "START", ...}, OperationUpdate())

The fields carry AWS's names as json_name. Enum values lose their prefix (event types are spelled
as AWS does: "StepStarted"), timestamps are datetimes in UTC, and what is not set is absent.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

_TIMESTAMP = timestamp_pb2.Timestamp.DESCRIPTOR.full_name
MessageT = TypeVar("MessageT", bound=Message)


def to_aws(message: Message) -> dict[str, Any]:
    """What is set in `message`."""
    return {field.json_name: _reader(field)(value) for field, value in message.ListFields()}


def from_aws(values: Mapping[str, Any], message: MessageT) -> MessageT:
    """Sets in `message` what `values` has, and returns it; an unknown member is a KeyError."""
    fields = _fields(message.DESCRIPTOR)
    for name, value in values.items():
        if value is None:
            continue
        field = fields[name]
        if field.enum_type is not None:
            setattr(message, field.name, _numbers(field.enum_type)[value])
        elif field.is_repeated and field.message_type is not None:
            for element in value:
                from_aws(element, getattr(message, field.name).add())
        elif field.is_repeated:
            getattr(message, field.name).extend(value)
        elif field.message_type is not None:
            child = getattr(message, field.name)
            # Also when there is nothing to set in it.
            child.SetInParent()
            from_aws(value, child)
        else:
            setattr(message, field.name, value)
    return message


def enum_name(enum: EnumDescriptor, number: int) -> str:
    """AWS's name of an enum's value."""
    return _names(enum).get(number, str(number))


@functools.cache
def _fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    return {field.json_name: field for field in descriptor.fields}


@functools.cache
def _reader(field: FieldDescriptor) -> Callable[[Any], Any]:
    if field.enum_type is not None:
        names = _names(field.enum_type)
        read: Callable[[Any], Any] = lambda number: names.get(number, str(number))
    elif field.message_type is None:
        read = lambda value: value
    elif field.message_type.full_name == _TIMESTAMP:
        read = lambda timestamp: timestamp.ToDatetime(tzinfo=datetime.timezone.utc)
    else:
        read = to_aws
    if field.is_repeated:
        return lambda values: [read(value) for value in values]
    return read


@functools.cache
def _names(enum: EnumDescriptor) -> dict[int, str]:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
    names = {value.number: value.name.removeprefix(prefix) for value in enum.values}
    if enum.name == "EventType":
        return {number: "".join(word.capitalize() for word in name.split("_"))
                for number, name in names.items()}
    return names


@functools.cache
def _numbers(enum: EnumDescriptor) -> dict[str, int]:
    return {name: number for number, name in _names(enum).items()}
