// Seeded damage to the files of a store. `npm run damage` does it a thousand times.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Dice } from '../support/fuzz-dice.ts';
import { built } from '../support/process.ts';
import { fillByBrokers, type Place } from './broker-fill.ts';
import { runBroker } from './broker-run.ts';
import { runOnce } from './check.ts';

const RUNS = 50;
const BROKER_RUNS = 3;

/** The seed to begin with: DAMAGE_SEED, or a new one. */
const seed = Number(process.env['DAMAGE_SEED'] ?? Math.floor(Math.random() * 0x4000_0000));

test(`${RUNS} damages: what is whole is read, nothing else is, and the report is true`, async (context) => {
  context.diagnostic(`DAMAGE_SEED=${seed}`);
  for (let run = 0; run < RUNS; run++) assert.ok(await runOnce(seed + run));
});

test('brokers start on a damaged store, or refuse when told so, and pass on only what was published', async (context) => {
  context.diagnostic(`DAMAGE_SEED=${seed}`);
  const scratch = mkdtempSync(path.join(tmpdir(), 'mqtt-damage-'));
  context.after(() => rmSync(scratch, { recursive: true, force: true }));
  const port = await freePort();
  const place = (name: string): Place => ({ folder: path.join(scratch, name), port, program: built('mqtt-broker') });
  const published = await fillByBrokers(place('filled'), new Dice(seed));
  for (let run = 0; run < BROKER_RUNS; run++) {
    assert.ok(await runBroker(seed + run, place('filled'), place('damaged'), published));
  }
});
