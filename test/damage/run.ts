// Damages stores, and checks what is made of them.
//
//   npm run damage -- [--runs N] [--seed N] [--only files|brokers] [--broker FILE]
//
// Each run is done with the store by itself, and with real brokers. A seed that failed is printed; `--runs 1 --seed N` does it
// again. Exit code 1 when something was wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { Dice } from '../support/fuzz-dice.ts';
import { built } from '../support/process.ts';
import { fillByBrokers, type Place, type Published } from './broker-fill.ts';
import { runBroker } from './broker-run.ts';
import { runOnce } from './check.ts';

/** Runs with one and the same store that brokers have made. */
const RUNS_PER_STORE = 20;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    broker: { type: 'string' },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const runs = Number(values.runs);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed);
const scratch = mkdtempSync(path.join(tmpdir(), 'mqtt-damage-'));
const port = await freePort();
const program = values.broker ?? built('mqtt-broker');
const place = (name: string): Place => ({ folder: path.join(scratch, name), port, program });
let failed = 0;
let store: { readonly number: number; readonly published: Published } | null = null;

/** One attempt; what is wrong is printed. */
async function attempt(kind: string, run: () => Promise<string>): Promise<void> {
  try {
    await run();
  } catch (error) {
    failed += 1;
    say(`${kind}: ${(error as Error).message}`);
  }
}

/** A run with brokers, on a store that follows from the seed as well. */
async function withBrokers(number: number): Promise<string> {
  const wanted = number - (number % RUNS_PER_STORE);
  if (store?.number !== wanted) {
    rmSync(place('filled').folder, { recursive: true, force: true });
    store = { number: wanted, published: await fillByBrokers(place('filled'), new Dice(wanted)) };
  }
  return runBroker(number, place('filled'), place('damaged'), store.published);
}

say(`seed ${seed}`);
const start = performance.now();
for (let number = seed; number < seed + runs; number++) {
  if (values.only !== 'brokers') await attempt('files', () => runOnce(number));
  if (values.only !== 'files') await attempt('brokers', () => withBrokers(number));
  const count = number - seed + 1;
  if (count % 100 === 0 || count === runs) {
    say(`${count} runs, ${failed} failures, ${Math.round((performance.now() - start) / 1000)} s`);
  }
}
rmSync(scratch, { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);
