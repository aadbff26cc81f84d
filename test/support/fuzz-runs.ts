// The fuzzers by name, and how their episodes are run: each from a seed of its own, which is told when one fails.
import { fuzzBroker } from './fuzz-broker.ts';
import { fuzzClient } from './fuzz-client.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';
import { fuzzFiles } from './fuzz-files.ts';
import { fuzzFramer } from './fuzz-framer.ts';
import { fuzzSemantics } from './fuzz-semantics.ts';
import { memoryInUse } from './memory-in-use.ts';

/** A fuzzer: one episode from a seed; throws what it found. */
type Fuzzer = (seed: number) => void | Promise<void>;

/** All fuzzers. */
const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  framer: fuzzFramer,
  decoder: fuzzDecoder,
  files: fuzzFiles,
  semantics: fuzzSemantics,
  broker: fuzzBroker,
  client: fuzzClient,
};

const SEEDS = 0x4000_0000;

/** The seed to begin with: FUZZ_SEED, or a new one. */
function firstSeed(): number {
  const given = process.env['FUZZ_SEED'];
  return given === undefined ? Math.floor(Math.random() * SEEDS) : Number(given);
}

/** Runs one episode. A failure tells how to see it again. */
async function runEpisode(name: string, seed: number): Promise<void> {
  try {
    await FUZZERS[name]!(seed);
  } catch (error) {
    throw new Error(`${name} with FUZZ_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  }
}

/** Runs so many episodes, from FUZZ_SEED or a new seed on. Rejects with the first failure. */
export async function runEpisodes(name: string, count: number): Promise<void> {
  const seed = firstSeed();
  for (let episode = seed; episode < seed + count; episode++) await runEpisode(name, episode);
}

/** What a long run is told. */
export interface LongRun {
  readonly minutes: number;
  /** The first seed of every fuzzer; null for a new one. */
  readonly seed: number | null;
  /** The only fuzzer to run; null for all. */
  readonly only: string | null;
  readonly say: (text: string) => void;
}

/** Most milliseconds that a fuzzer runs before it is the next one's turn. */
const LONGEST_TURN_MS = 10_000;

/** Bytes by which the memory in use may differ between the first round and any later one. */
const MOST_GROWTH = 30_000_000;

/** Runs the fuzzers in turn until the time is up; returns how many faults were found. */
export async function runFor({ minutes, seed, only, say }: LongRun): Promise<number> {
  const names = only === null ? Object.keys(FUZZERS) : [only];
  if (only !== null && FUZZERS[only] === undefined) {
    throw new Error(`There is no fuzzer '${only}': ${Object.keys(FUZZERS).join(', ')}.`);
  }
  const first = seed ?? firstSeed();
  say(`first seed ${first}`);
  const turnMs = Math.min(LONGEST_TURN_MS, Math.ceil((minutes * 60_000) / names.length));
  const end = process.hrtime.bigint() + BigInt(Math.round(minutes * 60_000)) * 1_000_000n;
  const next = new Map(names.map((name) => [name, first]));
  let found = 0;
  let baseline = 0;
  for (let round = 0; process.hrtime.bigint() < end; round++) {
    for (const name of names) {
      const turnEnd = process.hrtime.bigint() + BigInt(turnMs) * 1_000_000n;
      while (process.hrtime.bigint() < turnEnd && process.hrtime.bigint() < end) {
        const episode = next.get(name)!;
        next.set(name, episode + 1);
        await runEpisode(name, episode).catch((error: Error) => {
          found += 1;
          say(traceOf(error));
        });
      }
    }
    const used = await memoryInUse();
    if (round === 0) baseline = used;
    const counts = names.map((name) => `${name} ${next.get(name)! - first}`).join(', ');
    say(`${counts}; ${found} found; ${Math.round(used / 1e6)} MB in use`);
    if (used - baseline > MOST_GROWTH) {
      found += 1;
      say(`the memory in use grew from ${baseline} to ${used} bytes`);
      baseline = used;
    }
  }
  return found;
}

/** The failure and where it comes from. */
function traceOf(error: Error): string {
  let first: Error = error;
  while (first.cause instanceof Error) first = first.cause;
  return `${error.message}\n${first.stack?.split('\n    at ').slice(1, 8).join('\n    at ')}`;
}
