// Every scenario in every version that it names, over one way to the broker. Each way is a test file of its own.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { repository } from '../support/process.ts';
import { type Mode, openArena, type Tap } from '../support/wire-arena.ts';
import type { Version } from '../support/wire-encode.ts';
import { readCases } from '../support/wire-parse.ts';
import { runCase } from './run-wire.ts';

/** Makes the tests of a mode. `tapOf` gives the tap for the broker's end of connections that speak this version. */
export function playAll(mode: Mode, tapOf: (version: Version) => Tap | undefined = () => undefined): void {
  const folder = path.join('test', 'wire', 'cases');
  const files = readdirSync(path.join(repository, folder)).filter((name) => name.endsWith('.wire'));
  const cases = files.sort().flatMap((name) => readCases(path.join(repository, folder, name)));
  describe(`wire scenarios, ${mode}`, () => {
    for (const scenario of cases) {
      if (mode === 'stored' && scenario.config.includes('persistence false')) continue;
      test(scenario.name, { timeout: 60_000 }, async () => {
        for (const version of scenario.versions) {
          await runCase(scenario, version, await openArena(scenario, mode, tapOf(version)));
        }
      });
    }
  });
}
