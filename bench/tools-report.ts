// The file of both benchmarks of the tools: each replaces its own section and leaves that of the other.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { repository } from '../test/support/process.ts';
import { versionOf } from './brokers.ts';
import { machine } from './measure.ts';
import { factList } from './report.ts';

/** Writes a section of bench/results/DATE-tools.md; returns the path below the repository. */
export function writeSection(title: string, facts: Readonly<Record<string, string>>, tables: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const folder = path.join(repository, 'bench', 'results');
  const file = path.join(folder, `${date}-tools.md`);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '# The tools\n';
  const [head = '', ...sections] = before.split('\n## ');
  const others = sections.filter((section) => !section.startsWith(`${title}\n`)).map((section) => section.trimEnd());
  const all = { machine: machine(), node: process.version, mosquitto: versionOf('mosquitto'), ...facts };
  const own = `${title}\n\n${factList(all)}\n\n${tables}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    `${[head.trimEnd(), ...[...others, own].sort().map((section) => `## ${section}`)].join('\n\n')}\n`,
  );
  return path.relative(repository, file);
}
