// Brokers for interop tests: Debian's mosquitto and the built mqtt-broker, started with the same configuration text and
// spoken to in the same way. Both print mosquitto's log lines on standard error, and tests wait for those.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { built, Program, repository, whereIs } from './process.ts';

/** Which broker a test talks to. */
export type BrokerKind = 'mosquitto' | 'mqtt-broker';

/** A folder of the test's own, removed when the test ends. */
export function scratch(context: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-suite-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Lines that every test configuration begins with: all log types to standard error, and no other user. */
const preamble = ['log_dest stderr', 'log_type all', 'user root'];

/**
 * Starts a broker with these configuration lines, waits until it says that it runs, and stops it when the test ends.
 * Files named in the lines are best given as absolute paths.
 */
export async function startBroker(
  context: Pick<TestContext, 'after'>,
  kind: BrokerKind,
  lines: readonly string[],
  options: { timeout?: number } = {},
): Promise<Program> {
  const file = path.join(scratch(context), 'mosquitto.conf');
  // `user` makes sense only where the packaged mosquitto would drop root's rights and then not read the test's files.
  const first = kind === 'mosquitto' ? preamble : preamble.filter((line) => !line.startsWith('user'));
  writeFileSync(file, `${[...first, ...lines].join('\n')}\n`);
  const limit = { timeout: options.timeout ?? 60_000, cwd: repository };
  const broker =
    kind === 'mosquitto'
      ? new Program(whereIs('mosquitto') ?? 'mosquitto', ['-c', file], limit)
      : new Program(process.execPath, [built('mqtt-broker'), '-c', file], limit);
  context.after(() => broker.stop());
  await broker.seen(/version \S+ running\n/, 'stderr');
  return broker;
}
