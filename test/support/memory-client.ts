// Clients by the thousand: each sits on one end of an in-process pair, so that a test can lead a broker turn by turn and
// without sockets. A client counts what comes, remembers nothing it is not asked to, and acknowledges as it is told.
import type { Broker } from '../../src/broker/broker.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Transport } from '../../src/net/transport.ts';
import { PINGRESP, PUBACK, PUBLISH, PUBREC, PUBREL } from '../../src/protocol/constants.ts';
import { encode } from '../../src/protocol/encode.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ConnectPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import { PublishView, readPublish } from '../../src/protocol/publish.ts';
import { MQTT311, type Profile } from '../../src/protocol/version.ts';
import { connectBytes, publishBytes } from './raw-client.ts';

const ANYTHING = new Uint32Array(16).fill(0xffff_ffff);

/** A PUBLISH that came. */
export interface Arrived {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly id: number;
  readonly retain: boolean;
}

/** One loop turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turns the loop until this is so; fails after very many turns. */
export async function turnUntil(isSo: () => boolean, what: string, most = 200_000): Promise<number> {
  for (let turns = 0; turns < most; turns++) {
    if (isSo()) return turns;
    await turn();
  }
  throw new Error(`did not happen in ${most} turns: ${what}`);
}

/** How a client behaves. */
export interface MemoryClientOptions extends Partial<ConnectPacket> {
  /** Called for each PUBLISH, before it is acknowledged. */
  readonly onPublish?: (message: Arrived) => void;
  /** false: nothing is acknowledged but by acknowledge(). */
  readonly acknowledges?: boolean;
}

/** A client. */
export class MemoryClient {
  readonly transport: Transport;
  /** Packets that came, by type. */
  readonly counts = new Uint32Array(16);
  isOver = false;
  /** Identifiers of QoS 1 messages that wait for acknowledge(). */
  readonly unacknowledged: number[] = [];
  private readonly profile: Profile;
  private readonly framer = new Framer(ANYTHING);
  private readonly view = new PublishView();
  private readonly options: MemoryClientOptions;

  constructor(broker: Broker, clientId: string, options: MemoryClientOptions = {}) {
    this.options = options;
    this.profile = options.profile ?? MQTT311;
    const [ours, theirs] = memoryPair();
    this.transport = ours;
    broker.accept(theirs);
    ours.attach({
      receive: (chunk) => this.receive(chunk),
      writable: () => undefined,
      closed: () => {
        this.isOver = true;
      },
    });
    const { onPublish: _, acknowledges: __, ...fields } = options;
    ours.write(connectBytes(clientId, { ...fields, profile: this.profile }));
  }

  get publishes(): number {
    return this.counts[PUBLISH]!;
  }

  get pongs(): number {
    return this.counts[PINGRESP]!;
  }

  get pubacks(): number {
    return this.counts[PUBACK]!;
  }

  subscribe(filters: readonly string[], qos = 0): void {
    const subscriptions = filters.map((filter) => {
      return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    });
    this.send(encode(this.profile, { type: 8, id: 1, subscriptions, properties: NO_PROPERTIES }));
  }

  unsubscribe(filter: string): void {
    this.send(encode(this.profile, { type: 10, id: 2, filters: [filter], properties: NO_PROPERTIES }));
  }

  publish(topic: string, payload: string | Buffer, qos = 0, id = 1, retain = false): void {
    const bytes = publishBytes(this.profile, topic, payload, qos, id);
    if (retain) bytes[0]! |= 1;
    this.send(bytes);
  }

  ping(): void {
    this.send(Buffer.from([0xc0, 0]));
  }

  /** Acknowledges the oldest QoS 1 messages that wait for it. */
  acknowledge(most: number): void {
    for (const id of this.unacknowledged.splice(0, most)) this.answer(PUBACK << 4, id);
  }

  send(bytes: Buffer): void {
    this.transport.write(bytes);
  }

  /** Stops reading. */
  stall(): void {
    this.transport.pause();
  }

  /** Breaks the line. */
  drop(): void {
    this.transport.destroy();
  }

  private answer(first: number, id: number): void {
    this.transport.write(Buffer.from([first, 2, id >> 8, id & 0xff]));
  }

  private receive(chunk: Buffer): void {
    this.framer.push(chunk, {
      frame: (buffer, first, start, end) => {
        this.frame(buffer, first, start, end);
        return true;
      },
    });
  }

  private frame(buffer: Buffer, first: number, start: number, end: number): void {
    const type = first >> 4;
    this.counts[type]! += 1;
    if (type === PUBREC) this.answer((PUBREL << 4) | 2, buffer.readUInt16BE(start));
    if (type !== PUBLISH) return;
    const { view, options } = this;
    readPublish(view, this.profile.hasProperties, true, buffer, first, start, end);
    options.onPublish?.({
      topic: buffer.toString('utf8', view.topicStart, view.topicEnd),
      payload: buffer.toString('latin1', view.payloadStart, Math.min(end, view.payloadStart + 20)),
      qos: view.qos,
      id: view.id,
      retain: (first & 1) !== 0,
    });
    if (view.qos !== 1) return;
    if (options.acknowledges === false) this.unacknowledged.push(view.id);
    else this.answer(PUBACK << 4, view.id);
  }
}
