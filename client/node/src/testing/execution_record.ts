// ExecutionRecord: the operations of one execution, built from its events as they come.
//
//   const record = new ExecutionRecord();
//   record.add(event);
//   record.byName('charge', 0)?.operation.Status
import type {Operation, OperationStatus, OperationType} from '@aws/durable-execution-sdk-js';
import {detailsOf, type EventDetails} from '../history_text';
import type {Event} from '../types';

export interface RecordedOperation {
  operation: Operation;
  // Of this operation, in order.
  events: Event[];
}

const TYPES: Record<string, OperationType> = {
  Callback: 'CALLBACK',
  ChainedInvoke: 'CHAINED_INVOKE',
  Context: 'CONTEXT',
  Step: 'STEP',
  Wait: 'WAIT',
};

const STATUSES: Record<string, OperationStatus> = {
  Started: 'STARTED',
  Succeeded: 'SUCCEEDED',
  Failed: 'FAILED',
  Cancelled: 'CANCELLED',
  TimedOut: 'TIMED_OUT',
  Stopped: 'STOPPED',
};

const TERMINAL = new Set<OperationStatus>([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'STOPPED',
]);

export const isTerminal = (status: OperationStatus | undefined) =>
  status !== undefined && TERMINAL.has(status);

// [what, how] of an event of an operation, for example ['Step', 'Started'].
function parseEventType(type: string): [OperationType, OperationStatus] | undefined {
  const match = /^(Callback|ChainedInvoke|Context|Step|Wait)([A-Z]\w*)$/.exec(type);
  return match === null ? undefined : [TYPES[match[1]!]!, STATUSES[match[2]!]!];
}

// `details` without the members that are undefined.
const present = <T extends object>(details: T): T =>
  Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as T;

const outcomeOf = ({Result, Error}: EventDetails) =>
  present({Result: Result?.Payload, Error: Error?.Payload});

function applyToStep(operation: Operation, event: Event, details: EventDetails) {
  const before = operation.StepDetails;
  if (operation.Status === 'STARTED') {
    const Attempt = before?.Attempt ?? 0;
    operation.StepDetails = present({...before, Attempt, NextAttemptTimestamp: undefined});
    return;
  }
  const {CurrentAttempt, NextAttemptDelaySeconds: delay} = details.RetryDetails ?? {};
  const retry = delay !== undefined;
  if (retry) operation.Status = 'PENDING';
  operation.StepDetails = present({
    Attempt: CurrentAttempt,
    NextAttemptTimestamp: retry
      ? new Date(event.EventTimestamp!.getTime() + delay * 1000)
      : undefined,
    ...outcomeOf(details),
  });
}

function applyDetails(operation: Operation, event: Event) {
  const details = detailsOf(event);
  switch (operation.Type) {
    case 'STEP':
      return applyToStep(operation, event, details);
    case 'WAIT':
      if (details.ScheduledEndTimestamp !== undefined)
        operation.WaitDetails = {ScheduledEndTimestamp: details.ScheduledEndTimestamp};
      return;
    case 'CALLBACK': {
      const CallbackId = details.CallbackId ?? operation.CallbackDetails?.CallbackId;
      operation.CallbackDetails = present({CallbackId, ...outcomeOf(details)});
      return;
    }
    case 'CHAINED_INVOKE':
      operation.ChainedInvokeDetails = outcomeOf(details);
      return;
    case 'CONTEXT':
      operation.ContextDetails = outcomeOf(details);
      return;
  }
}

export class ExecutionRecord {
  // All of them, by id.
  readonly events: Event[] = [];
  // Without EXECUTION, in order of first appearance.
  readonly operations: RecordedOperation[] = [];
  private readonly operationsById = new Map<string, RecordedOperation>();

  // Events come in order; one that is known already is left out.
  add(event: Event) {
    if (event.EventId! <= this.events.length) return;
    this.events.push(event);
    const parsed = parseEventType(event.EventType!);
    if (parsed === undefined) return;
    const recorded = this.recordedOf(event, parsed[0]);
    recorded.events.push(event);
    const {operation} = recorded;
    operation.Status = parsed[1];
    applyDetails(operation, event);
    if (isTerminal(operation.Status)) operation.EndTimestamp = event.EventTimestamp;
  }

  byId(id: string): RecordedOperation | undefined {
    return this.operationsById.get(id);
  }

  byName(name: string, index: number): RecordedOperation | undefined {
    return this.operations.filter(({operation}) => operation.Name === name)[index];
  }

  byIndex(index: number): RecordedOperation | undefined {
    return this.operations[index];
  }

  childrenOf(id: string): RecordedOperation[] {
    return this.operations.filter(({operation}) => operation.ParentId === id);
  }

  private recordedOf(event: Event, type: OperationType): RecordedOperation {
    const known = this.operationsById.get(event.Id!);
    if (known !== undefined) return known;
    const operation: Operation = {
      Id: event.Id,
      ParentId: event.ParentId,
      Name: event.Name,
      Type: type,
      SubType: event.SubType,
      StartTimestamp: event.EventTimestamp,
      Status: undefined,
    };
    const recorded = {operation: present(operation), events: []};
    this.operations.push(recorded);
    this.operationsById.set(event.Id!, recorded);
    return recorded;
  }
}
