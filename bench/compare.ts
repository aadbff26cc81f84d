// Compares mqtt-broker with mosquitto and aedes in one run: the brokers take turns under each load, each time as a fresh
// process on the first core, while the load runs on the second. See README.md beside this file.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repository, without } from '../test/support/process.ts';
import { type BrokerName, isPinned, MAX_INFLIGHT, startBroker, versionOf } from './brokers.ts';
import { type Load, loads, PAYLOAD } from './loads.ts';
import { machine } from './measure.ts';
import { report, type Sample, table } from './report.ts';
import { runLoad } from './run-load.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    window: { type: 'string', default: '' },
    brokers: { type: 'string', default: 'mqtt-broker,mosquitto,aedes' },
    quick: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
});
const rounds = values.quick ? 1 : Number(values.rounds);
const seconds = values.quick ? 0.5 : Number(values.seconds);
const warmupSeconds = seconds / 2;
const chosenLoads = loads
  .filter((load) => load.name.includes(values.only))
  .map((load) => (values.window === '' ? load : { ...load, window: Number(values.window) }));
const chosenBrokers = values.brokers
  .split(',')
  .filter((name): name is BrokerName => name === 'mqtt-broker' || name === 'mosquitto' || name === 'aedes')
  .filter((name) => name !== 'mosquitto' || without('mosquitto') === false);

async function measure(broker: BrokerName, load: Load): Promise<Sample> {
  const running = await startBroker(broker);
  const result = await runLoad(running, load, { warmupSeconds, seconds }).catch((error: unknown) => {
    throw new Error(`${broker}, ${load.name}`, { cause: error });
  });
  await running.stop();
  return {
    broker,
    load: load.name,
    microseconds: result.brokerNanoseconds / 1000 / result.deliveries,
    rate: result.deliveries / result.seconds,
    busy: result.brokerNanoseconds / 1e9 / result.seconds,
  };
}

const samples: Sample[] = [];
for (let round = 1; round <= rounds; round++) {
  for (const load of chosenLoads) {
    for (const broker of chosenBrokers) {
      const sample = await measure(broker, load);
      samples.push(sample);
      const spent = sample.microseconds.toFixed(2);
      process.stderr.write(`round ${round}/${rounds}  ${load.name}  ${broker}  ${spent} µs\n`);
    }
  }
}

const text = table(samples, chosenLoads, chosenBrokers);
process.stdout.write(`\n${text}\n`);
if (!values.quick && !values['no-write'] && values.window === '') {
  const date = new Date().toISOString().slice(0, 10);
  const windows = [...new Set(chosenLoads.map((load) => load.window))].join(' or ');
  const facts = {
    date,
    machine: machine(),
    brokers: chosenBrokers.map(versionOf).join(', '),
    node: process.version,
    cores: isPinned ? 'broker on core 0, load on core 1' : 'not pinned',
    rounds: `${rounds} of ${seconds} s each after ${warmupSeconds} s of warm-up, brokers in turn`,
    messages: `MQTT 3.1.1, ${PAYLOAD}-byte payloads, ${windows} messages of a publisher on their way, max_inflight_messages ${MAX_INFLIGHT}`,
  };
  const folder = path.join(repository, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${date}.md`), report(facts, text));
  process.stdout.write(`\nwritten to bench/results/${date}.md\n`);
}
