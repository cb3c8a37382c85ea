// The scenarios that the clients of all languages run, with AWS's SDK and the test runner.
import {type DurableContext, withDurableExecution} from '@aws/durable-execution-sdk-js';
import fs from 'node:fs';
import path from 'node:path';
import {
  durableFunction,
  type Event,
  type HostedFunction,
  type Invocation,
  plainFunction,
  ServiceError,
  Session,
} from 'rehearse';

type Json = any;

interface Operation {
  op: string;
  name: string;
  [member: string]: Json;
}

// Only to fail.
const FAR = {timeoutMs: 60_000};

// Replaces {"$repeat": [text, times]} by the text, that many times.
function expanded(value: Json): Json {
  if (Array.isArray(value)) return value.map(expanded);
  if (typeof value !== 'object' || value === null) return value;
  if (value.$repeat !== undefined) return value.$repeat[0].repeat(value.$repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, expanded(one)]));
}

function raise({type, message}: {type: string; message: string}): never {
  throw Object.assign(new Error(message), {name: type});
}

function crashingSteps(body: Operation[]): string[] {
  return body.flatMap((operation) => [
    ...(operation['crash'] ? [operation.name] : []),
    ...crashingSteps(operation['body'] ?? []),
  ]);
}

const callbackConfigOf = (operation: Operation) => ({
  timeout: operation['timeout_seconds'] && {seconds: operation['timeout_seconds']},
  heartbeatTimeout: operation['heartbeat_timeout_seconds'] && {
    seconds: operation['heartbeat_timeout_seconds'],
  },
});

// What the file says of a function, carried out in one invocation. `failures` counts the failed
// attempts of a step, in all invocations of the execution.
class Interpreter {
  private readonly callbacks = new Map<string, Promise<string>>();

  constructor(
    private readonly input: Json,
    private readonly failures: Map<string, number>,
  ) {}

  async runBody(context: DurableContext, body: Operation[]): Promise<Json> {
    let value: Json = null;
    for (const operation of body) {
      try {
        value = await this.run(context, operation);
      } catch (error) {
        if (!('fallback' in operation)) throw error;
        value = operation['fallback'];
      }
    }
    return value;
  }

  private run(context: DurableContext, operation: Operation): Promise<Json> | Json {
    const {name} = operation;
    switch (operation.op) {
      case 'input':
        return this.input;
      case 'value':
        return operation['value'];
      case 'fail':
        return raise(operation['error']);
      case 'step':
        return this.step(context, operation);
      case 'wait':
        return context.wait(name, {seconds: operation['seconds']}).then(() => null);
      case 'wait_for_condition':
        return this.waitForCondition(context, operation);
      case 'child_context':
        return context.runInChildContext(name, (child) => this.runBody(child, operation['body']));
      case 'invoke':
        return context.invoke(name, operation['function'], operation['payload']);
      case 'create_callback':
        return this.createCallback(context, operation);
      case 'callback_result':
        return this.callbacks.get(name);
      case 'wait_for_callback':
        return context.waitForCallback(name, async () => {}, callbackConfigOf(operation));
      default:
        throw new Error(`unknown operation ${operation.op}`);
    }
  }

  private step(context: DurableContext, {name, attempts, ...operation}: Operation) {
    const delay = {seconds: operation['retry_delay_seconds'] ?? 1};
    return context.step(
      name,
      async () => {
        const outcome = attempts[this.failures.get(name) ?? 0];
        return outcome.error ? raise(outcome.error) : outcome.result;
      },
      {
        retryStrategy: (_, made) => {
          this.failures.set(name, made);
          return {shouldRetry: made < attempts.length, delay};
        },
      },
    );
  }

  private waitForCondition(context: DurableContext, {name, states, ...operation}: Operation) {
    const after = (state: Json) => states[state === null ? 0 : states.indexOf(state) + 1];
    return context.waitForCondition(name, async (state: Json) => after(state), {
      initialState: null,
      waitStrategy: (_, made) =>
        made < states.length
          ? {shouldContinue: true, delay: {seconds: operation['delay_seconds']}}
          : {shouldContinue: false},
    });
  }

  private async createCallback(context: DurableContext, operation: Operation) {
    const [promise] = await context.createCallback(operation.name, callbackConfigOf(operation));
    this.callbacks.set(operation.name, promise as Promise<string>);
    return null;
  }
}

