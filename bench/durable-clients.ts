// Clients of the durable loads over raw sockets: every PUBLISH of a connection has the same length, so packets are told
// apart by their first byte, and a client costs a fraction of what the broker does. Shares no code with src/.
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import type { Histogram } from './histogram.ts';

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
const SHORT = 4;
const SUBACK_LENGTH = 5;

/** Ends the load with one sentence; whoever started it shows it. */
export function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** The remaining length as MQTT writes it. */
function length(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(bytes);
  }
}

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), length(body.length), body]);
}

/** A QoS 1 PUBLISH to be copied: where its packet id is, after which the payload begins with a sequence number. */
export interface Form {
  readonly bytes: Buffer;
  readonly id: number;
}

/** The PUBLISH of one topic with `payload` bytes of payload, at least 4. */
export function formOf(topic: string, payload: number): Form {
  const head = text(topic);
  const bytes = packet(0x32, head, Buffer.alloc(2), Buffer.alloc(payload, 'x'));
  return { bytes, id: bytes.length - payload - 2 };
}

/** What all sockets read into; nothing of it is kept past the call that got it. */
const shared = Buffer.allocUnsafe(256 * 1024);

/** A connection that cuts what comes into packets. */
abstract class Client {
  readonly clientId: string;
  protected readonly form: Form;
  readonly #socket: Socket;
  /** The beginning of a packet whose rest has not come yet. */
  readonly #held: Buffer;
  #holding = 0;
  #answered: ((first: number, second: number) => void) | null = null;
  #isClosing = false;

  constructor(port: number, clientId: string, form: Form) {
    this.clientId = clientId;
    this.form = form;
    this.#held = Buffer.alloc(Math.max(SUBACK_LENGTH, form.bytes.length));
    const onread = {
      buffer: shared,
      callback: (count: number) => {
        this.#read(shared, count);
        this.after();
        return true;
      },
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.on('error', (error) => fail(`${clientId}: ${error.message}`));
    this.#socket.on('close', () => {
      if (!this.#isClosing) fail(`${clientId}: the broker closed the connection`);
    });
  }

  /** Connects; true if the broker had a session. */
  async open(clean: boolean): Promise<boolean> {
    const flags = clean ? 2 : 0;
    const answer = await this.ask(packet(0x10, text('MQTT'), Buffer.from([4, flags, 0, 0]), text(this.clientId)));
    if (answer[1] !== 0) fail(`${this.clientId}: the broker refused the connection with ${answer[1]}`);
    return answer[0] === 1;
  }

  /** Sends a packet and waits for the CONNACK or SUBACK, whose last two bytes it gives. */
  protected ask(bytes: Buffer): Promise<readonly [number, number]> {
    const answer = new Promise<readonly [number, number]>((resolve) => {
      this.#answered = (first, second) => resolve([first, second]);
    });
    this.write(bytes);
    return answer;
  }

  /** Disconnects, and resolves once the connection is closed. */
  close(): Promise<void> {
    this.#isClosing = true;
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(Buffer.from([0xe0, 0]));
    });
  }

  protected write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** A PUBLISH, from `start` on; valid during the call only. */
  protected abstract publish(buffer: Buffer, start: number): void;

  /** A PUBACK with this packet id. */
  protected abstract acknowledged(id: number): void;

  /** All packets of one chunk were handled. */
  protected abstract after(): void;

  #read(buffer: Buffer, count: number): void {
    let at = 0;
    while (this.#holding > 0 && at < count) {
      this.#held[this.#holding++] = buffer[at++]!;
      if (this.#holding < this.#lengthOf(this.#held[0]!)) continue;
      this.#holding = 0;
      this.#dispatch(this.#held, 0);
    }
    while (at < count) {
      const end = at + this.#lengthOf(buffer[at]!);
      if (end > count) break;
      this.#dispatch(buffer, at);
      at = end;
    }
    while (at < count) this.#held[this.#holding++] = buffer[at++]!;
  }

  #lengthOf(first: number): number {
    const type = first >> 4;
    if (type === PUBLISH) return this.form.bytes.length;
    return type === SUBACK ? SUBACK_LENGTH : SHORT;
  }

  #dispatch(buffer: Buffer, start: number): void {
    const type = buffer[start]! >> 4;
    if (type === PUBLISH) this.publish(buffer, start);
    else if (type === PUBACK) this.acknowledged((buffer[start + 2]! << 8) | buffer[start + 3]!);
    else if (type === CONNACK) this.#answered?.(buffer[start + 2]!, buffer[start + 3]!);
    else if (type === SUBACK) this.#answered?.(buffer[start + 3]!, buffer[start + 4]!);
    else fail(`${this.clientId}: a packet of type ${type} came`);
  }
}

