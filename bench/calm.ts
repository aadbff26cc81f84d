// Whether something else than the benchmark keeps the machine busy. On a machine that others use, measurements wait for a
// calm moment, and one that was disturbed is taken again.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Share of the machine's CPU time, 0 to 1, up to which others count as calm. */
export const CALM = 0.1;
/** Milliseconds over which it is looked at, and for which calm is waited at most. */
const LOOK_MS = 1000;
const PATIENCE_MS = 120_000;
/** Those of the machine, whichever of them this process may use. */
const CORES = cpus().length;
/** Clock ticks of /proc/stat in a second: a constant of Linux's interface. */
const TICKS = 100;

/** CPU time in seconds that the machine was at work since it started, with what its host gave to others. */
export function machineSeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split(/\s+/, 9)
    .map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) / TICKS;
}

/** Share of the machine that others had, given what all and what the benchmark's own processes spent in a time. */
export function othersShare(all: number, own: number, seconds: number): number {
  return Math.max(0, (all - own) / (seconds * CORES));
}

/** Waits until the machine is calm, but not for long; not at all if that is not wanted. */
export async function calm({ isPatient }: { readonly isPatient: boolean }): Promise<void> {
  if (!isPatient) return;
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const before = { spent: machineSeconds(), time: performance.now() };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const seconds = (performance.now() - before.time) / 1000;
    if (othersShare(machineSeconds() - before.spent, 0, seconds) <= CALM) return;
  }
}
