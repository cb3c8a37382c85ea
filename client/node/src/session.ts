// Session: functions, executions and a clock of its own, apart from every other session's.
//
//   const session = await Session.create({clockMode: 'skip'});
//   const host = session.host();
//   host.register('orders', {durable: true, run: async (invocation) => '{"Status":"SUCCEEDED"}'});
//   await host.serve();
//   const arn = await session.start('orders', {input: '{"id": 17}'});
//   const {status} = await session.waitForExecution(arn);
//   await session.close();
import type {MessageInitShape} from '@bufbuild/protobuf';
import {durationFromMs} from '@bufbuild/protobuf/wkt';
import {awsEnumName, dateOf, enumNumber, fromAws, toAws} from './aws_shape';
import {Client} from './client';
import {FunctionHost} from './function_host';
import {DurableExecutions} from './generated/rehearse/v1/durable_executions_pb';
import {EventSchema, type Event as EventMessage} from './generated/rehearse/v1/event_pb';
import {
  type Execution,
  ExecutionStatusSchema,
  InvocationType,
} from './generated/rehearse/v1/execution_pb';
import {
  ErrorObjectSchema,
  OperationSchema,
  OperationStatusSchema,
  OperationTypeSchema,
} from './generated/rehearse/v1/operation_pb';
import {
  type AdvanceTimeRequestSchema,
  ClockMode,
  TestSessions,
  type WaitForOperationRequestSchema,
} from './generated/rehearse/v1/test_sessions_pb';
import {ServiceError} from './service_error';
import type {
  ErrorObject,
  Event,
  ExecutionState,
  ExecutionStatus,
  Operation,
  OperationFilter,
  SessionOptions,
  StartOptions,
} from './types';
import {formatHistory} from './history_text';

const CLOCK_MODES = {real: ClockMode.REAL, skip: ClockMode.SKIP, manual: ClockMode.MANUAL};

// What SDKs append to the name of waitForCallback for the callback in it.
const CALLBACK_SUFFIX = ' create callback id';

const PAGE_ITEMS = 1000;

// A year: who waits without a timeout is stopped by something else.
const FOREVER_MS = 366 * 24 * 3600 * 1000;

// The service answers at its timeout; the call gets this much longer.
const WAIT_MARGIN_MS = 10_000;

const TERMINAL_STATUSES: ExecutionStatus[] = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'];

const toEvent = (event: EventMessage) => toAws<Event>(EventSchema, event);

export interface WaitOptions {
  /** Wall time. Default: none. */
  timeoutMs?: number;
}

export class Session {
  private readonly hosts: FunctionHost[] = [];
  private closed = false;

  private constructor(
    /** @internal */ readonly client: Client,
    /** Name of the session. */
    readonly name: string,
    private readonly endHold: () => void,
  ) {}

