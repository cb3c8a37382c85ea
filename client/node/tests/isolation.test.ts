// Parallel workers of a test framework on one server never see each other.
import {startServer} from 'rehearse';
import {runProject} from './project_helper';

// Every file uses the same names, and moves time that stands still for the others.
const testOf = (value: number) => `
const {LocalDurableTestRunner} = require('rehearse/testing');
const {withDurableExecution} = require('@aws/durable-execution-sdk-js');

afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

test.each(Array.from({length: 10}, (_, index) => index))('run %d', async (index) => {
  const handler = withDurableExecution(async (_, context) => {
    await context.wait('pause', {hours: 1});
    return context.invoke('call', 'target', {});
  });
  const runner = new LocalDurableTestRunner({handlerFunction: handler, clockMode: 'manual'});
  runner.registerFunction('target', async () => [${value}, index]);
  const arn = await runner.runAsync({executionName: 'same'});
  await runner.waitForOperation(arn, {name: 'pause', invocationEnded: true});
  expect((await runner.inspect(arn)).status).toBe('RUNNING');
  expect(await runner.advanceTime(3600)).toBe(1);
  expect((await runner.waitForResult(arn)).getResult()).toEqual([${value}, index]);
});
`;

const files = Object.fromEntries(
  [1, 2, 3, 4].map((value) => [`${value}.test.js`, testOf(value)] as const),
);

test('workers of Jest', async () => {
  const {grpc} = await startServer();
  const {status, output} = runProject({
    framework: 'jest',
    name: 'bin/jest.js',
    files: {...files, 'package.json': '{}'},
    options: ['--ci', '--maxWorkers=4', '--testTimeout=120000'],
    env: {REHEARSE_SERVER: grpc, REHEARSE_BINARY: '/nowhere/rehearse'},
  });
  expect(output).toMatch(/Tests: +40 passed, 40 total/);
  expect(status).toBe(0);
});

test('workers of Vitest', async () => {
  const {grpc} = await startServer();
  const {status, output} = runProject({
    framework: 'vitest',
    name: 'vitest.mjs',
    files: Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name.replace('.js', '.cjs'), text]),
    ),
    options: [
      'run',
      '--globals',
      '--dir=.',
      '--maxWorkers=4',
      '--testTimeout=120000',
      '--exclude=none',
    ],
    env: {REHEARSE_SERVER: grpc, REHEARSE_BINARY: '/nowhere/rehearse'},
  });
  expect(output).toMatch(/Tests +40 passed \(40\)/);
  expect(status).toBe(0);
});
