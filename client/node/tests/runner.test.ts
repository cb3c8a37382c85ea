// Every member of the runner that AWS's testing package has.
import {withDurableExecution} from '@aws/durable-execution-sdk-js';
import {LocalDurableTestRunner, OperationStatus, WaitingOperationStatus} from 'rehearse/testing';

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({skipTime: true}));
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

const echo = withDurableExecution(async (event) => event);

const twoSteps = withDurableExecution(async (_, context) => {
  await context.step('same', async () => 'first');
  await context.runInChildContext('around', (child) => child.step('same', async () => 'second'));
  await context.wait('pause', {seconds: 5});
  return context.step(async () => 'nameless');
});

describe('a runner that is built before the environment', () => {
  const runner = new LocalDurableTestRunner({handlerFunction: twoSteps});

  test('skips time', async () => {
    expect((await runner.run()).getResult()).toBe('nameless');
  });

  test('finds operations in order of appearance', async () => {
    runner.reset();
    const second = runner.getOperation('same', 1);
    await runner.run();
    expect(second.getStepDetails()!.result).toBe('second');
    expect(runner.getOperation('same').getStepDetails()!.result).toBe('first');
    expect(runner.getOperationByNameAndIndex('same', 1).getId()).toBe(second.getId());
    expect(runner.getOperationById(second.getId()!).getName()).toBe('same');
    const names = [0, 1, 2, 3, 4].map((index) => runner.getOperationByIndex(index).getName());
    expect(names).toEqual(['same', 'around', 'same', 'pause', undefined]);
    expect(runner.getOperationByIndex(5).getOperationData()).toBeUndefined();
    expect(runner.getOperation('same', 2).getOperationData()).toBeUndefined();
  });

  test('forgets when it is reset', async () => {
    const before = runner.getOperation('pause');
    runner.reset();
    expect(before.getStatus()).toBe('SUCCEEDED');
    expect(runner.getOperation('pause').getStatus()).toBeUndefined();
  });
});

test.each([[{id: 17}], ['text'], [0], [null], [['a', 1]], [{unicode: 'häß 🚀'}]])(
  'payload %j arrives',
  async (payload) => {
    const runner = new LocalDurableTestRunner({handlerFunction: echo});
    expect((await runner.run({payload})).getResult()).toEqual(payload);
  },
);

test('a run without a payload', async () => {
  const runner = new LocalDurableTestRunner({
    handlerFunction: withDurableExecution(async (event) => typeof event),
  });
  expect((await runner.run()).getResult()).toMatch(/object|undefined/);
});

test('a result', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: twoSteps});
  const result = await runner.run();
  expect(result.getStatus()).toBe('SUCCEEDED');
  expect(() => result.getError()).toThrow('SUCCEEDED');
  expect(result.getOperations()).toHaveLength(5);
  expect(result.getOperations({status: OperationStatus.SUCCEEDED})).toHaveLength(5);
  expect(result.getOperations({status: OperationStatus.FAILED})).toEqual([]);
  expect(result.getInvocations()).toHaveLength(2);
  for (const invocation of result.getInvocations()) {
    expect(invocation).toEqual({
      startTimestamp: expect.any(Date),
      endTimestamp: expect.any(Date),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      error: undefined,
    });
  }
  const events = result.getHistoryEvents();
  expect(events.map(({EventId}) => EventId)).toEqual(events.map((_, index) => index + 1));
  expect(events[0]).toMatchObject({
    EventType: 'ExecutionStarted',
    EventTimestamp: expect.any(Date),
    ExecutionStartedDetails: {Input: {}},
  });
  expect(events.at(-1)).toMatchObject({
    EventType: 'ExecutionSucceeded',
    ExecutionSucceededDetails: {Result: {Payload: '"nameless"'}},
  });
});

test('a result outlives its runner', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: twoSteps});
  const result = await runner.run();
  await runner.close();
  await runner.close();
  expect(result.getOperations()[1]!.getChildOperations()![0]!.getStepDetails()!.result).toBe(
    'second',
  );
  expect(runner.getOperation('pause').getWaitDetails()!.waitSeconds).toBe(5);
});

test('a run after another', async () => {
  let runs = 0;
  const runner = new LocalDurableTestRunner({
    handlerFunction: withDurableExecution(async (_, context) =>
      context.step('count', async () => ++runs),
    ),
  });
  const first = await runner.run();
  const second = await runner.run();
  expect([first.getResult(), second.getResult()]).toEqual([1, 2]);
  expect(first.getOperations()[0]!.getStepDetails()!.result).toBe(1);
  expect(runner.getOperation('count').getStepDetails()!.result).toBe(2);
});

test('functions stay registered over a reset', async () => {
  const runner = new LocalDurableTestRunner({
    handlerFunction: withDurableExecution(async (_, context) => context.invoke('target', {})),
  });
  runner.registerFunction('target', async () => 'first');
  expect((await runner.run()).getResult()).toBe('first');
  runner.reset();
  expect((await runner.run()).getResult()).toBe('first');
  // Again by the same name, and after runs.
  runner.registerFunction('target', async () => 'second');
  expect((await runner.run()).getResult()).toBe('second');
});

