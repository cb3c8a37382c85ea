// The client without an SDK: sessions, hosting of raw handlers, errors, the server of the process.
import childProcess from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {type HostedFunction, ServiceError, Session, startServer} from 'rehearse';

const hashed = (text: string) => Buffer.from(text).toString('hex');

// One step, checkpointed by hand.
const oneStep: HostedFunction = {
  durable: true,
  async run(invocation) {
    const {DurableExecutionArn, CheckpointToken, InitialExecutionState} = invocation.input!;
    const step = {Id: hashed('one'), Type: 'STEP' as const, SubType: 'Step', Name: 'one'};
    expect(InitialExecutionState.Operations[0]).toMatchObject({
      Type: 'EXECUTION',
      Status: 'STARTED',
      StartTimestamp: expect.any(Date),
      ExecutionDetails: {InputPayload: '{"id":17}'},
    });
    const {CheckpointToken: next, NewExecutionState} = await invocation.checkpoint({
      DurableExecutionArn,
      CheckpointToken,
      Updates: [
        {...step, Action: 'START'},
        {...step, Action: 'SUCCEED', Payload: '"done"'},
      ],
    });
    expect(NewExecutionState!.Operations).toMatchObject([
      {Name: 'one', Status: 'SUCCEEDED', StepDetails: {Attempt: 1, Result: '"done"'}},
    ]);
    const state = await invocation.getExecutionState({
      DurableExecutionArn,
      CheckpointToken: next!,
    } as never);
    return JSON.stringify({
      Status: 'SUCCEEDED',
      Result: JSON.stringify(state.Operations!.map(({Name}) => Name)),
    });
  },
};

test('a raw handler', async () => {
  const session = await Session.create({clockMode: 'skip'});
  await session.host().register('orders', oneStep).serve();
  const arn = await session.start('orders', {input: '{"id":17}', executionName: 'order-17'});
  expect(arn).toContain(':function:orders:$LATEST/durable-execution/order-17/');
  const state = await session.waitForExecution(arn, {timeoutMs: 60_000});
  expect(state).toMatchObject({
    durableExecutionArn: arn,
    status: 'SUCCEEDED',
    result: '["order-17","one"]',
    error: undefined,
    invocationCount: 1,
    waitingFor: [],
  });
  expect((await session.operations(arn)).map(({Name}) => Name)).toEqual(['order-17', 'one']);
  await session.close();
  await session.close();
});

test('a refused checkpoint, and the invocation goes on', async () => {
  const refused: ServiceError[] = [];
  const session = await Session.create();
  await session
    .host()
    .register('orders', {
      durable: true,
      async run(invocation) {
        const {DurableExecutionArn, CheckpointToken} = invocation.input!;
        const unknown = {Id: 'x', Type: 'STEP', Action: 'SUCCEED', ParentId: 'nobody'} as const;
        const request = {DurableExecutionArn, CheckpointToken, Updates: [unknown]};
        await invocation.checkpoint(request).catch((error) => refused.push(error));
        return '{"Status":"SUCCEEDED"}';
      },
    })
    .serve();
  const arn = await session.start('orders');
  expect((await session.waitForExecution(arn)).status).toBe('SUCCEEDED');
  expect(refused).toMatchObject([
    {name: 'InvalidParameterValueException', $metadata: {httpStatusCode: 400}},
  ]);
  await session.close();
});

test('a crash is a failed invocation', async () => {
  let invocations = 0;
  const session = await Session.create({clockMode: 'skip'});
  await session
    .host()
    .register('orders', {
      durable: true,
      async run(invocation) {
        if (++invocations === 1) {
          invocation.crash();
          await once(invocation.signal, 'abort');
        }
        return '{"Status":"SUCCEEDED"}';
      },
    })
    .serve();
  const arn = await session.start('orders');
  await session.waitForExecution(arn);
  const errors = (await session.history(arn))
    .filter(({EventType}) => EventType === 'InvocationCompleted')
    .map(({InvocationCompletedDetails}) => InvocationCompletedDetails!.Error?.Payload?.ErrorType);
  expect(errors).toEqual(['Runtime.ExitError', undefined]);
  await session.close();
});

test('an invocation that is stopped is aborted', async () => {
  const session = await Session.create();
  let reason: unknown;
  await session
    .host()
    .register('orders', {
      durable: true,
      async run({signal}) {
        await once(signal, 'abort');
        reason = signal.reason;
        return '{"Status":"PENDING"}';
      },
    })
    .serve();
  const arn = await session.start('orders');
  await session.stop(arn);
  await session.waitForExecution(arn);
  expect(reason).toBe('EXECUTION_STOPPED');
  await session.close();
});

test('a stepped session invokes when it is asked', async () => {
  const session = await Session.create({stepped: true});
  const hosted = {durable: true, run: async () => '{"Status":"SUCCEEDED"}'};
  await session.host().register('orders', hosted).serve();
  const arn = await session.start('orders');
  expect((await session.inspect(arn)).invocationCount).toBe(0);
  expect(await session.invokeNext(arn)).toBe(true);
  expect(await session.invokeNext(arn)).toBe(false);
  expect((await session.inspect(arn)).status).toBe('SUCCEEDED');
  await session.close();
});

