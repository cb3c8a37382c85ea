// Durable functions with the official SDK, for every type of operation.
//
// One Lambda function runs them all, so that a few processes serve every test: the event names
// one, for example {"run": "retried_step"}. In the environment, PAUSE_SECONDS says how long waits
// and back-offs are, and MARKERS names a folder for what outlives a process.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {setTimeout: sleep} = require('node:timers/promises');
const {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  LambdaClient,
} = require('@aws-sdk/client-lambda');
const {
  SDK_VERSION,
  StepSemantics,
  withDurableExecution,
} = require('@aws/durable-execution-sdk-js');

const PAUSE = {seconds: Number(process.env.PAUSE_SECONDS)};

// A strategy: so many retries.
const retries = (count, delay = PAUSE) => (_, attempt) => ({
  shouldRetry: attempt <= count,
  delay,
});

const arnOf = (context) => context.executionContext.durableExecutionArn;

// A file that says that something has happened in this execution.
const markerOf = (arn, what) => path.join(process.env.MARKERS, `${path.basename(arn)}-${what}`);

// Whether this was asked before in this execution, by this process or another.
function happenedBefore(arn, what) {
  const marker = markerOf(arn, what);
  const existed = fs.existsSync(marker);
  fs.writeFileSync(marker, '');
  return existed;
}

async function eventHasHappened(arn, type) {
  const question = new GetDurableExecutionHistoryCommand({DurableExecutionArn: arn});
  const client = new LambdaClient();
  const happened = async () =>
    (await client.send(question)).Events.some((event) => event.EventType === type);
  while (!(await happened())) await sleep(10);
}

// Somebody else uses up the checkpoint token; the SDK has to fail the invocation only.
async function useUpTokenOnce({DurableExecutionArn, CheckpointToken}) {
  if (happenedBefore(DurableExecutionArn, 'theft')) return;
  await new LambdaClient().send(
    new CheckpointDurableExecutionCommand({DurableExecutionArn, CheckpointToken}),
  );
}

