// The load of one measurement, in a process of its own: connects publishers and subscribers over raw sockets, warms the
// broker up, measures what the broker's process spends while messages flow, and checks that every message arrived once
// and in order. Prints one line of JSON.
//
//   node load.js '{"port":1883,"pid":4711,"qos":0,"publishers":1,"subscribers":50,"window":20,…}'
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { cpuNanoseconds } from './measure.ts';
import {
  connectPacket,
  disconnectPacket,
  PacketReader,
  publishTemplate,
  subscribePacket,
  type Template,
} from './wire.ts';

export interface LoadOptions {
  readonly port: number;
  /** Process id of the broker, whose CPU time is read. */
  readonly pid: number;
  readonly qos: 0 | 1;
  /** With one publisher every subscriber gets all messages; with more, each publisher has the subscriber of its number. */
  readonly publishers: number;
  readonly subscribers: number;
  /** Messages of one publisher that are not yet delivered everywhere (and acknowledged) at any time. */
  readonly window: number;
  /** Payload bytes, at least 4. */
  readonly payload: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly deliveries: number;
  readonly seconds: number;
  /** CPU time of the broker, user and system, of all its threads. */
  readonly brokerNanoseconds: number;
  /** CPU time of this process, to tell whether the load was the bottleneck. */
  readonly loadNanoseconds: number;
}

/** Time that a run may take to deliver what is on its way, in milliseconds; what is missing then counts as lost. */
const PATIENCE = 10_000;

class Connection {
  readonly socket: Socket;
  readonly reader: PacketReader;
  readonly clientId: string;
  #answered: (() => void) | null = null;

  constructor(port: number, clientId: string) {
    this.clientId = clientId;
    this.reader = new PacketReader(this);
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.receive(chunk));
    this.socket.on('error', (error) => fail(`${clientId}: ${error.message}`));
    this.socket.on('close', () => fail(`${clientId}: the broker closed the connection`));
  }

  receive(chunk: Buffer): void {
    this.reader.read(chunk);
  }

  /** Sends a packet and waits for the one that answers it. */
  async ask(packet: Buffer): Promise<void> {
    const answer = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.socket.write(packet);
    await answer;
  }

  async open(): Promise<void> {
    await once(this.socket, 'connect');
    await this.ask(connectPacket(this.clientId));
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.end(disconnectPacket);
  }

  publish(_buffer: Buffer, _start: number, _end: number): void {
    fail(`${this.clientId}: got a message without a subscription`);
  }

  acknowledged(): void {
    fail(`${this.clientId}: got an acknowledgement without a publication`);
  }

  other(_first: number): void {
    this.#answered?.();
    this.#answered = null;
  }
}

class Subscriber extends Connection {
  /** Messages received; the next one carries this number. */
  received = 0;
  readonly #payload: number;
  readonly #changed: () => void;
  /** Acknowledgements of the chunk being read. */
  #acks = Buffer.alloc(4 * 1024);
  #ackLength = 0;

  constructor(port: number, clientId: string, payload: number, changed: () => void) {
    super(port, clientId);
    this.#payload = payload;
    this.#changed = changed;
  }

