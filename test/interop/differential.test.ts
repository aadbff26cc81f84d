// The same command lines with Debian's tools and ours at the same broker: what they print and how they end is the same to
// the byte, save for what differential-differences.ts lists, and there it is what was recorded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { without } from '../support/process.ts';
import { DIFFERENCES } from './differential-differences.ts';
import { readRecord } from './differential-record.ts';
import { RULES, type Rule } from './differential-rules.ts';
import { openStage } from './differential-stage.ts';
import { CASES, differing, runBoth, undated } from './differential-suite.ts';

const skip = without('mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr', 'mosquitto_passwd', 'openssl');

const listed = new Map(
  DIFFERENCES.flatMap((difference) => difference.lines.map((name) => [name, difference] as const)),
);
const recorded = readRecord();

test('command lines', { skip, concurrency: 8 }, async (context) => {
  const stage = await openStage(context);
  const needed = new Set<Rule>();
  const tests = CASES.map((one) =>
    context.test(one.name, async () => {
      const pair = await runBoth(stage, one, (rule) => needed.add(rule));
      const difference = listed.get(one.name);
      if (difference === undefined) {
        assert.deepEqual(pair.ours, pair.theirs);
        return;
      }
      assert.notDeepEqual(differing(pair), [], 'a listed difference is gone: take it from the table');
      const known = recorded[one.name];
      if (difference.varies !== 'both') assert.deepEqual(undated(pair.ours), known?.ours);
      if (difference.varies === undefined) assert.deepEqual(undated(pair.theirs), known?.theirs);
    }),
  );
  await Promise.all(tests);
  assert.deepEqual(
    RULES.filter((rule) => !needed.has(rule)).map(({ title }) => title),
    [],
    'rules that change nothing any more',
  );
});
