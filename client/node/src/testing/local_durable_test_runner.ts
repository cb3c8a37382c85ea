// LocalDurableTestRunner: runs a durable function on the service, in the test's own process.
//
//   beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({skipTime: true}));
//   afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());
//
//   const runner = new LocalDurableTestRunner({handlerFunction: handler});
//   const result = await runner.run({payload: {id: 17}});
//   expect(runner.getOperation('charge').getStepDetails()?.result).toBe('receipt-17');
//
// Every runner has a session of its own: nothing it does shows in another one.
import type {DurableLambdaHandler, ErrorObject} from '@aws/durable-execution-sdk-js';
import type {Handler} from 'aws-lambda';
import {runnersOf} from '../failure_report';
import type {FunctionHost, HostedFunction} from '../function_host';
import {compactHistory, formatHistory} from '../history_text';
import {durableFunction, plainFunction} from '../lambda_functions';
import {serverAddresses} from '../server_process';
import {Session, type WaitOptions} from '../session';
import type {Event, ExecutionState, Operation, OperationFilter} from '../types';
import type {ExecutionStatus} from './enums';
import {ExecutionRecord} from './execution_record';
import {HandleScope} from './operation_handle';
import {RealmTime} from './realm_time';
import {RecordedResult} from './test_result';
import type {
  DurableOperation,
  DurableTestRunner,
  InvokeRequest,
  LocalDurableTestRunnerParameters,
  LocalDurableTestRunnerSetupParameters,
  TestResult,
} from './types';

const DEFAULT_FUNCTION_NAME = 'test-function';

const ARN = /^arn:[^:]*:lambda:[^:]*:[^:]*:function:/;

const sleep = (ms: number) => new Promise<void>((resolve) => realSetTimeout(resolve, ms));
const realSetTimeout = setTimeout;

// What is shown of one execution as it goes.
interface Followed {
  record: ExecutionRecord;
  // Resolves when the stream of events has ended.
  watched: Promise<void>;
}

/** Of this realm: a test framework gives every test file one of its own. */
const environment: {
  time: RealmTime | undefined;
  checkpointDelayMs: number;
  runners: Set<LocalDurableTestRunner>;
} = {
  time: undefined,
  checkpointDelayMs: 0,
  runners: runnersOf(globalThis) as Set<LocalDurableTestRunner>,
};

