// mqtt-broker --store-export: the store as JSON lines on standard output.
import { readConfiguredStore } from '../../broker/store-tools/configured.ts';
import { exportLines } from '../../broker/store-tools/export-lines.ts';
import type { Config } from '../../config/config.ts';
import type { Io } from '../io.ts';
import { printLines } from './print-lines.ts';
import { lossLines } from './store-words.ts';

/** Prints the lines, and on standard error what damage took; resolves to the exit code. Throws ConfigError or UsageError. */
export async function exportStore(config: Config, io: Io): Promise<number> {
  const stored = readConfiguredStore(config);
  for (const text of lossLines(stored)) io.stderr.write(`${text}\n`);
  return printLines(exportLines(stored.state, Date.now()), io);
}
