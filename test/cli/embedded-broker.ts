// A broker inside of the test process for the client tools, with a plugin that refuses by name: the user `nobody`, and
// every topic below `denied/`.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import {
  ALLOW,
  type Broker,
  type Client,
  type CreateBrokerOptions,
  connect,
  createBroker,
  DENY,
  type ReceivedMessage,
} from '../../src/index.ts';

/** The broker, and how the tools reach it. */
export interface EmbeddedBroker {
  readonly broker: Broker;
  readonly port: number;
  /** `-h 127.0.0.1 -p PORT`. */
  readonly where: readonly string[];
  /** Resolves when a client subscribes to this filter. Ask before it can. */
  subscribed(filter: string): Promise<void>;
}

/** Starts a broker on this port, 0 for a free one; it stops with the test. */
export async function embeddedBroker(
  context: TestContext,
  port = 0,
  options: CreateBrokerOptions = {},
): Promise<EmbeddedBroker> {
  const waiting = new Map<string, () => void>();
  const broker = await createBroker({
    listeners: [{ port }],
    plugins: [
      {
        name: 'test rules',
        authenticate: ({ username }) => (username === 'nobody' ? DENY : ALLOW),
        subscribed: (_client, filter) => waiting.get(filter)?.(),
        authorize: (_client, _access, topic) => (topic.startsWith('denied/') ? DENY : ALLOW),
      },
    ],
    ...options,
  });
  context.after(() => broker.stop());
  const bound = broker.ports[0] ?? 0;
  return {
    broker,
    port: bound,
    where: ['-h', '127.0.0.1', '-p', String(bound)],
    subscribed: (filter) => new Promise((resolve) => waiting.set(filter, resolve)),
  };
}

/** A client that keeps the messages of a filter and can be waited for. */
export class Observer {
  readonly messages: ReceivedMessage[] = [];
  readonly client: Client;
  #wake: () => void = () => undefined;

  constructor(client: Client) {
    this.client = client;
    client.on('message', (message) => {
      this.messages.push(message);
      this.#wake();
    });
  }

  /** Subscribes with MQTT 5 and QoS 2. */
  static async of(context: TestContext, port: number, filter = '#'): Promise<Observer> {
    const client = await connect({ endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
    context.after(() => client.end());
    const observer = new Observer(client);
    await client.subscribe({ filter, qos: 2, retainAsPublished: true });
    return observer;
  }

  /** Resolves to the messages once there are this many. */
  async seen(count: number): Promise<readonly ReceivedMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.messages;
  }

  /** The payloads so far, as text. */
  get payloads(): string[] {
    return this.messages.map((message) => message.payload.toString());
  }
}

/**
 * A server that is no broker: `answer` gets every chunk that comes, and the socket. Resolves to its port; it closes with
 * the test.
 */
export async function falseBroker(
  context: TestContext,
  answer: (chunk: Buffer, socket: Socket) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => answer(chunk, socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** CONNACK of MQTT 3.1.1 that accepts. */
export const ACCEPTED = Buffer.from([0x20, 2, 0, 0]);
