// Fuzzes for as long as it is told, each fuzzer in turn, and checks that the heap does not grow.
//
//   node test/fuzz/run.mjs [--minutes N] [--seed N] [--only NAME]
//
// The seed of an episode that failed is printed; `--seed N --only NAME` plays it again first. The code is transpiled to
// BUILD_DIR (default build) as for the tests. Exit code 1 when something was found.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const transpiled = spawnSync(process.execPath, [path.join(root, 'test/run.mjs'), '--build-only'], { stdio: 'inherit' });
if (transpiled.status !== 0) process.exit(1);
const out = path.resolve(root, process.env.BUILD_DIR ?? 'build');
const { runFor } = await import(path.join(out, 'test/support/fuzz-runs.js'));
const found = await runFor({
  minutes: Number(values.minutes ?? 1),
  seed: values.seed === undefined ? null : Number(values.seed),
  only: values.only ?? null,
  say: (text) => process.stdout.write(`${text}\n`),
});
process.exit(found === 0 ? 0 : 1);
