// Has the publishers of one process send: without a rate whenever their windows and TCP allow, else when the schedule says,
// each in its turn.
import { Pacer } from './pacer.ts';
import type { Publisher } from './publisher.ts';

/** Bytes that all publishers together send in one loop turn, so that what comes in is not kept waiting. */
const TURN_BYTES = 262_144;
/** Milliseconds without any message after which deliveries that are missing hold up nobody. */
const STALL_MS = 1000;

/** The publishers that take part, and when they send. */
export class Pump {
  /** Ticks of the schedule at which messages were due and no publisher could send. */
  heldTicks: number;
  private readonly rate: number | null;
  private readonly clock: () => number;
  private readonly publishers: Publisher[];
  private pacer: Pacer | null;
  private running: boolean;
  private scheduled: boolean;
  private timer: NodeJS.Timeout | null;
  private next: number;
  private lastSentMs: number;
  private stallTimer: NodeJS.Timeout | null;
  private readonly run: () => void;

  /** @param rate messages a second of all, null for no schedule; @param clock milliseconds that only ever grow */
  constructor(rate: number | null, clock: () => number) {
    this.heldTicks = 0;
    this.rate = rate;
    this.clock = clock;
    this.publishers = [];
    this.pacer = null;
    this.running = false;
    this.scheduled = false;
    this.timer = null;
    this.next = 0;
    this.lastSentMs = 0;
    this.stallTimer = null;
    this.run = () => {
      this.scheduled = false;
      if (!this.running) return;
      if (this.pacer === null) this.sendFreely();
      else this.sendPaced(this.pacer);
    };
  }

  /** Publishers that are connected and have not sent all that they are to send. */
  get busy(): number {
    return this.publishers.filter((publisher) => !publisher.isDone).length;
  }

  add(publisher: Publisher): void {
    this.publishers.push(publisher);
  }

  remove(publisher: Publisher): void {
    const at = this.publishers.indexOf(publisher);
    if (at >= 0) this.publishers.splice(at, 1);
  }

  /** Starts, or starts the schedule anew. */
  start(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.heldTicks = 0;
    this.running = true;
    this.lastSentMs = this.clock();
    this.pacer = this.rate === null ? null : new Pacer(this.rate, this.lastSentMs);
    this.stallTimer ??= setInterval(() => this.unstall(), STALL_MS);
    this.schedule();
  }

  stop(): void {
    this.running = false;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.stallTimer !== null) clearInterval(this.stallTimer);
    this.timer = null;
    this.stallTimer = null;
  }

  /** Something came that may let a publisher go on: looks once, when the loop has read everything. */
  wake(): void {
    if (this.running && this.timer === null) this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private sendFreely(): void {
    const { publishers } = this;
    const count = publishers.length;
    if (count === 0) return;
    let bytes = 0;
    let isMore = false;
    let at = this.next;
    for (let i = 0; i < count; i++) {
      const publisher = publishers[at < count ? at : 0]!;
      at = at + 1 < count ? at + 1 : 0;
      const room = publisher.room();
      if (room === 0) continue;
      publisher.send(room);
      bytes += room * publisher.packetSize;
      if (publisher.room() > 0) isMore = true;
      if (bytes >= TURN_BYTES) {
        isMore = true;
        break;
      }
    }
    this.next = at;
    if (bytes > 0) this.lastSentMs = this.clock();
    if (isMore) this.schedule();
  }

  /** Gives those that are due to the publishers that have room, one each and round again. */
  private sendPaced(pacer: Pacer): void {
    const { publishers } = this;
    const due = pacer.due(this.clock());
    const each = Math.max(1, Math.floor(due / Math.max(1, publishers.length)));
    let left = due;
    let idle = 0;
    while (left > 0 && idle < publishers.length) {
      if (this.next >= publishers.length) this.next = 0;
      const publisher = publishers[this.next]!;
      this.next += 1;
      const count = Math.min(each, left, publisher.room());
      if (count <= 0) {
        idle += 1;
        continue;
      }
      idle = 0;
      publisher.send(count);
      left -= count;
    }
    if (left < due) this.lastSentMs = this.clock();
    else if (due > 0) this.heldTicks += 1;
    pacer.done(due - left);
    if (left === 0 && pacer.due(this.clock()) > 0) {
      this.schedule();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = null;
      this.run();
    }, pacer.wait(this.clock()));
  }

  private unstall(): void {
    if (this.clock() - this.lastSentMs < STALL_MS) return;
    for (const publisher of this.publishers) publisher.forgive();
    this.wake();
  }
}
