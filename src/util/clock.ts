// The process's coarse clocks. A loop turn reads the time once: whoever needs it asks for `touch()` first, and the end of
// the turn makes the reading stale. A read costs 50 ns, a packet must not pay that.

let stale = true;
let monotonicMs = 0;
let wallMs = 0;

/** Refreshes the clocks unless that happened in this turn already. */
export function touch(): void {
  if (!stale) return;
  stale = false;
  monotonicMs = performance.now();
  wallMs = Date.now();
}

/** Ends the turn: the next touch() reads the clocks again. */
export function endTurn(): void {
  stale = true;
}

/** Milliseconds that only ever grow, as of the last touch(). */
export function monotonicNow(): number {
  return monotonicMs;
}

/** Wall-clock milliseconds since 1970, as of the last touch(). */
export function wallNow(): number {
  return wallMs;
}
