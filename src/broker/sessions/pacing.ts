// Pacing of publishers. A client that takes its messages, only a little more slowly than they come, would lose some of them
// when its queue is full. So while such a queue is above its mark, who publishes into it is not read from for a moment: its
// bytes wait in its socket, as they would with a slower broker.
//
// A subscriber must not be able to delay anybody for long. It is trusted only if it has been taking messages; its queue has
// 0.2 seconds, rounded up to a tick, to fall to the lower mark, or the trust is spent until the client has taken thousands
// of messages more; and a publisher that was held for four fifths of a second is not held again in it, whoever does it. So
// who never reads holds nobody, who stops reading does it once, and two clients that wait for each other do so until the
// tick.
import { monotonicNow } from '../../util/clock.ts';
import type { Wheel, WheelEntry } from '../../util/wheel.ts';

/** A connection that can be read from later. */
export interface Pausable {
  pause(reason: number): void;
  resume(reason: number): void;
}

/** Milliseconds that a brake holds at most, up to the tick that follows. */
const HOLD_MS = 200;
/** Milliseconds of a second after which a publisher is not held again in it. */
const BUDGET_MS = 800;
const SECOND_MS = 1000;

/** A connection that is held: by how many brakes, and since when. */
interface Hold {
  brakes: number;
  readonly since: number;
}

/** Who publishes now, who is held, and how long each was held. */
export class Pacing {
  readonly wheel: Wheel;
  /** What publishers are told why. */
  readonly reason: number;
  /** The connection whose message is being routed; null for the broker's own. */
  publisher: Pausable | null;
  private readonly holds: Map<Pausable, Hold>;
  /** Milliseconds of this second; weak, for a connection that is gone is not to be kept for it. */
  private heldMs: WeakMap<Pausable, number>;
  private second: number;
  private waking: Pausable[];

  /** @param reason the reason to pause that stands for this */
  constructor(wheel: Wheel, reason: number) {
    this.wheel = wheel;
    this.reason = reason;
    this.publisher = null;
    this.holds = new Map();
    this.heldMs = new WeakMap();
    this.second = 0;
    this.waking = [];
  }

  /** Whether a publisher has not been held for its part of this second yet. */
  mayHold(publisher: Pausable): boolean {
    this.turnSecond();
    return (this.heldMs.get(publisher) ?? 0) < BUDGET_MS;
  }

  /** One brake holds a publisher. Several may, each for its own queue: it is held until the last of them lets it go. */
  hold(publisher: Pausable): void {
    const hold = this.holds.get(publisher);
    if (hold !== undefined) {
      hold.brakes += 1;
      return;
    }
    this.holds.set(publisher, { brakes: 1, since: monotonicNow() });
    publisher.pause(this.reason);
  }

  /** A brake that held a publisher does so no more. */
  letGo(publisher: Pausable): void {
    const hold = this.holds.get(publisher)!;
    hold.brakes -= 1;
    if (hold.brakes > 0) return;
    this.holds.delete(publisher);
    this.turnSecond();
    this.heldMs.set(publisher, (this.heldMs.get(publisher) ?? 0) + monotonicNow() - hold.since);
    this.wake(publisher);
  }

  /** Has a publisher read from again, when the packet that is being handled is done with. */
  private wake(publisher: Pausable): void {
    this.waking.push(publisher);
    if (this.waking.length > 1) return;
    setImmediate(() => {
      const { waking } = this;
      this.waking = [];
      for (const one of waking) if (!this.holds.has(one)) one.resume(this.reason);
    });
  }

  private turnSecond(): void {
    const second = Math.floor(monotonicNow() / SECOND_MS);
    if (second === this.second) return;
    this.second = second;
    this.heldMs = new WeakMap();
  }
}

/** What holds publishers for the sake of one queue. */
export class Brake implements WheelEntry {
  private readonly pacing: Pacing;
  private readonly held: Set<Pausable>;
  /** It held once for too long, and holds nobody until it recovers. */
  isSpent: boolean;

  constructor(pacing: Pacing) {
    this.pacing = pacing;
    this.held = new Set();
    this.isSpent = false;
  }

  /** Holds the connection that publishes now, unless the trust is spent or it is `except`. */
  hold(except: Pausable | null): void {
    const { pacing, held } = this;
    const { publisher } = pacing;
    if (publisher === null || publisher === except || this.isSpent || held.has(publisher)) return;
    if (!pacing.mayHold(publisher)) return;
    if (held.size === 0) pacing.wheel.add(this, monotonicNow() + HOLD_MS);
    held.add(publisher);
    pacing.hold(publisher);
  }

  /** What was waited for has come. */
  release(): void {
    if (this.held.size === 0) return;
    const { pacing } = this;
    pacing.wheel.remove(this);
    for (const publisher of this.held) pacing.letGo(publisher);
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
