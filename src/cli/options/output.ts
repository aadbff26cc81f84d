// Options about how mqtt-sub and mqtt-rr print messages.
import { FLAG, TEXT } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const receivers = ['sub', 'rr'] as const;

export const OUTPUT_OPTIONS = [
  {
    key: 'verbose',
    names: ['-v', '--verbose'],
    kind: FLAG,
    tools: receivers,
    group: 'Output',
    help: 'Print the topic in front of each payload.',
  },
  {
    key: 'noNewline',
    names: ['-N'],
    kind: FLAG,
    tools: receivers,
    group: 'Output',
    help: 'Print no line end after the payload.',
  },
  {
    key: 'format',
    names: ['-F'],
    kind: TEXT,
    tools: receivers,
    group: 'Output',
    value: 'FORMAT',
    missing: '-F argument given but no format specified',
    help: 'Print messages in this form: text with %t (topic), %p (payload), %j (JSON) and others, see the manual page.',
  },
  {
    key: 'pretty',
    names: ['--pretty'],
    kind: FLAG,
    tools: receivers,
    group: 'Output',
    help: 'Spread JSON output (%j, %J) over several lines.',
  },
  {
    key: 'jsonLines',
    names: ['--json-lines'],
    kind: FLAG,
    tools: receivers,
    group: 'Output',
    conflicts: {
      keys: ['format', 'verbose', 'pretty', 'noNewline'],
      message: 'The option --json-lines goes without -F, -v, -N and --pretty.',
    },
    help: 'Print every message as a line of JSON from which mqtt-pub --json-lines publishes exactly the same message.',
  },
] as const satisfies readonly OptionRow[];
