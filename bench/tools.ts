// How fast the tools publish lines and print messages, against Mosquitto's tools at the same broker. See README.md beside
// this file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { built } from '../test/support/process.ts';
import { type BrokerName, onCore, startBroker } from './brokers.ts';
import { median } from './measure.ts';
import { type Cost, quoted, timed } from './processes.ts';
import { markdownTable } from './report.ts';
import { writeSection } from './tools-report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    'no-write': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

/** Messages at each QoS. */
const COUNTS = [1_000_000, 100_000, 100_000].map((count) => Math.round(count * Number(values.scale)));
const BROKERS: readonly BrokerName[] = ['mqtt-broker', 'mosquitto'];
const SUITES = ['mqtt', 'mosquitto'] as const;
type Suite = (typeof SUITES)[number];

const folder = mkdtempSync(path.join(tmpdir(), 'mqtt-bench-tools-'));
const linesFile = path.join(folder, 'lines');
const printedFile = path.join(folder, 'printed');

function commandLine(suite: Suite, role: 'pub' | 'sub', port: number, qos: number): string[] {
  const program = suite === 'mqtt' ? [process.execPath, built(`mqtt-${role}`)] : [`mosquitto_${role}`];
  return [...program, '-h', '127.0.0.1', '-p', String(port), '-t', 'n', '-q', String(qos)];
}

const onLoadCore = (core: number, words: readonly string[]): string => {
  const [program, args] = onCore(core, words[0] ?? '', words.slice(1));
  return [program, ...args].map(quoted).join(' ');
};

/** Seconds that a subscriber has to subscribe before the first line is published; they are not counted. */
const HEAD_START = 0.5;

/** Publishes the lines. */
function publishing(suite: Suite, port: number, qos: number): Cost {
  return timed(`cat ${quoted(linesFile)} | ${onLoadCore(1, [...commandLine(suite, 'pub', port, qos), '-l'])}`).cost;
}

/** Has mqtt-pub publish the lines to a subscriber, which must print each of them once and in order. */
function printing(suite: Suite, port: number, qos: number, count: number): Cost {
  const feed = `sleep ${HEAD_START}; cat ${quoted(linesFile)} | ${onLoadCore(0, [...commandLine('mqtt', 'pub', port, qos), '-l'])}`;
  const sub = onLoadCore(1, [...commandLine(suite, 'sub', port, qos), '-v', '-C', String(count)]);
  const { cost } = timed(`${sub} | cat > ${quoted(printedFile)}`, feed);
  const wanted = readFileSync(linesFile, 'latin1').replaceAll(/^(?=.)/gm, 'n ');
  if (readFileSync(printedFile, 'latin1') !== wanted) {
    throw new Error(`${suite}_sub, QoS ${qos}: not every message came once and in order`);
  }
  return { wall: cost.wall - HEAD_START * 1000, cpu: cost.cpu };
}

const ROLES = { 'pub -l': publishing, 'sub -v': printing } as const;
type Role = keyof typeof ROLES;

interface Case {
  readonly role: Role;
  readonly qos: number;
  readonly count: number;
  readonly broker: BrokerName;
}

const cases: Case[] = BROKERS.flatMap((broker) =>
  COUNTS.flatMap((count, qos) => (['pub -l', 'sub -v'] as const).map((role) => ({ role, qos, count, broker }))),
);
const nameOf = ({ role, qos, count, broker }: Case): string => `${role}, QoS ${qos}, ${count} messages, ${broker}`;
const chosen = cases.filter((each) => nameOf(each).includes(values.only));
const costs = new Map<string, Cost[]>();

for (let round = 1; round <= rounds; round++) {
  for (const each of chosen) {
    writeFileSync(linesFile, Array.from({ length: each.count }, (_, i) => `${i + 1}\n`).join(''));
    for (const suite of SUITES) {
      // A fresh one each time: a publisher of QoS 0 may end before its broker has read everything.
      const broker = await startBroker(each.broker);
      const cost = ROLES[each.role](suite, broker.port, each.qos, each.count);
      await broker.stop();
      const key = `${suite} ${nameOf(each)}`;
      costs.set(key, [...(costs.get(key) ?? []), cost]);
      process.stderr.write(`round ${round}/${rounds}  ${key}  ${(cost.wall / 1000).toFixed(2)} s\n`);
    }
  }
}
rmSync(folder, { recursive: true, force: true });

const medianOf = (suite: Suite, each: Case, what: keyof Cost): number =>
  median((costs.get(`${suite} ${nameOf(each)}`) ?? []).map((cost) => cost[what] / 1000));
const rows = chosen.map((each) => {
  const [ours, theirs] = [medianOf('mqtt', each, 'wall'), medianOf('mosquitto', each, 'wall')];
  const cpu = SUITES.map((suite) => medianOf(suite, each, 'cpu').toFixed(2));
  const ratio = ours / theirs;
  return [
    nameOf(each),
    ours.toFixed(2),
    theirs.toFixed(2),
    `${ratio.toFixed(2)} (${ratio <= 1 ? 'kept' : 'MISSED'})`,
    ...cpu,
  ];
});
const head = ['load and broker', 'ours s', "Mosquitto's s", 'ratio (≤ 1)', 'ours CPU s', "Mosquitto's CPU s"];
const table = markdownTable(head, rows);
process.stdout.write(`${table}\n`);
if (!values['no-write'] && values.only === '' && values.scale === '1') {
  const facts = {
    rounds: `${rounds}, the suites in turn; tool on core 1, broker (and the publisher that feeds a subscriber) on core 0`,
    numbers: 'medians; a tool is timed from its start to its end',
  };
  process.stdout.write(`\nwritten to ${writeSection('Lines and messages', facts, table)}\n`);
}
