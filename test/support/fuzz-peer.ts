// A client that keeps the rules, answers as it is told to, and holds the broker to its own rules: whatever the broker must
// not send is a fault.
import {
  AUTH,
  CONNACK,
  DISCONNECT,
  MAX_PACKET_ID,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  UNSUBACK,
} from '../../src/protocol/constants.ts';
import { decode } from '../../src/protocol/decode.ts';
import { encode } from '../../src/protocol/encode.ts';
import { Framer } from '../../src/protocol/framer.ts';
import type { ConnackPacket, ConnectPacket, ControlPacket } from '../../src/protocol/packets.ts';
import { PublishView, publishProperties, readPublish } from '../../src/protocol/publish.ts';
import { topicNameFault } from '../../src/protocol/topic.ts';
import type { Profile } from '../../src/protocol/version.ts';
import type { PublishParts } from './fuzz-packets.ts';
import type { Pipe } from './fuzz-pipe.ts';

/** A message as it came, its topic alias resolved. */
export type Delivery = PublishParts;

/** What is not acknowledged: everything is; nothing is; the last acknowledgement is held back. */
export type Holds = 'nothing' | 'acks' | 'completions';

/** A message that the broker waits for an acknowledgement of. */
interface Pending {
  readonly qos: number;
  /** Its PUBREC is sent. */
  received: boolean;
  /** Its PUBREL has come. */
  released: boolean;
}

/** What only a server sends. */
const FROM_SERVER = new Uint32Array(16);
for (const type of [CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, DISCONNECT, AUTH]) {
  FROM_SERVER[type] = 268_435_460;
}

/** A connection of a client that keeps the rules. */
export class FuzzPeer {
  readonly pipe: Pipe;
  readonly profile: Profile;
  readonly connect: ConnectPacket;
  connack: ConnackPacket | null = null;
  holds: Holds = 'nothing';
  isOver = false;
  /** What came, as far as nobody took it. */
  deliveries: Delivery[] = [];
  answers: ControlPacket[] = [];
  releases: number[] = [];
  /** Rules that the broker broke. */
  readonly faults: string[] = [];
  readonly pending = new Map<number, Pending>();
  /** Packets that came. */
  count = 0;
  private readonly framer = new Framer(FROM_SERVER);
  private readonly aliases = new Map<number, string>();
  private hasGoodbye = false;

  constructor(pipe: Pipe, connect: ConnectPacket) {
    this.pipe = pipe;
    this.profile = connect.profile;
    this.connect = connect;
    pipe.attach(
      (chunk) => this.receive(chunk),
      () => (this.isOver = true),
    );
    this.send(connect);
  }

  send(packet: ControlPacket | Buffer): void {
    this.pipe.send(Buffer.isBuffer(packet) ? packet : encode(this.profile, packet));
  }

