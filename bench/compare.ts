// Compares mqtt-broker with mosquitto and aedes in one run: the brokers take turns under each load, each time as a fresh
// process on the first core, while the load runs on the second. See README.md beside this file.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repository, without } from '../test/support/process.ts';
import { type BrokerName, isPinned, MAX_INFLIGHT, startBroker, versionOf } from './brokers.ts';
import { CALM } from './calm.ts';
import { columnsOf, othersOf, type Sample, securityOf, tables } from './compare-report.ts';
import { type Load, loads, PAYLOAD } from './loads.ts';
import { machine } from './measure.ts';
import { report } from './report.ts';
import { runLoad } from './run-load.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    window: { type: 'string', default: '' },
    brokers: { type: 'string', default: 'mqtt-broker,mosquitto,aedes' },
    other: { type: 'string', default: '' },
    line: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
});

/** A column of the report: a broker, and which build of it where that is not the one in dist/. */
interface Contender {
  readonly name: string;
  readonly broker: BrokerName;
  readonly script?: string;
}

const WARMUP_SECONDS = 1;
const SECONDS = 1.5;
/** A steady rate gives few latencies a second, and the 99th percentile needs many. */
const STEADY_SECONDS = 5;
const QUICK = 0.5;
/** Measurements of the same thing at most, as long as others keep the machine busy. */
const TRIES = 3;

const rounds = values.quick ? 1 : Number(values.rounds);
const chosenLoads = loads
  .filter((load) => load.name.includes(values.only))
  .map((load) => (values.window === '' ? load : { ...load, window: Number(values.window) }));
const contenders: Contender[] = values.brokers
  .split(',')
  .filter((name): name is BrokerName => name === 'mqtt-broker' || name === 'mosquitto' || name === 'aedes')
  .filter((name) => name !== 'mosquitto' || without('mosquitto') === false)
  .map((name) => ({ name, broker: name }));
if (values.other !== '') {
  contenders.push({ name: 'other build', broker: 'mqtt-broker', script: path.resolve(values.other) });
}

function secondsOf(load: Load): number {
  if (values.quick) return QUICK;
  if (values.seconds !== '') return Number(values.seconds);
  return load.rate > 0 ? STEADY_SECONDS : SECONDS;
}

/** Arguments for Node that make it write a CPU profile named after broker and load. */
function profiling({ name, broker }: Contender, load: Load): readonly string[] {
  if (values.profile === '' || broker !== 'mqtt-broker') return [];
  const slug = `${load.name} ${name}`.toLowerCase().replace(/[^a-z\d]+/g, '-');
  return ['--cpu-prof', `--cpu-prof-dir=${path.resolve(values.profile)}`, `--cpu-prof-name=${slug}.cpuprofile`];
}

async function measureOnce(contender: Contender, load: Load): Promise<Sample> {
  const { name, broker, script } = contender;
  const running = await startBroker(broker, {
    isTls: load.isTls,
    lines: values.line,
    nodeArguments: profiling(contender, load),
    ...(script === undefined ? {} : { script }),
  });
  const times = { warmupSeconds: values.quick ? QUICK / 2 : WARMUP_SECONDS, seconds: secondsOf(load) };
  const result = await runLoad(running, load, times)
    .catch((error: unknown) => {
      throw new Error(`${name}, ${load.name}`, { cause: error });
    })
    .finally(() => running.stop());
  return { broker: name, load: load.name, result };
}

/** Measures again where others disturbed, a few times, and keeps the least disturbed measurement. */
async function measure(contender: Contender, load: Load): Promise<Sample> {
  let best = await measureOnce(contender, load);
  for (let more = TRIES - 1; more > 0 && best.result.others > CALM && !values.quick; more--) {
    const next = await measureOnce(contender, load);
    if (next.result.others < best.result.others) best = next;
  }
  return best;
}

/** aedes does not speak MQTT 5. */
const canTakePart = ({ broker }: Contender, load: Load): boolean => broker !== 'aedes' || load.level === 4;

/** Everybody once under each load; each round begins with another broker. */
async function measureRound(round: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const load of chosenLoads) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + round) % contenders.length]!;
      if (!canTakePart(contender, load)) continue;
      const sample = await measure(contender, load);
      samples.push(sample);
      const spent = (sample.result.brokerNanoseconds / 1000 / sample.result.deliveries).toFixed(2);
      process.stderr.write(`round ${round + 1}/${rounds}  ${load.name}  ${contender.name}  ${spent} µs\n`);
    }
  }
  return samples;
}

const samples: Sample[] = [];
for (let round = 0; round < rounds; round++) samples.push(...(await measureRound(round)));

const text = tables(
  columnsOf(
    samples,
    chosenLoads,
    contenders.map(({ name }) => name),
  ),
);
process.stdout.write(`\n${text}\n\nothers busy: ${othersOf(samples)}\n${securityOf(samples)}\n`);
const { only, window, other, profile, line } = values;
const isStandard = [only, window, other, profile, ...line].join('') === '';
if (isStandard && !values.quick && !values['no-write']) {
  const date = new Date().toISOString().slice(0, 10);
  const facts = {
    date,
    machine: machine(),
    brokers: contenders.map(({ broker }) => versionOf(broker)).join(', '),
    node: process.version,
    cores: isPinned ? 'broker on core 0, load on core 1' : 'not pinned',
    rounds: `${rounds} of ${values.seconds || SECONDS} s (${values.seconds || STEADY_SECONDS} s at a steady rate) each after ${WARMUP_SECONDS} s of warm-up, brokers in turn`,
    messages: `MQTT 3.1.1, ${PAYLOAD}-byte payloads, no persistence where the load does not say otherwise, max_inflight_messages ${MAX_INFLIGHT}`,
    TLS: securityOf(samples),
    'others busy': `${othersOf(samples)} of the machine, though what they disturbed was measured up to ${TRIES} times`,
  };
  const folder = path.join(repository, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${date}.md`), report(facts, text));
  process.stdout.write(`\nwritten to bench/results/${date}.md\n`);
}