  /** A new session at `server`, HOST:PORT; else at REHEARSE_SERVER; else at the server that this
   * process starts. It ends with `close`, or with the process. */
  static async create(options: SessionOptions & {server?: string} = {}): Promise<Session> {
    const client = await Client.connect(options.server);
    try {
      const {session} = await client.call(TestSessions.method.createSession, {
        config: {
          clockMode: CLOCK_MODES[options.clockMode ?? 'real'],
          skipDeadlines: options.skipDeadlines,
          stepped: options.stepped,
          limitsProfile: options.limitsProfile,
          failurePolicy: options.failurePolicy,
        },
      });
      const {name} = session!;
      return new Session(client, name, await hold(client, name));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Runs functions of this session in this process. */
  host(options: {keepsAlive?: boolean} = {}): FunctionHost {
    const host = new FunctionHost(this.client, this.name, options);
    this.hosts.push(host);
    return host;
  }

  /** HOST:PORT of the AWS API, where this session is below `/sessions/NAME`. */
  async httpAddress(): Promise<string> {
    const {name} = this;
    return (await this.client.call(TestSessions.method.getSession, {name})).httpAddress;
  }

  /** Starts an execution and returns its ARN. */
  async start(functionName: string, options: StartOptions = {}): Promise<string> {
    const response = await this.client.call(DurableExecutions.method.startExecution, {
      session: this.name,
      functionName,
      input: options.input,
      durableExecutionName: options.executionName,
      tenantId: options.tenantId,
      invocationType: InvocationType.REQUEST_RESPONSE,
      durableConfig: {
        executionTimeout: options.executionTimeoutSeconds,
        retentionPeriodInDays: options.retentionPeriodDays,
      },
    });
    return response.durableExecutionArn;
  }

  /** Waits until the execution has one of `statuses`, by default a terminal one, and none of its
   * invocations runs. A time-out says what the execution waits for, and shows its history. */
  async waitForExecution(
    durableExecutionArn: string,
    options: WaitOptions & {statuses?: ExecutionStatus[]} = {},
  ): Promise<ExecutionState> {
    const {timeoutMs = FOREVER_MS} = options;
    await this.explaining(
      durableExecutionArn,
      this.client.wait(
        TestSessions.method.waitForExecution,
        {
          session: this.name,
          durableExecutionArn,
          statuses: options.statuses?.map((status) => enumNumber(ExecutionStatusSchema, status)!),
          invocationEnded: true,
          timeout: durationFromMs(timeoutMs),
        },
        timeoutMs + WAIT_MARGIN_MS,
      ),
    );
    return this.inspect(durableExecutionArn);
  }

  /** Waits for the first operation that matches. Rejects when the execution ends without one. */
  async waitForOperation(
    durableExecutionArn: string,
    filter: OperationFilter,
    options: WaitOptions = {},
  ): Promise<Operation> {
    return this.waitForAnyOperation(durableExecutionArn, [filter], options);
  }

  /** Waits for an open callback and for the end of the invocation that has created it; returns its
   * id. `name` is that of createCallback or waitForCallback; without one, the newest callback. */
  async waitForCallback(
    durableExecutionArn: string,
    name?: string,
    options: WaitOptions = {},
  ): Promise<string> {
    const open: OperationFilter = {statuses: ['STARTED'], invocationEnded: true};
    const callback: OperationFilter = {...open, type: 'CALLBACK'};
    const filters: OperationFilter[] =
      name === undefined
        ? [{...callback, latest: true}]
        : [
            {...callback, name},
            {...callback, name: name + CALLBACK_SUFFIX},
            {...open, name, type: 'CONTEXT'},
          ];
    const found = await this.waitForAnyOperation(durableExecutionArn, filters, options);
    if (found.Type === 'CALLBACK') return found.CallbackDetails!.CallbackId!;
    // Some SDKs give the callback of a waitForCallback no name.
    const inside = (await this.operations(durableExecutionArn)).find(
      ({ParentId, Type}) => ParentId === found.Id && Type === 'CALLBACK',
    );
    if (inside === undefined)
      throw new ServiceError('FAILED_PRECONDITION', `"${name}" is a context without a callback.`);
    return inside.CallbackDetails!.CallbackId!;
  }

  /** `result` is handed to the function as it is. */
  async sendCallbackSuccess(callbackId: string, result?: string): Promise<void> {
    await this.client.call(DurableExecutions.method.sendCallbackSuccess, {
      session: this.name,
      callbackId,
      result: result === undefined ? undefined : new TextEncoder().encode(result),
    });
  }

  async sendCallbackFailure(callbackId: string, error: ErrorObject = {}): Promise<void> {
    await this.client.call(DurableExecutions.method.sendCallbackFailure, {
      session: this.name,
      callbackId,
      error: fromAws(ErrorObjectSchema, error),
    });
  }

  async sendCallbackHeartbeat(callbackId: string): Promise<void> {
    await this.client.call(DurableExecutions.method.sendCallbackHeartbeat, {
      session: this.name,
      callbackId,
    });
  }

  /** Moves the time of every execution of the session; timers fire in due order, deadlines included.
   * Returns how many fired, when every clock has arrived. */
  async advanceTime(seconds: number): Promise<number> {
    const duration = durationFromMs(Math.round(seconds * 1000));
    return this.advance({case: 'duration', value: duration});
  }

  /** Moves each execution to its next timer, deadlines included, if it has one. Returns how many
   * fired. */
  async advanceToNextTimer(): Promise<number> {
    return this.advance({case: 'nextTimer', value: true});
  }

  /** Holds an execution; returns when no invocation of it runs. */
  async pause(durableExecutionArn: string, options: WaitOptions & {reason?: string} = {}) {
    await this.client.call(DurableExecutions.method.pauseExecution, {
      session: this.name,
      durableExecutionArn,
      reason: options.reason,
    });
    const {status} = await this.waitForExecution(durableExecutionArn, {
      statuses: ['PAUSED', ...TERMINAL_STATUSES],
      timeoutMs: options.timeoutMs,
    });
    if (status === 'PAUSED') return;
    throw new ServiceError(
      'FAILED_PRECONDITION',
      `the execution ended before the pause took effect: ${status}`,
    );
  }

  async resume(durableExecutionArn: string): Promise<void> {
    const {name: session} = this;
    await this.client.call(DurableExecutions.method.resumeExecution, {session, durableExecutionArn});
  }

  /** Closes an open execution as STOPPED. */
  async stop(durableExecutionArn: string, error?: ErrorObject): Promise<void> {
    await this.client.call(DurableExecutions.method.stopExecution, {
      session: this.name,
      durableExecutionArn,
      error: error && fromAws(ErrorObjectSchema, error),
    });
  }

  /** Stepped sessions: runs the invocation that is due and returns when it has ended. False: none
   * was due. */
  async invokeNext(durableExecutionArn: string, options: WaitOptions = {}): Promise<boolean> {
    const {timeoutMs = FOREVER_MS} = options;
    const response = await this.explaining(
      durableExecutionArn,
      this.client.wait(
        TestSessions.method.invokeNext,
        {session: this.name, durableExecutionArn, timeout: durationFromMs(timeoutMs)},
        timeoutMs + WAIT_MARGIN_MS,
      ),
    );
    return response.invoked;
  }

  async inspect(durableExecutionArn: string): Promise<ExecutionState> {
    const response = await this.client.call(TestSessions.method.inspectExecution, {
      session: this.name,
      durableExecutionArn,
      maxItems: 1,
    });
    return {
      ...summary(response.execution!),
      waitingFor: response.waitingFor.map(({text}) => text),
      invocationCount: response.invocationCount,
      eventCount: Number(response.eventCount),
      now: dateOf(response.now!),
    };
  }

  /** Every operation in order of creation, EXECUTION first. */
  async operations(durableExecutionArn: string): Promise<Operation[]> {
    const operations: Operation[] = [];
    let marker: string | undefined;
    do {
      const page = await this.client.call(TestSessions.method.inspectExecution, {
        session: this.name,
        durableExecutionArn,
        marker,
        maxItems: PAGE_ITEMS,
      });
      operations.push(...page.operations.map((one) => toAws<Operation>(OperationSchema, one)));
      marker = page.nextMarker;
    } while (marker !== undefined);
    return operations;
  }

  /** The events so far. */
  async history(durableExecutionArn: string): Promise<Event[]> {
    const events: Event[] = [];
    let marker: string | undefined;
    do {
      const page = await this.client.call(DurableExecutions.method.getExecutionHistory, {
        session: this.name,
        durableExecutionArn,
        marker,
        maxItems: PAGE_ITEMS,
      });
      events.push(...page.events.map(toEvent));
      marker = page.nextMarker;
    } while (marker !== undefined);
    return events;
  }

  /** Every event from the first on, as it is recorded, until the execution is closed. Meanwhile the
   * process stays alive, if `keepsAlive` does not say otherwise. */
  async *watch(
    durableExecutionArn: string,
    options: {keepsAlive?: boolean} = {keepsAlive: true},
  ): AsyncGenerator<Event, void, undefined> {
    const request = {session: this.name, durableExecutionArn};
    const messages = this.client.messages(DurableExecutions.method.watchExecution, request, options);
    for await (const {event} of messages) yield toEvent(event!);
  }

  /** Ends the session: its invocations are aborted, its functions and executions are gone. Calling
   * it again is harmless. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.client.call(TestSessions.method.deleteSession, {name: this.name});
    } catch (error) {
      // A service that is gone has no session left.
      if (!(error instanceof ServiceError)) throw error;
    } finally {
      for (const host of this.hosts) host.close();
      this.endHold();
      this.client.close();
    }
  }

  private async advance(
    target: MessageInitShape<typeof AdvanceTimeRequestSchema>['target'],
  ): Promise<number> {
    // Handlers run meanwhile.
    const response = await this.client.wait(TestSessions.method.advanceTime, {
      session: this.name,
      target,
    });
    return Number(response.firedCount);
  }

  private async waitForAnyOperation(
    durableExecutionArn: string,
    filters: OperationFilter[],
    {timeoutMs = FOREVER_MS}: WaitOptions,
  ): Promise<Operation> {
    const requests = filters.map((filter) =>
      this.client.wait(
        TestSessions.method.waitForOperation,
        {
          session: this.name,
          durableExecutionArn,
          timeout: durationFromMs(timeoutMs),
          ...conditionsOf(filter),
        },
        timeoutMs + WAIT_MARGIN_MS,
      ),
    );
    const first = Promise.any(requests).catch((error: AggregateError) => {
      throw error.errors[0];
    });
    const {operation} = await this.explaining(durableExecutionArn, first);
    return toAws<Operation>(OperationSchema, operation!);
  }

  // A time-out shows the history, too.
  private async explaining<T>(durableExecutionArn: string, waiting: Promise<T>): Promise<T> {
    try {
      return await waiting;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'DEADLINE_EXCEEDED') throw error;
      const history = formatHistory(await this.history(durableExecutionArn));
      throw new ServiceError('DEADLINE_EXCEEDED', `${error.message}\n${history}`, {cause: error});
    }
  }
}

function conditionsOf(filter: OperationFilter): MessageInitShape<typeof WaitForOperationRequestSchema> {
  return {
    operationId: filter.operationId,
    name: filter.name,
    type: filter.type && enumNumber(OperationTypeSchema, filter.type),
    statuses: filter.statuses?.map((status) => enumNumber(OperationStatusSchema, status)!),
    latest: filter.latest,
    invocationEnded: filter.invocationEnded,
  };
}

function summary(execution: Execution) {
  return {
    durableExecutionArn: execution.durableExecutionArn,
    status: awsEnumName(ExecutionStatusSchema, execution.status) as ExecutionStatus,
    result: execution.result,
    error: execution.error && toAws<ErrorObject>(ErrorObjectSchema, execution.error),
    startTimestamp: dateOf(execution.startTimestamp!),
    endTimestamp: execution.endTimestamp && dateOf(execution.endTimestamp),
  };
}

// Resolves, with what ends the hold, once it is in place.
function hold(client: Client, name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const stream = client.open(TestSessions.method.holdSession, {
      onMessage: () => resolve(() => stream.cancel()),
      onEnd: (error) => reject(error ?? new ServiceError('UNAVAILABLE', 'The hold has ended.')),
    });
    stream.send({$typeName: 'rehearse.v1.HoldSessionRequest', name});
    stream.end();
  });
}
