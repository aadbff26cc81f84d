// Whether the broker must have a client's session: what was said about its end, and how long it may stay without the client.
import { NEVER_EXPIRES } from '../../src/protocol/constants.ts';
import { type Claim, isKnown } from './horizon.ts';
import type { Ledger } from './ledger.ts';

/** Whole seconds are rounded, the broker's clock is coarse, and the machine may be busy. */
const SLACK_MS = 2500;

export class Presence {
  private readonly ledger: Ledger;
  /** Whether there was ever a session that was not ended for sure; 'doubt' before the first CONNACK. */
  private state: 'none' | 'doubt' | 'there' = 'none';
  /** Seconds for which the session stays without its client. */
  private expiry = 0;
  /** What was sent last that ends the session, as a claim where that is told in other ways than by CONNACK. */
  private end: Claim | null = null;
  private isConnected = false;
  /** When the client went: wall-clock milliseconds, the broker's life, and the claim that the broker knows it. */
  private goneMs = 0;
  private goneLife = 0;
  private goneClaim: Claim | null = null;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Whether session present must be set in the CONNACK to a CONNECT that is sent now. */
  expected(cleanStart: boolean): 'yes' | 'no' | 'either' {
    if (cleanStart || this.state === 'none') return 'no';
    if (this.end !== null && isKnown(this.end, this.ledger.life)) return 'no';
    if (this.state === 'doubt' || this.end !== null) return 'either';
    if (this.expiry === NEVER_EXPIRES) return 'yes';
    // A session without expiry that is still connected as far as the broker knows is taken over, and so is there.
    if (this.expiry === 0) return this.goneLife < this.ledger.life && !this.isConnected ? 'no' : 'either';
    const now = Date.now();
    const isSure = this.goneClaim !== null && isKnown(this.goneClaim, this.ledger.life);
    const latest = isSure || this.goneLife === this.ledger.life ? this.goneMs : this.ledger.upSince;
    if (now > latest + this.expiry * 1000 + SLACK_MS) return 'no';
    return now < this.goneMs + this.expiry * 1000 - SLACK_MS ? 'yes' : 'either';
  }

  /** CONNECT goes out, with this expectation. Until CONNACK comes it may have been heard or not. */
  connecting(expected: 'yes' | 'no' | 'either', cleanStart: boolean): void {
    if (cleanStart || expected !== 'yes') {
      this.state = 'doubt';
      this.end = null;
    }
    this.goneClaim = null;
    this.goneLife = this.ledger.life;
  }

  connected(expiry: number): void {
    this.state = 'there';
    this.expiry = expiry;
    this.end = null;
    this.goneClaim = null;
    this.isConnected = true;
  }

  /** DISCONNECT went out; `expiry` is the new one. */
  disconnecting(expiry: number, claim: Claim): void {
    if (expiry === 0) this.end = claim;
    this.expiry = expiry;
    this.goneClaim = claim;
  }

  disconnected(): void {
    this.isConnected = false;
    this.goneMs = Date.now();
    this.goneLife = this.ledger.life;
  }
}
