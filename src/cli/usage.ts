// --help and --version, from the tables.

import { VERSION } from '../version.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { optionsOf } from './options/tables.ts';
import { TOOLS } from './options/tools.ts';

/** Columns of a help text. */
const WIDTH = 79;
/** Column where an option's description begins. */
const INDENT = 30;

/** The text of --version, with its line ends. */
export function versionText(tool: Tool): string {
  const { name, summary } = TOOLS[tool];
  if (tool !== 'broker') return `${name} version ${VERSION}\n`;
  return `${name} ${VERSION}\nNode ${process.version}, OpenSSL ${process.versions.openssl}\nThis ${summary}\n`;
}

/** The text of --help, with its line ends. */
export function helpText(tool: Tool): string {
  const { name, summary } = TOOLS[tool];
  const intro = tool === 'broker' ? [] : [`${name} ${summary}`, `${name} version ${VERSION}`, ''];
  return `${[...intro, ...usageLines(tool), ...groupLines(tool)].join('\n')}\n`;
}

function usageLines(tool: Tool): string[] {
  const { name, synopsis } = TOOLS[tool];
  return synopsis.flatMap((line, index) => {
    const head = index === 0 ? `Usage: ${name} ` : `       ${name} `;
    return wrap(head, line, ' '.repeat(head.length));
  });
}

function groupLines(tool: Tool): string[] {
  const rows = optionsOf(tool).filter((row) => row.refused === undefined);
  const groups = [...new Set(rows.map((row) => row.group))];
  return groups.flatMap((group) => [
    '',
    `${group}:`,
    ...rows.filter((row) => row.group === group).flatMap((row) => optionLines(row)),
  ]);
}

function optionLines(row: OptionRow): string[] {
  const head = `  ${spelling(row)}`;
  const indent = ' '.repeat(INDENT);
  if (head.length + 2 <= INDENT) return wrap(head.padEnd(INDENT), row.help, indent);
  return [head, ...wrap(indent, row.help, indent)];
}

/** An option with all its spellings and its value: `-h, --host HOST`. */
export function spelling(row: OptionRow): string {
  const names = row.names.join(', ');
  return row.value === undefined ? names : `${names} ${row.value}`;
}

/** Breaks text at spaces; the first line begins with `head`, the others with `indent`. */
function wrap(head: string, text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = head;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
