// The manual pages: the prose of man/*.md with the option tables in the place that it marks.
import { CONFIG_OPTIONS, type ConfigOption } from '../config/options.ts';
import { VERSION } from '../version.ts';
import { exitStatus } from './exit-status.ts';
import './options/bench.ts';
import type { OptionRow, Tool } from './options/row.ts';
import { optionsOf } from './options/tables.ts';
import { TOOLS } from './options/tools.ts';
import { blocks, bold, definition, heading, inline, italic, subheading } from './roff.ts';

/** A manual page. */
export interface Page {
  /** Name and section, for example 'mqtt-pub.1'. */
  readonly file: string;
  /** Name of the prose, for example 'mqtt-pub.md'. */
  readonly prose: string;
  /** Null for the page of the configuration file. */
  readonly tool: Tool | null;
}

/** Every page. */
export const PAGES: readonly Page[] = [
  { file: 'mqtt-broker.8', prose: 'mqtt-broker.md', tool: 'broker' },
  { file: 'mqtt-broker.conf.5', prose: 'mqtt-broker.conf.md', tool: null },
  { file: 'mqtt-pub.1', prose: 'mqtt-pub.md', tool: 'pub' },
  { file: 'mqtt-sub.1', prose: 'mqtt-sub.md', tool: 'sub' },
  { file: 'mqtt-rr.1', prose: 'mqtt-rr.md', tool: 'rr' },
  { file: 'mqtt-passwd.1', prose: 'mqtt-passwd.md', tool: 'passwd' },
  { file: 'mqtt-bench.1', prose: 'mqtt-bench.md', tool: 'bench' },
];

/** The date in the foot of the pages, set by hand when they change much: a date of the day would never be up to date. */
const DATE = '2026-11-21';

/** Where the prose wants the options. */
const OPTIONS_MARK = '<!-- options -->';
const SYNOPSIS_MARK = '<!-- synopsis -->';
/** Where it wants the exit codes. */
const EXIT_STATUS_MARK = '<!-- exit-status -->';

/** The roff of a page. Throws where its prose has no title or no place for the options. */
export function manPage(page: Page, prose: string): string {
  const [, name, section] = /^# ([\w.-]+)\((\d)\)\n/.exec(prose) ?? [];
  if (name === undefined || !prose.includes(OPTIONS_MARK)) {
    throw new Error(`man/${page.prose} needs a title such as "# name(1)" and a line "${OPTIONS_MARK}"`);
  }
  const codes = page.tool === null ? '' : exitStatus(page.tool);
  const body = prose.slice(prose.indexOf('\n') + 1).replace(EXIT_STATUS_MARK, () => codes);
  const [before = '', after = ''] = body.split(OPTIONS_MARK);
  const [first = '', second] = before.split(SYNOPSIS_MARK);
  const parts = [
    `.\\" Made from man/${page.prose} and the option tables; change those and run "npm run man".`,
    `.TH "${name.toUpperCase()}" "${section}" "${DATE}" "mqtt-suite ${VERSION}" "MQTT tools"`,
    blocks(first),
    ...(page.tool !== null && second !== undefined ? [synopsis(page.tool), blocks(second)] : []),
    page.tool === null ? configOptions() : toolOptions(page.tool),
    blocks(after),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function synopsis(tool: Tool): string {
  const { name, synopsis: lines } = TOOLS[tool];
  const usage = lines.map(
    (line) =>
      `.HP\n${bold(name)} ${line
        .split(/([A-Za-z_-]+)/)
        .map(synopsisWord)
        .join('')}`,
  );
  return [heading('Synopsis'), ...usage].join('\n');
}

/** Options bold, values italic, brackets plain. */
function synopsisWord(word: string, index: number): string {
  if (index % 2 === 0) return inline(word);
  return word.startsWith('-') ? bold(word) : italic(word);
}

function toolOptions(tool: Tool): string {
  const rows = optionsOf(tool).filter((row) => row.refused === undefined);
  const refused = optionsOf(tool).filter((row) => row.refused !== undefined);
  const groups = [...new Set(rows.map((row) => row.group))];
  const listed = groups.flatMap((group) => [
    subheading(group),
    ...rows.filter((row) => row.group === group).map((row) => definition(term(row), row.help)),
  ]);
  const names = refused.map((row) => `\`${row.names.join('`, `')}\``).join(', ');
  const note = `Known to Mosquitto but refused with an error here: ${names}.`;
  return [...listed, ...(refused.length === 0 ? [] : [subheading('Not supported'), inline(note)])].join('\n');
}

function term(row: OptionRow): string {
  const names = row.names.map(bold).join(', ');
  return row.value === undefined ? names : `${names} ${italic(row.value)}`;
}

function configOptions(): string {
  const supported = CONFIG_OPTIONS.filter((option) => option.supported);
  const sections = [...new Set(supported.map((option) => option.section))];
  const refused = CONFIG_OPTIONS.filter((option) => !option.supported);
  return [
    ...sections.flatMap((section) => [
      heading(section),
      ...supported.filter((option) => option.section === section).map(configOption),
    ]),
    heading('Refused options'),
    inline('These options of Mosquitto are known and not served.'),
    ...refused.map((option) => definition(bold(option.name), `${option.description} ${option.refusal ?? ''}`)),
  ].join('\n');
}

function configOption(option: ConfigOption): string {
  const printed = option.default === null ? [] : option.kind.print(option.default);
  const facts = [
    option.description,
    ...(printed.length === 0 ? [] : [`Default: \`${printed.join('`, `')}\`.`]),
    ...(option.aliases.length === 0 ? [] : [`Other name: \`${option.aliases.join('`, `')}\`.`]),
    ...(option.deprecated === null ? [] : [`Deprecated. ${option.deprecated}`.trim()]),
    option.reload === 'live' ? 'Applied on reload.' : 'Needs a restart.',
  ];
  return definition(`${bold(option.name)} ${italic(option.kind.syntax)}`, facts.join(' '));
}
