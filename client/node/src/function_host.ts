// FunctionHost: runs the invocations of functions in this process, over FunctionHost.Serve.
//
//   const host = session.host();
//   host.register('orders', {
//     durable: true,
//     run: async (invocation) => {
//       await invocation.checkpoint({...});
//       return '{"Status":"PENDING"}';
//     },
//   });
//   await host.serve();
//
// One stream is one slot. There is always one to spare, so that any number of invocations run at the
// same time.
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {durationFromMs, timestampFromDate} from '@bufbuild/protobuf/wkt';
import {awsEnumName, dateOf, fromAws, toAws} from './aws_shape';
import type {Client, OpenStream} from './client';
import {
  CheckpointRequestSchema,
  CheckpointResponseSchema,
  GetExecutionStateRequestSchema,
  GetExecutionStateResponseSchema,
} from './generated/rehearse/v1/durable_executions_pb';
import {
  DurableExecutionInvocationInputSchema,
  FunctionHost as FunctionHostService,
  type FunctionSpecSchema,
  type ServeRequest,
  ServeRequestSchema,
  type ServeResponse,
  ServeResponse_Abort_ReasonSchema,
  type ServeResponse_Invocation,
} from './generated/rehearse/v1/function_host_pb';
import {ErrorObjectSchema} from './generated/rehearse/v1/operation_pb';
import {named, ServiceError} from './service_error';
import type {ErrorObject} from './types';
import type {
  CheckpointDurableExecutionRequest,
  CheckpointDurableExecutionResponse,
  DurableExecutionInvocationInput,
  GetDurableExecutionStateRequest,
  GetDurableExecutionStateResponse,
} from '@aws/durable-execution-sdk-js';

const DEFAULT_TIMEOUT_SECONDS = 900;

export interface HostedFunction {
  /** Invoked with a DurableExecutionInvocationInput; false: a plain function with a payload. */
  durable: boolean;
  /** Runs one invocation and returns its answer, JSON: of a durable function `{Status, Result?,
   * Error?}`. What it throws is told as the runtime tells it: the invocation has failed. */
  run(invocation: Invocation): Promise<string>;
  /** On the execution's clock. Default: none. */
  executionTimeoutSeconds?: number;
  retentionPeriodDays?: number;
  /** Of one invocation, on the wall clock. Default: 900. */
  timeoutSeconds?: number;
}

/** A running invocation. Requests are answered one after the other; a refusal rejects with a
 * ServiceError, and the invocation goes on. */
export class Invocation {
  /** Of a durable function, as AWS's SDK takes it. */
  readonly input: DurableExecutionInvocationInput | undefined;
  /** Of a plain function, verbatim. */
  readonly payload: string | undefined;
  /** Aborted when the invocation is of no more use, with the service's reason. */
  readonly signal: AbortSignal;
  /** @internal Requests without an answer yet, `idle` aside. */
  requestCount = 0;

  /** @internal */
  constructor(
    private readonly slot: Slot,
    private readonly message: ServeResponse_Invocation,
    abort: AbortController,
  ) {
    this.signal = abort.signal;
    const {input} = message;
    if (input.case === 'durable') {
      this.input = toAws(DurableExecutionInvocationInputSchema, input.value);
    } else {
      this.payload = new TextDecoder().decode(input.value);
    }
  }

  get requestId() {
    return this.message.requestId;
  }
  get functionName() {
    return this.message.functionName;
  }
  get invokedFunctionArn() {
    return this.message.invokedFunctionArn;
  }
  get version() {
    return this.message.version;
  }
  get tenantId() {
    return this.message.tenantId;
  }
  get traceId() {
    return this.message.xAmznTraceId;
  }
  get clientContext() {
    return this.message.clientContext;
  }
  /** On the wall clock. */
  get deadline(): Date {
    return dateOf(this.message.deadline!);
  }

  async checkpoint(
    request: CheckpointDurableExecutionRequest,
  ): Promise<CheckpointDurableExecutionResponse> {
    const value = fromAws(CheckpointRequestSchema, request);
    const answer = await this.request({case: 'checkpoint', value});
    if (answer.case !== 'checkpoint') throw unexpected(answer);
    return toAws(CheckpointResponseSchema, answer.value);
  }

