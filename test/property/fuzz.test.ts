// A bounded share of the fuzzing: as many episodes as seconds allow, from a new seed each time. FUZZ_SEED repeats a run;
// test/fuzz/run.mjs goes on for as long as it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runEpisodes, runFor } from '../support/fuzz-runs.ts';
import { memoryInUse } from '../support/memory-in-use.ts';

/** Episodes of each fuzzer; the client's has its own test. */
const EPISODES: Readonly<Record<string, number>> = {
  framer: 300,
  decoder: 200,
  files: 400,
  semantics: 60,
};

/** Bytes by which the memory in use may differ after equal work. */
const SLACK = 8_000_000;

for (const [name, count] of Object.entries(EPISODES)) {
  test(`fuzzing finds nothing: ${name}`, () => runEpisodes(name, count));
}

test('fuzzing finds nothing: broker; and the memory returns', async () => {
  await runEpisodes('broker', 20);
  const before = await memoryInUse();
  await runEpisodes('broker', 20);
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < SLACK, `${growth} bytes more`);
});

test('a fuzzer that there is not is told, with those that there are', async () => {
  const run = runFor({ minutes: 1, seed: 1, only: 'nonsense', say: () => undefined });
  await assert.rejects(run, /There is no fuzzer 'nonsense': framer, decoder, /);
});
