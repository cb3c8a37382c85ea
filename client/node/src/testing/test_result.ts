// What a run has come to.
import type {ErrorObject, OperationStatus} from '@aws/durable-execution-sdk-js';
import type {Event} from '../types';
import type {ExecutionStatus} from './enums';
import type {ExecutionRecord} from './execution_record';
import type {DurableOperation, Invocation, TestResult, TestResultError} from './types';

export interface ExecutionOutcome {
  status: ExecutionStatus;
  result: string | undefined;
  error: ErrorObject | undefined;
}

export function parseOrText(text: string | undefined): any {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const resultErrorOf = (error: ErrorObject | undefined): TestResultError | undefined =>
  error && {
    errorMessage: error.ErrorMessage,
    errorType: error.ErrorType,
    errorData: error.ErrorData,
    stackTrace: error.StackTrace,
  };

function invocationsOf(events: readonly Event[]): Invocation[] {
  return events
    .filter(({EventType}) => EventType === 'InvocationCompleted')
    .map(({InvocationCompletedDetails: details}) => ({
      startTimestamp: details?.StartTimestamp,
      endTimestamp: details?.EndTimestamp,
      requestId: details?.RequestId,
      error: resultErrorOf(details?.Error?.Payload),
    }));
}

const COLUMNS: Record<string, (operation: DurableOperation) => string | undefined> = {
  parentId: (operation) => operation.getParentId(),
  name: (operation) => operation.getName(),
  type: (operation) => operation.getType(),
  subType: (operation) => operation.getSubType(),
  status: (operation) => operation.getStatus(),
  startTime: (operation) => operation.getStartTimestamp()?.toISOString(),
  endTime: (operation) => operation.getEndTimestamp()?.toISOString(),
  duration: (operation) => {
    const [start, end] = [operation.getStartTimestamp(), operation.getEndTimestamp()];
    return start && end && `${end.getTime() - start.getTime()}ms`;
  },
};

export class RecordedResult<TResult> implements TestResult<TResult> {
  // `handleAll` makes handles of the record's operations.
  constructor(
    private readonly record: ExecutionRecord,
    private readonly outcome: ExecutionOutcome,
    private readonly handleAll: () => DurableOperation[],
  ) {}

  getOperations(params?: {status: OperationStatus}): DurableOperation[] {
    const all = this.handleAll();
    return params === undefined ? all : all.filter((one) => one.getStatus() === params.status);
  }

  getInvocations(): Invocation[] {
    return invocationsOf(this.record.events);
  }

  getStatus(): ExecutionStatus {
    return this.outcome.status;
  }

  getResult(): TResult | undefined {
    if (this.outcome.status === 'SUCCEEDED') return parseOrText(this.outcome.result);
    const {errorMessage, stackTrace} = this.getError();
    const error = new Error(errorMessage?.trim());
    if (stackTrace !== undefined) error.stack = stackTrace.join('\n');
    throw error;
  }

  getError(): TestResultError {
    if (this.outcome.status === 'SUCCEEDED')
      throw new Error('The execution SUCCEEDED: it has no error.');
    return (
      resultErrorOf(this.outcome.error) ?? {
        errorMessage: `Execution failed with status "${this.outcome.status}"`,
        errorType: undefined,
        errorData: undefined,
        stackTrace: undefined,
      }
    );
  }

  getHistoryEvents(): Event[] {
    return this.record.events;
  }

  print(config: Record<string, boolean | undefined> = {}): void {
    const operations = this.handleAll();
    if (operations.length === 0) return console.log('No operations found.');
    const columns = Object.entries(COLUMNS).filter(([name]) => config[name] ?? true);
    console.table(
      operations.map((operation) =>
        Object.fromEntries(columns.map(([name, valueOf]) => [name, valueOf(operation) ?? '-'])),
      ),
    );
  }
}