test('a result prints its operations', async () => {
  const table = console.table;
  const tables: object[][] = [];
  console.table = (rows) => tables.push(rows);
  try {
    const runner = new LocalDurableTestRunner({handlerFunction: twoSteps});
    const result = await runner.run();
    result.print();
    result.print({parentId: false, startTime: false, endTime: false, duration: false});
  } finally {
    console.table = table;
  }
  expect(Object.keys(tables[0]![0]!)).toEqual([
    'parentId',
    'name',
    'type',
    'subType',
    'status',
    'startTime',
    'endTime',
    'duration',
  ]);
  expect(tables[1]![3]).toEqual({name: 'pause', type: 'WAIT', subType: 'Wait', status: 'SUCCEEDED'});
});

describe('waitForData', () => {
  const approval = withDurableExecution(async (_, context) => {
    await context.step('prepare', async () => 'prepared');
    return context.waitForCallback('approval', async () => {});
  });

  test('resolves as far as the operation is', async () => {
    const runner = new LocalDurableTestRunner({handlerFunction: approval});
    const running = runner.run();
    const handle = runner.getOperation('approval');
    expect(await handle.waitForData(WaitingOperationStatus.STARTED)).toBe(handle);
    expect(handle.getCallbackDetails()!.callbackId).toBeDefined();
    await runner.getOperation('prepare').waitForData(WaitingOperationStatus.COMPLETED);
    await handle.waitForData(WaitingOperationStatus.SUBMITTED);
    const submitter = handle.getChildOperations()!.find((child) => child.getType() === 'STEP')!;
    expect(submitter.getStatus()).toBe('SUCCEEDED');
    expect(handle.getStatus()).toBe('STARTED');
    await handle.sendCallbackSuccess();
    await handle.waitForData(WaitingOperationStatus.COMPLETED);
    await running;
  });

  test('rejects when the execution ends first', async () => {
    const runner = new LocalDurableTestRunner({handlerFunction: echo});
    const waiting = runner.getOperation('never').waitForData();
    const rejected = expect(waiting).rejects.toThrow('"never" was not STARTED');
    await runner.run();
    await rejected;
  });

  test('rejects when the execution has ended', async () => {
    const runner = new LocalDurableTestRunner({handlerFunction: echo});
    await runner.run();
    await expect(runner.getOperation('never').waitForData()).rejects.toThrow('The execution ended');
  });
});

test('getters of another type throw', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: twoSteps});
  await runner.run();
  const step = runner.getOperation('same');
  expect(() => step.getWaitDetails()).toThrow('Operation type STEP is not WAIT');
  expect(() => step.getContextDetails()).toThrow('Operation type STEP is not CONTEXT');
  expect(() => step.getChainedInvokeDetails()).toThrow('Operation type STEP is not CHAINED_INVOKE');
  expect(() => step.getCallbackDetails()).toThrow('is not CALLBACK');
  expect(() => runner.getOperation('pause').getStepDetails()).toThrow('WAIT is not STEP');
  expect(() => step.sendCallbackSuccess()).toThrow('is not CALLBACK');
  expect(() => step.sendCallbackFailure()).toThrow('is not CALLBACK');
});

test('getters without data', async () => {
  const handle = new LocalDurableTestRunner({handlerFunction: echo}).getOperation('nothing');
  expect([
    handle.getContextDetails(),
    handle.getStepDetails(),
    handle.getChainedInvokeDetails(),
    handle.getCallbackDetails(),
    handle.getWaitDetails(),
    handle.getChildOperations(),
    handle.getOperationData(),
    handle.getEvents(),
    handle.getId(),
    handle.getParentId(),
    handle.getName(),
    handle.getType(),
    handle.getSubType(),
    handle.getStatus(),
    handle.getStartTimestamp(),
    handle.getEndTimestamp(),
  ]).toEqual(Array(16).fill(undefined));
  expect([handle.isCallback(), handle.isWaitForCallback()]).toEqual([false, false]);
  expect(() => handle.sendCallbackHeartbeat()).toThrow('has not been created');
});

test('a checkpoint may be delayed', async () => {
  await LocalDurableTestRunner.setupTestEnvironment({checkpointDelay: 30});
  const start = performance.now();
  const runner = new LocalDurableTestRunner({
    handlerFunction: withDurableExecution(async (_, context) => {
      await context.step(async () => 1);
      return context.step(async () => 2);
    }),
  });
  expect((await runner.run()).getResult()).toBe(2);
  expect(performance.now() - start).toBeGreaterThan(60);
  await LocalDurableTestRunner.setupTestEnvironment({checkpointDelay: 0});
});

test('an invocation that fails is repeated', async () => {
  let invocations = 0;
  const runner = new LocalDurableTestRunner({
    // Not the SDK's: it does not even answer.
    handlerFunction: async () => {
      if (++invocations === 1) throw new RangeError('broken');
      return {Status: 'SUCCEEDED', Result: '"mended"'} as never;
    },
  });
  const result = await runner.run();
  expect(result.getResult()).toBe('mended');
  expect(result.getInvocations().map(({error}) => error?.errorMessage)).toEqual([
    'broken',
    undefined,
  ]);
  expect(result.getInvocations()[0]!.error!.errorType).toBe('RangeError');
});
