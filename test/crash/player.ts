// One client of the load, with a durable state of its own that survives the broker as a real client's would.
import { CONNACK, DISCONNECT, NEVER_EXPIRES, PUBREL } from '../../src/protocol/constants.ts';
import type { AckPacket, ConnackPacket, ConnectPacket, ControlPacket, Will } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES, type Properties } from '../../src/protocol/properties.ts';
import { MQTT5, type Profile } from '../../src/protocol/version.ts';
import { Connection, type Delivery } from './connection.ts';
import { Unproven } from './horizon.ts';
import { Incoming } from './incoming.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './message.ts';
import { Outgoing } from './outgoing.ts';
import { Presence } from './presence.ts';
import { Requests } from './requests.ts';
import { SessionRecord } from './session-record.ts';
import type { WillRecord } from './will-ledger.ts';

/** How a client connects. */
export interface Joining {
  readonly cleanStart: boolean;
  /** Seconds; 0 ends the session with the connection, NEVER_EXPIRES never. 3.1.1 has these two only. */
  readonly expiry: number;
  readonly receiveMaximum: number | null;
  readonly will: { readonly message: Message; readonly delay: number } | null;
}

const KEEP_ALIVE_S = 600;
const MOST_LINES = 80;

export class Player {
  readonly id: string;
  readonly profile: Profile;
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly requests: Requests;
  readonly history: string[] = [];
  session: SessionRecord | null = null;
  /** CONNACK came on the present connection. */
  isJoined = false;
  private readonly ledger: Ledger;
  private readonly presence: Presence;
  private connection: Connection | null = null;
  private unproven: Unproven;
  private joining: Joining | null = null;
  private will: WillRecord | null = null;
  private ending: 'no' | 'farewell' | 'drop' = 'no';
  private joined: ((isJoined: boolean) => void) | null = null;

  constructor(ledger: Ledger, id: string, profile: Profile) {
    this.ledger = ledger;
    this.id = id;
    this.profile = profile;
    this.presence = new Presence(ledger);
    this.unproven = new Unproven(ledger.horizon);
    this.incoming = new Incoming(ledger, id);
    const answered = (sentAt: number): void => this.unproven.answered(sentAt, ledger.tick());
    this.outgoing = new Outgoing(ledger, id, profile, answered);
    this.requests = new Requests(ledger, this, answered);
  }

  /** Whether there is a connection, joined or not. */
  get isConnected(): boolean {
    return this.connection !== null;
  }

  /** DISCONNECT was sent, and the broker has not closed the connection yet. */
  get isLeaving(): boolean {
    return this.connection !== null && this.ending === 'farewell';
  }

  /** Connects; false when the connection ended before CONNACK. */
  join(port: number, wish: Joining): Promise<boolean> {
    const { ledger } = this;
    this.ending = 'no';
    this.unproven = new Unproven(ledger.horizon);
    let joining = wish;
    let expected: 'yes' | 'no' | 'either' = 'either';
    return new Promise((resolve) => {
      this.joined = resolve;
      const connection = new Connection(
        port,
        this.profile,
        {
          packet: (packet) => {
            if (packet.type === CONNACK) this.connack(packet, expected === 'yes' ? 'yes' : 'no');
            else this.packet(connection, packet);
            ledger.waiting.wake();
          },
          delivery: (delivery) => this.delivery(connection, delivery),
          closed: (fault) => this.closed(fault),
        },
        () => {
          expected = this.presence.expected(wish.cleanStart);
          if (expected === 'either') {
            // Session present would not tell whether it is the session that the client knows: it begins anew.
            joining = { ...wish, cleanStart: true, expiry: this.profile.hasProperties ? wish.expiry : 0 };
            expected = 'no';
          }
          this.joining = joining;
          this.note(`CONNECT${joining.cleanStart ? ' (clean)' : ''}, expiry ${joining.expiry}`);
          const { will } = joining;
          this.will = ledger.wills.connecting(this.id, will?.message ?? null, will?.delay ?? 0);
          if (joining.cleanStart && this.session !== null) this.session.endAskedAt = ledger.tick();
          this.presence.connecting(expected, joining.cleanStart);
          connection.send(connectPacket(this.id, this.profile, joining));
        },
      );
      this.connection = connection;
    });
  }

  publish(message: Message): void {
    if (this.connection !== null) this.outgoing.publish(this.connection, message);
  }

  send(packet: ControlPacket): void {
    this.connection?.send(packet);
  }

  /** Leaves properly; resolves when the broker has closed the connection. MQTT 5 may change the session's expiry. */
  async leave(expiry: number | null): Promise<void> {
    const { connection, ledger } = this;
    if (connection === null || !this.isJoined) return;
    this.incoming.catchUp();
    this.ending = 'farewell';
    const claim = this.unproven.claim(ledger.tick(), ledger.life);
    const last = expiry ?? this.joining!.expiry;
    this.note(`DISCONNECT, expiry ${last}`);
    this.presence.disconnecting(last, claim);
    if (last === 0 && this.session !== null) this.session.endAskedAt = claim.sentAt;
    if (this.will !== null) ledger.wills.disconnecting(this.will, claim);
    const properties = expiry === null || !this.profile.hasProperties ? NO_PROPERTIES : { sessionExpiryInterval: last };
    connection.send({ type: DISCONNECT, code: 0, properties });
    connection.end();
    const isClosed = await ledger.waiting.until(() => this.connection !== connection, 10_000);
    if (!isClosed) ledger.fault('stuck', `${this.id} sent DISCONNECT and was not let go for 10 s`, this.history);
  }

