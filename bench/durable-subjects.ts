// Who takes part in the durable comparison, and how a benchmark starts them on a folder of the disk that is asked about.
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { type BrokerName, type BrokerSettings, type RunningBroker, startBroker } from './brokers.ts';

export interface Subject {
  readonly name: string;
  readonly broker: BrokerName;
  /** Lines of the configuration that make it this subject. */
  readonly lines: readonly string[];
}

const sync = (mode: string): readonly string[] => ['persistence true', `persistence_sync ${mode}`];

/** In the order of the table; the first and the fifth are what the goal compares. */
export const SUBJECTS: readonly Subject[] = [
  { name: 'ours, always', broker: 'mqtt-broker', lines: sync('always') },
  { name: 'ours, interval', broker: 'mqtt-broker', lines: sync('interval') },
  { name: 'ours, off', broker: 'mqtt-broker', lines: sync('off') },
  { name: 'ours, no persistence', broker: 'mqtt-broker', lines: ['persistence false'] },
  { name: 'mosquitto, no persistence', broker: 'mosquitto', lines: ['persistence false'] },
  { name: 'mosquitto, persistence', broker: 'mosquitto', lines: ['persistence true'] },
];

/** The subject that the promise is about, and the one that it is measured against. */
export const ALWAYS: Subject = SUBJECTS[0]!;
export const MEMORY: Subject = SUBJECTS[3]!;
export const RIVAL: Subject = SUBJECTS[4]!;

/** What all brokers of a run have in common. */
export interface Ground {
  /** Folder below which each broker gets one of its own. */
  readonly folder: string;
  readonly cores: string;
  /** Our broker as built elsewhere; undefined for the one in dist/. */
  readonly script: string | undefined;
  /** Folder for CPU profiles of our broker; undefined for none. */
  readonly profiles: string | undefined;
  /** Whether watch.ts goes into our broker's process. */
  readonly isWatched: boolean;
  /** Whether measurements wait for a calm moment, and are taken again where others disturbed them. */
  readonly isPatient: boolean;
}

/** A running subject and where it keeps its things. */
export interface Running extends RunningBroker {
  readonly folder: string;
  /** Socket of watch.ts; null where nobody watches. */
  readonly watch: string | null;
}

/** A folder for one broker. */
export const makeFolder = (ground: Ground): string => mkdtempSync(path.join(ground.folder, 'mqtt-bench-'));

/** Starts a subject on a folder that stays until somebody removes it. */
export async function startOn(
  folder: string,
  ground: Ground,
  subject: Subject,
  lines: readonly string[] = [],
): Promise<Running> {
  const watch = ground.isWatched && subject.broker === 'mqtt-broker' ? path.join(folder, 'watch') : null;
  const preload = pathToFileURL(path.join(import.meta.dirname, 'watch.js')).href;
  const profiles = ground.profiles;
  const settings: BrokerSettings = {
    folder,
    cores: ground.cores,
    // mosquitto would otherwise go on as another user, who may not write here.
    lines: [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `persistence_location ${folder}/`,
      ...subject.lines,
      ...lines,
    ],
    env: watch === null ? {} : { NODE_OPTIONS: `--import=${preload}`, MQTT_BENCH_WATCH: watch },
    ...(ground.script === undefined ? {} : { script: ground.script }),
    ...(profiles === undefined ? {} : { nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${profiles}`] }),
  };
  return { ...(await startBroker(subject.broker, settings)), folder, watch };
}

/** Starts a subject on a new folder, lets something happen, and clears up. */
export async function withBroker<T>(
  ground: Ground,
  subject: Subject,
  lines: readonly string[],
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const folder = makeFolder(ground);
  const running = await startOn(folder, ground, subject, lines);
  try {
    return await use(running);
  } finally {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const TMPFS = 0x01021994;

/** What a folder lies on, in words; says so where that is memory and no disk. */
export function diskOf(folder: string): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  const found = mounts
    .map((line) => line.split(' '))
    .map((fields) => ({ at: fields[4] ?? '', type: fields[fields.indexOf('-') + 1] ?? 'unknown' }))
    .filter(({ at }) => at === '/' || folder === at || folder.startsWith(`${at}/`))
    .reduce((best, mount) => (mount.at.length >= best.at.length ? mount : best), { at: '', type: 'unknown' });
  if (statfsSync(folder).type === TMPFS) return `${folder} is on tmpfs: MEMORY, NOT A DISK, syncs cost nothing here`;
  return `${folder} is on ${found.type}, mounted at ${found.at}`;
}
