// Histories as text, the same as the C++ runner prints.
import {compactHistory, type Event, formatHistory} from 'rehearse';

const NOON = Date.UTC(2026, 0, 1, 12);

const eventOf = (EventId: number, EventType: string, sinceStartMs: number, members: object = {}) =>
  ({EventId, EventType, EventTimestamp: new Date(NOON + sinceStartMs), ...members}) as Event;

const CONTEXT_WITH_A_RETRIED_STEP = [
  eventOf(1, 'ExecutionStarted', 0, {ExecutionStartedDetails: {Input: {Payload: '"input"'}}}),
  eventOf(2, 'ContextStarted', 1, {Id: 'c', Name: 'outer', ContextStartedDetails: {}}),
  eventOf(3, 'StepFailed', 1, {
    Id: 's',
    ParentId: 'c',
    Name: 'charge',
    StepFailedDetails: {
      Error: {Payload: {ErrorType: 'Declined', ErrorMessage: 'the bank said no'}},
      RetryDetails: {CurrentAttempt: 1, NextAttemptDelaySeconds: 5},
    },
  }),
  eventOf(4, 'InvocationCompleted', 2),
  eventOf(5, 'WaitStarted', 30 * 3.6e6, {Name: 'pause', WaitStartedDetails: {Duration: 90}}),
];

test('a table', () => {
  expect(formatHistory(CONTEXT_WITH_A_RETRIED_STEP)).toBe(
    'id  time  at            event                name      recorded\n' +
      ' 1  +0    12:00:00.000  ExecutionStarted               "input"\n' +
      ' 2  +1ms  12:00:00.001  ContextStarted       outer\n' +
      ' 3  +1ms  12:00:00.001  StepFailed             charge  Declined: the bank said no, ' +
      'attempt 1, next in 5s\n' +
      ' 4  +2ms  12:00:00.002  InvocationCompleted\n' +
      ' 5  +30h  18:00:00.000  WaitStarted          pause     1m30s\n',
  );
});

test('nothing', () => {
  expect(formatHistory([])).toBe('(no events)\n');
  expect(compactHistory([])).toBe('');
});

test('a short notation', () => {
  expect(compactHistory(CONTEXT_WITH_A_RETRIED_STEP)).toBe('CS2 SF3 IC4 WS5');
});

const recordedOf = (EventType: string, details: object) => {
  const [, row] = formatHistory([
    eventOf(1, EventType, 0, {Name: 'n', [`${EventType}Details`]: details}),
  ]).split('\n');
  return row!.split(/ n {2,}/)[1];
};

test.each([
  ['', 'StepSucceeded', {Result: {Payload: ''}}],
  ['x'.repeat(60), 'StepSucceeded', {Result: {Payload: 'x'.repeat(60)}}],
  [`${'x'.repeat(46)}... (61 bytes)`, 'StepSucceeded', {Result: {Payload: 'x'.repeat(61)}}],
  [`${'ü'.repeat(45)}... (122 bytes)`, 'StepSucceeded', {Result: {Payload: 'ü'.repeat(61)}}],
  ['a\\nb\\tc\\x01', 'StepSucceeded', {Result: {Payload: 'a\nb\tc\x01'}}],
  ['attempt 2', 'StepSucceeded', {RetryDetails: {CurrentAttempt: 2}}],
  ['JustAType', 'StepFailed', {Error: {Payload: {ErrorType: 'JustAType'}}}],
  ['-> orders, tenant blue', 'ChainedInvokeStarted', {FunctionName: 'orders', TenantId: 'blue'}],
  ['timeout 1h, heartbeat timeout 5m', 'CallbackStarted', {Timeout: 3600, HeartbeatTimeout: 300}],
  ['timeout 1h1m1s', 'ExecutionStarted', {ExecutionTimeout: 3661}],
])('what is recorded: %s', (text, type, details) => {
  expect(recordedOf(type, details) ?? '').toBe(text);
});
