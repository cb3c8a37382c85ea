// The names of AWS's testing package are there, and what has them fits its types.
import * as official from '@aws/durable-execution-sdk-js-testing';
import {withDurableExecution} from '@aws/durable-execution-sdk-js';
import * as ours from 'rehearse/testing';
import type {
  CallbackDetails,
  ChainedInvokeDetails,
  CloudDurableTestRunnerConfig,
  CloudDurableTestRunnerParameters,
  ContextDetails,
  DurableOperation,
  DurableTestRunner,
  Invocation,
  InvokeRequest,
  LocalDurableTestRunnerParameters,
  LocalDurableTestRunnerSetupParameters,
  Operation,
  StepDetails,
  TestResult,
  TestResultError,
  WaitResultDetails,
  WireOperation,
} from 'rehearse/testing';

const handlerFunction = withDurableExecution(async () => 1);
const runner = new ours.LocalDurableTestRunner<number>({handlerFunction});

// What this file is about is that it compiles: each type of ours stands where one of theirs does.
type Fits<Ours extends Theirs, Theirs> = Ours;
export type Compared = [
  Fits<ours.LocalDurableTestRunner<number>, official.DurableTestRunner<official.DurableOperation, number>>,
  Fits<ours.CloudDurableTestRunner<number>, official.DurableTestRunner<official.DurableOperation, number>>,
  Fits<DurableTestRunner<DurableOperation, number>, official.DurableTestRunner<official.DurableOperation, number>>,
  Fits<DurableOperation<number>, official.DurableOperation<number>>,
  Fits<TestResult<number>, official.TestResult<number>>,
  Fits<Invocation, official.Invocation>,
  Fits<TestResultError, official.TestResultError>,
  Fits<StepDetails<number>, official.StepDetails<number>>,
  Fits<ContextDetails<number>, official.ContextDetails<number>>,
  Fits<CallbackDetails<number>, official.CallbackDetails<number>>,
  Fits<ChainedInvokeDetails<number>, official.ChainedInvokeDetails<number>>,
  Fits<WaitResultDetails, official.WaitResultDetails>,
  Fits<Operation, official.Operation>,
  Fits<WireOperation, official.WireOperation>,
  // The other way round: what one gives to theirs, ours take.
  Fits<official.InvokeRequest, InvokeRequest>,
  Fits<official.LocalDurableTestRunnerParameters, LocalDurableTestRunnerParameters>,
  Fits<official.LocalDurableTestRunnerSetupParameters, LocalDurableTestRunnerSetupParameters>,
  Fits<official.CloudDurableTestRunnerConfig, CloudDurableTestRunnerConfig>,
  Fits<official.CloudDurableTestRunnerParameters, CloudDurableTestRunnerParameters>,
];

test.each(Object.keys(official))('%s is there', (name) => {
  expect(ours).toHaveProperty(name);
});

test.each([
  'ExecutionStatus',
  'InvocationType',
  'OperationStatus',
  'OperationType',
  'WaitingOperationStatus',
] as const)('%s has the same values', (name) => {
  expect(ours[name]).toEqual(official[name]);
});

// Theirs, without what they use themselves.
const PUBLIC = {
  LocalDurableTestRunner: [
    'getOperation',
    'getOperationById',
    'getOperationByIndex',
    'getOperationByNameAndIndex',
    'registerDurableFunction',
    'registerFunction',
    'reset',
    'run',
  ],
  CloudDurableTestRunner: [
    'getOperation',
    'getOperationById',
    'getOperationByIndex',
    'getOperationByNameAndIndex',
    'reset',
    'run',
  ],
} as const;

test.each(Object.entries(PUBLIC))('%s has the same methods', (name, methods) => {
  for (const method of methods) {
    const [theirs, mine] = [official, ours].map(
      (module) => (module as any)[name].prototype[method],
    );
    expect([method, typeof theirs, typeof mine]).toEqual([method, 'function', 'function']);
  }
});

test('handles have the same methods', () => {
  const theirs = new official.LocalDurableTestRunner({handlerFunction}).getOperation('any');
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(theirs)).filter((name) =>
    /^(get(?!CreateCallback|WaitForCallback)|is|send|waitFor)/.test(name),
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(runner.getOperation('any')).toHaveProperty(name);
});
