// One peer's share of a loop turn. A chunk of 64 KiB may hold thousands of packets, and each of them may mean much work:
// many receivers, many rules, a subscription that outdates what was known. Beyond its share the peer's other packets wait
// until everybody else has had a turn.
import { performance } from 'node:perf_hooks';

/** Subscriptions that one peer's packets may visit in a turn, and the milliseconds that they may take. */
const MOST_WORK = 50_000;
const MOST_MS = 20;
/** Packets between two looks at the clock, where they are no costly ones; a power of two. */
const PACKETS_PER_LOOK = 32;

/** The share of one peer. */
export class TurnShare {
  private workBefore: number;
  /** When the clock was first looked at in this turn, 0 before: a chunk of a few cheap packets needs no clock. */
  private began: number;
  private packets: number;

  constructor() {
    this.workBefore = 0;
    this.began = 0;
    this.packets = 0;
  }

  /** A turn begins. `work` is the router's count. */
  begin(work: number): void {
    this.workBefore = work;
    this.began = 0;
  }

  /** The packet at hand may mean much work of other kinds: the clock is looked at behind it. */
  expectMuch(): void {
    if (this.began === 0) this.began = performance.now();
    this.packets |= PACKETS_PER_LOOK - 1;
  }

  /** Counts a packet; whether the share is used up. */
  isUsedUp(work: number): boolean {
    if (work - this.workBefore > MOST_WORK) return true;
    this.packets += 1;
    if ((this.packets & (PACKETS_PER_LOOK - 1)) !== 0) return false;
    // The coarse clock stands still within a turn.
    const now = performance.now();
    if (this.began === 0) this.began = now;
    return now - this.began > MOST_MS;
  }
}
