// Figures of the Node.js runner, next to AWS's local runner in the same process, in turns.
//
//   figures.js [--quick]        // prints "node_runner_quickstart_ms 31.4" and so on
//
// Medians of runs with time skipped. A ratio is that of the medians.
'use strict';

const {withDurableExecution} = require('@aws/durable-execution-sdk-js');
const {LocalDurableTestRunner: OfficialRunner} = require('@aws/durable-execution-sdk-js-testing');
const {LocalDurableTestRunner} = require('rehearse/testing');

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 8;
const RUNS_PER_ROUND = quick ? 1 : 5;

// Taken before anybody fakes it.
const now = performance.now.bind(performance);

const quickStart = withDurableExecution(async (_, context) => {
  const one = await context.step('one', async () => '1 2');
  await context.wait('pause', {seconds: 1});
  const two = await context.runInChildContext('two', async (child) => {
    const first = await child.step('two_1', async () => '3 4');
    const second = await child.step('two_2', async () => '4 3');
    return `${first} ${second}`;
  });
  return [one, two, await context.step('three', async () => '5 6')];
});

const tenSteps = withDurableExecution(async (_, context) => {
  const results = [];
  for (let i = 0; i < 10; ++i) results.push(await context.step(`step-${i}`, async () => i));
  return results;
});

async function run(runner) {
  runner.reset();
  const begin = now();
  const result = await runner.run({payload: 'input'});
  const ms = now() - begin;
  if (result.getStatus() !== 'SUCCEEDED') throw new Error(`${result.getStatus()}`);
  return ms;
}

// Milliseconds of some runs, after one that does not count.
async function measure(Runner, handlerFunction) {
  await Runner.setupTestEnvironment({skipTime: true});
  try {
    const runner = new Runner({handlerFunction});
    await run(runner);
    const times = [];
    for (let i = 0; i < RUNS_PER_ROUND; ++i) times.push(await run(runner));
    return times;
  } finally {
    await Runner.teardownTestEnvironment();
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function compare(name, handler) {
  const ours = [];
  const official = [];
  for (let round = 0; round < ROUNDS; ++round) {
    ours.push(...(await measure(LocalDurableTestRunner, handler)));
    official.push(...(await measure(OfficialRunner, handler)));
  }
  console.log(`node_runner_${name}_ms ${median(ours)}`);
  console.log(`node_runner_${name}_vs_official ${median(ours) / median(official)}`);
}

async function main() {
  await compare('quickstart', quickStart);
  await compare('10_steps', tenSteps);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
