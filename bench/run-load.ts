// One run of load.ts against a broker, on the second core.
import path from 'node:path';
import process from 'node:process';
import { finish } from '../test/support/process.ts';
import { onCore, type RunningBroker } from './brokers.ts';
import type { LoadOptions, LoadResult, Traffic } from './load.ts';

export interface LoadTimes {
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Runs a script of this folder on a core with its options as JSON, and reads the JSON that it prints. */
export async function runOnCore<T>(
  core: number | string,
  script: string,
  options: object,
  seconds: number,
): Promise<T> {
  const file = path.join(import.meta.dirname, script);
  const args = onCore(core, process.execPath, [file, JSON.stringify(options)]);
  const { code, stdout, stderr } = await finish(...args, { timeout: seconds * 1000 + 60_000 });
  if (code !== 0) throw new Error(`${script}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Lets a load run against a broker; throws where a message was lost, doubled or out of order. */
export function runLoad({ port, pid }: RunningBroker, traffic: Traffic, times: LoadTimes): Promise<LoadResult> {
  const options: LoadOptions = { ...traffic, port, pid, ...times };
  return runOnCore(1, 'load.js', options, times.seconds + times.warmupSeconds);
}
