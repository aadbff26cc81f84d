// How long the tools take from their start to their end, against Node with an empty program and against Mosquitto's tools.
// See README.md beside this file.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { built, without } from '../test/support/process.ts';
import { onCore, startBroker } from './brokers.ts';
import { median } from './measure.ts';
import { type Cost, quoted, timed } from './processes.ts';
import { markdownTable } from './report.ts';
import { writeSection } from './tools-report.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '30' }, 'no-write': { type: 'boolean', default: false } },
});
const runs = Number(values.runs);

/** Most times of Node with an empty program that a tool may take. */
const BUDGET = 1.35;
const EMPTY = 'node -e 0';

// Node reads further certificates at every start: half of the time of an empty program that no tool has a part in.
delete process.env['NODE_EXTRA_CA_CERTS'];

const broker = await startBroker('mqtt-broker');
const line = (command: string, ...args: string[]): string => {
  const [program, words] = onCore(1, command, args);
  return [program, ...words].map(quoted).join(' ');
};
const ours = (tool: string, ...args: string[]): string => line(process.execPath, built(`mqtt-${tool}`), ...args);
const port = String(broker.port);
const publish = (host: string): string[] => ['-h', host, '-p', port, '-t', 'a', '-m', 'b'];
const subscribe = (host: string): string[] => ['-h', host, '-p', port, '-t', 'kept', '-C', '1'];
timed(ours('pub', '-h', '127.0.0.1', '-p', port, '-t', 'kept', '-m', 'hello', '-r'));

const subjects = new Map<string, string>([
  [EMPTY, line(process.execPath, '-e', '0')],
  ['mqtt-pub, localhost', ours('pub', ...publish('localhost'))],
  ['mqtt-pub, 127.0.0.1', ours('pub', ...publish('127.0.0.1'))],
  ['mqtt-sub, localhost', ours('sub', ...subscribe('localhost'))],
  ['mqtt-sub, 127.0.0.1', ours('sub', ...subscribe('127.0.0.1'))],
]);
if (without('mosquitto_pub', 'mosquitto_sub') === false) {
  subjects.set('mosquitto_pub, 127.0.0.1', line('mosquitto_pub', ...publish('127.0.0.1')));
  subjects.set('mosquitto_sub, 127.0.0.1', line('mosquitto_sub', ...subscribe('127.0.0.1')));
}

const costs = new Map<string, Cost[]>([...subjects.keys()].map((name) => [name, []]));
for (let run = 0; run < runs; run++) {
  for (const [name, command] of subjects) {
    const { cost, output } = timed(command);
    if (name.startsWith('mqtt-sub') && output !== 'hello\n') throw new Error(`${name} printed ${output}`);
    costs.get(name)?.push(cost);
  }
}
await broker.stop();

const medianOf = (name: string, what: keyof Cost): number => median((costs.get(name) ?? []).map((cost) => cost[what]));
const rows = [...subjects.keys()].map((name) => {
  const [wall, cpu] = [medianOf(name, 'wall'), medianOf(name, 'cpu')];
  const [slower, dearer] = [wall / medianOf(EMPTY, 'wall'), cpu / medianOf(EMPTY, 'cpu')];
  const verdict = name.startsWith('mqtt-') ? (slower <= BUDGET ? 'kept' : 'MISSED') : '–';
  return [name, wall.toFixed(1), slower.toFixed(2), cpu.toFixed(1), dearer.toFixed(2), verdict];
});
const head = ['process', 'ms', 'of node -e 0', 'CPU ms', 'of node -e 0', `≤ ${BUDGET}`];
const table = markdownTable(head, rows);
process.stdout.write(`${table}\n`);
if (!values['no-write']) {
  const facts = {
    runs: `${runs} of each, in turn, on core 1; our broker on core 0`,
    numbers: 'medians of whole processes',
  };
  process.stdout.write(`\nwritten to ${writeSection('Start-up', facts, table)}\n`);
}
