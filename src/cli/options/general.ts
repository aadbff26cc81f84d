// Options of the clients that are about the tool itself.
import { FLAG, TEXT } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const clients = ['pub', 'sub', 'rr'] as const;
const all = [...clients, 'bench'] as const;

export const GENERAL_OPTIONS = [
  {
    key: 'debug',
    names: ['-d', '--debug'],
    kind: FLAG,
    tools: clients,
    group: 'General',
    help: 'Trace every packet sent and received, on standard output.',
  },
  {
    key: 'debugPackets',
    names: ['--debug-packets'],
    kind: FLAG,
    tools: clients,
    group: 'General',
    help: 'As -d, and decode every packet with all its fields and properties. So does -d given twice.',
  },
  {
    key: 'quiet',
    names: ['--quiet'],
    kind: FLAG,
    tools: all,
    group: 'General',
    help: 'Print no error messages.',
  },
  {
    key: 'failOnDenied',
    names: ['--fail-on-denied'],
    kind: FLAG,
    tools: clients,
    group: 'General',
    help: 'Exit with code 135 when the broker refuses a message or a subscription. mqtt-pub speaks MQTT 5 then where -V is not given; no broker tells that it refuses messages of QoS 0.',
  },
  {
    key: 'optionsFile',
    names: ['-o'],
    kind: TEXT,
    tools: clients,
    group: 'General',
    value: 'FILE',
    missing: '-o argument given but no options file specified',
    help: 'Read options from this file, see "Options file" in the manual page. Default: a file in the configuration directory of the user.',
  },
  {
    key: 'help',
    names: ['--help'],
    kind: FLAG,
    tools: clients,
    group: 'General',
    stops: true,
    help: 'Print this text and exit with code 1.',
  },
  {
    key: 'version',
    names: ['--version'],
    kind: FLAG,
    tools: clients,
    group: 'General',
    stops: true,
    help: 'Print the version and exit with code 1.',
  },
] as const satisfies readonly OptionRow[];