test('many invocations at the same time', async () => {
  const session = await Session.create();
  let running = 0;
  let release = () => {};
  const allRun = new Promise<void>((resolve) => (release = resolve));
  await session
    .host()
    .register('orders', {
      durable: true,
      async run() {
        if (++running === 20) release();
        await allRun;
        return '{"Status":"SUCCEEDED"}';
      },
    })
    .serve();
  const arns = await Promise.all(Array.from({length: 20}, () => session.start('orders')));
  const states = await Promise.all(arns.map((arn) => session.waitForExecution(arn)));
  expect(states.map(({status}) => status)).toEqual(Array(20).fill('SUCCEEDED'));
  await session.close();
});

test('functions that the service refuses', async () => {
  const session = await Session.create();
  const hosted = {durable: true, run: async () => '{}'};
  const serving = session.host().register('no spaces', hosted).serve();
  await expect(serving).rejects.toMatchObject({name: 'InvalidParameterValueException'});
  await session.close();
});

test('calls after the end', async () => {
  const session = await Session.create();
  await session.close();
  await expect(session.start('orders')).rejects.toMatchObject({code: 'CANCELLED'});
});

test('a server that is not there', async () => {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const {port} = listener.address() as net.AddressInfo;
  listener.close();
  await once(listener, 'close');
  await expect(Session.create({server: `127.0.0.1:${port}`})).rejects.toMatchObject({
    name: 'UNAVAILABLE',
  });
});

describe('the server of a process', () => {
  const folder = process.cwd();

  const program = (lines: string[], env: Record<string, string> = {}) =>
    childProcess.spawn(process.execPath, ['--eval', lines.join('\n')], {
      cwd: folder,
      env: {...process.env, ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  const outputOf = async (child: childProcess.ChildProcess) => {
    const output: Buffer[] = [];
    child.stdout!.on('data', (bytes) => output.push(bytes));
    child.stderr!.on('data', (bytes) => output.push(bytes));
    await once(child, 'close');
    return Buffer.concat(output).toString();
  };

  test('is shared by whoever asks', async () => {
    const [a, b] = [await Session.create(), await Session.create()];
    expect(a.name).not.toBe(b.name);
    expect(await a.httpAddress()).toBe(await b.httpAddress());
    expect(await a.httpAddress()).toMatch(/^127\.0\.0\.1:\d+$/);
    await Promise.all([a.close(), b.close()]);
  });

  test('is not in the way of the end of the process', async () => {
    const child = program([
      "const {Session} = require('rehearse');",
      "Session.create().then((session) => console.log('session', session.name));",
    ]);
    expect(await outputOf(child)).toMatch(/^session [\w-]+\n$/);
    expect(child.exitCode).toBe(0);
  });

  test('ends with a process that is killed', async () => {
    const child = program([
      "const {startServer} = require('rehearse');",
      'startServer().then(({grpc}) => console.log(grpc));',
      'setInterval(() => {}, 1000);',
    ]);
    const [address] = await once(child.stdout!, 'data');
    const [host, port] = address.toString().trim().split(':');
    const socket = net.connect(Number(port), host);
    await once(socket, 'connect');
    child.kill('SIGKILL');
    // The server closes it when it ends.
    socket.resume();
    await once(socket, 'close');
  });

  test('may be a running one', async () => {
    const {grpc} = await startServer();
    const session = await Session.create({server: grpc});
    const child = program(
      ["require('rehearse').Session.create({}).then(async (s) => console.log(await s.httpAddress()));"],
      {REHEARSE_SERVER: grpc, REHEARSE_BINARY: '/nowhere/rehearse'},
    );
    expect((await outputOf(child)).trim()).toBe(await session.httpAddress());
    await session.close();
  });

  test('that cannot be started', async () => {
    const create = "require('rehearse').Session.create().catch((e) => console.log(e.message));";
    expect(await outputOf(program([create], {REHEARSE_BINARY: '/nowhere/rehearse'}))).toMatch(
      /ENOENT/,
    );
    expect(await outputOf(program([create], {REHEARSE_BINARY: '/bin/false'}))).toMatch(
      /rehearse has ended, with status 1/,
    );
  });

  test('that was not installed', async () => {
    // The package alone, as who has no program for the machine gets it.
    const copy = fs.mkdtempSync(path.join(folder, 'copy-'));
    const installed = path.dirname(require.resolve('rehearse/package.json'));
    for (const part of ['dist', 'package.json'])
      fs.cpSync(path.join(installed, part), path.join(copy, part), {recursive: true});
    const child = program([
      `require('${copy}/dist/index.js').Session.create().catch((e) => console.log(e.message));`,
    ]);
    expect(await outputOf(child)).toMatch(/REHEARSE_SERVER/);
  });
});