function plainFunctionOf(definition: Json): HostedFunction {
  const operation = definition.body.at(-1);
  return plainFunction(async (event) => {
    if (operation.op === 'fail') raise(operation.error);
    return operation.op === 'input' ? event : operation.value;
  });
}

function durableFunctionOf(definition: Json): HostedFunction {
  // A function runs once per scenario.
  const failures = new Map<string, number>();
  const handler = withDurableExecution((event, context) =>
    new Interpreter(event, failures).runBody(context, definition.body),
  );
  return durableFunction(handler, {
    executionTimeoutSeconds: definition.execution_timeout_seconds,
  });
}

// `hosted`, which dies in place of recording the end of a step that has to crash.
function crashing(hosted: HostedFunction, crashes: Set<string>): HostedFunction {
  const checkpoint = async (invocation: Invocation, request: Json): Promise<Json> => {
    const end = request.Updates?.findIndex(
      ({Type, Action, Name}: Json) => Type === 'STEP' && Action !== 'START' && crashes.has(Name),
    );
    if (end === undefined || end < 0) return invocation.checkpoint(request);
    crashes.delete(request.Updates[end].Name);
    if (end > 0) await invocation.checkpoint({...request, Updates: request.Updates.slice(0, end)});
    invocation.crash();
    return new Promise(() => {});
  };
  return {
    ...hosted,
    run: (invocation) =>
      hosted.run(
        Object.create(invocation, {
          checkpoint: {value: (request: Json) => checkpoint(invocation, request)},
        }),
      ),
  };
}

// A payload as a value: JSON, or where it is none, the text.
function valueOf(payload: string | undefined): Json {
  if (payload === undefined) return null;
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}

const described = (error: Json) =>
  error && {type: error.ErrorType ?? '', message: error.ErrorMessage ?? ''};

// An event in the form of the file.
function membersOf(event: Event, parent: string | undefined): Json {
  const details = (event as Json)[`${event.EventType}Details`] ?? {};
  const payload = (details.Input ?? details.Result)?.Payload;
  const members: Json = {event: event.EventType};
  if (!event.EventType!.startsWith('Execution')) {
    members.name = event.Name;
    members.sub_type = event.SubType;
    members.parent = event.ParentId === undefined ? undefined : parent;
  }
  members.payload = payload === undefined ? undefined : valueOf(payload);
  members.error = described(details.Error && (details.Error.Payload ?? {}));
  members.function = details.FunctionName;
  members.attempt = details.RetryDetails?.CurrentAttempt;
  members.retry_delay_seconds = details.RetryDetails?.NextAttemptDelaySeconds;
  members.duration_seconds = details.Duration;
  members.timeout_seconds = details.Timeout ?? details.ExecutionTimeout;
  members.heartbeat_timeout_seconds = details.HeartbeatTimeout;
  return members;
}

const ALWAYS = ['name', 'sub_type', 'parent'];

// `actual` cut down to what `expected` compares.
function compared(actual: Json, expected: Json): Json {
  const members: Json = {event: actual.event};
  for (const name of ALWAYS) {
    if (expected[name] === '*') members[name] = '*';
    else if (actual[name] !== undefined) members[name] = actual[name];
  }
  for (const name of Object.keys(expected)) {
    if (ALWAYS.includes(name) || name === 'error') continue;
    members[name] = actual[name];
  }
  const mustNotFail = actual.event === 'InvocationCompleted' && expected.error === undefined;
  if (expected.error !== undefined || (mustNotFail && actual.error !== undefined)) {
    members.error = actual.error && pick(actual.error, Object.keys(expected.error ?? actual.error));
  }
  return members;
}

const pick = (object: Json, names: string[]) =>
  Object.fromEntries(names.map((name) => [name, object[name]]));

function expectHistory(events: Event[], expectation: Json) {
  const names = new Map(events.map(({Id, Name}) => [Id, Name]));
  const isCompared = ({event}: Json) =>
    expectation.invocations !== 'any' || event !== 'InvocationCompleted';
  const actual = events
    .map((event) => membersOf(event, names.get(event.ParentId)))
    .filter(isCompared);
  const expected: Json[] = expectation.history.filter(isCompared);
  expect(actual.map((event, index) => compared(event, expected[index] ?? {}))).toEqual(expected);
}

