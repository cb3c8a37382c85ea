// rehearse: drives a rehearse service from Node.js.
//
//   const session = await Session.create({clockMode: 'skip'});
//   session.host().register('orders', durableFunction(handler)).serve();
//   const arn = await session.start('orders', {input: '{"id": 17}'});
//   console.log((await session.waitForExecution(arn)).result);
//   await session.close();
//
// Tests of functions with AWS's durable SDK use `rehearse/testing`.
export {FunctionHost, type HostedFunction, type Invocation} from './function_host';
export {compactHistory, formatHistory} from './history_text';
export {durableFunction, type FunctionOptions, plainFunction} from './lambda_functions';
export {startServer, type ServerAddresses} from './server_process';
export {type GrpcStatusName, ServiceError} from './service_error';
export {Session, type WaitOptions} from './session';
export type * from './types';
