// Every type of operation, through AWS's SDK and the handles of its testing package.
import {type DurableContext, withDurableExecution} from '@aws/durable-execution-sdk-js';
import {
  ExecutionStatus,
  LocalDurableTestRunner,
  OperationStatus,
  OperationType,
  WaitingOperationStatus,
} from 'rehearse/testing';

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({skipTime: true}));
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

type Body = (event: any, context: DurableContext) => Promise<unknown>;

const runnerOf = (body: Body) =>
  new LocalDurableTestRunner({handlerFunction: withDurableExecution(body)});

const retries = (count: number, seconds: number) => (_: Error, attempt: number) => ({
  shouldRetry: attempt <= count,
  delay: {seconds},
});

test('a step', async () => {
  const runner = runnerOf(async ({amount}, context) =>
    context.step('charge', async () => ({receipt: amount + 1})),
  );
  const step = runner.getOperation('charge');
  expect(step.getOperationData()).toBeUndefined();
  expect(step.getStepDetails()).toBeUndefined();

  const result = await runner.run({payload: {amount: 16}});

  expect(result.getStatus()).toBe(ExecutionStatus.SUCCEEDED);
  expect(result.getResult()).toEqual({receipt: 17});
  expect(step.getStepDetails()).toEqual({
    attempt: 1,
    nextAttemptTimestamp: undefined,
    result: {receipt: 17},
    error: undefined,
  });
  expect(step.getType()).toBe(OperationType.STEP);
  expect(step.getSubType()).toBe('Step');
  expect(step.getStatus()).toBe(OperationStatus.SUCCEEDED);
  expect(step.getName()).toBe('charge');
  expect(step.getParentId()).toBeUndefined();
  expect(step.getStartTimestamp()).toBeInstanceOf(Date);
  expect(step.getEndTimestamp()!.getTime()).toBeGreaterThanOrEqual(
    step.getStartTimestamp()!.getTime(),
  );
  expect(step.getEvents()!.map(({EventType}) => EventType)).toEqual([
    'StepStarted',
    'StepSucceeded',
  ]);
  expect(step.getOperationData()).toMatchObject({
    Id: step.getId(),
    Type: 'STEP',
    Status: 'SUCCEEDED',
    StepDetails: {Attempt: 1, Result: '{"receipt":17}'},
  });
});

test('a step that is retried', async () => {
  let attempts = 0;
  const runner = runnerOf(async (_, context) =>
    context.step(
      'flaky',
      async () => {
        if (++attempts < 3) throw new RangeError(`attempt ${attempts}`);
        return attempts;
      },
      {retryStrategy: retries(2, 3600)},
    ),
  );
  const result = await runner.run();
  expect(result.getResult()).toBe(3);
  expect(runner.getOperation('flaky').getStepDetails()!.attempt).toBe(3);
  expect(result.getInvocations()).toHaveLength(3);
  expect(runner.compactHistory()).toBe('SS2 SF3 IC4 SS5 SF6 IC7 SS8 SX9 IC10 XS11');
});

test('a step whose retry is due', async () => {
  const runner = new LocalDurableTestRunner({
    clockMode: 'manual',
    handlerFunction: withDurableExecution(async (_, context) =>
      context.step(
        'flaky',
        async ({}) => {
          throw new RangeError('not yet');
        },
        {retryStrategy: retries(1, 60)},
      ),
    ),
  });
  const arn = await runner.runAsync();
  const step = await runner.getOperation('flaky').waitForData();
  await runner.waitForOperation(arn, {name: 'flaky', statuses: ['PENDING'], invocationEnded: true});
  const seen = async () => {
    for await (const event of runner.watch(arn)) if (event.EventType === 'StepFailed') return event;
    throw new Error('The step has not failed.');
  };
  const failed = await seen();
  expect(failed.StepFailedDetails!.RetryDetails).toEqual({
    CurrentAttempt: 1,
    NextAttemptDelaySeconds: 60,
  });
  await runner.advanceTime(60);
  const result = await runner.waitForResult(arn);
  expect(result.getStatus()).toBe('FAILED');
  expect(step.getStepDetails()).toMatchObject({
    attempt: 2,
    error: {errorMessage: 'not yet', errorType: 'RangeError'},
  });
});

