// The thread that speaks gRPC: it carries calls between MessagePorts and servers.
//
// gRPC sets timers and reads the clock. In a thread of its own it has the real ones, whatever a test
// does to those of its realm, and a handler that keeps its thread busy does not hold it up.
//
//   parentPort <- {address: "127.0.0.1:9013", port}      // serve this port
//   port <- Command, port -> Report                      // see transport.ts
import {Client, credentials, Metadata, type ClientDuplexStream} from '@grpc/grpc-js';
import {parentPort, type MessagePort} from 'node:worker_threads';
import type {Command, Report} from './transport';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const CHANNEL_OPTIONS = {
  'grpc.enable_http_proxy': 0,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

type Call = ClientDuplexStream<Uint8Array, Buffer>;

const asBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// A buffer of gRPC's is a piece of a larger one, which would be copied whole.
function post(port: MessagePort, report: Report) {
  const moved = [report.message, report.status?.details]
    .filter((bytes) => bytes !== undefined)
    .map((bytes) => bytes.buffer as ArrayBuffer);
  port.postMessage(report, moved);
}

function open(client: Client, port: MessagePort, id: number, command: Command): Call {
  // On the wire a unary call is a stream of one message either way.
  const call = client.makeBidiStreamRequest(
    command.method!,
    asBuffer,
    (bytes: Buffer) => bytes,
    new Metadata(),
    command.timeoutMs === undefined ? {} : {deadline: Date.now() + command.timeoutMs},
  );
  call.on('data', (bytes: Buffer) => post(port, {id, message: new Uint8Array(bytes)}));
  call.on('status', ({code, details, metadata}) => {
    const [status] = metadata.get('grpc-status-details-bin') as Buffer[];
    post(port, {
      id,
      status: {code, message: details, details: status && new Uint8Array(status)},
    });
  });
  // The status tells of it.
  call.on('error', () => {});
  return call;
}

function serve(address: string, port: MessagePort) {
  const client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const calls = new Map<number, Call>();
  port.on('message', (command: Command) => {
    const {id} = command;
    if (command.method !== undefined) {
      const call = open(client, port, id, command);
      calls.set(id, call);
      call.on('status', () => calls.delete(id));
    }
    // Later commands of a call that has ended are late.
    const call = calls.get(id);
    if (command.message !== undefined) call?.write(command.message);
    if (command.end) call?.end();
    if (command.cancel) call?.cancel();
  });
  port.on('close', () => {
    for (const call of calls.values()) call.cancel();
    client.close();
  });
}

parentPort!.on('message', ({address, port}) => serve(address, port));
