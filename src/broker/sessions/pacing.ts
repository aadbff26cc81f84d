// Pacing of publishers. A client that takes its messages, only a little more slowly than they come, would lose some of them
// when its queue is full. So while such a queue is above its mark, who publishes into it is not read from for a moment: its
// bytes wait in its socket, as they would with a slower broker.
//
// A subscriber must not be able to delay anybody for long. It is trusted only if it has been taking messages; its queue has
// 0.2 seconds, rounded up to a tick, to fall to the lower mark, or the trust is spent until the client has taken thousands
// of messages more; and no publisher is held for more than four fifths of any second, whoever does it. So who never reads
// holds nobody, who stops reading does it once, and two clients that wait for each other do so until the tick.
import { monotonicNow } from '../../util/clock.ts';
import type { Wheel, WheelEntry } from '../../util/wheel.ts';

/** A connection that can be read from later. */
export interface Pausable {
  pause(reason: number): void;
  resume(reason: number): void;
}

/** Milliseconds that a brake holds at most, up to the tick that follows. */
const HOLD_MS = 200;
/** Milliseconds of each second that one publisher may be held. */
const BUDGET_MS = 800;
const SECOND_MS = 1000;

/** Who publishes now, and how long each was held. */
export class Pacing {
  readonly wheel: Wheel;
  /** What publishers are told why. */
  readonly reason: number;
  /** The connection whose message is being routed; null for the broker's own. */
  publisher: Pausable | null;
  private readonly heldMs: Map<Pausable, number>;
  private second: number;
  private waking: Pausable[];

  /** @param reason the reason to pause that stands for this */
  constructor(wheel: Wheel, reason: number) {
    this.wheel = wheel;
    this.reason = reason;
    this.publisher = null;
    this.heldMs = new Map();
    this.second = 0;
    this.waking = [];
  }

  /** Whether a publisher has not been held for its part of this second yet. */
  mayHold(publisher: Pausable): boolean {
    this.turnSecond();
    return (this.heldMs.get(publisher) ?? 0) < BUDGET_MS;
  }

  charge(publisher: Pausable, milliseconds: number): void {
    if (milliseconds <= 0) return;
    this.turnSecond();
    this.heldMs.set(publisher, (this.heldMs.get(publisher) ?? 0) + milliseconds);
  }

  /** Has a publisher read from again, when the packet that is being handled is done with. */
  wake(publisher: Pausable): void {
    this.waking.push(publisher);
    if (this.waking.length > 1) return;
    setImmediate(() => {
      const { waking } = this;
      this.waking = [];
      for (const one of waking) one.resume(this.reason);
    });
  }

  private turnSecond(): void {
    const second = Math.floor(monotonicNow() / SECOND_MS);
    if (second === this.second) return;
    this.second = second;
    this.heldMs.clear();
  }
}

/** What holds publishers for the sake of one queue. */
export class Brake implements WheelEntry {
  private readonly pacing: Pacing;
  private readonly held: Set<Pausable>;
  private since: number;
  /** It held once for too long, and holds nobody until it recovers. */
  isSpent: boolean;

  constructor(pacing: Pacing) {
    this.pacing = pacing;
    this.held = new Set();
    this.since = 0;
    this.isSpent = false;
  }

  /** Holds the connection that publishes now, unless the trust is spent or it is `except`. */
  hold(except: Pausable | null): void {
    const { pacing, held } = this;
    const { publisher } = pacing;
    if (publisher === null || publisher === except || this.isSpent || held.has(publisher)) return;
    if (!pacing.mayHold(publisher)) return;
    if (held.size === 0) {
      this.since = monotonicNow();
      pacing.wheel.add(this, this.since + HOLD_MS);
    }
    held.add(publisher);
    publisher.pause(pacing.reason);
  }

  /** What was waited for has come. */
  release(): void {
    if (this.held.size === 0) return;
    const { pacing } = this;
    pacing.wheel.remove(this);
    const milliseconds = monotonicNow() - this.since;
    for (const publisher of this.held) {
      pacing.charge(publisher, milliseconds);
      pacing.wake(publisher);
    }
    this.held.clear();
  }

  /** It may hold again. */
  recover(): void {
    this.release();
    this.isSpent = false;
  }

  /** It has not come in time. */
  due(): number {
    this.isSpent = true;
    this.release();
    return 0;
  }
}
