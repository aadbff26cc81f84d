// How many connections a second one core carries: the rate that the load reached, and what the broker spent for each. The
// load's own core is as busy as the broker's, so the rate alone would tell of the load.
import { median } from '../measure.ts';
import { runOnCore } from '../run-load.ts';
import { type Run, type WatchedBroker, withBareServer, withBroker } from './broker.ts';
import type { ConnectsOptions, ConnectsResult } from './connects-load.ts';
import { atLeast, type Finding, told } from './scenario.ts';

const TARGET = 15_000;
const CONCURRENT = 50;

function load({ port, pid }: WatchedBroker, run: Run): Promise<ConnectsResult> {
  const seconds = run.isQuick ? 2 : 4;
  const options: ConnectsOptions = { port, pid, concurrent: CONCURRENT, warmupSeconds: seconds / 2, seconds };
  return runOnCore(1, 'scale/connects-load.js', options, seconds * 2);
}

const microseconds = (result: ConnectsResult): number => result.brokerNanoseconds / 1000 / result.connects;

/** CONNECT, CONNACK, DISCONNECT, without authentication. */
export async function measureConnects(run: Run): Promise<Finding[]> {
  const ours: ConnectsResult[] = [];
  const bare: ConnectsResult[] = [];
  for (let round = 0; round < run.rounds; round++) {
    ours.push(await withBroker(run, [], (broker) => load(broker, run)));
    bare.push(await withBareServer((server) => load(server, run)));
  }
  const cost = median(ours.map(microseconds));
  const bareCost = median(bare.map(microseconds));
  const rate = median(ours.map(({ connects, seconds }) => connects / seconds));
  return [
    atLeast('connects a second that one core carries (1 s / CPU of one)', 1e6 / cost, TARGET, 0, ''),
    told('CPU of the broker for connect and disconnect', `${cost.toFixed(1)} µs`),
    told(
      'the same in a bare server of Node that answers CONNACK and closes',
      `${bareCost.toFixed(1)} µs, ${(1e6 / bareCost).toFixed(0)} a second`,
    ),
    told('rate that the load reached', `${rate.toFixed(0)} a second`),
  ];
}
