// Every scenario in every version it names: through memory, over TCP, and through memory with plugins that answer late and
// chunks cut anywhere.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { repository } from '../support/process.ts';
import { openArena } from '../support/wire-arena.ts';
import { readCases } from '../support/wire-parse.ts';
import { runCase } from './run-wire.ts';

const folder = path.join('test', 'wire', 'cases');
const files = readdirSync(path.join(repository, folder)).filter((name) => name.endsWith('.wire'));
const cases = files.sort().flatMap((name) => readCases(path.join(repository, folder, name)));

for (const mode of ['memory', 'tcp', 'late'] as const) {
  describe(`wire scenarios, ${mode}`, () => {
    for (const scenario of cases) {
      test(scenario.name, { timeout: 60_000 }, async () => {
        for (const version of scenario.versions) await runCase(scenario, version, await openArena(scenario, mode));
      });
    }
  });
}
