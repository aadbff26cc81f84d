// The process's coarse clocks. A loop turn reads the time once: whoever needs it asks for `touch()` first, and the reading
// goes stale by itself when the turn ends. A read costs 100 ns, a packet must not pay that.
import process from 'node:process';

let isStale = true;
let monotonicMs = 0;
let wallMs = 0;

function endTurn(): void {
  isStale = true;
}

/** Milliseconds since the process started, as of now. The first use of `performance` would load a module, 3 ms of a tool's start. */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}

/** Refreshes the clocks unless that happened in this turn already. */
export function touch(): void {
  if (!isStale) return;
  isStale = false;
  monotonicMs = uptimeMs();
  wallMs = Date.now();
  setImmediate(endTurn);
}

/** Milliseconds that only ever grow, as of the last touch(). */
export function monotonicNow(): number {
  return monotonicMs;
}

/** Wall-clock milliseconds since 1970, as of the last touch(). */
export function wallNow(): number {
  return wallMs;
}
