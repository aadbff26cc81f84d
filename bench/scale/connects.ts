// How many connections a second one core carries: what the broker spends for each, and the rate that the load reached. The
// load's own core is busier than the broker's, so the rate alone would tell of the load.
import { median } from '../measure.ts';
import { runOnCore } from '../run-load.ts';
import { type Run, type WatchedBroker, withBareServer, withBroker } from './broker.ts';
import type { ConnectsOptions, ConnectsWave } from './connects-load.ts';
import { atLeast, type Finding, told } from './scenario.ts';

const TARGET = 15_000;
const CONCURRENT = 50;
const CLIENTS = 5000;

function load({ port, pid }: WatchedBroker, run: Run): Promise<ConnectsWave[]> {
  const options: ConnectsOptions = { port, pid, concurrent: CONCURRENT, clients: CLIENTS, waves: run.isQuick ? 4 : 6 };
  return runOnCore(1, 'scale/connects-load.js', options, 60);
}

/** CONNECT and CONNACK without authentication, and leaving again. */
export async function measureConnects(run: Run): Promise<Finding[]> {
  const ours: ConnectsWave[] = [];
  const bare: ConnectsWave[] = [];
  for (let round = 0; round < run.rounds; round++) {
    ours.push(...(await withBroker(run, [], (broker) => load(broker, run))));
    bare.push(...(await withBareServer((server) => load(server, run))));
  }
  const middle = (waves: readonly ConnectsWave[], key: keyof ConnectsWave): number =>
    median(waves.map((wave) => wave[key]));
  const times = (waves: readonly ConnectsWave[]): string => {
    const [come, leave] = [middle(waves, 'come') / 1000, middle(waves, 'leave') / 1000];
    return `${come.toFixed(1)} + ${leave.toFixed(1)} µs`;
  };
  return [
    atLeast('connects a second that one core carries (1 s / CPU of one)', 1e9 / middle(ours, 'come'), TARGET, 0, ''),
    told('CPU of the broker for a client that connects, and for its leaving', times(ours)),
    told('the same in a bare server of Node that answers CONNACK and closes', times(bare)),
    told('connects a second that the load reached', middle(ours, 'rate').toFixed(0)),
  ];
}
