// How big things get: the store's folder while many messages pass through a short queue, and memory and start with many
// messages queued. Both with persistence_sync always.
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ask } from './ask.ts';
import { calm } from './calm.ts';
import { ALWAYS, type Ground, makeFolder, type Running, startOn } from './durable-subjects.ts';
import { cpuNanoseconds, residentMegabytes } from './measure.ts';
import { runOnCore } from './run-load.ts';
import type { SizeOptions, SizeResult } from './size-load.ts';
import type { Watched } from './watch.ts';

export interface ChurnResult {
  readonly messages: number;
  readonly queue: number;
  readonly rate: number;
  /** Megabytes on the disk: the most that was seen, when the last message had gone, and after a stop. */
  readonly peak: number;
  readonly final: number;
  readonly stopped: number;
  readonly written: number;
  readonly resident: number;
  readonly watched: Watched | null;
}

export interface BacklogResult {
  readonly messages: number;
  /** Messages queued in a second. */
  readonly rate: number;
  /** Megabytes: of the store, and of resident memory before the restart, right after it, and the most at the start. */
  readonly disk: number;
  readonly before: number;
  readonly after: number;
  readonly peakAtStart: number;
  /** Until the log says that the broker runs, CPU time of that, and until the subscriber is let in after that. */
  readonly startSeconds: number;
  readonly startCpuSeconds: number;
  readonly connectSeconds: number;
  readonly drainSeconds: number;
  readonly watched: Watched | null;
  readonly drained: Watched | null;
}

const PAYLOAD = 100;
const SAMPLE_MS = 50;
/** Longest time that one of these loads may take. */
const PATIENCE = 1200;

/** Megabytes (of a million bytes) of all files below a folder. */
function megabytesIn(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // A segment may go away meanwhile.
    sum += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum / 1e6;
}

const load = ({ port }: Running, options: Omit<SizeOptions, 'port' | 'payload'>): Promise<SizeResult> =>
  runOnCore<SizeResult>(1, 'size-load.js', { ...options, port, payload: PAYLOAD } satisfies SizeOptions, PATIENCE);

const watched = async ({ watch }: Running, question: 'clear' | 'read'): Promise<Watched | null> =>
  watch === null ? null : ask(watch, question);

/** Passes many messages through a queue and watches the folder of the store. */
export async function churn(ground: Ground, messages: number, queue: number): Promise<ChurnResult> {
  await calm(ground);
  const folder = makeFolder(ground);
  const running = await startOn(folder, ground, ALWAYS);
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, megabytesIn(folder));
  };
  const timer = setInterval(look, SAMPLE_MS);
  try {
    await watched(running, 'clear');
    const { seconds } = await load(running, { kind: 'churn', messages, queue });
    const seen = await watched(running, 'read');
    look();
    const final = megabytesIn(folder);
    const resident = residentMegabytes(running.pid).peak;
    await running.stop();
    const result = {
      messages,
      queue,
      rate: messages / seconds,
      peak,
      final,
      stopped: megabytesIn(folder),
      written: (seen?.syncs.bytes ?? 0) / 1e6,
      resident,
      watched: seen,
    };
    process.stderr.write(`churn: at most ${peak.toFixed(0)} MB, ${final.toFixed(0)} MB at the end\n`);
    return result;
  } finally {
    clearInterval(timer);
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Queues many messages for a session that is away, restarts the broker, and has them fetched. */
export async function backlog(ground: Ground, messages: number): Promise<BacklogResult> {
  await calm(ground);
  const folder = makeFolder(ground);
  let running = await startOn(folder, ground, ALWAYS);
  try {
    await watched(running, 'clear');
    const filled = await load(running, { kind: 'fill', messages, queue: 0 });
    const filling = await watched(running, 'read');
    const before = residentMegabytes(running.pid).now;
    await running.stop();
    const disk = megabytesIn(folder);
    await calm(ground);
    running = await startOn(folder, ground, ALWAYS);
    const startCpuSeconds = cpuNanoseconds(running.pid) / 1e9;
    const { now: after, peak: peakAtStart } = residentMegabytes(running.pid);
    const { startSeconds } = running;
    await watched(running, 'clear');
    const { connectSeconds, seconds } = await load(running, { kind: 'drain', messages, queue: 0 });
    const drained = await watched(running, 'read');
    process.stderr.write(
      `backlog: ${before.toFixed(0)} MB, start in ${startSeconds.toFixed(1)} s, ${after.toFixed(0)} MB\n`,
    );
    return {
      messages,
      rate: messages / filled.seconds,
      disk,
      before,
      after,
      peakAtStart,
      startSeconds,
      startCpuSeconds,
      connectSeconds,
      drainSeconds: seconds,
      watched: filling,
      drained,
    };
  } finally {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