  override receive(chunk: Buffer): void {
    super.receive(chunk);
    if (this.#ackLength > 0) {
      this.socket.write(this.#acks.subarray(0, this.#ackLength));
      this.#acks = Buffer.alloc(this.#acks.length);
      this.#ackLength = 0;
    }
    this.#changed();
  }

  override publish(buffer: Buffer, start: number, end: number): void {
    const topicLength = (buffer[start + 2]! << 8) | buffer[start + 3]!;
    let at = start + 4 + topicLength;
    if ((buffer[start]! & 6) !== 0) {
      if (this.#ackLength === this.#acks.length) this.#acks = Buffer.concat([this.#acks, this.#acks]);
      this.#acks[this.#ackLength++] = 0x40;
      this.#acks[this.#ackLength++] = 2;
      this.#acks[this.#ackLength++] = buffer[at]!;
      this.#acks[this.#ackLength++] = buffer[at + 1]!;
      at += 2;
    }
    const sequence = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
    if (sequence !== this.received) fail(`${this.clientId}: message ${sequence} came where ${this.received} was due`);
    if (end - at !== this.#payload) fail(`${this.clientId}: a payload of ${end - at} bytes came`);
    this.received += 1;
  }
}

class Publisher extends Connection {
  sent = 0;
  acked = 0;
  readonly #template: Template;
  readonly #window: number;
  readonly #changed: () => void;
  readonly targets: readonly Subscriber[];

  constructor(
    options: LoadOptions,
    clientId: string,
    topic: string,
    targets: readonly Subscriber[],
    changed: () => void,
  ) {
    super(options.port, clientId);
    this.#template = publishTemplate(topic, options.qos, options.payload);
    this.#window = options.window;
    this.targets = targets;
    this.#changed = changed;
  }

  override receive(chunk: Buffer): void {
    super.receive(chunk);
    this.#changed();
  }

  override acknowledged(): void {
    this.acked += 1;
  }

  /** Messages that every subscriber has and, at QoS 1, the broker has acknowledged. */
  get done(): number {
    let least = this.#template.id === 0 ? this.sent : this.acked;
    for (const target of this.targets) if (target.received < least) least = target.received;
    return least;
  }

  /** Sends what the window allows, in one write. */
  pump(): void {
    const count = this.#window - (this.sent - this.done);
    if (count <= 0) return;
    const { bytes, id, payload } = this.#template;
    const batch = Buffer.allocUnsafe(count * bytes.length);
    for (let i = 0, at = 0; i < count; i++, at += bytes.length) {
      batch.set(bytes, at);
      if (id !== 0) batch.writeUInt16BE((this.sent % 65_535) + 1, at + id);
      batch.writeUInt32BE(this.sent, at + payload);
      this.sent += 1;
    }
    this.socket.write(batch);
  }
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Publishers and subscribers together, and the loop that keeps the windows full. */
class Load {
  readonly #publishers: Publisher[] = [];
  readonly #subscribers: Subscriber[] = [];
  readonly #qos: number;
  #pumping = false;
  #scheduled = false;
  #drained: (() => void) | null = null;

  constructor(options: LoadOptions) {
    const changed = () => this.#changed();
    const isFanOut = options.publishers === 1;
    for (let i = 0; i < options.subscribers; i++) {
      this.#subscribers.push(new Subscriber(options.port, `sub-${i}`, options.payload, changed));
    }
    for (let i = 0; i < options.publishers; i++) {
      const targets = isFanOut ? this.#subscribers : this.#subscribers.slice(i, i + 1);
      this.#publishers.push(new Publisher(options, `pub-${i}`, `bench/topic/${i}`, targets, changed));
    }
    this.#qos = options.qos;
  }

  async open(): Promise<void> {
    await Promise.all([...this.#subscribers, ...this.#publishers].map((connection) => connection.open()));
    for (const [i, publisher] of this.#publishers.entries()) {
      const packet = subscribePacket(`bench/topic/${i}`, this.#qos);
      await Promise.all(publisher.targets.map((target) => target.ask(packet)));
    }
  }

  get deliveries(): number {
    return this.#subscribers.reduce((sum, subscriber) => sum + subscriber.received, 0);
  }

  /** Lets messages flow for a time and then waits until all of them arrived. */
  async run(seconds: number): Promise<void> {
    this.#pumping = true;
    this.#changed();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    this.#pumping = false;
    if (this.#open === 0) return;
    const limit = setTimeout(() => fail(`${this.#open} messages did not arrive`), PATIENCE);
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    clearTimeout(limit);
  }

  close(): void {
    for (const connection of [...this.#publishers, ...this.#subscribers]) connection.close();
  }

  get #open(): number {
    return this.#publishers.reduce((sum, publisher) => sum + publisher.sent - publisher.done, 0);
  }

  /** Joins everything that one turn of the loop received to one round of sending. */
  #changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#pumping) for (const publisher of this.#publishers) publisher.pump();
      else if (this.#drained !== null && this.#open === 0) this.#drained();
    });
  }
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}');
const load = new Load(options);
await load.open();
await load.run(options.warmupSeconds);
const before = { deliveries: load.deliveries, broker: cpuNanoseconds(options.pid), own: cpuNanoseconds(process.pid) };
const began = process.hrtime.bigint();
await load.run(options.seconds);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
const result: LoadResult = {
  deliveries: load.deliveries - before.deliveries,
  seconds,
  brokerNanoseconds: cpuNanoseconds(options.pid) - before.broker,
  loadNanoseconds: cpuNanoseconds(process.pid) - before.own,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
load.close();
