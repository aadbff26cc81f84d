// How the broker behaves with very many clients, subscriptions and retained messages: measures the targets that are absolute
// or relative to the broker itself. See ../README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repository } from '../../test/support/process.ts';
import { isPinned, versionOf } from '../brokers.ts';
import { machine } from '../measure.ts';
import { factList, markdownTable } from '../report.ts';
import type { Run } from './broker.ts';
import { measureConnects } from './connects.ts';
import { measureIdle, measureLog, measureRetained, measureTakeOver } from './loops.ts';
import { measureMemory } from './memory.ts';
import type { Finding, Scenario } from './scenario.ts';
import { measureStalled } from './stalled.ts';
import { measureSteady } from './steady.ts';
import { measureSubscriptions, measureWildcards } from './subscriptions.ts';

const SCENARIOS: readonly Scenario[] = [
  { name: 'subscriptions', measure: measureSubscriptions },
  { name: 'wildcards', measure: measureWildcards },
  { name: 'memory', measure: measureMemory },
  { name: 'connects', measure: measureConnects },
  { name: 'stalled', measure: measureStalled },
  { name: 'steady', measure: measureSteady },
  { name: 'idle', measure: measureIdle },
  { name: 'takeover', measure: measureTakeOver },
  { name: 'retained', measure: measureRetained },
  { name: 'log', measure: measureLog },
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '10' },
    quick: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
    broker: { type: 'string' },
    profiles: { type: 'string' },
    'node-argument': { type: 'string', multiple: true, default: [] },
  },
});
const isQuick = values.quick;
const run: Run = {
  isQuick,
  rounds: isQuick ? 1 : Number(values.rounds),
  minutes: isQuick ? 0.25 : Number(values.minutes),
  nodeArguments: [
    ...values['node-argument'],
    ...(values.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profiles}`]),
  ],
  script: values.broker,
};
const names = values.only === '' ? SCENARIOS.map(({ name }) => name) : values.only.split(',');
for (const name of names) {
  if (!SCENARIOS.some((scenario) => scenario.name === name)) {
    throw new Error(`no scenario ${name}; there are ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`);
  }
}

const verdict = ({ isKept }: Finding): string => (isKept === null ? '' : isKept ? 'kept' : 'MISSED');

const parts: string[] = [];
for (const { name, measure } of SCENARIOS.filter((scenario) => names.includes(scenario.name))) {
  const began = performance.now();
  const rows = (await measure(run)).map((finding) => [
    finding.what,
    finding.measured,
    finding.target,
    verdict(finding),
  ]);
  const part = `## ${name}\n\n${markdownTable(['what', 'measured', 'target', ''], rows)}`;
  parts.push(part);
  process.stdout.write(`${part}\n\n`);
  process.stderr.write(`${name} took ${Math.round((performance.now() - began) / 1000)} s\n`);
}

if (!isQuick && !values['no-write']) {
  const date = new Date().toISOString().slice(0, 10);
  const facts = {
    date,
    machine: machine(),
    broker: versionOf('mqtt-broker'),
    node: process.version,
    cores: isPinned ? 'broker on core 0, load on core 1' : 'not pinned',
    rounds: `medians of ${run.rounds} where a scenario has rounds`,
  };
  const folder = path.join(repository, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${date}-scale.md`), `# Scale\n\n${factList(facts)}\n\n${parts.join('\n\n')}\n`);
  process.stdout.write(`written to bench/results/${date}-scale.md\n`);
}