// One execution of a scenario's main function, in a session of its own.
class ScenarioRun {
  private readonly callbackIds = new Map<string, string>();

  private constructor(
    private readonly session: Session,
    private readonly arn: string,
  ) {}

  static async start(scenario: Json, input: Json): Promise<ScenarioRun> {
    const clockMode = scenario.time === 'manual' ? 'manual' : 'skip';
    const session = await Session.create({clockMode});
    const functions: Json[] = Object.values(scenario.functions);
    const crashes = new Set(functions.flatMap(({body}) => crashingSteps(body)));
    const host = session.host();
    for (const [name, definition] of Object.entries<Json>(scenario.functions)) {
      const hosted = definition.plain ? plainFunctionOf(definition) : durableFunctionOf(definition);
      host.register(name, crashing(hosted, crashes));
    }
    await host.serve();
    const arn = await session.start('main', {
      input: JSON.stringify(input ?? null),
      executionName: scenario.execution_name,
    });
    return new ScenarioRun(session, arn);
  }

  async finish(actions: Json[], expectation: Json) {
    for (const action of actions) {
      const refused = await this.do(action).then(
        () => undefined,
        (error) => (error instanceof ServiceError ? error.name : String(error)),
      );
      expect({...action, refused}).toEqual({...action, refused: action.refused});
    }
    const state = await this.session.waitForExecution(this.arn, FAR);
    const events = await this.session.history(this.arn);
    expect(state.status).toBe(expectation.status);
    expect(valueOf(state.result)).toEqual(expectation.result ?? null);
    if (expectation.error) expect(described(state.error)).toMatchObject(expectation.error);
    expectHistory(events, expectation);
    await this.session.close();
  }

  private async do(action: Json): Promise<unknown> {
    const {session} = this;
    const error = action.error && {
      ErrorType: action.error.type,
      ErrorMessage: action.error.message,
    };
    if (action.do === 'advance_time') return session.advanceTime(action.seconds);
    const arn = await this.arnOf(action);
    const id = action.id ?? this.callbackIds.get(action.name);
    switch (action.do) {
      case 'wait_for_end':
        return session.waitForExecution(arn, FAR);
      case 'wait_for_event':
        return this.waitForEvent(arn, action);
      case 'pause':
        return session.pause(arn, FAR);
      case 'resume':
        return session.resume(arn);
      case 'stop':
        return session.stop(arn, error);
      case 'wait_for_callback':
        this.callbackIds.set(action.name, await session.waitForCallback(arn, action.name, FAR));
        return;
      case 'callback_heartbeat':
        return session.sendCallbackHeartbeat(id);
      case 'callback_failure':
        return session.sendCallbackFailure(id, error);
      case 'callback_success':
        return session.sendCallbackSuccess(id, action.result);
      default:
        throw new Error(`unknown action ${action.do}`);
    }
  }

  // Of the run, or of the execution that its invoke `of` has started.
  private async arnOf({of}: Json): Promise<string> {
    if (of === undefined) return this.arn;
    for await (const event of this.session.watch(this.arn)) {
      if (event.EventType === 'ChainedInvokeStarted' && event.Name === of)
        return event.ChainedInvokeStartedDetails!.DurableExecutionArn!;
    }
    throw new Error(`${of} has invoked nothing.`);
  }

  private async waitForEvent(arn: string, {event: type, count}: Json) {
    let left = count;
    for await (const event of this.session.watch(arn)) {
      if (event.EventType === type && --left === 0) return;
    }
    throw new Error(`There are ${left} events ${type} too few.`);
  }
}

const file = path.join(process.env['SCENARIOS']!, 'scenarios.json');
const {scenarios} = JSON.parse(fs.readFileSync(file, 'utf8'));

test.each<[string, Json]>(scenarios.map((one: Json) => [one.name, expanded(one)]))(
  '%s',
  async (_, scenario) => {
    const sessions: Json[] = scenario.sessions ?? [scenario];
    const runs = await Promise.all(sessions.map(({input}) => ScenarioRun.start(scenario, input)));
    await Promise.all(
      runs.map((run, index) => run.finish(sessions[index].actions ?? [], sessions[index].expect)),
    );
  },
);
