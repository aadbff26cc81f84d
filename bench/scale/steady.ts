// Whether the broker grows under a steady load.
import { median } from '../measure.ts';
import { runOnCore } from '../run-load.ts';
import { type Run, withBroker } from './broker.ts';
import { atMost, type Finding, told } from './scenario.ts';
import type { SteadyOptions, SteadyResult } from './steady-load.ts';

/** Share by which the last quarter may be above the second: by then all that is made once is there. */
const MOST_GROWTH = 0.03;

export async function measureSteady(run: Run): Promise<Finding[]> {
  const { minutes } = run;
  const { resident, messages, visits } = await withBroker(run, [], ({ port, pid }) =>
    runOnCore<SteadyResult>(1, 'scale/steady-load.js', { port, pid, minutes } satisfies SteadyOptions, minutes * 60),
  );
  const quarter = (number: number): number => {
    const size = resident.length / 4;
    return median(resident.slice(Math.floor(number * size), Math.floor((number + 1) * size)));
  };
  return [
    atMost(
      `growth of resident memory over ${minutes} minutes: last quarter against the second`,
      Math.max(0, quarter(3) / quarter(1) - 1),
      MOST_GROWTH,
      3,
      '',
      ` (medians of the quarters ${[0, 1, 2, 3].map((number) => quarter(number).toFixed(1)).join(', ')} MB)`,
    ),
    told('messages delivered; clients that came and went', `${messages}; ${visits}`),
  ];
}
