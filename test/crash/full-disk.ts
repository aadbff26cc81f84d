// The full disk under load: the broker lives on and refuses, is killed or not, and when there is room everything flows and
// nothing acknowledged is missing.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { whereIs } from '../support/process.ts';
import type { Arena } from './arena.ts';
import { drain } from './drain.ts';

/** A disk that can be filled. */
export interface Disk {
  fill(): void;
  free(): void;
  /** Takes it away. */
  remove(): void;
}

/** A disk that says it is full while a file is there; see disk-watch.ts. */
export function injectedDisk(switchFile: string): Disk {
  const free = (): void => rmSync(switchFile, { force: true });
  return { fill: () => writeFileSync(switchFile, ''), free, remove: free };
}

/** A small file system in memory, mounted on a folder; needs the rights of root. Throws where they are missing. */
export function mountedDisk(folder: string, megabytes: number): Disk {
  mkdirSync(folder, { recursive: true });
  system('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  const ballast = path.join(folder, 'ballast');
  const free = (): void => rmSync(ballast, { force: true });
  return {
    fill: () => {
      const file = openSync(ballast, 'a');
      try {
        for (const size of [65_536, 4096]) while (hasRoom(file, Buffer.alloc(size)));
      } finally {
        closeSync(file);
      }
    },
    free,
    remove: () => system('umount', [folder]),
  };
}

function system(name: string, args: readonly string[]): void {
  const program = whereIs(name);
  if (program === null) throw new Error(`there is no ${name} here`);
  execFileSync(program, args, { stdio: 'pipe' });
}

function hasRoom(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch {
    return false;
  }
}

/** What an episode does while the disk is full: nothing else, a kill, or a kill and a start in front of making room. */
export type FullEpisode = 'waits' | 'is killed' | 'is killed and started';

const ROOM_MS = 150;
const START_LIMIT_MS = 5000;

/** Carries out one episode; the broker runs before and after. */
export async function fullEpisode(arena: Arena, disk: Disk, kind: FullEpisode, fullMs: number): Promise<void> {
  const { stage, ledger } = arena;
  ledger.round += 1;
  await playFor(arena, ROOM_MS);
  const refused = ledger.counts.refused;
  const complaints = stage.broker?.complaints.length ?? 0;
  disk.fill();
  await playFor(arena, fullMs);
  if (!stage.isUp) ledger.fault('broker', 'the broker did not outlive the full disk', stage.said());
  if (ledger.counts.refused === refused) {
    ledger.fault('broker', 'nobody was told by a reason code that the disk is full', stage.said());
  }
  const told = stage.broker?.complaints.slice(complaints) ?? [];
  if (told.length !== 1) {
    ledger.fault('broker', `the log has ${told.length} lines about the full disk instead of one`, told);
  }
  if (kind !== 'waits') {
    await stage.end('SIGKILL', -1);
    arena.kills.load += 1;
    if (kind === 'is killed and started') await startFull(arena);
  }
  disk.free();
  if (!stage.isUp) {
    stage.start(ledger.round);
    await stage.open();
  }
  if (await drain(stage, arena.drains)) arena.kills.drains += 1;
}

/** A start on a full disk may fail, in so many words; the broker that came up goes on. */
async function startFull(arena: Arena): Promise<void> {
  const { stage, ledger } = arena;
  stage.start(ledger.round);
  void stage.open();
  const isIn = (): boolean => stage.cast.actors.some(({ player }) => player.isJoined);
  await ledger.waiting.until(() => isIn() || !stage.isUp, START_LIMIT_MS);
  if (stage.isUp) return;
  if (!stage.said().some((line) => /ENOSPC|no space left/i.test(line))) {
    ledger.fault('broker', 'the broker did not start on a full disk, and did not say why', stage.said());
  }
  await stage.end('SIGKILL', -1, true);
}

async function playFor(arena: Arena, ms: number): Promise<void> {
  const until = Date.now() + ms;
  await arena.stage.play(() => Date.now() >= until);
}