export class LocalDurableTestRunner<TResult = any>
  implements DurableTestRunner<DurableOperation, TResult>
{
  private readonly options: LocalDurableTestRunnerParameters;
  private readonly functions = new Map<string, HostedFunction>();
  private readonly followed = new Map<string, Followed>();
  private scope: HandleScope;
  private connection: Promise<{session: Session; host: FunctionHost}> | undefined;
  private latestArn: string | undefined;

  constructor(parameters: LocalDurableTestRunnerParameters) {
    this.options = parameters;
    this.scope = new HandleScope(this);
    this.functions.set(
      parameters.functionName ?? DEFAULT_FUNCTION_NAME,
      this.durable(parameters.handlerFunction, parameters.executionTimeoutSeconds),
    );
  }

  /** Once per test file, before its runners run: starts the service if need be, and with `skipTime`
   * fakes the timers of this realm. Throws when they are faked already. */
  static async setupTestEnvironment(
    parameters: LocalDurableTestRunnerSetupParameters = {},
  ): Promise<void> {
    if (parameters.skipTime) environment.time = RealmTime.install();
    environment.checkpointDelayMs = parameters.checkpointDelay ?? 0;
    await serverAddresses();
  }

  /** Ends the runners of this file and gives the timers back. */
  static async teardownTestEnvironment(): Promise<void> {
    environment.time?.uninstall();
    environment.time = undefined;
    environment.checkpointDelayMs = 0;
    await Promise.all([...environment.runners].map((runner) => runner.close()));
  }

  /** Runs the function to its end, and resolves whatever end that is. A name gets into the ARN. */
  async run(params?: InvokeRequest & WaitOptions): Promise<TestResult<TResult>> {
    const arn = await this.runAsync(params);
    return this.waitForResult(arn, {timeoutMs: params?.timeoutMs});
  }

  /** Starts the function and returns the execution's ARN. From now on handles show this run. */
  async runAsync(params?: InvokeRequest & {executionName?: string}): Promise<string> {
    const {session, host} = await this.connect();
    await host.serve();
    const arn = await session.start(this.options.functionName ?? DEFAULT_FUNCTION_NAME, {
      input: JSON.stringify(params?.payload),
      executionName: params?.executionName,
    });
    this.latestArn = arn;
    this.scope.follow(this.follow(session, arn).record);
    return arn;
  }

  /** Waits until the execution is closed and its last invocation has ended. A time-out says what the
   * run waits for, and shows its history. */
  async waitForResult(arn: string, options?: WaitOptions): Promise<TestResult<TResult>> {
    const {session} = await this.connect();
    const state = await session.waitForExecution(arn, options);
    const {record, watched} = this.follow(session, arn);
    await watched;
    // An invocation may end after the execution.
    await this.catchUp(session, arn);
    const scope = new HandleScope(this);
    scope.follow(record);
    return new RecordedResult(
      record,
      {status: state.status as ExecutionStatus, result: state.result, error: state.error},
      () => record.operations.map((recorded) => scope.handleOf(recorded)),
    );
  }

  getOperation<T = any>(name: string, index = 0): DurableOperation<T> {
    return this.scope.handle({name, index});
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

  /** A target of chained invokes: `name`, `name:qualifier` or an ARN. */
  registerDurableFunction(functionName: string, durableHandler: DurableLambdaHandler): this {
    return this.register(functionName, this.durable(durableHandler));
  }

  /** A target of chained invokes that returns a promise or calls back. */
  registerFunction(functionName: string, handler: Handler): this {
    const {invocationTimeoutSeconds: timeoutSeconds} = this.options;
    return this.register(functionName, plainFunction(handler, {timeoutSeconds}));
  }

  /** Forgets what has run; handles from before show it still. Functions stay registered. */
  reset(): void {
    this.scope = new HandleScope(this);
    this.followed.clear();
    this.latestArn = undefined;
  }

  /** Waits for an open callback and for the end of the invocation that has created it; returns its
   * id. `name` is that of createCallback or waitForCallback; without one, the newest callback. */
  async waitForCallback(arn: string, name?: string, options?: WaitOptions): Promise<string> {
    const session = await this.session();
    const callbackId = await session.waitForCallback(arn, name, options);
    await this.catchUp(session, arn);
    return callbackId;
  }

  async waitForOperation(
    arn: string,
    filter: OperationFilter,
    options?: WaitOptions,
  ): Promise<Operation> {
    const session = await this.session();
    const operation = await session.waitForOperation(arn, filter, options);
    await this.catchUp(session, arn);
    return operation;
  }

  /** `result` is handed to the function as it is. */
  async sendCallbackSuccess(callbackId: string, result?: string): Promise<void> {
    return (await this.session()).sendCallbackSuccess(callbackId, result);
  }

  async sendCallbackFailure(callbackId: string, error?: ErrorObject): Promise<void> {
    return (await this.session()).sendCallbackFailure(callbackId, error);
  }

  async sendCallbackHeartbeat(callbackId: string): Promise<void> {
    return (await this.session()).sendCallbackHeartbeat(callbackId);
  }

  /** Moves the time of every execution of this runner; timers fire in due order, deadlines included.
   * Returns how many fired, when all clocks have arrived. */
  async advanceTime(seconds: number): Promise<number> {
    return (await this.session()).advanceTime(seconds);
  }

  /** Moves each execution to its next timer, deadlines included. Returns how many fired. */
  async advanceToNextTimer(): Promise<number> {
    return (await this.session()).advanceToNextTimer();
  }

  /** Holds an execution; returns when no invocation of it runs. */
  async pause(arn: string, options?: WaitOptions & {reason?: string}): Promise<void> {
    return (await this.session()).pause(arn, options);
  }

  async resume(arn: string): Promise<void> {
    return (await this.session()).resume(arn);
  }

  /** Closes an open execution as STOPPED. */
  async stop(arn: string, error?: ErrorObject): Promise<void> {
    return (await this.session()).stop(arn, error);
  }

  /** The events so far; also of a chained execution. */
  async history(arn: string): Promise<Event[]> {
    return (await this.session()).history(arn);
  }

  /** Every event from the first on, as it is recorded, until the execution is closed. */
  async *watch(arn: string): AsyncGenerator<Event, void, undefined> {
    yield* (await this.session()).watch(arn);
  }

  async inspect(arn: string): Promise<ExecutionState> {
    return (await this.session()).inspect(arn);
  }

  /** Invocations that have started so far, crashed ones included. */
  async invocationCount(arn: string): Promise<number> {
    return (await this.inspect(arn)).invocationCount;
  }

  /** @internal */
  latestRun(): string | undefined {
    return this.latestArn;
  }

  /** The latest run in words: what it waits for, and its history. */
  async describe(): Promise<string> {
    if (this.latestArn === undefined) return 'Nothing has run.\n';
    const session = await this.session();
    const {status, waitingFor} = await session.inspect(this.latestArn);
    const waiting = waitingFor.length === 0 ? '' : `, waiting for ${waitingFor.join('; ')}`;
    const history = formatHistory(await session.history(this.latestArn));
    return `${this.latestArn}\nis ${status}${waiting}\n${history}`;
  }

  /** The latest run as type code and id of its events: 'SS2 SX3 IC4 XS5'. */
  compactHistory(): string {
    const followed = this.latestArn && this.followed.get(this.latestArn);
    return followed ? compactHistory(followed.record.events) : '';
  }

  /** Ends the session; what runs is aborted. Results and handles can still be read. Calling it again
   * is harmless. */
  async close(): Promise<void> {
    environment.runners.delete(this);
    const connection = this.connection;
    this.connection = undefined;
    // One that has failed has told whoever asked for it.
    const connected = await connection?.catch(() => undefined);
    await connected?.session.close();
  }

  private async session(): Promise<Session> {
    return (await this.connect()).session;
  }

  private connect() {
    return (this.connection ??= this.open());
  }

  private async open() {
    environment.runners.add(this);
    const clockMode = this.options.clockMode ?? (environment.time ? 'skip' : 'real');
    const session = await Session.create({...this.options, clockMode});
    const host = session.host();
    for (const [name, hosted] of this.functions) host.register(name, this.paced(hosted, session));
    return {session, host};
  }

  private durable(handler: DurableLambdaHandler, executionTimeoutSeconds?: number): HostedFunction {
    return durableFunction(handler, {
      executionTimeoutSeconds,
      timeoutSeconds: this.options.invocationTimeoutSeconds,
      beforeCheckpoint: async () => {
        if (environment.checkpointDelayMs > 0) await sleep(environment.checkpointDelayMs);
      },
    });
  }

  private register(name: string, hosted: HostedFunction): this {
    const functionName = name.replace(ARN, '');
    this.functions.set(functionName, hosted);
    // Before the next run; a failure to connect shows there.
    this.connection?.then(
      ({session, host}) => host.register(functionName, this.paced(hosted, session)),
      () => {},
    );
    return this;
  }

  private paced(hosted: HostedFunction, session: Session): HostedFunction {
    if (environment.time === undefined) return hosted;
    return environment.time.paced(hosted, {
      pendingCalls: () => session.client.shortCalls,
      reportCount: () => session.client.reportCount,
      isCaughtUp: () => this.isCaughtUp(session),
    });
  }

  private async isCaughtUp(session: Session): Promise<boolean> {
    const arn = this.latestArn;
    const followed = arn && this.followed.get(arn);
    if (!followed || !this.scope.hasWaiters) return true;
    return followed.record.events.length >= (await session.inspect(arn)).eventCount;
  }

  private follow(session: Session, arn: string): Followed {
    const known = this.followed.get(arn);
    if (known !== undefined) return known;
    const record = new ExecutionRecord();
    const followed = {record, watched: this.watchInto(record, this.scope, session, arn)};
    this.followed.set(arn, followed);
    return followed;
  }

  // Shows in handles, too, what a caller has waited for: the stream of events may be behind.
  private async catchUp(session: Session, arn: string) {
    const followed = this.followed.get(arn);
    if (followed === undefined) return;
    const {record} = followed;
    if (record.events.length >= (await session.inspect(arn)).eventCount) return;
    for (const event of await session.history(arn)) record.add(event);
    this.scope.changed();
  }

  private async watchInto(record: ExecutionRecord, scope: HandleScope, session: Session, arn: string) {
    try {
      for await (const event of session.watch(arn, {keepsAlive: false})) {
        record.add(event);
        scope.changed();
      }
    } catch {
      // The session has ended; whoever waits for the execution hears why.
    } finally {
      scope.ended(record);
    }
  }
}