test('a step that fails', async () => {
  const runner = runnerOf(async (_, context) =>
    context.step(
      'hopeless',
      async () => {
        throw new RangeError('never');
      },
      {retryStrategy: () => ({shouldRetry: false})},
    ),
  );
  const result = await runner.run();
  expect(result.getStatus()).toBe(ExecutionStatus.FAILED);
  expect(Object.keys(result.getError())).toEqual([
    'errorMessage',
    'errorType',
    'errorData',
    'stackTrace',
  ]);
  expect(result.getError().errorMessage).toContain('never');
  expect(() => result.getResult()).toThrow('never');
  const {error, result: value} = runner.getOperation('hopeless').getStepDetails()!;
  expect(value).toBeUndefined();
  expect(error).toMatchObject({errorMessage: 'never', errorType: 'RangeError'});
});

test('a wait', async () => {
  const runner = runnerOf(async (_, context) => context.wait('month', {days: 30}));
  const result = await runner.run();
  const wait = runner.getOperation('month');
  expect(result.getResult()).toBeUndefined();
  expect(wait.getType()).toBe(OperationType.WAIT);
  expect(wait.getWaitDetails()!.waitSeconds).toBe(30 * 24 * 3600);
  const started = wait.getStartTimestamp()!.getTime();
  expect(wait.getWaitDetails()!.scheduledEndTimestamp!.getTime()).toBe(started + 30 * 24 * 3.6e6);
  expect(wait.getEndTimestamp()!.getTime() - started).toBeGreaterThanOrEqual(30 * 24 * 3.6e6);
  expect(result.getInvocations()).toHaveLength(2);
});

test('child contexts', async () => {
  const runner = runnerOf(async (_, context) =>
    context.runInChildContext('outer', async (outer) => {
      await outer.step('before', async () => 1);
      return outer.runInChildContext('inner', (inner) => inner.step('inside', async () => 'deep'));
    }),
  );
  const result = await runner.run();
  expect(result.getResult()).toBe('deep');
  const outer = runner.getOperation('outer');
  expect(outer.getContextDetails()).toEqual({result: 'deep', error: undefined});
  expect(outer.getSubType()).toBe('RunInChildContext');
  const children = outer.getChildOperations()!;
  expect(children.map((child) => child.getName())).toEqual(['before', 'inner']);
  expect(children.map((child) => child.getParentId())).toEqual([outer.getId(), outer.getId()]);
  expect(children[1]!.getChildOperations()!.map((child) => child.getName())).toEqual(['inside']);
});

test('a child context that fails', async () => {
  const runner = runnerOf(async (_, context) =>
    context
      .runInChildContext('risky', async () => {
        throw new TypeError('no luck');
      })
      .catch(() => 'handled'),
  );
  const result = await runner.run();
  expect(result.getResult()).toBe('handled');
  const risky = runner.getOperation('risky');
  expect(risky.getStatus()).toBe('FAILED');
  expect(risky.getContextDetails()!.error).toMatchObject({errorMessage: 'no luck'});
});

test('a map', async () => {
  const runner = runnerOf(async (_, context) => {
    const doubled = await context.map('doubled', [1, 2, 3], (child, item, index) =>
      child.step(`double-${index}`, async () => 2 * (item as number)),
    );
    return doubled.getResults();
  });
  const result = await runner.run();
  expect(result.getResult()).toEqual([2, 4, 6]);
  const map = runner.getOperation('doubled');
  expect(map.getSubType()).toBe('Map');
  const iterations = map.getChildOperations()!;
  expect(iterations.map((iteration) => iteration.getSubType())).toEqual(
    Array(3).fill('MapIteration'),
  );
  expect(runner.getOperation('double-2').getStepDetails()!.result).toBe(6);
});

test('a map with large results', async () => {
  const runner = runnerOf(async (_, context) => {
    const items = Array.from({length: 50}, (_, index) => index);
    const large = await context.map('large', items, (child, item) =>
      child.step(async () => `${item}`.padEnd(100 * 1024, 'x')),
    );
    await context.wait({seconds: 1});
    return large.getResults().length;
  });
  expect((await runner.run()).getResult()).toBe(50);
});

test('parallel branches that wait', async () => {
  const runner = runnerOf(async (_, context) => {
    const branches = [1, 2, 3].map((hours) => async (child: DurableContext) => {
      await child.wait(`wait-${hours}`, {hours});
      return hours;
    });
    return (await context.parallel('all', branches)).getResults();
  });
  const result = await runner.run();
  expect(result.getResult()).toEqual([1, 2, 3]);
  expect(runner.getOperation('all').getSubType()).toBe('Parallel');
  expect(runner.getOperation('wait-3').getStatus()).toBe('SUCCEEDED');
});

