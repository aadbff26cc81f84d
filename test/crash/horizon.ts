// What the broker must remember after a crash although it never acknowledged it.
//
// Some things have no acknowledgement: a subscriber's PUBACK or PUBCOMP, a DISCONNECT. They may be lost in a crash if it
// follows at once. The rule here says from when on they must not be:
//   1. A claim is "processed" when the same connection got an answer to something that it sent later, for a broker handles
//      the packets of a connection in their order.
//   2. A processed claim is "durable" when anybody got PUBACK or PUBREC, of success, for a message that was sent for the
//      first time after that moment and goes to a durable session: the log of the broker is written in order, so what was
//      noted before the message is on the disk when the message is.
// A claim that was not durable when the broker was killed stays in doubt for ever.

/** Something that a client told the broker. */
export interface Claim {
  readonly sentAt: number;
  /** The broker's life in which it was sent. */
  readonly life: number;
  /** Moment at which it was known to be processed; 0 while it is not. */
  processedAt: number;
  isDurable: boolean;
}

/** The claims of one connection that nothing proves yet. */
export class Unproven {
  private waiting: Claim[] = [];
  private readonly horizon: Horizon;

  constructor(horizon: Horizon) {
    this.horizon = horizon;
  }

  /** Notes that something was told to the broker now. */
  claim(now: number, life: number): Claim {
    const claim = { sentAt: now, life, processedAt: 0, isDurable: false };
    this.waiting.push(claim);
    return claim;
  }

  /** An answer came to what was sent at this moment. */
  answered(sentAt: number, now: number): void {
    let count = 0;
    while (count < this.waiting.length && this.waiting[count]!.sentAt < sentAt) count += 1;
    if (count === 0) return;
    for (const claim of this.waiting.splice(0, count)) this.horizon.processed(claim, now);
  }

  /** The broker closed the connection because of what it was told last: it has read everything. */
  closedByBroker(now: number): void {
    for (const claim of this.waiting.splice(0)) this.horizon.processed(claim, now);
  }
}

/** All claims that are processed and not durable, in order. */
export class Horizon {
  private waiting: Claim[] = [];

  processed(claim: Claim, now: number): void {
    claim.processedAt = now;
    this.waiting.push(claim);
  }

  /** An acknowledgement came that waits for the disk, for a message first sent at this moment. */
  durable(sentAt: number): void {
    let count = 0;
    while (count < this.waiting.length && this.waiting[count]!.processedAt < sentAt) count += 1;
    if (count === 0) return;
    for (const claim of this.waiting.splice(0, count)) claim.isDurable = true;
  }

  /** The broker is gone: what is not proven now never will be. */
  lost(): void {
    this.waiting = [];
  }
}

/** Whether the broker of this life must know of it. */
export function isKnown(claim: Claim, life: number): boolean {
  return claim.isDurable || (claim.processedAt > 0 && claim.life === life);
}
