// The shapes that this package takes and gives, besides those of AWS's SDK.
import type {Event, Operation} from '@aws-sdk/client-lambda';

/** As AWS's API has it. Every member is optional. */
export interface ErrorObject {
  ErrorMessage?: string | undefined;
  ErrorType?: string | undefined;
  ErrorData?: string | undefined;
  StackTrace?: string[] | undefined;
}

export type ExecutionStatus =
  | 'RUNNING'
  | 'PAUSING'
  | 'PAUSED'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'STOPPED'
  | 'DELETING';

export type OperationStatus = NonNullable<Operation['Status']>;

/** How time goes: on the wall clock; jumping to the next wait, retry or back-off when nothing else is
 * left to do; only when `advanceTime` moves it. */
export type ClockMode = 'real' | 'skip' | 'manual';

export interface SessionOptions {
  /** Default: `real`. */
  clockMode?: ClockMode;
  /** With `skip`: callback, heartbeat and execution timeouts are jumped to, too. Default: false. */
  skipDeadlines?: boolean;
  /** No invocation starts before `invokeNext` asks for it. Default: false. */
  stepped?: boolean;
  /** Limits on sizes and counts: `aws` or `aws-2025`. Default: the service's choice. */
  limitsProfile?: string;
  /** What follows a failed invocation: `aws` or `python-testing`. Default: the service's choice. */
  failurePolicy?: string;
}

export interface StartOptions {
  /** JSON, handed to the function as it is. */
  input?: string;
  /** Default: a new name. */
  executionName?: string;
  tenantId?: string;
  /** Seconds; default: the function's. */
  executionTimeoutSeconds?: number;
  retentionPeriodDays?: number;
}

/** An execution right now. */
export interface ExecutionState {
  durableExecutionArn: string;
  status: ExecutionStatus;
  result: string | undefined;
  error: ErrorObject | undefined;
  startTimestamp: Date;
  endTimestamp: Date | undefined;
  /** A line for everything that an open execution cannot go on without. */
  waitingFor: string[];
  invocationCount: number;
  eventCount: number;
  /** The execution's clock. */
  now: Date;
}

export interface OperationFilter {
  operationId?: string;
  name?: string;
  type?: NonNullable<Operation['Type']>;
  /** Any of these. Default: any. */
  statuses?: OperationStatus[];
  /** Look from the newest operation backwards. Default: false. */
  latest?: boolean;
  /** Wait, too, until no invocation of the execution runs or is about to. Default: false. */
  invocationEnded?: boolean;
}

export type {Event, Operation};