  async getExecutionState(
    request: GetDurableExecutionStateRequest,
  ): Promise<GetDurableExecutionStateResponse> {
    const value = fromAws(GetExecutionStateRequestSchema, request);
    const answer = await this.request({case: 'getExecutionState', value});
    if (answer.case !== 'getExecutionState') throw unexpected(answer);
    return toAws(GetExecutionStateResponseSchema, answer.value);
  }

  /** Says that nothing runs until `until` on the execution's clock, so that time may jump. Returns
   * what that clock says when it has come, when an operation has changed from outside, or when
   * another request is made. */
  async idle(until: Date): Promise<Date> {
    const answer = await this.slot.request({
      case: 'idle',
      value: {$typeName: 'rehearse.v1.ServeRequest.Idle', until: timestampFromDate(until)},
    });
    if (answer.case !== 'idle') throw unexpected(answer);
    return dateOf(answer.value.now!);
  }

  /** Breaks the stream, as the death of the process would: the invocation has crashed. */
  crash() {
    this.slot.crash();
  }

  private async request(message: ServeRequest['message']): Promise<ServeResponse['message']> {
    ++this.requestCount;
    try {
      return await this.slot.request(message);
    } finally {
      --this.requestCount;
    }
  }
}

const unexpected = (answer: ServeResponse['message']) =>
  new ServiceError('INTERNAL', `The service has answered with ${answer.case}.`);

export class FunctionHost {
  private readonly functions = new Map<string, HostedFunction>();
  private readonly slots = new Set<Slot>();
  // Functions that open slots do not serve.
  private stale = false;
  private closed = false;

  /** @internal */
  constructor(
    private readonly client: Client,
    private readonly session: string,
    private readonly options: {keepsAlive?: boolean} = {},
  ) {}

  /** `name` or `name:qualifier`. Takes effect with the next `serve`. */
  register(name: string, hosted: HostedFunction): this {
    this.functions.set(name, hosted);
    this.stale = true;
    return this;
  }

  /** Returns when the service can invoke all functions, or rejects with why it refuses them. */
  async serve(): Promise<void> {
    if (this.stale) {
      this.stale = false;
      for (const slot of this.slots) slot.retire();
    }
    await this.spare()?.ready;
  }

  /** Breaks what runs. */
  close() {
    this.closed = true;
    for (const slot of this.slots) slot.crash();
  }

  // A slot that is free, opened if need be.
  private spare(): Slot | undefined {
    if (this.closed || this.functions.size === 0) return undefined;
    for (const slot of this.slots) {
      if (slot.isFree) return slot;
    }
    const slot: Slot = new Slot(
      this.client,
      this.registration(),
      {
        run: (invocation) => this.run(invocation),
        onBusy: () => this.spare(),
        onEnd: () => {
          this.slots.delete(slot);
          // Also after a crash: the functions are still served.
          if (slot.wasReady && !slot.isRetired) this.spare();
        },
      },
      this.options.keepsAlive ?? false,
    );
    this.slots.add(slot);
    return slot;
  }

  private registration(): ServeRequest {
    const functions = [...this.functions].map(([name, hosted]) => specOf(name, hosted));
    return create(ServeRequestSchema, {
      message: {
        case: 'register',
        value: {session: this.session, functions, worker: `node:${process.pid}`},
      },
    });
  }

  private run(invocation: Invocation): Promise<string> {
    return this.functions.get(invocation.functionName)!.run(invocation);
  }
}