  /** Breaks the connection. */
  drop(): void {
    if (this.connection === null) return;
    this.ending = 'drop';
    this.note('breaks the connection');
    if (this.will !== null) this.ledger.wills.dropped(this.will);
    this.connection.destroy();
  }

  note(text: string): void {
    this.history.push(this.ledger.line(`${this.id}: ${text}`));
    if (this.history.length > MOST_LINES) this.history.shift();
  }

  private connack(packet: ConnackPacket, expected: 'yes' | 'no'): void {
    const { ledger, joining } = this;
    if (joining === null) return;
    this.note(`CONNACK, code ${packet.code}, session present ${packet.sessionPresent}`);
    if (packet.code >= 0x80) {
      // A full disk makes the broker refuse those whose session it can't note.
      ledger.counts.refused += 1;
      this.connection?.destroy();
      return;
    }
    this.requests.answeredConnect(ledger.tick());
    this.judgeSession(packet.sessionPresent, expected);
    if (!packet.sessionPresent || this.session === null) {
      this.session = new SessionRecord(ledger, this.id, joining.expiry > 0);
      this.outgoing.forget();
      this.incoming.forget();
    }
    this.session.endAskedAt = 0;
    this.presence.connected(joining.expiry);
    // Only the CONNACK of a session that lasts waits for the disk.
    let arrival = null;
    if (this.will !== null && joining.expiry === 0) {
      arrival = { sentAt: ledger.tick(), life: ledger.life, processedAt: 0, isDurable: false };
      ledger.horizon.processed(arrival, ledger.tick());
    }
    ledger.wills.connected(this.id, this.will, packet.sessionPresent, arrival);
    this.isJoined = true;
    this.outgoing.resume(this.connection!);
    this.joined?.(true);
    this.joined = null;
  }

  private judgeSession(isPresent: boolean, expected: 'yes' | 'no'): void {
    if (isPresent === (expected === 'yes')) return;
    const what = isPresent ? 'was given a session that had ended' : 'was not given its session back';
    this.ledger.fault('session', `${this.id} ${what}`, this.history);
    if (isPresent || this.session === null) return;
    for (const message of this.session.missing()) {
      const text = `${message.describe()} did not reach ${this.id}, whose session is gone`;
      this.ledger.fault('lost', text, this.session.told(message));
    }
  }

  private packet(connection: Connection, packet: ControlPacket): void {
    if (packet.type === DISCONNECT) this.note(`DISCONNECT came, reason 0x${packet.code.toString(16)}`);
    else if (packet.type === PUBREL) this.incoming.released(connection, this.unproven, packet);
    else if (!this.requests.answered(packet)) this.outgoing.acknowledged(connection, packet as AckPacket);
  }

  private delivery(connection: Connection, delivery: Delivery): void {
    if (this.session === null || !this.isJoined) {
      this.ledger.fault('protocol', `${this.id} got PUBLISH before CONNACK`, this.history);
      return;
    }
    this.incoming.delivery(connection, this.unproven, this.session, delivery);
    this.ledger.waiting.wake();
  }

  private closed(fault: string | null): void {
    const { ledger } = this;
    const wasJoined = this.isJoined;
    this.connection = null;
    this.isJoined = false;
    if (fault !== null) ledger.fault('protocol', `${this.id} got what is no MQTT: ${fault}`, this.history);
    if (wasJoined) {
      this.note('the connection is over');
      if (this.ending === 'farewell' && !ledger.isDying) this.unproven.closedByBroker(ledger.tick());
      if (this.ending === 'no' && !ledger.isDying) {
        ledger.fault('broker', `the broker closed the connection of ${this.id}`, this.history);
      }
      this.presence.disconnected();
    }
    this.outgoing.disconnected();
    this.incoming.disconnected();
    this.requests.disconnected();
    if (this.joining?.expiry === 0) this.outgoing.forget();
    this.joined?.(false);
    this.joined = null;
    ledger.waiting.wake();
  }
}

function connectPacket(clientId: string, profile: Profile, joining: Joining): ConnectPacket {
  const { cleanStart, expiry, receiveMaximum } = joining;
  const properties: Properties = {};
  if (profile === MQTT5) {
    if (expiry > 0) properties.sessionExpiryInterval = expiry;
    if (receiveMaximum !== null) properties.receiveMaximum = receiveMaximum;
  } else if (cleanStart !== (expiry === 0))
    throw new Error(`${clientId}: 3.1.1 ties clean session and expiry together`);
  return {
    type: 1,
    profile,
    bridge: false,
    clientId,
    cleanStart,
    keepAlive: KEEP_ALIVE_S,
    username: null,
    password: null,
    will: joining.will === null ? null : willOf(profile, joining.will),
    properties: expiry === NEVER_EXPIRES && !profile.hasProperties ? NO_PROPERTIES : properties,
  };
}

function willOf(profile: Profile, { message, delay }: NonNullable<Joining['will']>): Will {
  const { topic, qos, retain } = message.plan;
  const properties = profile.hasProperties && delay > 0 ? { willDelayInterval: delay } : NO_PROPERTIES;
  return { topic, payload: message.payload, qos, retain, properties };
}
