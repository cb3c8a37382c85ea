// What the runner can do beyond AWS's testing package.
import {withDurableExecution} from '@aws/durable-execution-sdk-js';
import {formatHistory, LocalDurableTestRunner, ServiceError} from 'rehearse/testing';

afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

const approval = withDurableExecution(async (_, context) => {
  await context.step('prepare', async () => 1);
  return context.waitForCallback('approval', async () => {}, {timeout: {hours: 1}});
});

const pause = withDurableExecution(async (_, context) => {
  await context.wait('pause', {hours: 2});
  return 'rested';
});

const FAR = {timeoutMs: 60_000};

test('a callback is handed out after its invocation', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const arn = await runner.runAsync();
  const id = await runner.waitForCallback(arn, 'approval', FAR);
  expect(await runner.waitForCallback(arn, undefined, FAR)).toBe(id);
  // Handles show what was waited for.
  expect(runner.compactHistory()).toMatch(/IC\d+$/);
  expect(runner.getOperation('approval').getCallbackDetails()!.callbackId).toBe(id);
  expect(await runner.inspect(arn)).toMatchObject({
    status: 'RUNNING',
    invocationCount: 1,
    waitingFor: [expect.stringMatching(/^callback ".*" \(.* left\)/)],
  });
  await runner.sendCallbackHeartbeat(id);
  await runner.sendCallbackSuccess(id, 'granted');
  const result = await runner.waitForResult(arn, FAR);
  expect(result.getResult()).toBe('granted');
  expect(await runner.invocationCount(arn)).toBe(2);
});

test('a callback fails', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const arn = await runner.runAsync();
  const id = await runner.waitForCallback(arn, 'approval', FAR);
  await runner.sendCallbackFailure(id, {ErrorMessage: 'denied', ErrorType: 'Denied'});
  expect((await runner.waitForResult(arn, FAR)).getError().errorMessage).toContain('denied');
});

test('errors have the names of AWS', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const unknown = runner.sendCallbackSuccess('bm8gc3VjaCBpZA==', 'late');
  await expect(unknown).rejects.toBeInstanceOf(ServiceError);
  await expect(unknown).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    code: 'NOT_FOUND',
    $fault: 'client',
    $metadata: {httpStatusCode: 404},
  });
  await expect(runner.runAsync({executionName: 'no spaces'})).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    code: 'INVALID_ARGUMENT',
  });
});

test('a time-out says what the run waits for', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const arn = await runner.runAsync();
  await runner.waitForCallback(arn, 'approval', FAR);
  const error = await runner.waitForResult(arn, {timeoutMs: 1}).then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  expect(error).toMatchObject({name: 'DEADLINE_EXCEEDED', code: 'DEADLINE_EXCEEDED'});
  expect(error!.message).toMatch(/; waiting for callback ".*" \(.* left\)/);
  expect(error!.message).toMatch(/\nid +time +at +event +name +recorded\n/);
  expect(error!.message).toMatch(/ 2 .* StepStarted +prepare/);
});

test('time stands still until it is moved', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: pause, clockMode: 'manual'});
  const arn = await runner.runAsync();
  await runner.waitForOperation(arn, {name: 'pause', invocationEnded: true}, FAR);
  expect(await runner.advanceTime(3600)).toBe(0);
  expect((await runner.inspect(arn)).waitingFor).toEqual([
    expect.stringContaining('wait "pause" (1h left)'),
  ]);
  expect(await runner.advanceToNextTimer()).toBe(1);
  expect((await runner.waitForResult(arn, FAR)).getResult()).toBe('rested');
});

test('deadlines pass when time is moved', async () => {
  const runner = new LocalDurableTestRunner({
    handlerFunction: approval,
    clockMode: 'manual',
    executionTimeoutSeconds: 600,
  });
  const arn = await runner.runAsync();
  await runner.waitForCallback(arn, 'approval', FAR);
  await runner.advanceTime(600);
  const result = await runner.waitForResult(arn, FAR);
  expect(result.getStatus()).toBe('TIMED_OUT');
  expect(() => result.getResult()).toThrow();
});

test('pause and resume', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const arn = await runner.runAsync();
  const id = await runner.waitForCallback(arn, 'approval', FAR);
  await runner.pause(arn, {reason: 'lunch', ...FAR});
  await runner.sendCallbackSuccess(id, 'granted');
  expect((await runner.inspect(arn)).status).toBe('PAUSED');
  expect(await runner.invocationCount(arn)).toBe(1);
  await runner.resume(arn);
  expect((await runner.waitForResult(arn, FAR)).getResult()).toBe('granted');
  await expect(runner.resume(arn)).rejects.toBeInstanceOf(ServiceError);
  await expect(runner.pause(arn)).rejects.toBeInstanceOf(ServiceError);
});