test('waiting for a condition', async () => {
  const runner = runnerOf(async (_, context) =>
    context.waitForCondition('count', async (state: number) => state + 1, {
      initialState: 0,
      waitStrategy: (state) =>
        state < 3 ? {shouldContinue: true, delay: {minutes: 5}} : {shouldContinue: false},
    }),
  );
  const result = await runner.run();
  expect(result.getResult()).toBe(3);
  const condition = runner.getOperation('count');
  expect(condition.getSubType()).toBe('WaitForCondition');
  expect(condition.getStepDetails()!.result).toBe(3);
  expect(condition.getStepDetails()!.attempt).toBe(3);
});

test('a callback', async () => {
  const runner = runnerOf(async (_, context) => {
    const [answer] = await context.createCallback('approval', {timeout: {hours: 1}});
    return answer;
  });
  const running = runner.run();
  const callback = await runner.getOperation('approval').waitForData();
  expect(callback.isCallback()).toBe(true);
  expect(callback.isWaitForCallback()).toBe(false);
  expect(callback.getCallbackDetails()!.callbackId).toEqual(expect.any(String));
  await callback.sendCallbackHeartbeat();
  await callback.sendCallbackSuccess('"granted"');
  expect((await running).getResult()).toBe('"granted"');
  expect(callback.getCallbackDetails()!.result).toBe('granted');
  expect(callback.getStatus()).toBe('SUCCEEDED');
});

test('a callback that fails', async () => {
  const runner = runnerOf(async (_, context) => context.waitForCallback('approval', async () => {}));
  const running = runner.run();
  const approval = runner.getOperation('approval');
  await approval.waitForData(WaitingOperationStatus.SUBMITTED);
  expect(approval.isWaitForCallback()).toBe(true);
  await approval.sendCallbackFailure({ErrorMessage: 'denied', ErrorType: 'Denied'});
  const result = await running;
  expect(result.getStatus()).toBe('FAILED');
  expect(result.getError().errorMessage).toContain('denied');
  expect(approval.getCallbackDetails()!.error).toMatchObject({
    errorMessage: 'denied',
    errorType: 'Denied',
  });
});

test('a callback that times out', async () => {
  const runner = new LocalDurableTestRunner({
    skipDeadlines: true,
    handlerFunction: withDurableExecution(async (_, context) =>
      context.waitForCallback('approval', async () => {}, {timeout: {hours: 1}}),
    ),
  });
  const result = await runner.run();
  expect(result.getError().errorMessage).toContain('Callback timed out');
  const callback = runner.getOperation('approval').getChildOperations()![0]!;
  expect(callback.getStatus()).toBe('TIMED_OUT');
});

test('invoking functions', async () => {
  const runner = runnerOf(async (_, context) => [
    await context.invoke('sum', 'add', {a: 1, b: 2}),
    await context.invoke('later', 'arn:aws:lambda:us-east-1:123456789012:function:slow:1', 4),
    await context.invoke('called back', 'calls-back', {x: 5}),
  ]);
  runner
    .registerFunction('add', async ({a, b}) => a + b)
    .registerDurableFunction(
      'arn:aws:lambda:us-east-1:123456789012:function:slow:1',
      withDurableExecution(async (event, context) => {
        await context.wait({hours: 1});
        return event * 2;
      }),
    )
    .registerFunction('calls-back', (event, _, callback) => callback(null, event.x));
  const result = await runner.run();
  expect(result.getResult()).toEqual([3, 8, 5]);
  const invoke = runner.getOperation('sum');
  expect(invoke.getType()).toBe(OperationType.CHAINED_INVOKE);
  expect(invoke.getChainedInvokeDetails()).toEqual({result: 3, error: undefined});
});

test('invoking functions that fail', async () => {
  const runner = runnerOf(async (_, context) => {
    const messageOf = (error: unknown) => (error as Error).message;
    return [
      await context.invoke('throws', 'throws', {}).catch(messageOf),
      await context.invoke('fails', 'fails', {}).catch(messageOf),
      await context.invoke('missing', 'missing', {}).catch(messageOf),
    ];
  });
  runner
    .registerFunction('throws', () => {
      throw new RangeError('too much');
    })
    .registerDurableFunction(
      'fails',
      withDurableExecution(async () => {
        throw new Error('child failed');
      }),
    );
  const result = await runner.run();
  expect(result.getResult()).toEqual([
    expect.stringContaining('too much'),
    expect.stringContaining('child failed'),
    expect.stringContaining('missing'),
  ]);
  expect(runner.getOperation('throws').getChainedInvokeDetails()!.error).toMatchObject({
    errorMessage: 'too much',
    errorType: 'RangeError',
  });
});
