// Runs the lines of the differential suite, writes what the listed ones left behind and the page about them, and tells of
// differences that are not listed: `npm run differences`. Needs mosquitto's tools.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { DIFFERENCES } from '../interop/differential-differences.ts';
import { PAGE, pageText, readRecord, writeRecord } from '../interop/differential-record.ts';
import { openStage } from '../interop/differential-stage.ts';
import { CASES, differing, type Pair, runBoth, undated } from '../interop/differential-suite.ts';
import { repository } from './process.ts';

const endings: (() => unknown)[] = [];
const stage = await openStage({ after: (ending: () => unknown) => void endings.push(ending) } as Parameters<
  typeof openStage
>[0]);
const listed = new Set(DIFFERENCES.flatMap(({ lines }) => lines));
const found = new Map<string, Pair>();
const waiting = [...CASES];

async function work(): Promise<void> {
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    const pair = await runBoth(stage, one, () => undefined);
    const parts = differing(pair);
    if (listed.has(one.name)) found.set(one.name, { theirs: undated(pair.theirs), ours: undated(pair.ours) });
    if (listed.has(one.name) === parts.length > 0) continue;
    process.exitCode = 1;
    process.stdout.write(`${parts.length > 0 ? 'Not listed' : 'Listed, but the same'}: ${one.name}\n`);
    for (const part of differing(pair) as (keyof Pair['ours'])[]) {
      process.stdout.write(
        `  ${part}: ${JSON.stringify(pair.theirs[part])}\n  ${part}: ${JSON.stringify(pair.ours[part])}\n`,
      );
    }
  }
}

try {
  await Promise.all([work(), work(), work(), work(), work(), work()]);
} finally {
  for (const ending of endings.reverse()) await ending();
}
writeRecord(found);
writeFileSync(path.join(repository, PAGE), pageText(readRecord()));
