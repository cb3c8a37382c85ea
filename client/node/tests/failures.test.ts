// What a failed test shows, in Jest and in Vitest.
import {runProject} from './project_helper';

const FAILING_TEST = `
const {LocalDurableTestRunner} = require('rehearse/testing');
const {withDurableExecution} = require('@aws/durable-execution-sdk-js');

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({skipTime: true}));
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

const runnerOf = (body) => new LocalDurableTestRunner({handlerFunction: withDurableExecution(body)});

test('passes', async () => {
  await runnerOf(async (_, context) => context.step('passing step', async () => 1)).run();
});

test('expects something else', async () => {
  const result = await runnerOf(async (_, context) => context.step('charge', async () => 1)).run();
  expect(result.getResult()).toBe(2);
});

test('is stuck', async () => {
  await runnerOf(async (_, context) => context.createCallback('approval').then(([it]) => it)).run();
}, 3000);

test('has a timer that throws', async () => {
  await runnerOf(async (_, context) =>
    context.step('armed', async () => {
      setTimeout(() => {
        throw new Error('from a timer');
      }, 3.6e6);
      await new Promise((resolve) => setTimeout(resolve, 7.2e6));
    }),
  ).run();
});
`;

function run(framework: string, name: string, files: Record<string, string>, ...options: string[]) {
  const {status, output} = runProject({framework, name, files, options});
  expect(status).toBe(1);
  return output;
}

function expectReport(output: string) {
  expect(output).toMatch(/:function:test-function:.*\n *is SUCCEEDED\n/);
  expect(output).toMatch(/ 2 .* StepStarted +charge/);
  expect(output).toMatch(/is RUNNING, waiting for callback \\?"approval/);
  expect(output).toMatch(/ 2 .* CallbackStarted +approval/);
  expect(output).toContain('from a timer');
  expect(output).not.toContain('passing step');
}

test('in Jest', () => {
  const output = run(
    'jest',
    'bin/jest.js',
    {
      'failing.test.js': FAILING_TEST,
      'jest.config.js': "module.exports = {testEnvironment: 'rehearse/jest-environment'};",
    },
    '--ci',
  );
  expectReport(output);
});

test('in Vitest', () => {
  const output = run(
    'vitest',
    'vitest.mjs',
    {
      'failing.test.cjs': FAILING_TEST,
      'vitest.config.mjs':
        "export default {test: {globals: true, include: ['*.test.cjs'], setupFiles: ['rehearse/vitest']}};",
    },
    'run',
  );
  expectReport(output);
});
