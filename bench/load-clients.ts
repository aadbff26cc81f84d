// The clients of load.ts over raw sockets. They are to cost as little as possible beside the broker: all sockets read into
// one buffer, packets to send are kept ready, and what one read brings is answered by one write.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Histogram } from './histogram.ts';
import { PacketReader } from './reader.ts';
import {
  CONNACK,
  connectPacket,
  disconnectPacket,
  filler,
  type Level,
  type MessageForm,
  PROPERTY_BYTES,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  publishTemplate,
  SUBACK,
  type Template,
  word,
} from './wire.ts';

/** Ends the load with one sentence; whoever started it shows it. */
export function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Where the broker listens, and how to speak to it. */
export interface Access {
  readonly port: number;
  readonly isTls: boolean;
  readonly level: Level;
}

/** All sockets read into this; what one read brings is done with before the next. */
const incoming = Buffer.allocUnsafeSlow(256 * 1024);
/** Payloads from this many bytes are compared byte by byte, shorter ones by their marks and length. */
const COMPARED = 1024;
const ACK_BYTES = 4 * 1024;
/** Messages at QoS 2 that a broker may have on the way to one subscriber; a power of two above MAX_INFLIGHT. */
const RELEASES = 256;

abstract class Connection {
  readonly clientId: string;
  protected readonly access: Access;
  /** There is one once open() was called. */
  protected socket: Socket | null = null;
  readonly #reader = new PacketReader(this);
  #answered: (() => void) | null = null;
  /** Acknowledgements of the chunk being read. */
  #acks = Buffer.allocUnsafe(ACK_BYTES);
  #ackLength = 0;

  constructor(access: Access, clientId: string) {
    this.access = access;
    this.clientId = clientId;
  }

