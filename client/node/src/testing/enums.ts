// Enumerations of the test runners; values as AWS's API has them.
export const OperationType = {
  CALLBACK: 'CALLBACK',
  CHAINED_INVOKE: 'CHAINED_INVOKE',
  CONTEXT: 'CONTEXT',
  EXECUTION: 'EXECUTION',
  STEP: 'STEP',
  WAIT: 'WAIT',
} as const;
export type OperationType = (typeof OperationType)[keyof typeof OperationType];

export const OperationStatus = {
  CANCELLED: 'CANCELLED',
  FAILED: 'FAILED',
  PENDING: 'PENDING',
  READY: 'READY',
  STARTED: 'STARTED',
  STOPPED: 'STOPPED',
  SUCCEEDED: 'SUCCEEDED',
  TIMED_OUT: 'TIMED_OUT',
} as const;
export type OperationStatus = (typeof OperationStatus)[keyof typeof OperationStatus];

export const ExecutionStatus = {
  FAILED: 'FAILED',
  RUNNING: 'RUNNING',
  STOPPED: 'STOPPED',
  SUCCEEDED: 'SUCCEEDED',
  TIMED_OUT: 'TIMED_OUT',
} as const;
export type ExecutionStatus = (typeof ExecutionStatus)[keyof typeof ExecutionStatus];

export const InvocationType = {
  DryRun: 'DryRun',
  Event: 'Event',
  RequestResponse: 'RequestResponse',
} as const;
export type InvocationType = (typeof InvocationType)[keyof typeof InvocationType];

/** What `waitForData` waits for. */
export enum WaitingOperationStatus {
  /** The operation exists. */
  STARTED = 'STARTED',
  /** The submitter of a waitForCallback has ended; for every other operation, as COMPLETED. */
  SUBMITTED = 'SUBMITTED',
  /** The operation has a terminal status. */
  COMPLETED = 'COMPLETED',
}
