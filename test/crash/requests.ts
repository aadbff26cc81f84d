// What a client asks for and is answered: subscriptions made and removed, and pings. What was not answered when the
// connection ended is asked for again on the next one.
import { PINGREQ, PINGRESP, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } from '../../src/protocol/constants.ts';
import type { ControlPacket } from '../../src/protocol/packets.ts';
import { NO_PROPERTIES } from '../../src/protocol/properties.ts';
import type { Ledger } from './ledger.ts';
import type { Player } from './player.ts';
import type { Subscribed } from './session-record.ts';

/** Ids of requests, out of the way of messages. */
const FIRST_ID = 40_000;
const LAST_ID = 60_000;

interface Request {
  readonly filter: string;
  /** The subscription that SUBACK acknowledges; null for UNSUBSCRIBE. */
  readonly subscribed: Subscribed | null;
  readonly sentAt: number;
}

export class Requests {
  /** The filters that the client means to have, with their QoS. */
  readonly wanted = new Map<string, number>();
  private readonly ledger: Ledger;
  private readonly player: Player;
  private readonly onAnswer: (sentAt: number) => void;
  private readonly pending = new Map<number, Request>();
  private readonly pings: number[] = [];
  private nextId = FIRST_ID;

  constructor(ledger: Ledger, player: Player, onAnswer: (sentAt: number) => void) {
    this.ledger = ledger;
    this.player = player;
    this.onAnswer = onAnswer;
  }

  /** Whether everything was answered. */
  get isIdle(): boolean {
    return this.pending.size === 0 && this.pings.length === 0;
  }

  /** Whether the broker acknowledged everything that is wanted, and the removal of everything that is not. */
  get isSettled(): boolean {
    const { session } = this.player;
    if (session === null || !this.isIdle) return false;
    const there = session.subscriptions.filter(({ removedAt }) => removedAt === Number.POSITIVE_INFINITY);
    return (
      there.every(({ filter }) => this.wanted.has(filter)) &&
      [...this.wanted.keys()].every((filter) => there.some((one) => one.filter === filter && isSure(one)))
    );
  }

  /** Asks for what is wanted and not sure, and for the removal of what is not wanted. */
  settle(): void {
    const { session } = this.player;
    if (session === null || !this.player.isJoined) return;
    for (const [filter, qos] of this.wanted) {
      const isThere = session.subscriptions.some((one) => one.filter === filter && isSure(one));
      if (!isThere && !this.isAsked(filter)) this.subscribe(filter, qos);
    }
    const odd = session.subscriptions.filter((one) => one.removedAt === Number.POSITIVE_INFINITY);
    for (const filter of new Set(odd.map((one) => one.filter))) {
      if (!this.wanted.has(filter) && !this.isAsked(filter)) this.unsubscribe(filter);
    }
  }

  ping(): void {
    if (!this.player.isJoined) return;
    this.pings.push(this.ledger.tick());
    this.player.send({ type: PINGREQ });
  }

  /** Whether the packet was an answer to a request. */
  answered(packet: ControlPacket): boolean {
    if (packet.type === PINGRESP) {
      const sentAt = this.pings.shift();
      if (sentAt !== undefined) this.onAnswer(sentAt);
      return true;
    }
    if (packet.type !== SUBACK && packet.type !== UNSUBACK) return false;
    const request = this.pending.get(packet.id);
    if (request === undefined || (request.subscribed === null) !== (packet.type === UNSUBACK)) {
      const text = `${this.player.id} got an answer (type ${packet.type}, id ${packet.id}) to no request`;
      this.ledger.fault('protocol', text, this.player.history);
      return true;
    }
    this.pending.delete(packet.id);
    this.onAnswer(request.sentAt);
    this.conclude(request, packet.codes[0] ?? 0);
    return true;
  }

  /** CONNACK came, at this moment. */
  answeredConnect(now: number): void {
    this.onAnswer(now);
  }

  disconnected(): void {
    this.pending.clear();
    this.pings.length = 0;
  }

  private conclude({ filter, subscribed }: Request, code: number): void {
    const { session } = this.player;
    this.player.note(`${subscribed === null ? 'UNSUBACK' : 'SUBACK'} for ${filter}, code ${code}`);
    if (code >= 0x80) {
      this.ledger.counts.refused += 1;
      return;
    }
    if (subscribed === null) session?.removed(filter);
    else subscribed.ackedAt = this.ledger.tick();
  }

  private isAsked(filter: string): boolean {
    return [...this.pending.values()].some((one) => one.filter === filter);
  }

  private subscribe(filter: string, qos: number): void {
    const subscribed = this.player.session!.subscribing(filter, qos);
    this.player.note(`SUBSCRIBE ${filter}, QoS ${qos}`);
    const id = this.ask({ filter, subscribed, sentAt: subscribed.askedAt });
    const request = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    this.player.send({ type: SUBSCRIBE, id, subscriptions: [request], properties: NO_PROPERTIES });
  }

  private unsubscribe(filter: string): void {
    this.player.session!.removing(filter);
    this.player.note(`UNSUBSCRIBE ${filter}`);
    const id = this.ask({ filter, subscribed: null, sentAt: this.ledger.tick() });
    this.player.send({ type: UNSUBSCRIBE, id, filters: [filter], properties: NO_PROPERTIES });
  }

  private ask(request: Request): number {
    this.nextId = this.nextId === LAST_ID ? FIRST_ID : this.nextId + 1;
    this.pending.set(this.nextId, request);
    return this.nextId;
  }
}

/** Whether a subscription is acknowledged and nobody asked for its removal. */
function isSure(one: Subscribed): boolean {
  return one.ackedAt > 0 && one.removalAskedAt === 0 && one.removedAt === Number.POSITIVE_INFINITY;
}
