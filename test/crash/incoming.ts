// The receiving side of a client's durable state: the QoS 2 ids that were received and not released, and acknowledgements
// that the client holds back for a while.
import { PUBACK, PUBCOMP, PUBREC } from '../../src/protocol/constants.ts';
import type { AckPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import type { Connection, Delivery } from './connection.ts';
import type { Unproven } from './horizon.ts';
import type { Ledger } from './ledger.ts';
import { serialOf } from './message.ts';
import type { Got, SessionRecord } from './session-record.ts';

export class Incoming {
  /** How many acknowledgements are held back before they are sent, all in their order. 0 holds none back. */
  holds = 0;
  /** The serial number of what was received with each QoS 2 id. */
  private readonly received = new Map<number, { readonly serial: number; readonly got: Got | null }>();
  private readonly heldBack: (() => void)[] = [];
  private readonly ledger: Ledger;
  private readonly clientId: string;

  constructor(ledger: Ledger, clientId: string) {
    this.ledger = ledger;
    this.clientId = clientId;
  }

  /** The session is gone. */
  forget(): void {
    this.received.clear();
    this.heldBack.length = 0;
  }

  /** The connection is over; acknowledgements that were held back are not sent on the next. */
  disconnected(): void {
    this.heldBack.length = 0;
  }

  delivery(connection: Connection, unproven: Unproven, session: SessionRecord, delivery: Delivery): void {
    if (delivery.qos === 0) {
      session.receive(delivery);
      return;
    }
    if (delivery.qos === 1) {
      const got = session.receive(delivery);
      this.answer(connection, () => {
        const claim = unproven.claim(this.ledger.tick(), this.ledger.life);
        got?.claims.push(claim);
        connection.send({ type: PUBACK, id: delivery.id, code: 0, properties: NO_PROPERTIES });
      });
      return;
    }
    const serial = serialOf(delivery.payload);
    const before = this.received.get(delivery.id);
    if (before === undefined) {
      this.received.set(delivery.id, { serial, got: session.receive(delivery) });
    } else if (before.serial !== serial) {
      const message = this.ledger.messages[serial];
      const text = `${this.clientId} got message ${serial} with id ${delivery.id}, which belongs to message ${before.serial} until PUBREL`;
      this.ledger.fault('protocol', text, [
        ...(message?.history ?? []),
        ...(this.ledger.messages[before.serial]?.history ?? []),
      ]);
    }
    this.answer(connection, () =>
      connection.send({ type: PUBREC, id: delivery.id, code: 0, properties: NO_PROPERTIES }),
    );
  }

  /** PUBREL came; one for an id that is not known is answered just as well (section 4.3.3). */
  released(connection: Connection, unproven: Unproven, packet: AckPacket): void {
    const before = this.received.get(packet.id);
    this.received.delete(packet.id);
    this.answer(connection, () => {
      const claim = unproven.claim(this.ledger.tick(), this.ledger.life);
      before?.got?.claims.push(claim);
      connection.send({ type: PUBCOMP, id: packet.id, code: 0, properties: NO_PROPERTIES });
    });
  }

  /** Sends what was held back. */
  catchUp(): void {
    for (const send of this.heldBack.splice(0)) send();
  }

  private answer(connection: Connection, send: () => void): void {
    // What comes behind the client's own DISCONNECT is received, and not acknowledged.
    if (!connection.isOpen) return;
    this.heldBack.push(send);
    if (this.heldBack.length > this.holds) this.catchUp();
  }
}
