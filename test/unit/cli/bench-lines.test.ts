// The summary of mqtt-bench for people and machines, and the line that shows how a run gets on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BrokerWatch } from '../../../src/cli/commands/bench-broker.ts';
import { exitCode } from '../../../src/cli/commands/bench-failures.ts';
import { LiveLine, summaryLines } from '../../../src/cli/commands/bench-lines.ts';
import { benchPlan } from '../../../src/cli/commands/bench-plan.ts';
import type { Outcome } from '../../../src/cli/commands/bench-run.ts';
import { type Summary, summaryOf } from '../../../src/cli/commands/bench-summary.ts';
import { parseArguments } from '../../../src/cli/parse.ts';
import { type Counts, noCounts } from '../../../src/load/counts.ts';
import { repository } from '../../support/process.ts';

const TIMES = { count: 2_000_000, mean: 500.4, p50: 400, p90: 1234, p99: 98_765, p999: 123_456, max: 4_000_000 };

function outcome(counts: Partial<Counts> = {}): Outcome {
  return {
    result: {
      counts: { ...noCounts(), connected: 20, sent: 1_000_000, acknowledged: 999_990, received: 1_999_980, ...counts },
      startedAt: 1_000_000,
      haltedAt: 5_000_000,
      lastReceivedAt: 5_010_000,
      connectTimes: TIMES,
      ackTimes: TIMES,
      deliveryTimes: TIMES,
      failures: [['Connection refused.', 3]],
      busiest: 0.421,
      busiestOpening: 0.1,
    },
    connectSeconds: 0.5,
    wasStopped: false,
    hasStalled: false,
  };
}

function summary(counts: Partial<Counts> = {}): Summary {
  const { options } = parseArguments('bench', ['-h', '::1', '-q', '1', '--rate-all', '5']);
  const watch = new BrokerWatch(1, () => ({ cpuMicroseconds: 0, residentBytes: 12_345_678, peakBytes: 2e9 }));
  for (const point of ['before', 'began', 'ended'] as const) watch.look(point);
  return summaryOf('load', benchPlan('load', options, 1, {}), 2, outcome(counts), watch);
}

test('lines for people', () => {
  const counts = {
    expected: 2_000_000,
    unique: 1_999_970,
    duplicated: 10,
    foreign: 1,
    sentBytes: 64e6,
    receivedBytes: 5,
  };
  assert.deepEqual(summaryLines(summary(counts)), [
    'load on tcp://[::1]:1883: 10 publishers, 10 subscribers, 10 topics, QoS 1, 64 bytes, mqttv311, 2 workers',
    '',
    'connected       20 of 20 in 0.50 s, 40/s',
    'connect time    p50 0.40   p90 1.23   p99 98.8   p99.9 123   max 4,000 ms',
    'sent            1,000,000 messages in 4.00 s, 250,000/s, 16.0 MB/s',
    'acknowledged    999,990, and 10 not',
    'ack time        p50 0.40   p90 1.23   p99 98.8   p99.9 123   max 4,000 ms',
    'received        1,999,980 messages in 4.01 s, 498,748/s, 1 B/s',
    'lost            30',
    'duplicated      10',
    'out of order    0',
    'foreign         1 message without a stamp of this run',
    'latency         p50 0.40   p90 1.23   p99 98.8   p99.9 123   max 4,000 ms',
    'own CPU         42 % of a core (the busiest worker)',
    'broker CPU      0 % of a core, 0.00 µs a delivery',
    'broker memory   12.3 MB, 2.00 GB at most',
  ]);
});

test('the man page names every field of the JSON, and no other', () => {
  const page = readFileSync(path.join(repository, 'man', 'mqtt-bench.md'), 'utf8');
  const block = /Its fields:\n\n```\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const named = new Set(block.replace('a list of sentence and times', 'sentence times').match(/[A-Za-z0-9]+/g));
  const fields = new Set<string>();
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        fields.add(key);
        collect(inner);
      }
    }
  };
  collect(summary());
  assert.deepEqual([...fields].sort(), [...named].sort());
});

test('exit codes', () => {
  const code = (counts: Partial<Counts>, lost: number | null = 0, qos = 1): number =>
    exitCode(outcome(counts), lost, qos);
  assert.equal(code({}), 0);
  assert.equal(code({}, null), 0);
  assert.equal(code({ connected: 0, connectFailed: 5 }), 1);
  for (const name of ['connectFailed', 'connectionsLost', 'subscribeFailed', 'publishRefused'] as const) {
    assert.equal(code({ [name]: 1 }, 5), 2);
  }
  assert.equal(code({}, 1), 3);
  assert.deepEqual([code({ duplicated: 1 }), code({ duplicated: 1 }, 0, 2)], [0, 3]);
});

test('the live line tells rates, stays within the terminal and goes away', () => {
  let text = '';
  const live = new LiveLine((more) => {
    text += more;
  }, 40);
  live.show('running', { ...noCounts(), openClients: 20, sent: 1000, received: 10 }, 1000);
  live.show('running', { ...noCounts(), openClients: 20, sent: 9_999_999, received: 10 }, 1100);
  live.show('running', { ...noCounts(), openClients: 20, sent: 2000, received: 510 }, 2000);
  live.clear();
  live.clear();
  const shown = text.split('\r\x1b[K');
  assert.deepEqual(shown, [
    '',
    'running: 20 clients, sent 1,000, 1,000/',
    'running: 20 clients, sent 2,000, 1,000/',
    '',
  ]);
});

test('a process that has ended, and one that was never there', () => {
  let isThere = true;
  const read = () => {
    if (isThere) return { cpuMicroseconds: 1, residentBytes: 2, peakBytes: 3 };
    throw Object.assign(new Error('gone'), { code: 'ENOENT' });
  };
  const watch = new BrokerWatch(7, read);
  watch.look('before');
  isThere = false;
  watch.look('began');
  assert.equal(watch.fault, 'The process 7 (--pid) has ended; its figures are left out.');
  const other = new BrokerWatch(7, read);
  other.look('before');
  assert.equal(other.fault, 'There is no process 7 (--pid); its figures are left out.');
});
