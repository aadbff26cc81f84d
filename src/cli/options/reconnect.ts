// Options of the clients about what happens when there is no connection.
import { FLAG, integer } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const clients = ['pub', 'sub', 'rr'] as const;

export const RECONNECT_OPTIONS = [
  {
    key: 'reconnect',
    names: ['--reconnect'],
    kind: FLAG,
    tools: clients,
    group: 'Connection',
    help: 'Try again every second when no connection can be made, and go on after a lost one. Without this a first connection that fails ends the tool, and a lost one ends mqtt-rr and mqtt-pub without -l.',
  },
  {
    key: 'maxReconnects',
    names: ['--max-reconnects'],
    kind: integer(0, 2_147_483_647, (word) => `Invalid number of reconnects "${word}".`),
    tools: clients,
    group: 'Connection',
    value: 'COUNT',
    missing: '--max-reconnects argument given but no count specified',
    help: 'Give up when this many attempts in a row to connect again have failed; 0 makes none. Default: no limit.',
  },
] as const satisfies readonly OptionRow[];
