// What the lines of the table of differences left behind when they were last looked at, and the page that tells users of them.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../support/process.ts';
import { DIFFERENCES, type Difference } from './differential-differences.ts';
import type { Outcome } from './differential-line.ts';
import { RULES } from './differential-rules.ts';
import { CASES, PARTS, type Pair } from './differential-suite.ts';

const RECORD = path.join(repository, 'test/interop/differential-record.json');
/** The page, by its path in the repository. */
export const PAGE = 'test/cli/DIFFERENCES.md';

/** Longest text that the page shows, in characters. */
const LONGEST = 300;

/** Both outcomes of each listed line, by its name. */
export function readRecord(): Readonly<Record<string, Pair>> {
  return JSON.parse(readFileSync(RECORD, 'utf8'));
}

/** Writes the outcomes, in the order of the suite. */
export function writeRecord(found: ReadonlyMap<string, Pair>): void {
  const names = CASES.map(({ name }) => name).filter((name) => found.has(name));
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, found.get(name)])), null, 2);
  writeFileSync(RECORD, `${text}\n`);
}

const INTRODUCTION = `# Differences from Mosquitto's tools

\`npm run differences\` writes this page from test/interop/differential-differences.ts and what both makes of tools last did
(test/interop/differential-record.json). The suite test/interop/differential.test.ts runs COUNT command lines through
mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd 2.0.11 and through mqtt-pub, mqtt-sub, mqtt-rr and mqtt-passwd
at the same broker. Standard output, standard error and exit code are the same to the byte, save for what stands here; and the
suite fails when something that stands here is no longer so.

In the lines, {t} stands for a topic or client id of the line's own, {dir} and {folder} for folders, {port}, {tls} and the like
for ports, {id} for a client id that was made up, {usage} for the text of --help, which each make has in its own words.
`;

/** The text of the page. */
export function pageText(record: Readonly<Record<string, Pair>>): string {
  const head = INTRODUCTION.replace('COUNT', String(CASES.length));
  const rules = RULES.map(({ title, mosquitto, ours, reason }) => section(title, mosquitto, ours, reason, []));
  const differences = DIFFERENCES.map((one) => {
    const { title, mosquitto, ours, reason, lines } = one;
    return section(
      title,
      mosquitto,
      ours,
      reason,
      lines.map((name) => lineText(one, name, record[name])),
    );
  });
  return [head, '## Wherever it occurs\n', ...rules, '## In single lines\n', ...differences].join('\n');
}

function section(title: string, mosquitto: string, ours: string, reason: string, lines: readonly string[]): string {
  const facts = `- Mosquitto: ${mosquitto}\n- Ours: ${ours}\n- Why: ${reason}\n`;
  return `### ${title}\n\n${facts}${lines.length === 0 ? '' : `\n${lines.join('')}`}`;
}

function lineText({ varies }: Difference, name: string, pair: Pair | undefined): string {
  const parts = PARTS.filter((part) => pair !== undefined && pair.theirs[part] !== pair.ours[part]);
  const told = parts.map((part) => {
    const [theirs, ours] = [shown(part, pair?.theirs), shown(part, pair?.ours)];
    return `  - ${part === 'code' ? 'exit code' : part}: ${theirs}${varies ? ' (not always)' : ''} → ${ours}\n`;
  });
  return `- ${code(name)}\n${told.join('')}`;
}

function shown(part: (typeof PARTS)[number], outcome: Outcome | undefined): string {
  const value = outcome?.[part];
  if (value === undefined || value === null) return 'ended by the signal';
  if (part === 'code') return String(value);
  const text = JSON.stringify(Buffer.from(String(value), 'latin1').toString())
    .slice(1, -1)
    .replaceAll('\\"', '"');
  if (text === '') return 'nothing';
  return code(text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);
}

/** Text as code in Markdown, whatever quotes it holds. */
function code(text: string): string {
  const fence = text.includes('`') ? '``' : '`';
  return `${fence}${text}${fence}`;
}
