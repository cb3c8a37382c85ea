// Protobuf messages as AWS's SDK shapes them, and back: member names of the API, enum values without
// prefix, `Date`s, absent members absent. Read from the descriptors; nothing is said per message.
//
//   toAws(EventSchema, event)                 // {EventType: 'StepStarted', EventTimestamp: Date, ...}
//   fromAws(ErrorObjectSchema, {ErrorMessage: 'no'})
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import {reflect, type ReflectMessage} from '@bufbuild/protobuf/reflect';
import {
  FeatureSet_FieldPresence,
  TimestampSchema,
  type Timestamp,
  timestampFromDate,
} from '@bufbuild/protobuf/wkt';
import {EventTypeSchema} from './generated/rehearse/v1/event_pb';

type AwsObject = Record<string, unknown>;

const isTimestamp = (desc: DescMessage) => desc.typeName === TimestampSchema.typeName;

// Cut to whole milliseconds, as on AWS's wire.
export const dateOf = ({seconds, nanos}: Timestamp) =>
  new Date(Number(seconds) * 1000 + Math.trunc(nanos / 1e6));

const camelCase = (upper: string) =>
  upper.replace(/([A-Z])([A-Z]*)_?/g, (_, first, rest) => first + rest.toLowerCase());

/** For example `TIMED_OUT`, and for event types `StepTimedOut`. */
export function awsEnumName(desc: DescEnum, number: number): string | undefined {
  if (number === 0) return undefined;
  const name = desc.value[number]?.localName;
  return name === undefined || desc.typeName !== EventTypeSchema.typeName ? name : camelCase(name);
}

/** The number of `name`; undefined when there is no such value. */
export const enumNumber = (desc: DescEnum, name: string) =>
  desc.values.find(({number}) => awsEnumName(desc, number) === name)?.number;

// Members that AWS does not have keep their proto name.
const isAwsMember = ({jsonName}: DescField) => /^[A-Z]/.test(jsonName);

function scalarToAws(type: ScalarType, value: unknown): unknown {
  return type === ScalarType.INT64 ? Number(value) : value;
}

function messageToAws(value: ReflectMessage): unknown {
  return isTimestamp(value.desc) ? dateOf(value.message as Timestamp) : objectToAws(value);
}

function isPresent(message: ReflectMessage, field: DescField): boolean {
  switch (field.fieldKind) {
    case 'list':
      return field.listKind === 'message' || message.isSet(field);
    case 'enum':
      return message.get(field) !== 0;
    case 'scalar':
      // Without presence its value is told, whatever it is.
      return field.presence === FeatureSet_FieldPresence.IMPLICIT || message.isSet(field);
    default:
      return message.isSet(field);
  }
}

function fieldToAws(message: ReflectMessage, field: DescField): unknown {
  switch (field.fieldKind) {
    case 'message':
      return messageToAws(message.get(field));
    case 'enum':
      return awsEnumName(field.enum, message.get(field));
    case 'list':
      return [...message.get(field)].map((item) =>
        field.listKind === 'message' ? messageToAws(item as ReflectMessage) : item,
      );
    case 'scalar':
      return scalarToAws(field.scalar, message.get(field));
    default:
      throw new TypeError(`No member of AWS's is a map: ${field}`);
  }
}

function objectToAws(message: ReflectMessage): AwsObject {
  const object: AwsObject = {};
  for (const field of message.desc.fields) {
    if (isAwsMember(field) && isPresent(message, field))
      object[field.jsonName] = fieldToAws(message, field);
  }
  return object;
}

/** `message` as an object of the type that AWS's SDK gives it. */
export function toAws<Shape, Desc extends DescMessage = DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
): Shape {
  return objectToAws(reflect(desc, message)) as Shape;
}

function messageFromAws(desc: DescMessage, value: unknown): unknown {
  if (isTimestamp(desc)) return timestampFromDate(new Date(value as Date | string | number));
  return fromAws(desc, value as object);
}

function enumFromAws(field: DescField & {enum: DescEnum}, value: unknown): number {
  const number = enumNumber(field.enum, value as string);
  if (number === undefined) throw new TypeError(`${field.jsonName} has no value ${String(value)}`);
  return number;
}

function fieldFromAws(field: DescField, value: unknown): unknown {
  switch (field.fieldKind) {
    case 'message':
      return messageFromAws(field.message, value);
    case 'enum':
      return enumFromAws(field, value);
    case 'list':
      return field.listKind === 'message'
        ? (value as unknown[]).map((item) => messageFromAws(field.message, item))
        : value;
    default:
      return value;
  }
}

/** `object` as a message; members that the message does not have are left out. */
export function fromAws<Desc extends DescMessage>(desc: Desc, object: object): MessageShape<Desc> {
  const message: AwsObject = {};
  for (const field of desc.fields) {
    const value = (object as AwsObject)[field.jsonName];
    if (!isAwsMember(field) || value === undefined || value === null) continue;
    const converted = fieldFromAws(field, value);
    if (field.oneof === undefined) message[field.localName] = converted;
    else message[field.oneof.localName] = {case: field.localName, value: converted};
  }
  return create(desc, message as never);
}
