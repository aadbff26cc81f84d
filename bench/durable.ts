// Measures what durability costs: throughput, latency and CPU beside mosquitto and beside the bare disk, what clients pay
// that don't use it, and how big the store gets. See README.md beside this file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repository, without } from '../test/support/process.ts';
import { isPinned, MAX_INFLIGHT, versionOf } from './brokers.ts';
import { type DiskSample, type PairsOptions, type PairsSample, pairsRound } from './durable-pairs.ts';
import { durableReport } from './durable-report.ts';
import { diskOf, type Ground, SUBJECTS } from './durable-subjects.ts';
import { machine } from './measure.ts';
import { type PlainSample, plainRound } from './plain-sessions.ts';
import { backlog, churn } from './store-size.ts';

const PARTS = ['pairs', 'plain', 'churn', 'backlog'] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '' },
    seconds: { type: 'string', default: '' },
    only: { type: 'string', default: PARTS.join(',') },
    subjects: { type: 'string', default: '' },
    pairs: { type: 'string', default: '50' },
    window: { type: 'string', default: '100' },
    payload: { type: 'string', default: '100' },
    rate: { type: 'string', default: '10000' },
    churn: { type: 'string', default: '' },
    backlog: { type: 'string', default: '' },
    folder: { type: 'string', default: tmpdir() },
    cores: { type: 'string', default: '0' },
    broker: { type: 'string' },
    profiles: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-calm': { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
});

/** A number of the command line, or what it is without it, in the quick run and in the full one. */
const number = (value: string, quick: number, full: number): number => {
  if (value !== '') return Number(value);
  return values.quick ? quick : full;
};

const rounds = number(values.rounds, 1, 5);
const seconds = number(values.seconds, 1, 4);
const churned = number(values.churn, 500_000, 10_000_000);
const queued = number(values.backlog, 100_000, 1_000_000);
const parts = PARTS.filter((part) => values.only.split(',').includes(part));
const subjects = SUBJECTS.filter(({ name }) => name.includes(values.subjects)).filter(
  ({ broker }) => broker !== 'mosquitto' || without('mosquitto') === false,
);
const ground: Ground = {
  folder: values.folder,
  cores: values.cores,
  script: values.broker,
  profiles: values.profiles,
  isWatched: true,
  isPatient: !values['no-calm'],
};
const load: PairsOptions = {
  pairs: Number(values.pairs),
  window: Number(values.window),
  payload: Number(values.payload),
  rate: Number(values.rate),
  warmupSeconds: seconds / 2,
  seconds,
};
const QUEUE = 1000;

process.stderr.write(`${diskOf(ground.folder)}\n`);
const pairs: PairsSample[] = [];
const disks: DiskSample[] = [];
const plain: PlainSample[] = [];
for (let round = 0; round < rounds; round++) {
  process.stderr.write(`round ${round + 1}/${rounds}\n`);
  if (parts.includes('pairs')) {
    const { samples, disk } = await pairsRound(ground, subjects, round, load);
    pairs.push(...samples);
    if (disk !== null) disks.push(disk);
  }
  const times = { warmupSeconds: seconds / 4, seconds: seconds / 2 };
  if (parts.includes('plain')) plain.push(...(await plainRound(ground, round, times)));
}
const churnResult = parts.includes('churn') ? await churn(ground, churned, QUEUE) : null;
const backlogResult = parts.includes('backlog') ? await backlog(ground, queued) : null;

const date = new Date().toISOString().slice(0, 10);
const facts = {
  date,
  machine: machine(),
  disk: diskOf(ground.folder),
  brokers: [...new Set(subjects.map(({ broker }) => broker))].map(versionOf).join(', '),
  node: process.version,
  cores: isPinned ? `broker with all its threads on core ${ground.cores}, load on core 1` : 'not pinned',
  rounds: `${rounds}, in turn; each ${seconds} s after ${load.warmupSeconds} s of warm-up`,
  load: `MQTT 3.1.1, QoS 1, ${load.pairs} publishers to ${load.pairs} subscribers with persistent sessions, ${load.window} unacknowledged messages a publisher, payload ${load.payload} bytes`,
  limits: `max_inflight_messages ${MAX_INFLIGHT}, max_queued_messages 0, set_tcp_nodelay true at the steady rate; everything else as it is by default`,
};
const findings = { subjects, rate: load.rate, pairs, disks, plain, churn: churnResult, backlog: backlogResult };
const text = durableReport(facts, findings);
process.stdout.write(`\n${text}`);
const isWhole = parts.length === PARTS.length && subjects.length === SUBJECTS.length;
if (isWhole && !values.quick && !values['no-write']) {
  const folder = path.join(repository, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${date}-durable.md`), text);
  process.stdout.write(`\nwritten to bench/results/${date}-durable.md\n`);
}