  /** Acknowledges what was held back of one message, as far as the broker's next packet allows. */
  acknowledge(id: number, code = 0): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    if (pending.qos === 1) {
      this.pending.delete(id);
      this.ack(PUBACK, id, code);
    } else if (pending.released) {
      this.pending.delete(id);
      this.ack(PUBCOMP, id, 0);
    } else if (!pending.received) {
      // A refused message has no PUBREL (section 4.3.3).
      if (code >= 0x80) this.pending.delete(id);
      pending.received = true;
      this.ack(PUBREC, id, code);
    }
  }

  /** Takes the answer of a type, with an identifier where one is given; null if it has not come. */
  take(type: number, id?: number): ControlPacket | null {
    const at = this.answers.findIndex(
      (one) => one.type === type && (id === undefined || ('id' in one && one.id === id)),
    );
    return at < 0 ? null : this.answers.splice(at, 1)[0]!;
  }

  /** A ping, to be taken later. */
  ping(): void {
    this.send({ type: PINGREQ });
  }

  private ack(type: typeof PUBACK | typeof PUBREC | typeof PUBCOMP, id: number, code: number): void {
    this.send({ type, id, code, properties: {} });
  }

  private receive(chunk: Buffer): void {
    try {
      this.framer.push(chunk, {
        frame: (buffer, first, start, end) => {
          this.count += 1;
          this.rule(!this.hasGoodbye, 'a packet came after DISCONNECT');
          this.rule(this.connack !== null || [CONNACK, AUTH].includes(first >> 4), 'a packet came before CONNACK');
          const most = this.connect.properties.maximumPacketSize;
          this.rule(
            most === undefined || end - start + 2 <= most,
            'a packet is larger than the maximum [MQTT-3.1.2-24]',
          );
          if (first >> 4 === PUBLISH) this.onPublish(buffer, first, start, end);
          else this.onControl(decode(this.profile, buffer, first, start, end));
          return true;
        },
      });
    } catch (error) {
      this.faults.push(`what came can't be read: ${(error as Error).message} [${chunk.toString('hex', 0, 100)}]`);
    }
  }

  private onPublish(buffer: Buffer, first: number, start: number, end: number): void {
    const view = new PublishView();
    readPublish(view, this.profile.hasProperties, true, buffer, first, start, end);
    const { topicAlias, ...properties } = publishProperties(view);
    const delivery: Delivery = {
      topic: this.resolve(buffer.toString('utf8', view.topicStart, view.topicEnd), topicAlias),
      payload: Buffer.from(buffer.subarray(view.payloadStart, end)),
      qos: view.qos,
      retain: (first & 1) !== 0,
      dup: (first & 8) !== 0,
      id: view.id,
      properties,
    };
    this.deliveries.push(delivery);
    if (view.qos === 0) return;
    const { id } = view;
    this.rule(!this.pending.has(id), `the packet identifier ${id} is in use [MQTT-2.2.1-4]`);
    const mayRepeat = !this.profile.hasSessionPresent || this.connack?.sessionPresent === true;
    this.rule(!delivery.dup || mayRepeat, 'DUP is set although there was no session');
    this.pending.set(id, { qos: view.qos, received: false, released: false });
    const unacknowledged = this.pending.size;
    const most = this.connect.properties.receiveMaximum ?? MAX_PACKET_ID;
    this.rule(unacknowledged <= most, `${unacknowledged} messages are unacknowledged, ${most} allowed [MQTT-3.3.4-9]`);
    if (this.holds === 'nothing' || (this.holds === 'completions' && view.qos === 2)) this.acknowledge(id);
  }

  private resolve(topic: string, alias: number | undefined): string {
    if (alias === undefined) {
      this.rule(topicNameFault(topic) === null, `'${topic}' is no topic name`);
      return topic;
    }
    const most = this.connect.properties.topicAliasMaximum ?? 0;
    this.rule(alias <= most, `topic alias ${alias} is above the ${most} allowed [MQTT-3.1.2-26]`);
    if (topic !== '') this.aliases.set(alias, topic);
    const known = this.aliases.get(alias);
    this.rule(known !== undefined, `topic alias ${alias} was never set`);
    return known ?? '';
  }

  private onControl(packet: ControlPacket): void {
    switch (packet.type) {
      case CONNACK:
        this.rule(this.connack === null, 'a second CONNACK came [MQTT-3.2.0-2]');
        this.rule(packet.code === 0 || !packet.sessionPresent, 'a refusal has session present [MQTT-3.2.2-6]');
        this.connack = packet;
        break;
      case PUBREL:
        this.onRelease(packet.id);
        break;
      case DISCONNECT:
      case AUTH:
        this.rule(this.profile.hasProperties, `a packet of type ${packet.type} came in a version that has none`);
        this.hasGoodbye = packet.type === DISCONNECT;
        this.answers.push(packet);
        break;
      default:
        this.answers.push(packet);
    }
  }

  private onRelease(id: number): void {
    this.releases.push(id);
    const pending = this.pending.get(id);
    // After a reconnect a PUBREL may come for a message of the last connection.
    this.pending.set(id, { qos: 2, received: true, released: true });
    this.rule(pending === undefined || pending.received, `PUBREL ${id} came before PUBREC was sent`);
    if (this.holds !== 'completions') this.acknowledge(id);
  }

  private rule(holds: boolean, sentence: string): void {
    if (!holds) this.faults.push(sentence);
  }
}
