// More than the disk takes: who adds to it is not read from until there is room, and nobody else notices. Played as wire
// scenarios are, but over whole chunks only: it takes megabytes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openArena } from '../support/wire-arena.ts';
import type { Version } from '../support/wire-encode.ts';
import { type Case, readCases } from '../support/wire-parse.ts';
import { runCase } from '../wire/run-wire.ts';

function caseOf(context: TestContext, lines: readonly string[]): Case {
  const folder = mkdtempSync(path.join(tmpdir(), 'wire-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'some.wire');
  writeFileSync(file, ['case: congested', 'config: persistence true', ...lines].join('\n'));
  const [scenario] = readCases(file);
  return scenario!;
}

async function play(context: TestContext, version: Version, lines: readonly string[]): Promise<void> {
  const scenario = caseOf(context, lines);
  await runCase(scenario, version, await openArena(scenario, 'memory'));
}

/** A line for each number from `first` to `last`, with N in its place. */
const each = (first: number, last: number, line: string): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => line.replaceAll('N', String(first + i)));

/** Numbers of the publishes of 1.5 MB that make more than 8 MiB, the first of which is on its way to the disk alone. */
const FIRST = 1;
const LAST = 7;

for (const version of [4, 5] as const) {
  test(`${version}: more than 8 MiB hold back who adds to them, and nobody else`, async (context) => {
    await play(context, version, [
      'A joins persistent keepalive=0',
      'A subscribes big:1',
      'A leaves',
      'B joins keepalive=10',
      'C joins keepalive=0',
      'C subscribes late:0',
      'disk holds',
      `B > PUBLISH q1 id=${FIRST} big "x"*1500000`,
      'B < nothing',
      ...each(FIRST + 1, LAST, 'B > PUBLISH q1 id=N big "x"*1500000'),
      'B < nothing',
      // The next one that adds to it is taken, and the last before a pause.
      'B > PUBLISH q1 id=8 big "y"',
      'B > PUBLISH q0 late "x"',
      'B < silence',
      'C publishes q1 nobody "free" rc=0x10',
      'C < nothing',
      // Keep-alive does not close who is not read from.
      'clock advances 100',
      'B < silence',
      'C < nothing',
      'disk goes-on',
      ...each(FIRST, LAST + 1, 'B < PUBACK id=N'),
      'C < PUBLISH q0 late "x"',
      'clock advances 14',
      'B < nothing',
      // Its time runs again.
      'clock advances 16',
      ...(version === 5 ? ['B < DISCONNECT rc=0x8d'] : []),
      'B < closed',
    ]);
  });
}

test('while nothing can be written, publishers of older versions are held back and go on afterwards', async (context) => {
  await play(context, 4, [
    'A joins persistent keepalive=0',
    'A subscribes big:1',
    'A leaves',
    'B joins keepalive=10',
    'C joins keepalive=0',
    'C subscribes late:0',
    'disk fails',
    `B > PUBLISH q1 id=${FIRST} big "x"*1500000`,
    'B < nothing',
    ...each(FIRST + 1, LAST, 'B > PUBLISH q1 id=N big "x"*1500000'),
    'B < nothing',
    'B > PUBLISH q1 id=8 big "y"',
    'B > PUBLISH q0 late "x"',
    'B < silence',
    'disk retries',
    'clock advances 100',
    'B < silence',
    'C < nothing',
    'disk works',
    ...each(FIRST, LAST + 1, 'B < PUBACK id=N'),
    'C < PUBLISH q0 late "x"',
  ]);
});

test('a client that goes while it is held back does no harm', async (context) => {
  await play(context, 4, [
    'A joins persistent',
    'A subscribes big:1',
    'A leaves',
    'B joins',
    'disk holds',
    `B > PUBLISH q1 id=${FIRST} big "x"*1500000`,
    'B < nothing',
    ...each(FIRST + 1, LAST, 'B > PUBLISH q1 id=N big "x"*1500000'),
    'B < nothing',
    'B > PUBLISH q1 id=8 big "y"',
    'B > PUBLISH q0 late "x"',
    'B < silence',
    'B drops',
    'C joins',
    'disk goes-on',
    'C publishes q1 big "z"',
    'A joins persistent present=1',
    ...each(FIRST, LAST, 'A gets q1 id=N big "x"*1500000'),
    'A gets q1 id=8 big "y"',
    'A gets q1 id=9 big "z"',
  ]);
});
