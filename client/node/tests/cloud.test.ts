// CloudDurableTestRunner, on the service's AWS API.
import {LambdaClient} from '@aws-sdk/client-lambda';
import {type DurableContext, withDurableExecution} from '@aws/durable-execution-sdk-js';
import {durableFunction, Session} from 'rehearse';
import {
  CloudDurableTestRunner,
  InvocationType,
  OperationStatus,
  WaitingOperationStatus,
} from 'rehearse/testing';

let session: Session;
let client: LambdaClient;

beforeAll(async () => {
  session = await Session.create({clockMode: 'skip'});
  client = new LambdaClient({
    endpoint: `http://${await session.httpAddress()}/sessions/${session.name}`,
    region: 'us-east-1',
    credentials: {accessKeyId: 'any', secretAccessKey: 'any'},
  });
});

afterAll(async () => {
  client.destroy();
  await session.close();
});

async function runnerOf(
  functionName: string,
  body: (event: any, context: DurableContext) => Promise<unknown>,
  invocationType?: InvocationType,
) {
  const hosted = durableFunction(withDurableExecution(body));
  await session.host().register(functionName, hosted).serve();
  return new CloudDurableTestRunner({functionName, client, config: {pollInterval: 20, invocationType}});
}

test('a function that is invoked and waited for', async () => {
  const runner = await runnerOf('orders', async ({id}, context) => {
    const price = await context.step('price', async () => id * 2);
    await context.wait('pause', {hours: 1});
    return context.runInChildContext('ship', (child) => child.step('label', async () => price));
  });
  const label = runner.getOperation('label');
  const result = await runner.run({payload: {id: 17}});
  expect(result.getStatus()).toBe('SUCCEEDED');
  expect(result.getResult()).toBe(34);
  expect(result.getInvocations()).toHaveLength(2);
  expect(result.getOperations({status: OperationStatus.SUCCEEDED})).toHaveLength(4);
  expect(label.getStepDetails()!.result).toBe(34);
  expect(runner.getOperationByIndex(1).getWaitDetails()!.waitSeconds).toBe(3600);
  expect(runner.getOperationByNameAndIndex('ship', 0).getChildOperations()).toHaveLength(1);
  expect(runner.getOperationById(label.getId()!).getName()).toBe('label');
  runner.reset();
  expect(runner.getOperation('label').getStatus()).toBeUndefined();
});

test('a callback, answered while it runs', async () => {
  const runner = await runnerOf(
    'approval',
    async (_, context) => context.waitForCallback('approval', async () => {}),
    InvocationType.Event,
  );
  const running = runner.run();
  const approval = runner.getOperation('approval');
  await approval.waitForData(WaitingOperationStatus.SUBMITTED);
  await approval.sendCallbackHeartbeat();
  await approval.sendCallbackSuccess('granted');
  expect((await running).getResult()).toBe('granted');
});

test('a callback that fails', async () => {
  const runner = await runnerOf(
    'denial',
    async (_, context) => context.waitForCallback('approval', async () => {}),
    InvocationType.Event,
  );
  const running = runner.run();
  const approval = await runner.getOperation('approval').waitForData(WaitingOperationStatus.SUBMITTED);
  await approval.sendCallbackFailure({ErrorMessage: 'denied'});
  const result = await running;
  expect(result.getStatus()).toBe('FAILED');
  expect(result.getError().errorMessage).toContain('denied');
});

test('a function that is not there', async () => {
  const runner = new CloudDurableTestRunner({functionName: 'nobody', client});
  await expect(runner.run()).rejects.toMatchObject({name: 'ResourceNotFoundException'});
});

test('a plain function', async () => {
  const plain = {durable: false, run: async () => '1'};
  await session.host().register('plain', plain).serve();
  const runner = new CloudDurableTestRunner({functionName: 'plain', client});
  await expect(runner.run()).rejects.toThrow('is it durable?');
});
