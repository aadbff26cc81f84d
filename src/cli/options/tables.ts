// Every option of every tool (those of mqtt-bench alone come with options/bench.ts), in the order of --help and the man pages.
import type { BENCH_OPTIONS } from './bench.ts';
import { BROKER_OPTIONS } from './broker.ts';
import { COMPLETION_OPTIONS } from './completion.ts';
import { CONNECTION_OPTIONS } from './connection.ts';
import { GENERAL_OPTIONS } from './general.ts';
import { OUTPUT_OPTIONS } from './output.ts';
import { PASSWD_OPTIONS } from './passwd.ts';
import { PROPERTY_OPTIONS } from './properties.ts';
import { PUBLISH_OPTIONS } from './publish.ts';
import { RECONNECT_OPTIONS } from './reconnect.ts';
import type { Fields, OptionRow, Tool } from './row.ts';
import { SUBSCRIBE_OPTIONS } from './subscribe.ts';
import { TLS_OPTIONS } from './tls.ts';
import { WILL_OPTIONS } from './will.ts';

const ALL = [
  ...PASSWD_OPTIONS,
  ...BROKER_OPTIONS,
  ...PUBLISH_OPTIONS,
  ...SUBSCRIBE_OPTIONS,
  ...OUTPUT_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...RECONNECT_OPTIONS,
  ...WILL_OPTIONS,
  ...PROPERTY_OPTIONS,
  ...TLS_OPTIONS,
  ...GENERAL_OPTIONS,
  ...COMPLETION_OPTIONS,
] as const;

/** The parsed options of a tool: a field for each option that it supports. */
export type Options<T extends Tool> = Fields<(typeof ALL)[number] | (typeof BENCH_OPTIONS)[number], T>;

/** Options that come with a tool: the others need not load them to start. */
const brought: OptionRow[] = [];

/** Adds options that only one tool has, in front of those that it shares with others. */
export function bringOptions(rows: readonly OptionRow[]): void {
  brought.push(...rows);
}

/** The options of a tool, the refused ones among them. */
export function optionsOf(tool: Tool): readonly OptionRow[] {
  return [...brought, ...(ALL as readonly OptionRow[])].filter((row) => row.tools.includes(tool));
}
