// The brokers that are compared, each as a fresh process on a core of its own with the same limits.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { makeCertificate } from '../test/support/certificates.ts';
import { freePort } from '../test/support/free-port.ts';
import { built, Program, repository, whereIs } from '../test/support/process.ts';

export type BrokerName = 'mqtt-broker' | 'mosquitto' | 'aedes';

/** Messages that a broker may have in flight to one subscriber; no load has more on its way, so none has to queue. */
export const MAX_INFLIGHT = 100;

/** True where the broker and the load can each have a core of their own. */
export const isPinned: boolean = availableParallelism() >= 2 && whereIs('taskset') !== null;

/** A command line that runs on one core, or on those of a list such as '0,1'. */
export function onCore(core: number | string, command: string, args: readonly string[]): [string, string[]] {
  return isPinned ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

export interface RunningBroker {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process to its line that says it runs. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}

/** What a benchmark may want other than what compare.ts does. */
export interface BrokerSettings {
  /** Lines of the configuration file beside the common ones; of two lines for one option the broker takes the later. */
  readonly lines?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder for the configuration file and the store that stays; without it there is one that goes with the broker. */
  readonly folder?: string;
  /** Whether the broker speaks TLS, with a certificate made for it. */
  readonly isTls?: boolean;
  /** Cores of the broker; the first by default. */
  readonly cores?: string;
  /** Our broker as built elsewhere, and arguments of its Node. */
  readonly script?: string;
  readonly nodeArguments?: readonly string[];
}

/** Files of a certificate and its key. */
interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
}

function writeIdentity(folder: string): IdentityFiles {
  const { cert, key } = makeCertificate({ subject: 'localhost', altNames: ['127.0.0.1'] });
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

/** mosquitto would otherwise go on as another user, who may not read here. */
function tlsLines({ cert, key }: IdentityFiles): string[] {
  return [`certfile ${cert}`, `keyfile ${key}`, ...(process.getuid?.() === 0 ? ['user root'] : [])];
}

function commandOf(name: BrokerName, port: number, folder: string, settings: BrokerSettings): [string, string[]] {
  const identity = settings.isTls === true ? writeIdentity(folder) : null;
  if (name === 'aedes') {
    const files = identity === null ? [] : [identity.cert, identity.key];
    return [process.execPath, [path.join(import.meta.dirname, 'aedes-broker.js'), String(port), ...files]];
  }
  const file = path.join(folder, 'broker.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    `max_inflight_messages ${MAX_INFLIGHT}`,
    'log_dest stderr',
    ...(identity === null ? [] : tlsLines(identity)),
    ...(settings.lines ?? []),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  if (name === 'mosquitto') return [whereIs('mosquitto') ?? 'mosquitto', ['-c', file]];
  return [process.execPath, [...(settings.nodeArguments ?? []), settings.script ?? built('mqtt-broker'), '-c', file]];
}

/** Longest life of a broker, in milliseconds. */
const LIFE = 1_800_000;

/** Starts a broker on the first core, or on those asked for, and waits until it listens. */
export async function startBroker(name: BrokerName, settings: BrokerSettings = {}): Promise<RunningBroker> {
  const folder = settings.folder ?? mkdtempSync(path.join(tmpdir(), 'mqtt-bench-'));
  const port = await freePort();
  const command = onCore(settings.cores ?? 0, ...commandOf(name, port, folder, settings));
  const began = performance.now();
  const program = new Program(...command, { timeout: LIFE, env: { ...settings.env } });
  await program.seen(/version .* running\n/, 'stderr');
  return {
    port,
    pid: program.pid,
    startSeconds: (performance.now() - began) / 1000,
    stop: async () => {
      await program.stop();
      if (settings.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The versions of what is compared, for the report. */
export function versionOf(name: BrokerName): string {
  const readVersion = (file: string): string => JSON.parse(readFileSync(path.join(repository, file), 'utf8')).version;
  if (name === 'mqtt-broker') return `mqtt-broker ${readVersion('package.json')}`;
  if (name === 'aedes') return `aedes ${readVersion('node_modules/aedes/package.json')}`;
  const mosquitto = whereIs('mosquitto');
  if (mosquitto === null) return 'mosquitto (not installed)';
  return firstLine(execFileSync('sh', ['-c', '"$0" -h || true', mosquitto], { encoding: 'utf8' }));
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
