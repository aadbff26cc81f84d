// The sending side of a client's durable state: what is in flight, and how it goes on after a reconnect (section 4.4).
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../src/protocol/constants.ts';
import type { AckPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import type { Profile } from '../../src/protocol/version.ts';
import { type Connection, publishPacket } from './connection.ts';
import type { Ledger } from './ledger.ts';
import type { Message } from './message.ts';

/** A message in flight. At step 'release' the broker has it, and the packet id is to be given free. */
interface Flight {
  readonly id: number;
  readonly message: Message;
  step: 'publish' | 'release';
  /** Moment of the last packet about it on this connection; 0 if it was not sent on it. */
  sentAt: number;
}

/** Answered: at which moment the packet was sent that an acknowledgement answers. */
type Answered = (sentAt: number) => void;

export class Outgoing {
  private readonly flights = new Map<number, Flight>();
  private readonly ledger: Ledger;
  private readonly clientId: string;
  private readonly profile: Profile;
  private readonly answered: Answered;

  constructor(ledger: Ledger, clientId: string, profile: Profile, answered: Answered) {
    this.ledger = ledger;
    this.clientId = clientId;
    this.profile = profile;
    this.answered = answered;
  }

  get length(): number {
    return this.flights.size;
  }

  /** Sends a message with the lowest free packet id: the sooner an id is used again, the sooner a forgotten one is seen. */
  publish(connection: Connection, message: Message): void {
    let id = 1;
    while (this.flights.has(id)) id += 1;
    const flight: Flight = { id, message, step: 'publish', sentAt: 0 };
    this.flights.set(id, flight);
    this.send(connection, flight);
  }

  /** Sends everything again that was not acknowledged, in its order [MQTT-4.4.0-1, 4.6.0-1]. */
  resume(connection: Connection): void {
    for (const flight of this.flights.values()) this.send(connection, flight);
  }

  /** The session is gone, and with it what was in flight. What is unanswered may or may not have been heard. */
  forget(): void {
    const now = this.ledger.tick();
    for (const { message, step } of this.flights.values()) {
      if (step === 'publish') message.settledAt = Math.min(message.settledAt, now);
      message.history.push(this.ledger.line(`${this.clientId} gave it up`));
    }
    this.flights.clear();
  }

  /** What is in flight, for a report. */
  told(): string[] {
    return [...this.flights.values()].map(({ id, message, step }) => `  id ${id}, ${step}: ${message.describe()}`);
  }

  /** PUBACK, PUBREC or PUBCOMP came. */
  acknowledged(connection: Connection, packet: AckPacket): void {
    const flight = this.flights.get(packet.id);
    const expected =
      flight?.step === 'release' ? [PUBCOMP, PUBREC] : flight?.message.plan.qos === 2 ? [PUBREC] : [PUBACK];
    if (flight === undefined || flight.sentAt === 0 || !expected.includes(packet.type)) {
      const text = `${this.clientId} got an acknowledgement (type ${packet.type}, id ${packet.id}) of nothing`;
      this.ledger.fault('protocol', text, this.told());
      return;
    }
    this.answered(flight.sentAt);
    if (packet.type === PUBCOMP) {
      flight.message.history.push(this.ledger.line('PUBCOMP came'));
      this.flights.delete(packet.id);
      return;
    }
    if (flight.step === 'release') return;
    this.ledger.acknowledged(flight.message, packet.type === PUBACK ? 'PUBACK' : 'PUBREC', packet.code);
    if (packet.type === PUBACK || packet.code >= 0x80) {
      this.flights.delete(packet.id);
      return;
    }
    flight.step = 'release';
    this.send(connection, flight);
  }

  private send(connection: Connection, flight: Flight): void {
    const { message, id } = flight;
    if (flight.step === 'release') {
      flight.sentAt = this.ledger.tick();
      message.history.push(this.ledger.line(`PUBREL sent, id ${id}`));
      connection.send({ type: PUBREL, id, code: 0, properties: NO_PROPERTIES });
      return;
    }
    this.ledger.sent(message, `${this.clientId}, id ${id}`);
    flight.sentAt = message.lastSentAt;
    connection.send(publishPacket(this.profile, message.plan, message.payload, id, message.sends > 1));
  }

  /** The connection is over: what was sent on it is not answered on the next. */
  disconnected(): void {
    for (const flight of this.flights.values()) flight.sentAt = 0;
  }
}