test('stop', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: approval, clockMode: 'skip'});
  const arn = await runner.runAsync();
  await runner.waitForCallback(arn, 'approval', FAR);
  await runner.stop(arn, {ErrorMessage: 'enough', ErrorType: 'Enough'});
  const result = await runner.waitForResult(arn, FAR);
  expect(result.getStatus()).toBe('STOPPED');
  expect(result.getError()).toMatchObject({errorMessage: 'enough', errorType: 'Enough'});
});

test('watch shows events until the execution is closed', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: pause, clockMode: 'skip'});
  const arn = await runner.runAsync();
  const types: string[] = [];
  for await (const event of runner.watch(arn)) types.push(event.EventType!);
  expect(types).toEqual([
    'ExecutionStarted',
    'WaitStarted',
    'InvocationCompleted',
    'WaitSucceeded',
    'InvocationCompleted',
    'ExecutionSucceeded',
  ]);
  // One may leave early.
  for await (const event of runner.watch(arn)) {
    expect(event.EventId).toBe(1);
    break;
  }
});

test('history and description', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: pause, clockMode: 'skip'});
  expect(await runner.describe()).toBe('Nothing has run.\n');
  expect(runner.compactHistory()).toBe('');
  const arn = await runner.runAsync();
  await runner.waitForResult(arn);
  const history = formatHistory(await runner.history(arn));
  expect(await runner.describe()).toBe(`${arn}\nis SUCCEEDED\n${history}`);
  expect(runner.compactHistory()).toBe('WS2 IC3 WX4 IC5 XS6');
});

test('the history of a chained execution', async () => {
  const runner = new LocalDurableTestRunner({
    clockMode: 'skip',
    handlerFunction: withDurableExecution(async (_, context) => context.invoke('call', 'child', {})),
  }).registerDurableFunction('child', pause);
  const arn = await runner.runAsync();
  await runner.waitForResult(arn, FAR);
  const started = (await runner.history(arn)).find(
    ({EventType}) => EventType === 'ChainedInvokeStarted',
  )!;
  const child = started.ChainedInvokeStartedDetails!.DurableExecutionArn!;
  expect((await runner.history(child)).map(({EventType}) => EventType)).toContain('WaitSucceeded');
  expect((await runner.waitForResult(child)).getResult()).toBe('rested');
});

test('runners never see each other', async () => {
  const runners = ['a', 'b', 'c'].map(
    (name) =>
      new LocalDurableTestRunner({
        clockMode: 'manual',
        handlerFunction: withDurableExecution(async (_, context) => {
          await context.wait('pause', {hours: 1});
          return name;
        }),
      }),
  );
  // The same function and the same execution, by name.
  const arns = await Promise.all(runners.map((one) => one.runAsync({executionName: 'same'})));
  expect(new Set(arns).size).toBe(3);
  await Promise.all(
    runners.map((one, index) =>
      one.waitForOperation(arns[index]!, {name: 'pause', invocationEnded: true}, FAR),
    ),
  );
  await runners[1]!.advanceTime(3600);
  expect((await runners[1]!.waitForResult(arns[1]!, FAR)).getResult()).toBe('b');
  expect((await runners[0]!.inspect(arns[0]!)).status).toBe('RUNNING');
  await expect(runners[0]!.history(arns[2]!)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('a closed runner runs again in a new session', async () => {
  const runner = new LocalDurableTestRunner({handlerFunction: pause, clockMode: 'skip'});
  const arn = await runner.runAsync();
  await runner.waitForResult(arn, FAR);
  await runner.close();
  expect((await runner.run()).getResult()).toBe('rested');
  await expect(runner.history(arn)).rejects.toMatchObject({name: 'ResourceNotFoundException'});
});

test('limits profile and failure policy', async () => {
  const unknown = {handlerFunction: pause, limitsProfile: 'no-such-profile'};
  await expect(new LocalDurableTestRunner(unknown).run()).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  const runner = new LocalDurableTestRunner({
    handlerFunction: pause,
    clockMode: 'skip',
    limitsProfile: 'aws-2025',
    failurePolicy: 'python-testing',
  });
  expect((await runner.run()).getStatus()).toBe('SUCCEEDED');
});