const functions = {
  async quick_start(_, context) {
    const one = await context.step('one', async () => '1 2');
    await context.wait('pause', PAUSE);
    const two = await context.runInChildContext('two', async (child) => {
      const first = await child.step('two_1', async () => '3 4');
      const second = await child.step('two_2', async () => '4 3');
      return `${first} ${second}`;
    });
    return [one, two, await context.step('three', async () => '5 6')];
  },

  retried_step: (_, context) =>
    context.step(
      'flaky',
      async () => {
        if (!happenedBefore(arnOf(context), 'attempt')) throw new RangeError('not yet');
        return 'done';
      },
      {retryStrategy: retries(1)},
    ),

  exhausted_step: (_, context) =>
    context.step(
      'hopeless',
      async () => {
        throw new RangeError('never');
      },
      {retryStrategy: retries(1)},
    ),

  async callback(_, context) {
    const [answer] = await context.createCallback('approval', {
      timeout: {hours: 1},
      heartbeatTimeout: {minutes: 10},
    });
    return answer;
  },

  wait_for_callback: (_, context) =>
    context.waitForCallback('approval', async () => {}, {timeout: {hours: 1}}),

  wait_for_condition: (_, context) =>
    context.waitForCondition('count', async (state) => state + 1, {
      initialState: 0,
      waitStrategy: (state) => ({shouldContinue: state < 3, delay: PAUSE}),
    }),

  nested_contexts: (_, context) =>
    context.runInChildContext('outer', async (child) => {
      await child.step('before', async () => 1);
      return child.runInChildContext('inner', (grandchild) =>
        grandchild.step('inside', async () => 'deep'),
      );
    }),

  async map_items(_, context) {
    const double = (child, item, index) => child.step(`double-${index}`, async () => 2 * item);
    const batch = await context.map('doubled', [1, 2], double, {maxConcurrency: 1});
    return batch.getResults();
  },

  async parallel_with_wait(_, context) {
    const works = (child) => child.step('work', async () => 'first');
    const waits = async (child) => {
      await child.wait('nap', PAUSE);
      return 'rested';
    };
    const batch = await context.parallel('both', [works, waits], {maxConcurrency: 1});
    return batch.getResults();
  },

  // All branches at once; each waits longer than the one before.
  async parallel_waits(_, context) {
    const branches = [1, 2, 3].map((number) => async (child) => {
      await child.wait(`wait-${number}`, {seconds: number * PAUSE.seconds});
      return number;
    });
    return (await context.parallel('all', branches)).getResults();
  },

  // One branch waits a second, and is retried after another, while the other works until then. The
  // SDK keeps the invocation for it, and looks at the clock by itself.
  async work_beside_wait(_, context) {
    await context.wait('before', PAUSE);
    const told = markerOf(arnOf(context), 'told');
    const works = (child) =>
      child.step('work', async () => {
        while (!fs.existsSync(told)) await sleep(10);
        return 'worked';
      });
    const waits = async (child) => {
      await child.wait('nap', {seconds: 1});
      const tell = async () => {
        if (!happenedBefore(arnOf(context), 'attempt')) throw new RangeError('not yet');
        fs.writeFileSync(told, '');
        return 'told';
      };
      return child.step('tell', tell, {retryStrategy: retries(1, {seconds: 1})});
    };
    return (await context.parallel('both', [works, waits])).getResults();
  },

  invoke_durable: (_, context) =>
    context.invoke('call', 'hasty:$LATEST', {run: 'child', n: 1}),

  invoke_plain: (_, context) => context.invoke('call', 'plain', {n: 1}),

  invoke_failing: (_, context) => context.invoke('call', 'plain', {fail: 'no'}),

  async child(event, context) {
    await context.wait('think', PAUSE);
    return event.n + 1;
  },

  // Over what the SDK keeps of a child context: its children are run again on replay.
  async large_context(_, context) {
    const parts = await context.runInChildContext('large', async (child) => [
      await child.step('part-0', async () => 'x'.repeat(200_000)),
      await child.step('part-1', async () => 'x'.repeat(200_000)),
    ]);
    await context.wait('pause', PAUSE);
    return parts.map((part) => part.length);
  },

  // Over what a Lambda function may answer: the SDK checkpoints it.
  large_result: async (event) => 'y'.repeat(event.bytes),

  // The process dies in an at-least-once step, once the service knows that it has started.
  killed_step: (_, context) =>
    context.step('deadly', async () => {
      if (!happenedBefore(arnOf(context), 'death')) {
        await eventHasHappened(arnOf(context), 'StepStarted');
        process.kill(process.pid, 'SIGKILL');
      }
      return 'survived';
    }),

  killed_at_most_once: (_, context) =>
    context.step(
      'deadly',
      async () => {
        if (!happenedBefore(arnOf(context), 'death')) process.kill(process.pid, 'SIGKILL');
        return 'survived';
      },
      {retryStrategy: retries(1), semantics: StepSemantics.AtMostOncePerRetry},
    ),

  // The first invocation is longer than the function's timeout.
  hangs_once: (_, context) =>
    context.step('lazy', async () => {
      if (!happenedBefore(arnOf(context), 'hang')) {
        await eventHasHappened(arnOf(context), 'StepStarted');
        await sleep(600_000);
      }
      return 'woke up';
    }),

  stale_token: (_, context) => context.step('after', async () => 'recovered'),

  sdk_version: async () => SDK_VERSION,
};

const durableHandler = withDurableExecution((event, context) =>
  functions[event.run](event, context),
);

exports.handler = async (input, context) => {
  const event = input.InitialExecutionState.Operations[0].ExecutionDetails.InputPayload;
  if (JSON.parse(event).run === 'stale_token') await useUpTokenOnce(input);
  return durableHandler(input, context);
};
