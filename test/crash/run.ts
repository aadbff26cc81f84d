// Kills brokers, and checks from outside that they keep what they promise.
//
//   npm run crash -- [--kills N] [--seed N] [--minutes M] [--arenas N] [--power-loss] [--keep FOLDER] [--broker FILE]
//                    [--config LINE]…
//   npm run crash -- --full-disk [--episodes N] …          the disk becomes full, under root a real one of 16 MB
//
// Exit code 1 when a promise was broken.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { faultText, faultTotal, finalReport, progressLine } from './report.ts';
import { run, runFull } from './runs.ts';

const MOST_SHOWN = 20;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    arenas: { type: 'string', default: '3' },
    'power-loss': { type: 'boolean', default: false },
    'full-disk': { type: 'boolean', default: false },
    episodes: { type: 'string', default: '12' },
    keep: { type: 'string' },
    broker: { type: 'string' },
    config: { type: 'string', multiple: true },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
say(`seed ${seed}`);
const common = { seed, program: values.broker ?? null, config: values.config ?? null, keep: values.keep ?? null };
const { totals, arenas, seconds } = values['full-disk']
  ? await runFull(common, process.getuid?.() === 0 ? 'mounted' : 'injected', Number(values.episodes))
  : await run({
      ...common,
      kills: Number(values.kills),
      limitMs: Number(values.minutes) * 60_000,
      arenas: Number(values.arenas),
      losesPower: values['power-loss'],
      drainEvery: 4,
      onProgress: (sofar, time) => say(progressLine(sofar, time)),
    });
const faults = arenas.flatMap(({ ledger }) => ledger.faults);
for (const fault of faults.slice(0, MOST_SHOWN)) say(`\n${faultText(fault, seed)}`);
if (faults.length > MOST_SHOWN) say(`\n… and ${faultTotal(totals) - MOST_SHOWN} more`);
say(`\n${finalReport(totals, seconds, seed)}`);
process.exit(faultTotal(totals) === 0 ? 0 : 1);
