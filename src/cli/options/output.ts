// Options about how mqtt-sub and mqtt-rr print messages.
import { choice, FLAG, PAYLOAD_FORMAT, TEXT } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const receivers = ['sub', 'rr'] as const;

/** JSON lines say how each payload is encoded. */
const ownEncoding = {
  keys: ['jsonLines'],
  message: '--payload-format cannot be combined with --json-lines.',
} as const;

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
    help: 'Print messages in this form: text with %t (topic), %p (payload), %j (JSON) and others; see "Output" in the manual page.',
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
    key: 'payloadFormat',
    names: ['--payload-format'],
    kind: PAYLOAD_FORMAT,
    tools: ['sub'],
    group: 'Output',
    value: 'FORMAT',
    missing: '--payload-format argument given but no format specified',
    conflicts: ownEncoding,
    help: 'Print payloads in this form: as hex or base64 digits, as json, or cbor or msgpack as the JSON that it stands for.',
  },
  {
    key: 'payloadFormat',
    names: ['--payload-format'],
    kind: PAYLOAD_FORMAT,
    tools: ['rr'],
    group: 'Output',
    value: 'FORMAT',
    missing: '--payload-format argument given but no format specified',
    conflicts: ownEncoding,
    help: 'Form of the payloads, the one that is sent and the one that is printed: hex or base64 digits, json, or cbor or msgpack, which are typed and printed as JSON.',
  },
  {
    key: 'jsonCompat',
    names: ['--json-compat'],
    kind: choice({ '2.0': '2.0', '2.1': '2.1' }, (word) => `Invalid --json-compat '${word}': it is 2.0 or 2.1.`),
    tools: receivers,
    group: 'Output',
    value: 'VERSION',
    missing: '--json-compat argument given but no version specified',
    fallback: '2.1',
    help: 'Version of Mosquitto whose JSON %j and %J print: 2.0 or 2.1. Default: 2.1.',
  },
  {
    key: 'jsonLines',
    names: ['--json-lines'],
    kind: FLAG,
    tools: receivers,
    group: 'Output',
    conflicts: {
      keys: ['format', 'verbose', 'pretty', 'noNewline', 'watch'],
      message: '--json-lines cannot be combined with -F, -v, -w, -N or --pretty.',
    },
    help: 'Print every message as a line of JSON from which mqtt-pub --json-lines publishes exactly the same message.',
  },
] as const satisfies readonly OptionRow[];
