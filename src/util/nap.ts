/** Blocks the thread for so many milliseconds. Only where there is nothing to do before what is waited for has come. */
export function nap(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
