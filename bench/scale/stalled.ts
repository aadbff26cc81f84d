// Subscribers that stop reading: what it means for the others, for the memory, and what is told of what they missed.
import path from 'node:path';
import { runOnCore } from '../run-load.ts';
import { type Run, withBroker } from './broker.ts';
import { atLeast, atMost, type Finding, told } from './scenario.ts';
import type { StalledOptions, StalledResult } from './stalled-load.ts';

const MEMORY_LIMIT = 100_000_000;
/** What may wait in the process for the socket of each client that does not read: the high-water mark and a write beyond it. */
const SOCKET_BYTES = 131_072;
const LINES = [
  'log_dest file FOLDER/log',
  'max_queued_messages 1000',
  `memory_limit ${MEMORY_LIMIT}`,
  'sys_interval 1',
];

/** Half of the subscribers stop. */
export async function measureStalled(run: Run): Promise<Finding[]> {
  const subscribers = run.isQuick ? 400 : 2000;
  const half = subscribers / 2;
  const result: StalledResult = await withBroker(run, LINES, ({ port, pid, folder }) => {
    const log = path.join(folder, 'log');
    const stalledSeconds = run.isQuick ? 15 : 45;
    const options: StalledOptions = { port, pid, log, subscribers, payload: 4096, seconds: 5, stalledSeconds };
    return runOnCore(1, 'scale/stalled-load.js', options, 120);
  });
  const { rateBefore, rateStalled, memoryBefore, memoryPeak, missed } = result;
  const bound = (MEMORY_LIMIT + half * SOCKET_BYTES) / 1e6;
  const isCounted = result.sysDropped === missed && result.clientsRight === result.clientsMissing;
  return [
    atLeast(
      `${half} of ${subscribers} subscribers stop reading: rate of the others, as a share of before`,
      rateStalled / rateBefore,
      0.9,
      2,
      '',
      ` (${rateBefore.toFixed(0)} messages a second before, ${rateStalled.toFixed(0)} then, ${result.lastRate.toFixed(0)} in the last second)`,
    ),
    atMost(
      'growth of resident memory (memory_limit and 128 KiB for each socket)',
      memoryPeak - memoryBefore,
      bound,
      0,
      ' MB',
    ),
    {
      what: 'messages that were missed, by the clients; by $SYS; clients that missed some, and of these the log tells right',
      measured: `${missed}; ${result.sysDropped}; ${result.clientsMissing}; ${result.clientsRight}`,
      target: 'the same',
      isKept: isCounted && missed > 0,
    },
    told('clients in the log', String(result.clientsInLog)),
  ];
}
