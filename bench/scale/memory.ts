// What an idle client costs in memory, beside what a bare socket costs Node, and whether it comes back.
import { runOnCore } from '../run-load.ts';
import { type Run, type WatchedBroker, withBareServer, withBroker } from './broker.ts';
import type { MemoryOptions, MemoryResult, MemorySample } from './memory-load.ts';
import { atMost, type Finding, told } from './scenario.ts';

/** Most bytes of resident memory for an idle client. */
const TARGET_KB = 9;
/** Share of the first full wave by which the last empty broker may be larger than the first. */
const REMAINS = 0.1;

function load(server: WatchedBroker, clients: number, waves: number, isBare: boolean): Promise<MemoryResult> {
  const { port, pid, watch } = server;
  const options: MemoryOptions = { port, pid, watch, clients, waves, isBare };
  return runOnCore(1, 'scale/memory-load.js', options, 60 * waves);
}

const kilobytes = (full: MemorySample, empty: MemorySample, clients: number, key: keyof MemorySample): number =>
  (full[key] - empty[key]) / clients / 1000;
const megabytes = (samples: readonly MemorySample[]): string =>
  samples.map(({ resident }) => (resident / 1e6).toFixed(0)).join(', ');

/** Idle clients, in waves. */
export async function measureMemory(run: Run): Promise<Finding[]> {
  const clients = run.isQuick ? 3000 : 9000;
  const waves = run.isQuick ? 2 : 3;
  const bare = await withBareServer((server) => load(server, clients, 1, true));
  const ours = await withBroker(run, [], (broker) => load(broker, clients, waves, false));
  const [empty, full] = [ours.empty[0]!, ours.full[0]!];
  const [bareEmpty, bareFull] = [bare.empty[0]!, bare.full[0]!];
  const each = (key: keyof MemorySample): number => kilobytes(full, empty, clients, key);
  const eachBare = (key: keyof MemorySample): string => kilobytes(bareFull, bareEmpty, clients, key).toFixed(2);
  const grown = (ours.empty.at(-1)!.resident - ours.empty[1]!.resident) / (full.resident - empty.resident);
  return [
    atMost(
      `an idle client with one subscription, of ${clients}: resident memory`,
      each('resident'),
      TARGET_KB,
      2,
      ' KB',
    ),
    told(
      'of that JavaScript heap; buffers beside it',
      `${each('heap').toFixed(2)} KB; ${each('external').toFixed(2)} KB`,
    ),
    told(
      'a bare socket of Node: resident memory; heap; beside it',
      `${eachBare('resident')} KB; ${eachBare('heap')} KB; ${eachBare('external')} KB`,
    ),
    atMost(
      `growth of the empty broker from the first wave to the last, as a share of a wave`,
      Math.max(0, grown),
      REMAINS,
      2,
      '',
      ` (resident MB empty: ${megabytes(ours.empty)}; full: ${megabytes(ours.full)})`,
    ),
  ];
}