/** Gets the messages of one topic in order and acknowledges them. */
export class Subscriber extends Client {
  /** Messages received; the next one carries this number. */
  received = 0;
  /** Only messages with a smaller number are acknowledged; release() goes on with those that were held back. */
  limit = Number.POSITIVE_INFINITY;
  onReceived: () => void = () => undefined;
  #acks = Buffer.allocUnsafe(0);
  #ackLength = 0;
  readonly #heldBack: number[] = [];
  #acknowledged = 0;

  get acknowledgedCount(): number {
    return this.#acknowledged;
  }

  async subscribe(topic: string): Promise<void> {
    const [, code] = await this.ask(packet(0x82, Buffer.from([0, 1]), text(topic), Buffer.from([1])));
    if (code !== 1) fail(`${this.clientId}: the broker granted ${code} instead of QoS 1`);
  }

  /** Acknowledges what the limit allows by now. */
  release(): void {
    let count = 0;
    while (count < this.#heldBack.length && this.#acknowledged < this.limit) this.#ack(this.#heldBack[count++]!);
    if (count === 0) return;
    this.#heldBack.splice(0, count);
    this.#flush();
  }

  protected override publish(buffer: Buffer, start: number): void {
    const { bytes, id } = this.form;
    const at = start + id;
    const sequence = buffer.readUInt32BE(at + 2);
    if (buffer[start + 1] !== bytes[1]) fail(`${this.clientId}: a message of another length came`);
    if (sequence !== this.received) fail(`${this.clientId}: message ${sequence} came where ${this.received} was due`);
    this.received += 1;
    const packetId = (buffer[at]! << 8) | buffer[at + 1]!;
    if (this.#acknowledged < this.limit && this.#heldBack.length === 0) this.#ack(packetId);
    else this.#heldBack.push(packetId);
  }

  protected override acknowledged(): void {
    fail(`${this.clientId}: got an acknowledgement without a publication`);
  }

  protected override after(): void {
    this.#flush();
    this.onReceived();
  }

  #ack(packetId: number): void {
    if (this.#ackLength + SHORT > this.#acks.length) {
      this.#flush();
      this.#acks = Buffer.allocUnsafe(2048);
    }
    const at = this.#ackLength;
    this.#acks[at] = PUBACK << 4;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = packetId >> 8;
    this.#acks[at + 3] = packetId & 255;
    this.#ackLength = at + SHORT;
    this.#acknowledged += 1;
  }

  /** Sends what was put together; the rest of the buffer takes the next ones, for the socket may still hold this part. */
  #flush(): void {
    if (this.#ackLength === 0) return;
    this.write(this.#acks.subarray(0, this.#ackLength));
    this.#acks = this.#acks.subarray(this.#ackLength);
    this.#ackLength = 0;
  }
}

/** Publishes to one topic with a window of unacknowledged messages, and notes how long acknowledgements take. */
export class Publisher extends Client {
  sent = 0;
  acked = 0;
  onAcked: () => void = () => undefined;
  readonly #window: number;
  readonly #latency: Histogram;
  /** When the message of that place in the window was written, in milliseconds. */
  readonly #written: Float64Array;
  #now = 0;

  constructor(port: number, clientId: string, form: Form, window: number, latency: Histogram) {
    super(port, clientId, form);
    this.#window = window;
    this.#latency = latency;
    this.#written = new Float64Array(window);
  }

  /** Messages that the window has room for. */
  get room(): number {
    return this.#window - (this.sent - this.acked);
  }

  /** Sends so many messages in one write. */
  send(count: number): void {
    if (count <= 0) return;
    const { bytes, id } = this.form;
    const batch = Buffer.allocUnsafe(count * bytes.length);
    const now = performance.now();
    for (let i = 0, at = 0; i < count; i++, at += bytes.length) {
      batch.set(bytes, at);
      batch.writeUInt16BE((this.sent % 65_535) + 1, at + id);
      batch.writeUInt32BE(this.sent, at + id + 2);
      this.#written[this.sent % this.#window] = now;
      this.sent += 1;
    }
    this.write(batch);
  }

  protected override publish(): void {
    fail(`${this.clientId}: got a message without a subscription`);
  }

  protected override acknowledged(id: number): void {
    if (id !== (this.acked % 65_535) + 1) fail(`${this.clientId}: PUBACK ${id} came out of order`);
    if (this.#now === 0) this.#now = performance.now();
    this.#latency.add((this.#now - this.#written[this.acked % this.#window]!) * 1000);
    this.acked += 1;
  }

  protected override after(): void {
    this.#now = 0;
    this.onAcked();
  }
}
