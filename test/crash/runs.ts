// A run: some arenas side by side until enough kills are done or the time is over.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../support/free-port.ts';
import { Dice } from '../support/fuzz-dice.ts';
import { built } from '../support/process.ts';
import { Arena, killCount, type PowerLoss, playArena } from './arena.ts';
import { DiskImage } from './disk-image.ts';
import { type FullEpisode, fullEpisode, injectedDisk, mountedDisk } from './full-disk.ts';
import { seedOf } from './plan.ts';
import { losePower } from './power-loss.ts';
import { sum, type Totals } from './report.ts';

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  /** The run ends after so many milliseconds, however many kills there were. */
  readonly limitMs: number;
  readonly arenas: number;
  readonly losesPower: boolean;
  /** The broker's program file; null for the built one. */
  readonly program: string | null;
  /** Configuration lines about persistence; null for the promise: persistence true, persistence_sync always. */
  readonly config: readonly string[] | null;
  /** Where the stores stay after the run; null for nowhere. */
  readonly keep: string | null;
  readonly drainEvery: number;
  /** Called now and then. */
  readonly onProgress: (totals: Totals, seconds: number) => void;
}

export interface RunResult {
  readonly totals: Totals;
  readonly arenas: readonly Arena[];
  readonly seconds: number;
}

/** The configuration that the promise is about. */
const PROMISE = ['persistence true', 'persistence_sync always'];

/** Milliseconds of load on a full disk. */
const FULL_MS = 600;
const PROGRESS_MS = 10_000;
/** What a start takes on a machine of this kind; kills during start lie within one and a half times it. */
const START_MS = 220;

/** The program that stands between the broker's store and its disk. */
const WATCH = `--import=${new URL('./disk-watch.js', import.meta.url).href}`;

/** What an arena of a run needs to know. */
type ArenaOptions = Pick<RunOptions, 'seed' | 'program' | 'config'>;

/** An arena in a folder of its own, which is emptied: an earlier run's store is none of this one's. */
async function arenaIn(
  folder: string,
  options: ArenaOptions,
  env: (data: string) => Record<string, string>,
  losePower: (data: string) => PowerLoss,
): Promise<Arena> {
  rmSync(folder, { recursive: true, force: true });
  const data = path.join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const stage = {
    seed: seedOf(options.seed, path.basename(folder)),
    program: options.program ?? built('mqtt-broker'),
    folder,
    port: await freePort(),
    config: [...(options.config ?? PROMISE), `persistence_location ${data}`],
    env: env(data),
  };
  return new Arena(path.basename(folder), stage, losePower(data));
}

/** An arena whose broker keeps an image of its disk, for the loss of power. */
function watchedArena(folder: string, options: ArenaOptions): Promise<Arena> {
  const image = path.join(folder, 'image');
  return arenaIn(
    folder,
    options,
    (data) => ({ NODE_OPTIONS: WATCH, CRASH_ROOT: data, CRASH_IMAGE: image }),
    (data) =>
      ({ seed, round, loses }) =>
        losePower(new DiskImage(data, image), loses === 'some' ? new Dice(seedOf(seed, round, 'power')) : null),
  );
}

const noLoss = (): PowerLoss => () => undefined;

/** Uses a folder for a run, and removes it unless it is to be kept. */
async function inFolder<T>(keep: string | null, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = keep ?? mkdtempSync(path.join(tmpdir(), 'mqtt-crash-'));
  try {
    return await use(folder);
  } finally {
    if (keep === null) rmSync(folder, { recursive: true, force: true });
  }
}

/** Kills, and losses of power, until there were enough. */
export function run(options: RunOptions): Promise<RunResult> {
  return inFolder(options.keep, async (base) => {
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    const arenas: Arena[] = [];
    for (let number = 0; number < options.arenas; number++) {
      const folder = path.join(base, `arena-${number}`);
      const make = options.losesPower ? watchedArena(folder, options) : arenaIn(folder, options, () => ({}), noLoss);
      arenas.push(await make);
    }
    const isEnough = (): boolean =>
      arenas.reduce((all, { kills }) => all + killCount(kills), 0) >= options.kills ||
      seconds() * 1000 >= options.limitMs;
    const progress = setInterval(() => options.onProgress(sum(arenas), seconds()), PROGRESS_MS);
    try {
      const plan = { losesPower: options.losesPower, drainEvery: options.drainEvery, startMs: START_MS };
      await Promise.all(arenas.map((arena) => playArena(arena, arena.stage.options.seed, plan, isEnough)));
    } finally {
      clearInterval(progress);
    }
    return { totals: sum(arenas), arenas, seconds: seconds() };
  });
}

/** How the disk becomes full: said to be by what stands in front of it, or a small file system that is. */
export type FullKind = 'injected' | 'mounted';

const FULL_MEGABYTES = 16;
const EPISODES: readonly FullEpisode[] = ['is killed and started', 'waits', 'is killed'];

/** Full disks, one episode after the other. Throws where a file system can't be mounted. */
export function runFull(
  options: ArenaOptions & Pick<RunOptions, 'keep'>,
  kind: FullKind,
  episodes: number,
): Promise<RunResult> {
  return inFolder(options.keep, async (base) => {
    const startedAt = performance.now();
    const folder = path.join(base, 'full');
    const full = path.join(base, 'full-now');
    const isInjected = kind === 'injected';
    const env = (data: string): Record<string, string> =>
      isInjected ? { NODE_OPTIONS: WATCH, CRASH_ROOT: data, CRASH_FULL: full } : {};
    const arena = await arenaIn(folder, options, env, noLoss);
    const disk = isInjected ? injectedDisk(full) : mountedDisk(path.join(folder, 'data'), FULL_MEGABYTES);
    try {
      disk.free();
      if (await arena.prepare()) {
        for (let number = 0; number < episodes; number++) {
          await fullEpisode(arena, disk, EPISODES[number % EPISODES.length]!, FULL_MS);
        }
        await arena.stage.end('SIGTERM', -1);
        await arena.finish();
      } else await arena.stage.end('SIGKILL', -1);
    } finally {
      disk.remove();
    }
    return { totals: sum([arena]), arenas: [arena], seconds: (performance.now() - startedAt) / 1000 };
  });
}
