// CloudDurableTestRunner: runs a deployed function, on AWS or behind any endpoint that speaks its API,
// `rehearse up` included.
//
//   const runner = new CloudDurableTestRunner({functionName: 'orders'});
//   const result = await runner.run({payload: {id: 17}});
import type {LambdaClient} from '@aws-sdk/client-lambda';
import type {ErrorObject} from '@aws/durable-execution-sdk-js';
import type {ExecutionStatus} from './enums';
import {ExecutionRecord} from './execution_record';
import {HandleScope} from './operation_handle';
import {type ExecutionOutcome, RecordedResult} from './test_result';
import type {
  CloudDurableTestRunnerConfig,
  CloudDurableTestRunnerParameters,
  DurableOperation,
  DurableTestRunner,
  InvokeRequest,
  TestResult,
} from './types';

const DEFAULT_CONFIG = {pollInterval: 1000, invocationType: 'RequestResponse'} as const;

const OPEN_STATUSES = ['RUNNING', 'PAUSING', 'PAUSED'];

// Loaded when it is used: it is large.
const lambda = () => require('@aws-sdk/client-lambda') as typeof import('@aws-sdk/client-lambda');

export class CloudDurableTestRunner<TResult = any>
  implements DurableTestRunner<DurableOperation, TResult>
{
  private readonly functionName: string;
  private readonly client: LambdaClient;
  private readonly config: Required<CloudDurableTestRunnerConfig>;
  private scope = new HandleScope(this);

  constructor({functionName, client, config}: CloudDurableTestRunnerParameters) {
    this.functionName = functionName;
    this.client = client ?? new (lambda().LambdaClient)();
    this.config = {...DEFAULT_CONFIG, ...config};
  }

  /** Invokes the function and looks at the execution until it has ended. */
  async run(params?: InvokeRequest): Promise<TestResult<TResult>> {
    const record = new ExecutionRecord();
    this.scope.follow(record);
    const scope = this.scope;
    try {
      const outcome = await this.poll(await this.invoke(params), record, scope);
      const handles = new HandleScope(this);
      handles.follow(record);
      return new RecordedResult(record, outcome, () =>
        record.operations.map((recorded) => handles.handleOf(recorded)),
      );
    } finally {
      scope.ended(record);
    }
  }

  getOperation<T = any>(name: string): DurableOperation<T> {
    return this.scope.handle({name, index: 0});
  }

  getOperationByIndex<T = any>(index: number): DurableOperation<T> {
    return this.scope.handle({index});
  }

  getOperationByNameAndIndex<T = any>(name: string, index: number): DurableOperation<T> {
    return this.scope.handle({name, index});
  }

  getOperationById<T = any>(id: string): DurableOperation<T> {
    return this.scope.handle({id});
  }

  /** Forgets what has run; handles from before show it still. */
  reset(): void {
    this.scope = new HandleScope(this);
  }

  /** @internal */
  sendCallbackSuccess(CallbackId: string, result?: string): Promise<unknown> {
    const Result = result === undefined ? undefined : new TextEncoder().encode(result);
    return this.client.send(
      new (lambda().SendDurableExecutionCallbackSuccessCommand)({CallbackId, Result}),
    );
  }

  /** @internal */
  sendCallbackFailure(CallbackId: string, Error?: ErrorObject): Promise<unknown> {
    return this.client.send(
      new (lambda().SendDurableExecutionCallbackFailureCommand)({CallbackId, Error}),
    );
  }

  /** @internal */
  sendCallbackHeartbeat(CallbackId: string): Promise<unknown> {
    return this.client.send(
      new (lambda().SendDurableExecutionCallbackHeartbeatCommand)({CallbackId}),
    );
  }

  private async invoke(params?: InvokeRequest): Promise<string> {
    const {DurableExecutionArn} = await this.client.send(
      new (lambda().InvokeCommand)({
        FunctionName: this.functionName,
        InvocationType: this.config.invocationType,
        Payload: JSON.stringify(params?.payload),
      }),
    );
    if (DurableExecutionArn === undefined)
      throw new Error(`Function ${this.functionName} has started no execution: is it durable?`);
    return DurableExecutionArn;
  }

  private async poll(
    arn: string,
    record: ExecutionRecord,
    scope: HandleScope,
  ): Promise<ExecutionOutcome> {
    while (true) {
      const outcome = await this.outcomeOf(arn);
      // Read afterwards, so that of a closed execution nothing is missing.
      await this.readEvents(arn, record);
      scope.changed();
      if (!OPEN_STATUSES.includes(outcome.status)) return outcome;
      await new Promise((resolve) => setTimeout(resolve, this.config.pollInterval));
    }
  }

  private async outcomeOf(DurableExecutionArn: string): Promise<ExecutionOutcome> {
    const {Status, Result, Error} = await this.client.send(
      new (lambda().GetDurableExecutionCommand)({DurableExecutionArn}),
    );
    return {status: Status as ExecutionStatus, result: Result, error: Error};
  }

  private async readEvents(DurableExecutionArn: string, record: ExecutionRecord) {
    let Marker: string | undefined;
    do {
      const page = await this.client.send(
        new (lambda().GetDurableExecutionHistoryCommand)({
          DurableExecutionArn,
          IncludeExecutionData: true,
          Marker,
        }),
      );
      for (const event of page.Events ?? []) record.add(event);
      Marker = page.NextMarker;
    } while (Marker);
  }
}
