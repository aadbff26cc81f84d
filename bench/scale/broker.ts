// Our broker as the scale scenarios start it: on the first core, with watch.ts in its process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../test/support/free-port.ts';
import { onCore, type RunningBroker, startBroker } from '../brokers.ts';

export interface WatchedBroker {
  readonly port: number;
  readonly pid: number;
  /** Socket of watch.ts. */
  readonly watch: string;
  /** A folder that goes with the broker. */
  readonly folder: string;
}

/** How the scenarios of a run are measured. */
export interface Run {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** Minutes of steady load. */
  readonly minutes: number;
  /** Arguments of the broker's Node, for profiles. */
  readonly nodeArguments: readonly string[];
  /** Another build of the broker; undefined for the one in dist/. */
  readonly script: string | undefined;
}

const preload = pathToFileURL(path.join(import.meta.dirname, '..', 'watch.js')).href;

async function inFolder<T>(
  use: (folder: string, env: Record<string, string>, watch: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-scale-'));
  const watch = path.join(folder, 'watch');
  try {
    return await use(folder, { NODE_OPTIONS: `--import=${preload}`, MQTT_BENCH_WATCH: watch }, watch);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts our broker with some lines of configuration, lets something happen, and stops it. */
export function withBroker<T>(
  run: Run,
  lines: readonly string[],
  use: (broker: WatchedBroker) => Promise<T>,
): Promise<T> {
  return inFolder(async (folder, env, watch) => {
    const { nodeArguments, script } = run;
    const running: RunningBroker = await startBroker('mqtt-broker', {
      folder,
      env,
      nodeArguments,
      lines: ['connection_messages false', ...lines.map((line) => line.replace('FOLDER', folder))],
      ...(script === undefined ? {} : { script }),
    });
    try {
      return await use({ port: running.port, pid: running.pid, watch, folder });
    } finally {
      await running.stop();
    }
  });
}

/** Starts a server that only holds sockets, for what Node itself costs. */
export function withBareServer<T>(use: (server: WatchedBroker) => Promise<T>): Promise<T> {
  return inFolder(async (folder, env, watch) => {
    const port = await freePort();
    const script = path.join(import.meta.dirname, 'bare-server.js');
    const child = spawn(...onCore(0, process.execPath, [script, String(port)]), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      if (child.stderr === null || child.pid === undefined) throw new Error('the bare server did not start');
      await once(child.stderr, 'data');
      return await use({ port, pid: child.pid, watch, folder });
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
}
