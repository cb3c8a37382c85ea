// Histories as text: a table for people, and a short notation for tests.
//
//   console.log(formatHistory(await session.history(arn)));
//
//    id   time  at            event             name  recorded
//     1   +0    12:00:00.000  ExecutionStarted        "input str"
//     2   +1ms  12:00:00.001  StepStarted       one
//     3   +1ms  12:00:00.001  StepSucceeded     one   "1 2"
//
//   compactHistory(events)                   // 'SS2 SX3 WS4 IC5 WX6 ...'
import type {ErrorObject, Event} from './types';

const MAX_RECORDED = 60;
const MAX_NAME = 40;

const CODES: Record<string, string> = {
  ExecutionStarted: 'ES',
  ExecutionSucceeded: 'XS',
  ExecutionFailed: 'XF',
  ExecutionTimedOut: 'XT',
  ExecutionStopped: 'XP',
  ExecutionPaused: 'XH',
  ExecutionResumed: 'XR',
  ContextStarted: 'CS',
  ContextSucceeded: 'CX',
  ContextFailed: 'CF',
  WaitStarted: 'WS',
  WaitSucceeded: 'WX',
  WaitCancelled: 'WC',
  StepStarted: 'SS',
  StepSucceeded: 'SX',
  StepFailed: 'SF',
  ChainedInvokeStarted: 'IS',
  ChainedInvokeSucceeded: 'IX',
  ChainedInvokeFailed: 'IF',
  ChainedInvokeTimedOut: 'IT',
  ChainedInvokeStopped: 'IP',
  CallbackStarted: 'BS',
  CallbackSucceeded: 'BX',
  CallbackFailed: 'BF',
  CallbackTimedOut: 'BT',
  InvocationCompleted: 'IC',
};

/** What the members of an event's details may be. */
export interface EventDetails {
  Input?: {Payload?: string};
  Result?: {Payload?: string};
  Error?: {Payload?: ErrorObject};
  Reason?: {Payload?: string};
  RetryDetails?: {CurrentAttempt?: number; NextAttemptDelaySeconds?: number};
  CallbackId?: string;
  Duration?: number;
  ExecutionTimeout?: number;
  FunctionName?: string;
  HeartbeatTimeout?: number;
  ScheduledEndTimestamp?: Date;
  TenantId?: string;
  Timeout?: number;
}

/** The details of whatever type `event` has. */
export const detailsOf = (event: Event): EventDetails =>
  (event as Record<string, unknown>)[`${event.EventType}Details`] ?? {};

/** For example 1h30m, 2.5s, 10ms. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = (ms % 60_000) / 1000;
  return [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${seconds}s` : '',
  ].join('');
}

const formatSeconds = (seconds: number) => formatDuration(seconds * 1000);

function shownCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0)!;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : character;
}

/** `text` on one line of at most `maxCharacters` characters: control characters are escaped, and what
 * is cut off is told by its size in bytes. */
export function abbreviate(text: string, maxCharacters: number): string {
  const shown = [...text].slice(0, maxCharacters + 1).map(shownCharacter);
  if (shown.length <= maxCharacters) return shown.join('');
  const size = `... (${new TextEncoder().encode(text).length} bytes)`;
  return shown.slice(0, Math.max(0, maxCharacters - size.length)).join('') + size;
}

/** For example `Declined: the bank said no`. */
export const formatError = ({ErrorType, ErrorMessage}: ErrorObject): string =>
  [ErrorType, ErrorMessage].filter(Boolean).join(': ');

// What the event says, besides its columns.
function recorded(event: Event): string {
  const details = detailsOf(event);
  const payload = (details.Input ?? details.Result ?? details.Reason)?.Payload;
  const error = details.Error?.Payload;
  const {CurrentAttempt = 0, NextAttemptDelaySeconds: delay} = details.RetryDetails ?? {};
  const timeout = details.Timeout ?? details.ExecutionTimeout;
  return [
    payload !== undefined && abbreviate(payload, MAX_RECORDED),
    error !== undefined && abbreviate(formatError(error), MAX_RECORDED),
    details.Duration && formatSeconds(details.Duration),
    details.FunctionName && `-> ${details.FunctionName}`,
    details.TenantId && `tenant ${details.TenantId}`,
    (CurrentAttempt > 1 || delay !== undefined) && `attempt ${CurrentAttempt}`,
    delay !== undefined && `next in ${formatSeconds(delay)}`,
    timeout && `timeout ${formatSeconds(timeout)}`,
    details.HeartbeatTimeout && `heartbeat timeout ${formatSeconds(details.HeartbeatTimeout)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

// How many contexts lie around each event's operation.
function depthsOf(events: readonly Event[]): number[] {
  const depths = new Map<string | undefined, number>();
  return events.map(({Id, ParentId}) => {
    const depth = ParentId !== undefined && depths.has(ParentId) ? depths.get(ParentId)! + 1 : 0;
    depths.set(Id, depth);
    return depth;
  });
}

const widthOf = (text: string) => [...text].length;

function formatRow(row: string[], widths: number[]): string {
  const cells = row.map((text, column) => {
    const padding = ' '.repeat(widths[column]! - widthOf(text));
    return column === 0 ? padding + text : text + padding;
  });
  return `${cells.join('  ').trimEnd()}\n`;
}

/** A line per event; times relative to the first event, and in UTC; names indented by the contexts
 * around them. */
export function formatHistory(events: readonly Event[]): string {
  const [first] = events;
  if (first === undefined) return '(no events)\n';
  const depths = depthsOf(events);
  const rows = events.map((event, index) => [
    String(event.EventId),
    `+${formatDuration(event.EventTimestamp!.getTime() - first.EventTimestamp!.getTime())}`,
    event.EventTimestamp!.toISOString().slice(11, 23),
    event.EventType!,
    '  '.repeat(depths[index]!) + abbreviate(event.Name ?? '', MAX_NAME),
    recorded(event),
  ]);
  rows.unshift(['id', 'time', 'at', 'event', 'name', 'recorded']);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  return rows.map((row) => formatRow(row, widths)).join('');
}

/** Type code and id of each event but the first, ExecutionStarted. */
export const compactHistory = (events: readonly Event[]): string =>
  events
    .slice(1)
    .map(({EventId, EventType}) => `${CODES[EventType!]}${EventId}`)
    .join(' ');