function specOf(
  functionName: string,
  hosted: HostedFunction,
): MessageInitShape<typeof FunctionSpecSchema> {
  return {
    functionName,
    durable: hosted.durable,
    timeout: durationFromMs((hosted.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000),
    durableConfig: hosted.durable
      ? {
          executionTimeout: hosted.executionTimeoutSeconds,
          retentionPeriodInDays: hosted.retentionPeriodDays,
        }
      : undefined,
  };
}

interface SlotOwner {
  run(invocation: Invocation): Promise<string>;
  onBusy(): void;
  onEnd(): void;
}

interface Waiting {
  message: ServeRequest['message'];
  resolve(answer: ServeResponse['message']): void;
  reject(error: ServiceError): void;
}

// One stream of FunctionHost.Serve.
class Slot {
  readonly ready: Promise<void>;
  isRetired = false;
  wasReady = false;
  private readonly stream: OpenStream<ServeRequest>;
  private resolveReady = () => {};
  private rejectReady = (_: ServiceError) => {};
  // In order; those in front have been sent.
  private readonly waiting: Waiting[] = [];
  private sentCount = 0;
  private abort: AbortController | undefined;
  private ended: ServiceError | undefined;

  constructor(
    client: Client,
    registration: ServeRequest,
    private readonly owner: SlotOwner,
    keepsAlive: boolean,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    // Whoever opened a spare slot does not wait for it.
    this.ready.catch(() => {});
    this.stream = client.open(
      FunctionHostService.method.serve,
      {onMessage: ({message}) => this.dispatch(message), onEnd: (error) => this.end(error)},
      {keepsAlive},
    );
    this.stream.send(registration);
  }

  get isFree(): boolean {
    return this.abort === undefined && !this.isRetired && this.ended === undefined;
  }

  // Takes no more invocations; leaves when it is idle.
  retire() {
    this.isRetired = true;
    if (this.abort === undefined) this.stream.end();
  }

  crash() {
    this.stream.cancel();
  }

  request(message: ServeRequest['message']): Promise<ServeResponse['message']> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      this.waiting.push({message, resolve, reject});
      this.sendNext();
    });
  }

  // One request at a time; but a request may follow an idle, which it ends.
  private sendNext() {
    const isIdleSent = this.waiting[0]?.message.case === 'idle';
    while (this.sentCount < this.waiting.length && this.sentCount < (isIdleSent ? 2 : 1)) {
      this.send(this.waiting[this.sentCount++]!.message);
    }
  }

  private send(message: ServeRequest['message']) {
    this.stream.send(create(ServeRequestSchema, {message}));
  }

  private dispatch(message: ServeResponse['message']) {
    switch (message.case) {
      case 'registered':
        this.wasReady = true;
        return this.resolveReady();
      case 'invocation':
        return void this.run(message.value);
      case 'abort':
        return this.abort?.abort(
          awsEnumName(ServeResponse_Abort_ReasonSchema, message.value.reason),
        );
      default:
        return this.answer(message);
    }
  }

  private answer(message: ServeResponse['message']) {
    const waiting = this.waiting.shift();
    if (waiting === undefined) return;
    --this.sentCount;
    if (message.case === 'error') {
      const {code, message: text, details} = message.value;
      waiting.reject(named(code, text, details));
    } else {
      waiting.resolve(message);
    }
    this.sendNext();
  }

  private async run(message: ServeResponse_Invocation) {
    this.abort = new AbortController();
    this.owner.onBusy();
    const outcome = await this.outcomeOf(new Invocation(this, message, this.abort));
    this.abort = undefined;
    if (this.ended !== undefined) return;
    this.send({case: 'outcome', value: outcome});
    if (this.isRetired) this.stream.end();
  }

  private async outcomeOf(invocation: Invocation) {
    const $typeName = 'rehearse.v1.ServeRequest.Outcome' as const;
    try {
      const payload = new TextEncoder().encode(await this.owner.run(invocation));
      return {$typeName, result: {case: 'payload' as const, value: payload}};
    } catch (error) {
      const value = fromAws(ErrorObjectSchema, errorObjectOf(error));
      return {$typeName, result: {case: 'error' as const, value}};
    }
  }

  private end(error = new ServiceError('UNAVAILABLE', 'The stream has ended.')) {
    this.ended = error;
    this.rejectReady(error);
    for (const waiting of this.waiting.splice(0)) waiting.reject(error);
    this.sentCount = 0;
    this.abort?.abort('STREAM_ENDED');
    this.owner.onEnd();
  }
}

/** What is thrown, as Lambda's runtime tells it. */
export function errorObjectOf(thrown: unknown): ErrorObject {
  if (!isError(thrown)) return {ErrorMessage: String(thrown)};
  return {
    ErrorMessage: thrown.message,
    ErrorType: thrown.name,
    StackTrace: thrown.stack?.split('\n'),
  };
}

// Also one of another realm.
const isError = (thrown: unknown): thrown is Error =>
  thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';
