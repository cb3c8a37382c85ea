// rehearse/testing: tests of durable functions written with AWS's durable SDK.
//
// The names are those of AWS's testing package, so that a test moves by its import.
export {CloudDurableTestRunner} from './cloud_durable_test_runner';
export {
  ExecutionStatus,
  InvocationType,
  OperationStatus,
  OperationType,
  WaitingOperationStatus,
} from './enums';
export {LocalDurableTestRunner} from './local_durable_test_runner';
export type * from './types';
export type {Operation, WireOperation} from '@aws/durable-execution-sdk-js';
export {compactHistory, formatHistory} from '../history_text';
export {ServiceError} from '../service_error';
