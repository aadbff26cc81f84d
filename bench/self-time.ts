// Prints where a CPU profile says that the time went: the functions with the most time of their own.
//
//   node self-time.js FILE.cpuprofile [COUNT]
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** What is used of a profile as `node --cpu-prof` writes it. */
interface Profile {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

const [, , file, count = '25'] = process.argv;
if (file === undefined) throw new Error('the first argument must be a .cpuprofile file');
const profile: Profile = JSON.parse(readFileSync(file, 'utf8'));
const names = new Map(
  profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
    const place = url === '' ? '' : ` (${url.split('/').slice(-2).join('/')}:${lineNumber + 1})`;
    return [id, `${functionName || 'anonymous'}${place}`];
  }),
);
const spent = new Map<string, number>();
for (const [i, id] of profile.samples.entries()) {
  const name = names.get(id) ?? 'unknown';
  spent.set(name, (spent.get(name) ?? 0) + (profile.timeDeltas[i] ?? 0));
}
const total = [...spent].reduce((sum, [name, time]) => (name === '(idle)' ? sum : sum + time), 0);
for (const [name, time] of [...spent].sort((a, b) => b[1] - a[1]).slice(0, Number(count))) {
  const share = name === '(idle)' ? '      ' : `${((100 * time) / total).toFixed(1).padStart(5)}%`;
  process.stdout.write(`${share} ${(time / 1000).toFixed(0).padStart(7)} ms  ${name}\n`);
}
