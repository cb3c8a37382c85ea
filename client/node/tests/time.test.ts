// Time that is skipped: fake timers of this realm that tick with the service's jumps.
import {type DurableContext, withDurableExecution} from '@aws/durable-execution-sdk-js';
import fs from 'node:fs';
import {LocalDurableTestRunner, WaitingOperationStatus} from 'rehearse/testing';

const real = {setTimeout, setInterval, Date};

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({skipTime: true}));
afterAll(async () => {
  await LocalDurableTestRunner.teardownTestEnvironment();
  expect([setTimeout, setInterval, Date]).toEqual([real.setTimeout, real.setInterval, real.Date]);
});

const HOUR = 3.6e6;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const runnerOf = (body: (event: any, context: DurableContext) => Promise<unknown>) =>
  new LocalDurableTestRunner({handlerFunction: withDurableExecution(body)});

test('fake timers are not installed twice', async () => {
  await expect(LocalDurableTestRunner.setupTestEnvironment({skipTime: true})).rejects.toThrow(
    'fake timers',
  );
});

test('setTimeout in a step jumps', async () => {
  const runner = runnerOf(async (_, context) =>
    context.step('slow', async () => {
      const before = Date.now();
      await sleep(HOUR);
      return Date.now() - before;
    }),
  );
  const result = await runner.run();
  expect(result.getResult()).toBeGreaterThanOrEqual(HOUR);
  expect(result.getInvocations()).toHaveLength(1);
  const step = runner.getOperation('slow');
  // It is the service's clock that has jumped; the step had begun before its start was recorded.
  expect(step.getEndTimestamp()!.getTime() - step.getStartTimestamp()!.getTime()).toBeGreaterThan(
    0.9 * HOUR,
  );
});

test('timers fire in due order', async () => {
  const fired: string[] = [];
  const after = async (ms: number, name: string) => {
    await sleep(ms);
    fired.push(name);
  };
  const runner = runnerOf(async (_, context) =>
    context.step(async () => {
      await Promise.all([after(3 * HOUR, 'third'), after(HOUR, 'first'), after(2 * HOUR, 'second')]);
    }),
  );
  await runner.run();
  expect(fired).toEqual(['first', 'second', 'third']);
});

test('a branch waits in process beside a step', async () => {
  const runner = runnerOf(async (_, context) => {
    const both = await context.parallel([
      (child) => child.step('work', () => sleep(10 * 60_000).then(() => 'worked')),
      async (child) => {
        await child.wait('nap', {minutes: 5});
        return child.step('after', async () => 'rested');
      },
    ]);
    return both.getResults();
  });
  const result = await runner.run();
  expect(result.getResult()).toEqual(['worked', 'rested']);
  expect(result.getInvocations()).toHaveLength(1);
  const [work, after] = [runner.getOperation('work'), runner.getOperation('after')];
  expect(after.getStartTimestamp()!.getTime()).toBeLessThan(work.getEndTimestamp()!.getTime());
});

test('a branch is retried beside a step', async () => {
  let attempts = 0;
  const runner = runnerOf(async (_, context) => {
    const both = await context.parallel([
      (child) => child.step('work', () => sleep(10 * 60_000).then(() => 'worked')),
      (child) =>
        child.step(
          'flaky',
          async () => {
            if (++attempts < 3) throw new Error('not yet');
            return attempts;
          },
          {retryStrategy: () => ({shouldRetry: true, delay: {minutes: 1}})},
        ),
    ]);
    return both.getResults();
  });
  const result = await runner.run();
  expect(result.getResult()).toEqual(['worked', 3]);
  expect(result.getInvocations()).toHaveLength(1);
});

test('a callback is answered while a step holds the handler', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const runner = runnerOf(async (_, context) => {
    const both = await context.parallel([
      (child) => child.step('work', () => held.then(() => 'worked')),
      (child) => child.waitForCallback('approval', async () => {}),
    ]);
    return both.getResults();
  });
  const running = runner.run();
  const approval = runner.getOperation('approval');
  await approval.waitForData(WaitingOperationStatus.SUBMITTED);
  await approval.sendCallbackSuccess('granted');
  await approval.waitForData(WaitingOperationStatus.COMPLETED);
  release();
  const result = await running;
  expect(result.getResult()).toEqual(['worked', 'granted']);
});

test('real input and output goes on in real time', async () => {
  const fired: string[] = [];
  const runner = runnerOf(async (_, context) =>
    context.step(async () => {
      const timeout = sleep(HOUR).then(() => fired.push('timeout'));
      for (let i = 0; i < 20; ++i) await fs.promises.readFile(__filename);
      fired.push('read');
      await timeout;
    }),
  );
  await runner.run();
  expect(fired).toEqual(['read', 'timeout']);
});

test('Date shows the clock of the execution', async () => {
  const runner = runnerOf(async (_, context) => {
    const before = Date.now();
    await context.step('before', async () => Date.now());
    await context.wait('month', {days: 30});
    await context.step('after', async () => Date.now());
    return before;
  });
  const wall = performance.timeOrigin + performance.now();
  await runner.run();
  const [before, after] = ['before', 'after'].map(
    (name) => runner.getOperation(name).getStepDetails()!.result,
  );
  expect(Math.abs(before - wall)).toBeLessThan(HOUR);
  expect(after - before).toBeGreaterThanOrEqual(30 * 24 * HOUR);
  expect(after - before).toBeLessThan(30 * 24 * HOUR + HOUR);
});

test('a later run starts in the present again', async () => {
  const runner = runnerOf(async () => Date.now());
  const wall = performance.timeOrigin + performance.now();
  expect(Math.abs((await runner.run()).getResult() - wall)).toBeLessThan(HOUR);
});

test('runs at the same time each have their own', async () => {
  const runners = [1, 5, 9].map((days) =>
    runnerOf(async (_, context) => {
      await context.wait('a', {days});
      await context.wait('b', {days});
      return days;
    }),
  );
  const results = await Promise.all(runners.map((runner) => runner.run()));
  expect(results.map((result) => result.getResult())).toEqual([1, 5, 9]);
  const spans = runners.map((runner) => {
    const [a, b] = [runner.getOperation('a'), runner.getOperation('b')];
    return Math.floor((b.getEndTimestamp()!.getTime() - a.getStartTimestamp()!.getTime()) / HOUR / 24);
  });
  expect(spans).toEqual([2, 10, 18]);
});

test('an interval does not hold up a jump', async () => {
  let ticks = 0;
  const interval = setInterval(() => ++ticks, 10);
  const runner = runnerOf(async (_, context) => context.wait({days: 365}));
  expect((await runner.run()).getStatus()).toBe('SUCCEEDED');
  clearInterval(interval);
  expect(ticks).toBeGreaterThan(0);
});
