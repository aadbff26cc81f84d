// Time that stands still until a scenario moves it: keep-alive, expiry and will delay are tested to the tick, and a slow
// machine changes nothing. The process's clocks and intervals are replaced; plain timeouts stay real.
import process from 'node:process';

interface Interval {
  readonly call: () => void;
  readonly every: number;
  due: number;
}

/** Milliseconds that all clocks of the process have moved on: time never goes back, for what remembers it. */
let now = 0;
const start = Date.now();

/** Longest delay that setTimeout takes. */
const FAR = 2_147_483_647;

/** Lets everything happen that is due by itself: bytes on their way through memory, promises, flush turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The replaced clock; restore() brings the real one back. */
export class WireClock {
  private readonly intervals = new Map<NodeJS.Timeout, Interval>();
  private readonly restorers: (() => void)[] = [];

  constructor() {
    this.replace(Date, { now: () => start + now });
    this.replace(performance, { now: () => 1000 + now });
    this.replace(process, { uptime: () => 1 + now / 1000 });
    this.replace(globalThis, {
      setInterval: (call: () => void, every: number) => this.add(call, every),
      clearInterval: (handle: NodeJS.Timeout) => this.remove(handle),
    });
  }

  /** Puts functions in the place of an object's own. node:test's mocks would remember every call. */
  private replace(target: object, functions: Readonly<Record<string, unknown>>): void {
    const real = Object.fromEntries(Object.keys(functions).map((name) => [name, Reflect.get(target, name)]));
    Object.assign(target, functions);
    this.restorers.push(() => Object.assign(target, real));
  }

  restore(): void {
    for (const handle of [...this.intervals.keys()]) this.remove(handle);
    for (const restore of this.restorers) restore();
  }

  /** Moves time on, calling what is due on the way. */
  async advance(milliseconds: number): Promise<void> {
    const end = now + milliseconds;
    const step = Math.max(100, milliseconds / 50);
    while (now < end) {
      now = Math.min(end, now + step);
      // The coarse clocks of the process are read anew in a new turn only.
      await settle();
      for (const interval of [...this.intervals.values()]) {
        if (interval.due > now) continue;
        interval.due = now + interval.every;
        interval.call();
      }
    }
    await settle();
  }

  private add(call: () => void, every: number): NodeJS.Timeout {
    const handle = setTimeout(() => undefined, FAR).unref();
    this.intervals.set(handle, { call, every, due: now + every });
    return handle;
  }

  private remove(handle: NodeJS.Timeout): void {
    clearTimeout(handle);
    this.intervals.delete(handle);
  }
}
