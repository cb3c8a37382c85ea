// Transport: calls of bytes to one server, over the gRPC thread.
//
//   const transport = new Transport('127.0.0.1:9013');
//   const response = await transport.call('/rehearse.v1.TestSessions/GetSession', request);
//   transport.close();
import path = require('node:path');
import {MessageChannel, Worker, type MessagePort} from 'node:worker_threads';
import {processWide} from './process_wide';
import {GrpcStatus, serviceError, type ServiceError} from './service_error';

// To the thread. The first command of a call names its method.
export interface Command {
  id: number;
  method?: string;
  // After it the call fails with DEADLINE_EXCEEDED.
  timeoutMs?: number;
  message?: Uint8Array;
  // No message follows.
  end?: boolean;
  cancel?: boolean;
}

// From the thread. A status is the last of its call.
export interface Report {
  id: number;
  message?: Uint8Array;
  status?: {code: number; message: string; details?: Uint8Array};
}

export interface CallHandler {
  onMessage(message: Uint8Array): void;
  // Called once; without an error the server has ended the call well.
  onEnd(error?: ServiceError): void;
}

export interface OpenOptions {
  timeoutMs?: number;
  // Whether the process stays alive until the call ends. Default: only until its first message.
  keepsAlive?: boolean;
}

export class OpenCall {
  constructor(
    private readonly send_: (command: Omit<Command, 'id'>) => void,
  ) {}

  send(message: Uint8Array) {
    this.send_({message});
  }

  // Closes this half.
  end() {
    this.send_({end: true});
  }

  cancel() {
    this.send_({cancel: true});
  }
}

interface Entry {
  handler: CallHandler;
  // Until its first message, or its end.
  keepsAliveUntil: 'message' | 'end';
  // Now.
  keepsAlive: boolean;
}

function transportWorker(): Worker {
  const shared = processWide();
  if (shared.transportWorker === undefined) {
    const worker = new Worker(path.join(__dirname, 'transport_worker.js'), {execArgv: []});
    worker.unref();
    const forget = () => {
      if (shared.transportWorker === worker) shared.transportWorker = undefined;
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    shared.transportWorker = worker;
  }
  return shared.transportWorker;
}

export class Transport {
  private readonly port: MessagePort;
  private readonly calls = new Map<number, Entry>();
  private lastId = 0;
  private keepingAlive = 0;
  private closed = false;
  // Counts what has come from the server.
  reportCount = 0;

  // Connects when the first call needs it.
  constructor(readonly address: string) {
    const {port1, port2} = new MessageChannel();
    this.port = port1;
    this.port.on('message', (report: Report) => this.dispatch(report));
    this.port.on('close', () => this.failAll('The connection is closed.'));
    this.port.unref();
    transportWorker().postMessage({address, port: port2}, [port2]);
  }

  // A unary call. Rejects with a ServiceError.
  call(method: string, request: Uint8Array, timeoutMs?: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      let response: Uint8Array | undefined;
      this.start(
        {method, timeoutMs, message: request, end: true},
        {
          onMessage: (message) => (response = message),
          onEnd: (error) => {
            if (error !== undefined) return reject(error);
            if (response !== undefined) return resolve(response);
            reject(serviceError(GrpcStatus.INTERNAL, 'The server has answered without a message.'));
          },
        },
        'end',
      );
    });
  }

  open(method: string, handler: CallHandler, options: OpenOptions = {}): OpenCall {
    const id = this.start(
      {method, timeoutMs: options.timeoutMs},
      handler,
      options.keepsAlive ? 'end' : 'message',
    );
    return new OpenCall((command) => this.post({id, ...command}));
  }

  // Breaks the calls that are open; they end as CANCELLED.
  close() {
    if (this.closed) return;
    this.closed = true;
    this.port.close();
    this.failAll('The client was closed.');
  }

  private start(
    command: Omit<Command, 'id'>,
    handler: CallHandler,
    keepsAliveUntil: Entry['keepsAliveUntil'],
  ): number {
    const id = ++this.lastId;
    if (this.closed) {
      const error = serviceError(GrpcStatus.CANCELLED, 'The client was closed.');
      queueMicrotask(() => handler.onEnd(error));
      return id;
    }
    this.calls.set(id, {handler, keepsAliveUntil, keepsAlive: true});
    if (++this.keepingAlive === 1) this.port.ref();
    this.post({id, ...command});
    return id;
  }

  private post(command: Command) {
    if (!this.closed) this.port.postMessage(command);
  }

  private dispatch({id, message, status}: Report) {
    const entry = this.calls.get(id);
    if (entry === undefined) return;
    ++this.reportCount;
    if (message !== undefined) {
      if (entry.keepsAliveUntil === 'message') this.release(entry);
      entry.handler.onMessage(message);
    }
    if (status !== undefined) {
      this.remove(id, entry);
      entry.handler.onEnd(
        status.code === GrpcStatus.OK
          ? undefined
          : serviceError(status.code, status.message, status.details),
      );
    }
  }

  private remove(id: number, entry: Entry) {
    this.calls.delete(id);
    this.release(entry);
  }

  private release(entry: Entry) {
    if (!entry.keepsAlive) return;
    entry.keepsAlive = false;
    if (--this.keepingAlive === 0 && !this.closed) this.port.unref();
  }

  private failAll(message: string) {
    this.closed = true;
    for (const [id, entry] of [...this.calls]) {
      this.remove(id, entry);
      entry.handler.onEnd(serviceError(GrpcStatus.CANCELLED, message));
    }
  }
}
