// What tests of durable functions hold. The members are those of AWS's testing package, so that a
// test moves by its import.
import type {
  Event,
  LambdaClient,
  SendDurableExecutionCallbackFailureResponse,
  SendDurableExecutionCallbackHeartbeatResponse,
  SendDurableExecutionCallbackSuccessResponse,
} from '@aws-sdk/client-lambda';
import type {
  DurableLambdaHandler,
  ErrorObject,
  Operation,
  OperationStatus,
  OperationSubType,
  OperationType,
} from '@aws/durable-execution-sdk-js';
import type {ClockMode} from '../types';
import type {ExecutionStatus, InvocationType, WaitingOperationStatus} from './enums';

export interface TestResultError {
  errorMessage: string | undefined;
  errorType: string | undefined;
  errorData: string | undefined;
  stackTrace: string[] | undefined;
}

export interface ContextDetails<TResult = unknown> {
  readonly result: TResult | undefined;
  readonly error: TestResultError | undefined;
}

export interface StepDetails<TResult = unknown> {
  /** Attempts that have ended. */
  readonly attempt: number | undefined;
  /** Only while a retry is due. */
  readonly nextAttemptTimestamp: Date | undefined;
  readonly result: TResult | undefined;
  readonly error: TestResultError | undefined;
}

export interface CallbackDetails<TResult = unknown> {
  readonly callbackId: string;
  readonly error?: TestResultError;
  readonly result?: TResult;
}

export interface ChainedInvokeDetails<TResult = unknown> {
  readonly error?: TestResultError;
  readonly result?: TResult;
}

export interface WaitResultDetails {
  readonly waitSeconds?: number;
  readonly scheduledEndTimestamp?: Date;
}

/**
 * One operation of an execution. A handle is there before the operation is, and shows at any time
 * what is recorded of it: without data, getters return undefined. Getters of details throw when the
 * operation is of another type.
 */
export interface DurableOperation<TResult = any> {
  /** Resolves, with this handle, once the operation is as far as `status`, by default STARTED;
   * rejects when the execution ends before. */
  waitForData(status?: WaitingOperationStatus): Promise<DurableOperation<TResult>>;
  getContextDetails(): ContextDetails<TResult> | undefined;
  getStepDetails(): StepDetails<TResult> | undefined;
  getChainedInvokeDetails(): ChainedInvokeDetails<TResult> | undefined;
  /** Of a callback, or of the callback in a waitForCallback. */
  getCallbackDetails(): CallbackDetails<TResult> | undefined;
  getWaitDetails(): WaitResultDetails | undefined;
  getChildOperations(): DurableOperation[] | undefined;
  getOperationData(): Operation | undefined;
  getEvents(): Event[] | undefined;
  getId(): string | undefined;
  getParentId(): string | undefined;
  getName(): string | undefined;
  getType(): OperationType | undefined;
  getSubType(): OperationSubType | undefined;
  isWaitForCallback(): boolean;
  isCallback(): boolean;
  getStatus(): OperationStatus | undefined;
  getStartTimestamp(): Date | undefined;
  getEndTimestamp(): Date | undefined;
  /** `result` is handed to the function as it is. */
  sendCallbackSuccess(result?: string): Promise<SendDurableExecutionCallbackSuccessResponse>;
  sendCallbackFailure(error?: ErrorObject): Promise<SendDurableExecutionCallbackFailureResponse>;
  sendCallbackHeartbeat(): Promise<SendDurableExecutionCallbackHeartbeatResponse>;
}

export interface InvokeRequest {
  /** Serialized as JSON. */
  payload?: unknown;
}

/** One run of the handler. */
export interface Invocation {
  startTimestamp: Date | undefined;
  endTimestamp: Date | undefined;
  requestId: string | undefined;
  error: TestResultError | undefined;
}

/** What is recorded of an execution that has ended. */
export interface TestResult<TResult = any> {
  /** All operations in order of their first appearance, nested ones too. */
  getOperations(params?: {status: OperationStatus}): DurableOperation[];
  getInvocations(): Invocation[];
  getStatus(): ExecutionStatus | undefined;
  /** Parsed JSON, or the text if it is none. Throws the execution's error unless it SUCCEEDED. */
  getResult(): TResult | undefined;
  /** Throws when the execution SUCCEEDED. */
  getError(): TestResultError;
  getHistoryEvents(): Event[];
  /** A table of the operations on the console; columns may be left out. */
  print(config?: {
    parentId?: boolean;
    name?: boolean;
    type?: boolean;
    subType?: boolean;
    status?: boolean;
    startTime?: boolean;
    endTime?: boolean;
    duration?: boolean;
  }): void;
}

export interface DurableTestRunner<TDurableOperation extends DurableOperation, ResultType> {
  run(params?: InvokeRequest): Promise<TestResult<ResultType>>;
  getOperation(name: string): TDurableOperation;
  /** Counts all operations in order of their first appearance, from 0. */
  getOperationByIndex(index: number): TDurableOperation;
  /** Counts the operations of that name, from 0. */
  getOperationByNameAndIndex(name: string, index: number): TDurableOperation;
  getOperationById(id: string): TDurableOperation;
}

export interface LocalDurableTestRunnerSetupParameters {
  /** Waits, retries and back-offs take no time, and `setTimeout` jumps with them: fake timers are
   * installed in the test's realm. Default: false. */
  skipTime?: boolean;
  /** Milliseconds that every checkpoint takes longer, to find races. */
  checkpointDelay?: number;
}

export interface LocalDurableTestRunnerParameters {
  handlerFunction: DurableLambdaHandler;
  /** HOST:PORT of a running service. Default: REHEARSE_SERVER, else a server that the process
   * starts once. */
  server?: string;
  /** Default: `skip` or `real`, as setupTestEnvironment says. */
  clockMode?: ClockMode;
  /** With `skip`: callback, heartbeat and execution timeouts are jumped to, too. Default: false. */
  skipDeadlines?: boolean;
  /** On the execution's clock. Default: none. */
  executionTimeoutSeconds?: number;
  /** Of one invocation, on the wall clock. Default: 900. */
  invocationTimeoutSeconds?: number;
  /** Default: `test-function`. */
  functionName?: string;
  /** Limits on sizes and counts: `aws` or `aws-2025`. Default: the service's choice. */
  limitsProfile?: string;
  /** What follows a failed invocation: `aws` or `python-testing`. Default: the service's choice. */
  failurePolicy?: string;
}

export interface CloudDurableTestRunnerConfig {
  /** Milliseconds between two looks at the execution. Default: 1000. */
  pollInterval?: number;
  /** Default: RequestResponse. */
  invocationType?: InvocationType;
}

export interface CloudDurableTestRunnerParameters {
  /** Name or ARN. */
  functionName: string;
  /** Default: `new LambdaClient()`. */
  client?: LambdaClient;
  config?: CloudDurableTestRunnerConfig;
}
