// What a process has once, however often this module is loaded: test frameworks load modules anew
// for every test file.
//
//   const worker = (processWide().transportWorker ??= startWorker());
import workerThreads = require('node:worker_threads');
import type {Worker} from 'node:worker_threads';
import type {ServerAddresses} from './server_process';

export interface ProcessWide {
  server?: Promise<ServerAddresses>;
  transportWorker?: Worker;
}

// Changes with what is kept, so that different versions of this package do not share it.
const KEY = Symbol.for('rehearse.process.1');

// Node's own modules are the same in every realm of a thread.
export function processWide(): ProcessWide {
  const holder = workerThreads as unknown as Record<symbol, ProcessWide>;
  return (holder[KEY] ??= {});
}