  /** Connects, over TCP or TLS, and to the broker. */
  async open(): Promise<void> {
    const { port, isTls, level } = this.access;
    const onread = {
      buffer: incoming,
      callback: (length: number, buffer: Uint8Array) => {
        this.#reader.read(buffer as Buffer, length);
        if (this.#ackLength > 0) this.#sendAcks();
        return true;
      },
    };
    const place = { port, host: '127.0.0.1', noDelay: true, onread };
    this.socket = isTls ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
    this.socket.on('error', (error) => fail(`${this.clientId}: ${error.message}`));
    this.socket.on('close', () => fail(`${this.clientId}: the broker closed the connection`));
    await once(this.socket, isTls ? 'secureConnect' : 'connect');
    await this.ask(connectPacket(level, this.clientId));
  }

  /** Sends a packet and waits for the one that answers it. */
  async ask(packet: Buffer): Promise<void> {
    const answer = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.socket!.write(packet);
    await answer;
  }

  /** Says goodbye; how the broker takes it does not matter any more. */
  close(): void {
    this.socket?.removeAllListeners('close').removeAllListeners('error');
    this.socket?.on('error', () => undefined).end(disconnectPacket);
  }

  /** Version and cipher of a TLS connection. */
  get security(): string {
    if (!this.access.isTls) return '';
    const socket = this.socket as TLSSocket;
    return `${socket.getProtocol()} ${socket.getCipher().name}`;
  }

  abstract packet(first: number, buffer: Buffer, body: number, end: number): void;

  /** CONNACK and SUBACK; anything else ends the run. */
  protected answer(first: number, buffer: Buffer, body: number, end: number): void {
    const type = first >> 4;
    const code = type === CONNACK ? buffer[body + 1]! : buffer[end - 1]!;
    if (type !== CONNACK && type !== SUBACK) fail(`${this.clientId}: a packet of type ${type} came`);
    if (code >= (type === CONNACK ? 1 : 128)) fail(`${this.clientId}: the broker refused with code ${code}`);
    this.#answered?.();
    this.#answered = null;
  }

  /** An acknowledgement that leaves with the others of its chunk. */
  protected acknowledge(first: number, buffer: Buffer, id: number): void {
    if (this.#ackLength === this.#acks.length) this.#acks = Buffer.concat([this.#acks, this.#acks]);
    const at = this.#ackLength;
    this.#acks[at] = first;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = buffer[id]!;
    this.#acks[at + 3] = buffer[id + 1]!;
    this.#ackLength = at + 4;
  }

  #sendAcks(): void {
    this.socket!.write(this.#acks.subarray(0, this.#ackLength));
    this.#ackLength = 0;
    // The socket may keep what the kernel did not take.
    if (this.socket!.writableLength > 0) this.#acks = Buffer.allocUnsafe(this.#acks.length);
  }
}

export class Subscriber extends Connection {
  /** Messages received and, at QoS 2, released. */
  deliveries = 0;
  readonly #form: MessageForm;
  /** The publishers of its topics, which are numbered from `firstSource`, and the sequence number due from each. */
  readonly #sources: readonly Publisher[];
  readonly #firstSource: number;
  readonly #due: Uint32Array;
  readonly #first: number;
  readonly #filler: Buffer | null;
  /** At QoS 2: what was received but not released, from one counter to the other. */
  readonly #ids = new Uint16Array(RELEASES);
  readonly #sequences = new Uint32Array(RELEASES);
  readonly #owners = new Uint32Array(RELEASES);
  #received = 0;
  #released = 0;

  constructor(access: Access, clientId: string, form: MessageForm, sources: readonly Publisher[], firstSource: number) {
    super(access, clientId);
    this.#form = form;
    this.#sources = sources;
    this.#firstSource = firstSource;
    this.#due = new Uint32Array(sources.length);
    this.#first = (PUBLISH << 4) | (form.qos << 1);
    this.#filler = form.size < COMPARED ? null : filler(form.size);
  }

  packet(first: number, buffer: Buffer, body: number, end: number): void {
    if (first === this.#first) this.#publish(buffer, body, end);
    else if (first >> 4 === PUBREL) this.#release(buffer, body);
    else this.answer(first, buffer, body, end);
  }

  #publish(buffer: Buffer, body: number, end: number): void {
    const { level, qos, size } = this.#form;
    let at = body + 2 + ((buffer[body]! << 8) | buffer[body + 1]!);
    const id = at;
    if (qos > 0) at += 2;
    if (level === 5) {
      if (buffer[at] !== PROPERTY_BYTES) fail(`${this.clientId}: ${buffer[at]} bytes of properties came`);
      at += 1 + PROPERTY_BYTES;
    }
    if (end - at !== size) fail(`${this.clientId}: a payload of ${end - at} bytes came`);
    const owner = word(buffer, at) - this.#firstSource;
    const sequence = word(buffer, at + 4);
    const due = this.#due[owner];
    if (sequence !== due) fail(`${this.clientId}: message ${sequence} came where ${due} was due`);
    this.#due[owner] = sequence + 1;
    if (this.#filler?.compare(buffer, at + 8, end)) fail(`${this.clientId}: message ${sequence} was changed`);
    if (qos === 2) this.#keep(buffer, id, owner, sequence);
    else {
      if (qos === 1) this.acknowledge(PUBACK << 4, buffer, id);
      this.#deliver(owner, sequence);
    }
  }

  #deliver(owner: number, sequence: number): void {
    this.deliveries += 1;
    this.#sources[owner]!.delivered(sequence);
  }

  #keep(buffer: Buffer, id: number, owner: number, sequence: number): void {
    const slot = this.#received++ % RELEASES;
    if (this.#received - this.#released > RELEASES) fail(`${this.clientId}: too much is in flight`);
    this.#ids[slot] = (buffer[id]! << 8) | buffer[id + 1]!;
    this.#sequences[slot] = sequence;
    this.#owners[slot] = owner;
    this.acknowledge(PUBREC << 4, buffer, id);
  }

  /** PUBRELs come in the order of the PUBRECs (MQTT-4.6.0-4). */
  #release(buffer: Buffer, body: number): void {
    const slot = this.#released % RELEASES;
    const id = (buffer[body]! << 8) | buffer[body + 1]!;
    if (this.#released === this.#received || id !== this.#ids[slot]) fail(`${this.clientId}: id ${id} was released`);
    this.#released += 1;
    this.acknowledge(PUBCOMP << 4, buffer, body);
    this.#deliver(this.#owners[slot]!, this.#sequences[slot]!);
  }
}

/** What a publisher is told to do, beside its connection. */
export interface Publishing {
  readonly form: MessageForm;
  readonly window: number;
  /** Subscribers that get each of its messages. */
  readonly targets: number;
  /** Called when the oldest message on its way may be done. */
  readonly progressed: (publisher: Publisher) => void;
  /** Where the time from sending to arrival goes in microseconds; null where nobody asks. */
  readonly latencies: Histogram | null;
}

export class Publisher extends Connection {
  sent = 0;
  /** Messages that every subscriber has and, at QoS 1 and 2, the broker has acknowledged to the end. */
  done = 0;
  /** Set by whoever is told of progress, until it lets the publisher send. */
  isNoted = false;
  #acked = 0;
  #recorded = 0;
  readonly #job: Publishing;
  readonly #template: Template;
  /** For each message on its way: what is still to come, and when it was sent. */
  readonly #missing: Uint16Array;
  readonly #sentAt: Float64Array;
  readonly #mask: number;
  /** PUBLISH packets side by side: twice the window, so that what is on its way never lies where the next ones do. */
  readonly #ready: Buffer;
  #next = 0;

  constructor(access: Access, number: number, topic: string, job: Publishing) {
    super(access, `pub-${number}`);
    this.#job = job;
    this.#template = publishTemplate(topic, number, job.form);
    const { bytes } = this.#template;
    const ring = 2 ** Math.ceil(Math.log2(job.window));
    this.#missing = new Uint16Array(ring);
    this.#sentAt = new Float64Array(ring);
    this.#mask = ring - 1;
    this.#ready = Buffer.alloc(2 * job.window * bytes.length, bytes);
  }

  packet(first: number, buffer: Buffer, body: number, end: number): void {
    const type = first >> 4;
    if (type === PUBREC) {
      this.#check(buffer, body, end, this.#recorded++);
      this.acknowledge((PUBREL << 4) | 2, buffer, body);
    } else if (type === PUBACK || type === PUBCOMP) {
      this.#check(buffer, body, end, this.#acked);
      this.delivered(this.#acked++, false);
    } else this.answer(first, buffer, body, end);
  }

  /** Acknowledgements come in the order of the messages (MQTT-4.6.0-2 and -3) and say yes. */
  #check(buffer: Buffer, body: number, end: number, sequence: number): void {
    const id = (buffer[body]! << 8) | buffer[body + 1]!;
    if (id !== idOf(sequence)) fail(`${this.clientId}: id ${id} was acknowledged where ${idOf(sequence)} was due`);
    if (end > body + 2 && buffer[body + 2]! >= 128) fail(`${this.clientId}: refused with ${buffer[body + 2]}`);
  }

  /** One of the things that a message waits for has come: a subscriber has it, or the broker has acknowledged it. */
  delivered(sequence: number, isArrival = true): void {
    const slot = sequence & this.#mask;
    if (isArrival && this.#job.latencies !== null) {
      this.#job.latencies.add((performance.now() - this.#sentAt[slot]!) * 1000);
    }
    this.#missing[slot]! -= 1;
    if (this.#missing[slot] === 0 && !this.isNoted) this.#job.progressed(this);
  }

  /** Counts what is done, and tells what the window has room for. */
  room(): number {
    while (this.done < this.sent && this.#missing[this.done & this.#mask] === 0) this.done += 1;
    return this.#job.window - (this.sent - this.done);
  }

  /** Sends some messages in one write; there must be room for them. */
  send(count: number): void {
    const { bytes, id, sequence } = this.#template;
    const buffer = this.#ready;
    if ((this.#next + count) * bytes.length > buffer.length) this.#next = 0;
    const start = this.#next * bytes.length;
    const waits = this.#job.targets + (id === 0 ? 0 : 1);
    const now = this.#job.latencies === null ? 0 : performance.now();
    let at = start;
    for (let i = 0; i < count; i++, at += bytes.length) {
      const number = this.sent++;
      if (id !== 0) {
        const packetId = idOf(number);
        buffer[at + id] = packetId >> 8;
        buffer[at + id + 1] = packetId;
      }
      buffer[at + sequence] = number >> 24;
      buffer[at + sequence + 1] = number >> 16;
      buffer[at + sequence + 2] = number >> 8;
      buffer[at + sequence + 3] = number;
      this.#missing[number & this.#mask] = waits;
      this.#sentAt[number & this.#mask] = now;
    }
    this.#next += count;
    this.socket!.write(buffer.subarray(start, at));
  }
}

const idOf = (sequence: number): number => (sequence % 65_535) + 1;
