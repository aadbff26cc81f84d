// The process's coarse clocks. A loop turn reads the time once: whoever needs it asks for `touch()` first, and the reading
// goes stale by itself when the turn ends. A read costs 50 ns, a packet must not pay that.

let isStale = true;
let monotonicMs = 0;
let wallMs = 0;

function endTurn(): void {
  isStale = true;
}

/** Refreshes the clocks unless that happened in this turn already. */
export function touch(): void {
  if (!isStale) return;
  isStale = false;
  monotonicMs = performance.now();
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
