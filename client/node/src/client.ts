// Client: typed calls of one service.
//
//   const client = await Client.connect();
//   await client.call(TestSessions.method.deleteSession, {name: 's-3f2a'});
//   client.close();
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {serverAddresses} from './server_process';
import type {ServiceError} from './service_error';
import {type OpenOptions, Transport} from './transport';

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

const encode = <Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>) =>
  toBinary(desc, create(desc, init));

export interface StreamHandler<Response> {
  onMessage(message: Response): void;
  // Called once; without an error the server has ended the call well.
  onEnd(error?: ServiceError): void;
}

export interface OpenStream<Request> {
  send(request: Request): void;
  end(): void;
  cancel(): void;
}

export class Client {
  // Calls in flight that the service answers by itself, soon.
  shortCalls = 0;

  private constructor(private readonly transport: Transport) {}

  // To `server`, HOST:PORT; else as serverAddresses() says.
  static async connect(server?: string): Promise<Client> {
    return new Client(new Transport((await serverAddresses(server)).grpc));
  }

  get address(): string {
    return this.transport.address;
  }

  // Counts the messages that have come from the service.
  get reportCount(): number {
    return this.transport.reportCount;
  }

  // Rejects with a ServiceError.
  async call<Request extends DescMessage, Response extends DescMessage>(
    method: DescMethodUnary<Request, Response>,
    request: MessageInitShape<Request>,
  ): Promise<MessageShape<Response>> {
    ++this.shortCalls;
    try {
      return await this.wait(method, request);
    } finally {
      --this.shortCalls;
    }
  }

  // A call that the service answers when something has happened. Without `timeoutMs` it waits for
  // the answer however long that takes.
  async wait<Request extends DescMessage, Response extends DescMessage>(
    method: DescMethodUnary<Request, Response>,
    request: MessageInitShape<Request>,
    timeoutMs?: number,
  ): Promise<MessageShape<Response>> {
    const bytes = await this.transport.call(
      pathOf(method),
      encode(method.input, request),
      timeoutMs,
    );
    return fromBinary(method.output, bytes);
  }

  // The messages as they come; leaving the loop ends the call. Throws a ServiceError.
  async *messages<Request extends DescMessage, Response extends DescMessage>(
    method: DescMethodServerStreaming<Request, Response>,
    request: MessageInitShape<Request>,
    options?: OpenOptions,
  ): AsyncGenerator<MessageShape<Response>, void, undefined> {
    const arrived: MessageShape<Response>[] = [];
    let ended: {error?: ServiceError} | undefined;
    let wake = () => {};
    const stream = this.open<Request, Response>(
      method,
      {
        onMessage: (message) => (arrived.push(message), wake()),
        onEnd: (error) => ((ended = {error}), wake()),
      },
      options,
    );
    stream.send(create(method.input, request) as MessageShape<Request>);
    stream.end();
    try {
      while (true) {
        while (arrived.length > 0) yield arrived.shift()!;
        if (ended !== undefined) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (ended.error !== undefined) throw ended.error;
    } finally {
      if (ended === undefined) stream.cancel();
    }
  }

  open<Request extends DescMessage, Response extends DescMessage>(
    method: DescMethod & {input: Request; output: Response},
    handler: StreamHandler<MessageShape<Response>>,
    options?: OpenOptions,
  ): OpenStream<MessageShape<Request>> {
    const call = this.transport.open(
      pathOf(method),
      {
        onMessage: (bytes) => handler.onMessage(fromBinary(method.output, bytes)),
        onEnd: (error) => handler.onEnd(error),
      },
      options,
    );
    return {
      send: (request) => call.send(toBinary(method.input, request)),
      end: () => call.end(),
      cancel: () => call.cancel(),
    };
  }

  // Calls that are open end as CANCELLED.
  close() {
    this.transport.close();
  }
}
