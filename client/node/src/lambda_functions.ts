// Handlers as Lambda takes them, as functions of a FunctionHost.
//
//   host.register('orders', durableFunction(withDurableExecution(async (event, context) => {...})));
//   host.register('price', plainFunction(async ({item}) => 17));
import type {DurableExecutionClient, DurableLambdaHandler} from '@aws/durable-execution-sdk-js';
import type {Context, Handler} from 'aws-lambda';
import type {HostedFunction, Invocation} from './function_host';

export type FunctionOptions = Omit<HostedFunction, 'durable' | 'run'>;

const MEMORY_LIMIT_MB = '1024';

const notThere = () => {
  throw new Error('Not there since Node.js 10: return a promise, or call the callback.');
};

// Whatever Date tells in this realm.
const wallNow = () => performance.timeOrigin + performance.now();

function contextOf(invocation: Invocation): Context {
  return {
    awsRequestId: invocation.requestId,
    callbackWaitsForEmptyEventLoop: false,
    functionName: invocation.functionName.split(':')[0]!,
    functionVersion: invocation.version,
    invokedFunctionArn: invocation.invokedFunctionArn,
    logGroupName: `/aws/lambda/${invocation.functionName}`,
    logStreamName: invocation.requestId,
    memoryLimitInMB: MEMORY_LIMIT_MB,
    tenantId: invocation.tenantId,
    clientContext:
      invocation.clientContext === undefined ? undefined : JSON.parse(invocation.clientContext),
    getRemainingTimeInMillis: () => invocation.deadline.getTime() - wallNow(),
    done: notThere,
    fail: notThere,
    succeed: notThere,
  };
}

// Whoever has a durable handler has the SDK; it is not needed without one.
const sdk = () =>
  require('@aws/durable-execution-sdk-js') as typeof import('@aws/durable-execution-sdk-js');

/** A handler of AWS's durable SDK; its checkpoints travel with the invocation. */
export function durableFunction(
  handler: DurableLambdaHandler,
  options: FunctionOptions & {beforeCheckpoint?: () => Promise<void>} = {},
): HostedFunction {
  const {beforeCheckpoint, ...rest} = options;
  const clientOf = (invocation: Invocation): DurableExecutionClient => ({
    async checkpoint(request) {
      await beforeCheckpoint?.();
      return invocation.checkpoint(request);
    },
    getExecutionState: (request) => invocation.getExecutionState(request),
  });
  return {
    ...rest,
    durable: true,
    async run(invocation) {
      const {DurableExecutionInvocationInputWithClient: Input} = sdk();
      const input = new Input(invocation.input!, clientOf(invocation));
      // Its constructor does not take them.
      Object.assign(input, {UpdatedOperationIds: invocation.input!.UpdatedOperationIds});
      return JSON.stringify(await handler(input, contextOf(invocation)));
    },
  };
}

function call(handler: Handler, invocation: Invocation): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned: unknown = handler(
      JSON.parse(invocation.payload || '{}'),
      contextOf(invocation),
      (error, result) => (error ? reject(error) : resolve(result)),
    );
    const promise = returned as Partial<PromiseLike<unknown>> | undefined;
    if (typeof promise?.then === 'function') promise.then(resolve, reject);
  });
}

/** A handler that returns a promise or calls back. */
export function plainFunction(handler: Handler, options: FunctionOptions = {}): HostedFunction {
  return {
    ...options,
    durable: false,
    run: async (invocation) => JSON.stringify((await call(handler, invocation)) ?? null),
  };
}
